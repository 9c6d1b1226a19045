//! The folder of one server: where it stands, what is in it, who uses it, and how it goes.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::process::{Pid, Signal, getuid};

use super::error::ServerError;
use super::user::User;
use super::{lock, patience, process, supervisor};

/// The longest path that fits a Unix socket on every system, less the socket's own name.
const PATH_BYTES_MAX: usize = 103 - "/socket/.s.PGSQL.65535".len();
/// Where Linux has a file system in memory.
pub(super) const MEMORY: &str = "/dev/shm";
/// It is used if it has room for this much. What tests leave there at a time
/// is a tenth of it.
const ROOM_BYTES: u64 = 1 << 30;

/// A folder that holds folders of servers.
#[derive(Debug, Clone)]
pub(super) struct Place(PathBuf);

impl Place {
    /// The temporary folder.
    pub(super) fn on_disk() -> Self {
        Self(std::env::temp_dir())
    }

    /// The file system in memory, where there is one with room. A server there works as it would
    /// anywhere, syncs included; only power must not fail.
    pub(super) fn in_memory() -> Self {
        let memory = Path::new(MEMORY);
        let room = rustix::fs::statvfs(memory).map_or(0, |found| found.f_bavail * found.f_frsize);
        if cfg!(target_os = "linux") && room >= ROOM_BYTES {
            return Self(memory.to_owned());
        }
        Self::on_disk()
    }

    /// How the names of this user's servers begin.
    fn prefix() -> String {
        format!("rewake-postgres-{}-", getuid().as_raw())
    }

    /// The lock under which folders come, are joined and are cleared.
    pub(super) fn lock(&self) -> PathBuf {
        self.0.join(format!("{}lock", Self::prefix()))
    }

    /// Returns the folders of this user's servers whose name goes on like this.
    pub(super) fn folders(&self, kind: &str) -> Result<Vec<Folder>, ServerError> {
        let prefix = format!("{}{kind}", Self::prefix());
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.0).map_err(ServerError::io("list", &self.0))? {
            let entry = entry.map_err(ServerError::io("list", &self.0))?;
            let is_named_so = entry.file_name().to_string_lossy().starts_with(&prefix);
            // Not followed where it is a link: in a folder that all may write, it may be anybody's.
            let is_ours = entry
                .metadata()
                .is_ok_and(|found| found.is_dir() && found.uid() == getuid().as_raw());
            if is_named_so && is_ours {
                found.push(Folder(entry.path()));
            }
        }
        Ok(found)
    }

    /// Clears away servers whose supervisor died as well. Wants the lock.
    pub(super) fn sweep(&self) -> Result<(), ServerError> {
        for folder in self.folders("")? {
            if !folder.has_supervisor()? {
                folder.clear()?;
            }
        }
        Ok(())
    }

    /// Makes a folder with its first user and its supervisor. Wants the lock.
    pub(super) fn make(
        &self,
        kind: &str,
        owner: User,
        linger_seconds: u32,
    ) -> Result<(Folder, Membership), ServerError> {
        let name = format!("{}{kind}-{}", Self::prefix(), random_text()?);
        let folder = Folder(self.0.join(name));
        if folder.0.as_os_str().len() > PATH_BYTES_MAX {
            return Err(ServerError::PathTooLong { path: folder.0 });
        }
        // The server's user must get through, and need not look round.
        make_folder(&folder.0, 0o711)?;
        make_folder(&folder.users(), 0o700)?;
        for given in [folder.data(), folder.socket()] {
            make_folder(&given, 0o700)?;
            owner.give(&given)?;
        }
        let membership = folder
            .join()?
            .ok_or_else(|| ServerError::io("join", &folder.0)(io::ErrorKind::NotFound.into()))?;
        supervisor::start(&folder.0, lock::hold(&folder.supervisor())?, linger_seconds)?;
        Ok((folder, membership))
    }
}

