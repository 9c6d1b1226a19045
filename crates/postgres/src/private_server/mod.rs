//! A PostgreSQL server of one's own, for tests, benchmarks and examples.
//!
//! It finds the server's programs, makes a cluster in a folder of its own, starts it on a free port
//! and a Unix socket as a user without rights, and takes everything away again, also where the
//! process that started it is killed. It never touches a server that was there before, and it knows
//! nothing of what is stored.
//!
//! - [`Database::new`] gives a test an empty database of its own, on a server that all tests of this
//!   user share: the first starts it, and it goes when none has used it for a while.
//! - [`PrivateServer::start`] starts one that nobody else sees, to be stopped, killed and frozen.
//!
//! ```
//! use rewake_postgres::private_server::Database;
//!
//! let database = Database::new()?;
//! assert_eq!(database.query("SELECT 6 * 7")?, "42");
//! # Ok::<(), rewake_postgres::private_server::ServerError>(())
//! ```
//!
//! # How nothing is left behind
//!
//! Beside each server runs a supervisor, a few lines of shell. Whoever uses the server has a file
//! named after its process in the folder `users`. Once no such process lives any more, the
//! supervisor takes away that folder, which succeeds only while it is empty: nobody can join a server
//! that is going. Then it stops the server and removes the rest. The supervisor's standard input is
//! a locked file, so the kernel tells whether it lives: should it have died as well, the next
//! start finds the folder without a supervisor and clears it.

mod binaries;
mod cluster;
mod database;
mod error;
mod folder;
mod lock;
mod patience;
mod process;
mod server;
mod shared;
mod supervisor;
mod user;

pub use database::Database;
pub use error::ServerError;
pub use server::{PrivateServer, Settings, Stop};
