//! A database of one test's own.

use std::any::Any;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use super::cluster::{Cluster, SUPERUSER};
use super::error::ServerError;
use super::folder::random_text;
use super::shared;

/// An empty database that nobody else uses. Dropped, it is removed with all it holds.
#[derive(Debug)]
pub struct Database {
    name: String,
    cluster: Arc<Cluster>,
    /// Dropped last: what keeps the server.
    _hold: Box<dyn Any + Send + Sync>,
}

impl Database {
    /// Makes a database on the server that all tests of this user share, and starts that server
    /// where it does not run.
    ///
    /// # Errors
    ///
    /// [`ServerError::NoPrograms`](super::ServerError::NoPrograms) and
    /// [`ServerError::NoUser`](super::ServerError::NoUser) name what is missing on this machine;
    /// the others say which program or file failed, and how.
    pub fn new() -> Result<Self, ServerError> {
        let (cluster, membership) = shared::join()?;
        Self::on(cluster, membership)
    }

    pub(super) fn on(
        cluster: Arc<Cluster>,
        hold: impl Any + Send + Sync,
    ) -> Result<Self, ServerError> {
        let name = format!("test_{}", random_text()?);
        let sql = format!("CREATE DATABASE {name} TEMPLATE template0");
        // Copied by file it costs a checkpoint, which on a disk is the dear part, and in memory half
        // of what it costs to write it into the log. PostgreSQL 14 knows no other way, and no option.
        let copied = cluster.is_in_memory()
            && cluster
                .query("postgres", &format!("{sql} STRATEGY file_copy"))
                .is_ok();
        if !copied {
            cluster.query("postgres", &sql)?;
        }
        Ok(Self {
            name,
            cluster,
            _hold: Box::new(hold),
        })
    }

    /// Returns its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the address of its server.
    pub fn address(&self) -> SocketAddr {
        self.cluster.address()
    }

    /// Returns a connection string over the Unix socket, which wants no password, for its owner and
    /// superuser.
    pub fn url(&self) -> String {
        let socket = percent_encoded(&self.cluster.folder().socket().to_string_lossy());
        let (port, name) = (self.cluster.address().port(), &self.name);
        format!("postgres://{SUPERUSER}@{socket}:{port}/{name}")
    }

    /// Returns a connection string over TCP, with a password, for its owner and superuser.
    pub fn tcp_url(&self) -> String {
        self.url_through(self.cluster.address())
    }

    /// Returns a connection string for something that listens in the server's place, such as a proxy.
    pub fn url_through(&self, address: SocketAddr) -> String {
        let (password, name) = (self.cluster.password(), &self.name);
        format!("postgres://{SUPERUSER}:{password}@{address}/{name}")
    }

    /// Asks SQL of it, as its owner and superuser, and returns the answer: a line a row, the columns
    /// joined by `|`.
    ///
    /// # Errors
    ///
    /// [`ServerError::Failed`] with what the server says.
    pub fn query(&self, sql: &str) -> Result<String, ServerError> {
        self.cluster.query(&self.name, sql)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A server that has been stopped keeps it until it is taken away as a whole.
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let _dropped = self.cluster.query("postgres", &sql);
    }
}

/// Everything but letters and digits, as connection strings want a path in the place of a host.
fn percent_encoded(path: &str) -> String {
    path.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' || byte == b'.' {
            encoded.push(char::from(byte));
        } else {
            // Writing to a text does not fail.
            let _written = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_host() {
        assert_eq!(percent_encoded("/tmp/a b-1_2.c"), "%2Ftmp%2Fa%20b-1_2.c");
    }
}