/// The folder of one server.
#[derive(Debug, Clone)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Where the cluster is.
    pub(super) fn data(&self) -> PathBuf {
        self.0.join("data")
    }

    /// What the server says of itself.
    pub(super) fn log(&self) -> PathBuf {
        self.data().join("server.log")
    }

    /// Where the socket is. Only who may enter can connect there.
    pub(super) fn socket(&self) -> PathBuf {
        self.0.join("socket")
    }

    fn users(&self) -> PathBuf {
        self.0.join("users")
    }

    fn supervisor(&self) -> PathBuf {
        self.0.join("supervisor")
    }

    /// Written once the server runs: how it is reached.
    pub(super) fn reached(&self) -> PathBuf {
        self.0.join("reached")
    }

    pub(super) fn has_supervisor(&self) -> Result<bool, ServerError> {
        lock::is_held(&self.supervisor())
    }

    /// Adds this process to the users, unless the server is going.
    pub(super) fn join(&self) -> Result<Option<Membership>, ServerError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = self
            .users()
            .join(format!("{}.{number}", std::process::id()));
        match fs::write(&path, "") {
            Ok(()) => Ok(Some(Membership(path))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(ServerError::io("write", path)(error)),
        }
    }

    /// Kills every process of the server at once, and waits until they are gone.
    pub(super) fn kill(&self) -> Result<(), ServerError> {
        let Some(postmaster) = process::postmaster(&self.data()) else {
            return Ok(());
        };
        let family = process::family(postmaster);
        process::signal(&family, Signal::KILL);
        patience::wait_for("the end of a killed server", 30, || {
            Ok(!family.iter().any(|process| process::is_alive(*process)))
        })?;
        // Where nobody collects the dead, their numbers stay taken, and the next start would believe
        // these notes and take them for alive.
        for note in [
            self.data().join("postmaster.pid"),
            self.socket_lock(postmaster),
        ] {
            remove(&note, fs::remove_file)?;
        }
        Ok(())
    }

    /// The note beside the socket that names this process.
    fn socket_lock(&self, postmaster: Pid) -> PathBuf {
        let named = |path: &PathBuf| {
            let noted = fs::read_to_string(path).unwrap_or_default();
            noted.lines().next() == Some(&*postmaster.as_raw_nonzero().to_string())
        };
        let entries = fs::read_dir(self.socket()).into_iter().flatten().flatten();
        let found = entries.map(|entry| entry.path()).find(named);
        found.unwrap_or_else(|| self.socket().join("lock"))
    }

    /// Stops whatever runs here, without ceremony, and removes the folder.
    pub(super) fn clear(&self) -> Result<(), ServerError> {
        self.kill()?;
        remove(&self.0, fs::remove_dir_all)
    }
}

/// Keeps a server from being taken away.
#[derive(Debug)]
pub(super) struct Membership(PathBuf);

impl Drop for Membership {
    fn drop(&mut self) {
        // Gone already where the whole folder is.
        let _gone = fs::remove_file(&self.0);
    }
}

/// Returns sixteen characters that nobody guesses.
pub(super) fn random_text() -> Result<String, ServerError> {
    Ok(format!("{:016x}", u64::from_le_bytes(random_bytes()?)))
}

/// Returns bytes that nobody guesses.
pub(super) fn random_bytes<const N: usize>() -> Result<[u8; N], ServerError> {
    let source = "/dev/urandom";
    let mut bytes = [0; N];
    let mut file = fs::File::open(source).map_err(ServerError::io("open", source))?;
    file.read_exact(&mut bytes)
        .map_err(ServerError::io("read", source))?;
    Ok(bytes)
}

/// Writes a file that only this user can read.
pub(super) fn write_secret(path: &Path, text: &str) -> Result<(), ServerError> {
    let mut options = OpenOptions::new();
    let opened = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path);
    let mut file = opened.map_err(ServerError::io("write", path))?;
    file.write_all(text.as_bytes())
        .map_err(ServerError::io("write", path))
}

/// Removes what may be gone already.
fn remove(path: &Path, how: fn(PathBuf) -> io::Result<()>) -> Result<(), ServerError> {
    match how(path.to_owned()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(ServerError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}

fn make_folder(path: &Path, mode: u32) -> Result<(), ServerError> {
    DirBuilder::new()
        .mode(mode)
        .create(path)
        .map_err(ServerError::io("make", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> (tempfile::TempDir, Place) {
        let folder = tempfile::tempdir().unwrap();
        let place = Place(folder.path().to_owned());
        (folder, place)
    }

    #[test]
    fn a_folder_whose_supervisor_died_is_swept_and_no_other() {
        let (_kept, place) = place();
        let (lives, _membership) = place.make("own", User::This, 0).unwrap();
        let left = Folder(place.0.join(format!("{}own-left", Place::prefix())));
        make_folder(&left.0, 0o700).unwrap();
        fs::write(left.supervisor(), "").unwrap();
        let foreign = place.0.join("somebody-elses");
        make_folder(&foreign, 0o700).unwrap();
        place.sweep().unwrap();
        assert!(!left.0.exists());
        assert!(lives.0.exists() && foreign.exists());
        lives.clear().unwrap();
    }

    #[test]
    fn nobody_joins_a_server_that_is_going() {
        let (_kept, place) = place();
        let (folder, membership) = place.make("own", User::This, 0).unwrap();
        assert!(folder.join().unwrap().is_some());
        drop(membership);
        // The supervisor's point of no return; it may have passed it already.
        let _gone = fs::remove_dir(folder.users());
        assert!(folder.join().unwrap().is_none());
        folder.clear().unwrap();
    }

    #[test]
    fn a_path_that_no_socket_fits_is_refused() {
        let place = Place(PathBuf::from(format!("/{}", "long/".repeat(20))));
        let refused = place.make("own", User::This, 0).unwrap_err();
        assert!(
            matches!(refused, ServerError::PathTooLong { .. }),
            "{refused}"
        );
    }
}
