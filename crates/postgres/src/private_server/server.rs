//! A server that nobody else uses, to be stopped, killed and frozen under load.

use std::net::SocketAddr;
use std::sync::Arc;

use rustix::process::Signal;

use super::binaries::Binaries;
use super::cluster::Cluster;
use super::database::Database;
use super::error::ServerError;
use super::folder::{Folder, Membership, Place};
use super::user::User;
use super::{lock, process};

/// How a server is set up, beyond what PostgreSQL itself would choose.
///
/// Without more it syncs everything (`fsync` and `full_page_writes` are on, as PostgreSQL has them)
/// and stands in the temporary folder.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    lines: Vec<(String, String)>,
    files: Vec<(String, String)>,
    in_memory: bool,
}

impl Settings {
    /// Sets one of PostgreSQL's parameters, such as `fsync` to `off`.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.lines.push((name.into(), value.into()));
        self
    }

    /// Puts a file into the folder of its data, which only the server may read: `server.key`, or a
    /// `pg_hba.conf` of one's own.
    #[must_use]
    pub fn with_file(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.files.push((name.into(), text.into()));
        self
    }

    /// Puts the server into the file system in memory, where there is one with room: everything works
    /// as on a disk, and a sync costs nothing.
    #[must_use]
    pub fn in_memory(mut self) -> Self {
        self.in_memory = true;
        self
    }

    pub(super) fn place(&self) -> Place {
        if self.in_memory {
            Place::in_memory()
        } else {
            Place::on_disk()
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
    }
}

/// How a server is asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Open transactions are rolled back, connections closed, everything is written out.
    Fast,
    /// At once; the next start recovers from the log, as after a crash.
    Immediate,
}

/// A server of one's own. Dropped, it is stopped and removed with all it holds.
#[derive(Debug)]
pub struct PrivateServer {
    hold: Arc<Hold>,
}

/// Keeps the server; databases on it hold it as well.
#[derive(Debug)]
struct Hold {
    cluster: Arc<Cluster>,
    _membership: Membership,
}

impl Drop for Hold {
    fn drop(&mut self) {
        // What cannot be cleared here, the supervisor or the next start clears.
        let _cleared = self.cluster.folder().clear();
    }
}

impl PrivateServer {
    /// Starts a server and waits until it answers.
    ///
    /// # Errors
    ///
    /// [`ServerError::NoPrograms`] and [`ServerError::NoUser`] name what is missing on this machine;
    /// the others say which program or file failed, and how.
    pub fn start(settings: &Settings) -> Result<Self, ServerError> {
        let (binaries, user) = (Binaries::find()?, User::choose()?);
        Self::within(&settings.place(), user, |folder| {
            Cluster::make(binaries, user, folder, settings)
        })
    }

    /// Starts a hot standby of this server: a copy that answers questions, follows what is written
    /// here, and takes over once it is told to (`SELECT pg_promote()`). It has the same databases and
    /// the same password.
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start).
    pub fn start_standby(&self) -> Result<Self, ServerError> {
        let place = if self.hold.cluster.is_in_memory() {
            Place::in_memory()
        } else {
            Place::on_disk()
        };
        Self::within(&place, User::choose()?, |folder| {
            self.hold.cluster.standby(folder)
        })
    }

    fn within(
        place: &Place,
        user: User,
        make: impl FnOnce(Folder) -> Result<Cluster, ServerError>,
    ) -> Result<Self, ServerError> {
        let (folder, membership) = {
            let _lock = lock::hold(&place.lock())?;
            place.sweep()?;
            place.make("own", user, 0)?
        };
        let cluster = make(folder)?;
        let hold = Hold {
            cluster: Arc::new(cluster),
            _membership: membership,
        };
        Ok(Self {
            hold: Arc::new(hold),
        })
    }

    /// Makes an empty database.
    ///
    /// # Errors
    ///
    /// [`ServerError::Failed`] with what the server says, such as that it is stopped.
    pub fn database(&self) -> Result<Database, ServerError> {
        Database::on(Arc::clone(&self.hold.cluster), Arc::clone(&self.hold))
    }

    /// Asks SQL of the server itself, as its superuser, and returns the answer as
    /// [`Database::query`] does.
    ///
    /// # Errors
    ///
    /// [`ServerError::Failed`] with what the server says.
    pub fn query(&self, sql: &str) -> Result<String, ServerError> {
        self.hold.cluster.query("postgres", sql)
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.hold.cluster.address()
    }

    /// Stops the server and waits for its end. What it holds stays.
    ///
    /// # Errors
    ///
    /// [`ServerError::Failed`] where it does not run.
    pub fn stop(&self, how: Stop) -> Result<(), ServerError> {
        self.hold.cluster.stop(how)
    }

    /// Starts the server again, at the same address, and waits until it answers.
    ///
    /// # Errors
    ///
    /// [`ServerError::Failed`] with its last words.
    pub fn start_again(&self) -> Result<(), ServerError> {
        self.hold.cluster.start()
    }

    /// Kills every process of the server at once, as `kill -9` does, and waits until they are gone.
    ///
    /// # Errors
    ///
    /// [`ServerError::Late`] if one does not go.
    pub fn kill(&self) -> Result<(), ServerError> {
        self.hold.cluster.folder().kill()
    }

    /// Stops every process of the server where it stands: connections stay open and nobody answers.
    pub fn freeze(&self) {
        process::signal(&self.processes(), Signal::STOP);
    }

    /// Lets a frozen server go on.
    pub fn thaw(&self) {
        process::signal(&self.processes(), Signal::CONT);
    }

    fn processes(&self) -> Vec<rustix::process::Pid> {
        let postmaster = process::postmaster(&self.hold.cluster.folder().data());
        postmaster.map(process::family).unwrap_or_default()
    }
}
