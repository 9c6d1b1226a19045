//! Who runs the server. PostgreSQL refuses to run as root, so root lends it to somebody else.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use rustix::process::getuid;

use super::error::ServerError;

/// Tried in this order. Any will do that is not root and has an entry in the list of users.
const CANDIDATES: [&str; 3] = ["postgres", "nobody", "daemon"];

/// The user that the server's programs run as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum User {
    /// The user of this process.
    This,
    /// Another, because this process is root's.
    Other { user: u32, group: u32 },
}

impl User {
    pub(super) fn choose() -> Result<Self, ServerError> {
        if !getuid().is_root() {
            return Ok(Self::This);
        }
        let found = CANDIDATES.iter().find_map(|name| {
            let (user, group) = (id("-u", name)?, id("-g", name)?);
            (user != 0).then_some(Self::Other { user, group })
        });
        found.ok_or_else(|| ServerError::NoUser {
            tried: CANDIDATES.join(", "),
        })
    }

    /// Lets a program run as this user. Root's other groups go with it.
    pub(super) fn lend(self, command: &mut Command) {
        if let Self::Other { user, group } = self {
            command.uid(user).gid(group);
        }
    }

    /// Makes this user the owner of a file or folder.
    pub(super) fn give(self, path: &Path) -> Result<(), ServerError> {
        let Self::Other { user, group } = self else {
            return Ok(());
        };
        std::os::unix::fs::chown(path, Some(user), Some(group))
            .map_err(ServerError::io("change the owner of", path))
    }
}

fn id(option: &str, name: &str) -> Option<u32> {
    let said = Command::new("id").args([option, name]).output().ok()?;
    String::from_utf8(said.stdout).ok()?.trim_end().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_runs_a_server_as_root() {
        match User::choose().unwrap() {
            User::This => assert!(!getuid().is_root()),
            User::Other { user, .. } => assert_ne!(user, 0),
        }
    }
}
