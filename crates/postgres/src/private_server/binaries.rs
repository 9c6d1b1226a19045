//! PostgreSQL's programs: where they are. Knows nothing of clusters.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::ServerError;

/// The variable that names the folder of the programs, before all other places.
const NAMED: &str = "REWAKE_TEST_POSTGRES";
/// Where Debian keeps the programs, a folder per version.
const DEBIAN: &str = "/usr/lib/postgresql";
const NEEDED: [&str; 4] = ["initdb", "pg_ctl", "postgres", "psql"];

/// The folder with PostgreSQL's server programs.
#[derive(Debug, Clone)]
pub(super) struct Binaries(PathBuf);

impl Binaries {
    /// Finds them: where the environment says, where `pg_config` says, where Debian keeps them
    /// (the newest version), in the search path.
    pub(super) fn find() -> Result<Self, ServerError> {
        if let Some(named) = env::var_os(NAMED) {
            let named = PathBuf::from(named);
            return Self::within(&named).ok_or_else(|| ServerError::NoPrograms {
                looked: format!("`{}`, which {NAMED} names", named.display()),
            });
        }
        let path = env::var_os("PATH").unwrap_or_default();
        let mut places = debian()
            .into_iter()
            .chain(configured())
            .chain(env::split_paths(&path));
        places
            .find_map(|place| Self::within(&place))
            .ok_or_else(|| ServerError::NoPrograms {
                looked: format!("{DEBIAN}/*/bin, the folder that `pg_config` names, and PATH"),
            })
    }

    /// Takes the folder if all the programs are in it. Links are followed: the programs find their
    /// own files from where they really are, and so do we.
    fn within(folder: &Path) -> Option<Self> {
        let postgres = fs::canonicalize(folder.join("postgres")).ok()?;
        let folder = postgres.parent()?;
        let all = NEEDED.iter().all(|name| folder.join(name).is_file());
        all.then(|| Self(folder.to_owned()))
    }

    pub(super) fn path_of(&self, program: &str) -> PathBuf {
        self.0.join(program)
    }

    /// Returns a call of one of them, which must not depend on whose terminal the tests run at.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.path_of(program));
        command.env_clear().env("LC_ALL", "C").current_dir("/");
        for kept in ["PATH", "LD_LIBRARY_PATH"] {
            command.envs(env::var_os(kept).map(|value| (kept, value)));
        }
        command
    }
}

fn configured() -> Option<PathBuf> {
    let said = Command::new("pg_config").arg("--bindir").output().ok()?;
    let folder = String::from_utf8(said.stdout).ok()?;
    Some(PathBuf::from(folder.trim_end()))
}

fn debian() -> Vec<PathBuf> {
    let Ok(versions) = fs::read_dir(DEBIAN) else {
        return Vec::new();
    };
    let mut versions: Vec<_> = versions.flatten().map(|version| version.path()).collect();
    versions.sort_by_key(|version| std::cmp::Reverse(number(version.file_name())));
    versions
        .into_iter()
        .map(|version| version.join("bin"))
        .collect()
}

fn number(version: Option<&OsStr>) -> Option<u32> {
    version?.to_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_the_programs_is_not_taken() {
        assert!(Binaries::within(Path::new("/")).is_none());
    }
}
