//! Why there is no server, each with what to do about it.

use std::io;
use std::path::PathBuf;

/// Why a private server could not be had, or did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// PostgreSQL's server programs are nowhere.
    #[error(
        "PostgreSQL's server programs (`initdb`, `pg_ctl`, `psql`) were not found in {looked}; \
         `cargo xtask test` installs them where it may, else install Debian's package `postgresql`, \
         or name their folder in REWAKE_TEST_POSTGRES; to do without these tests: \
         `REWAKE_SKIP_POSTGRES=1 cargo xtask test`"
    )]
    NoPrograms {
        /// Where they were looked for.
        looked: String,
    },
    /// PostgreSQL refuses to run as root, and there is nobody else to run it.
    #[error(
        "PostgreSQL does not run as root, and this machine has none of the users {tried}; make one: \
         `useradd --system postgres`"
    )]
    NoUser {
        /// Whom a server would have run as.
        tried: String,
    },
    /// The folder that this user's servers share is another's.
    #[error("`{}` belongs to another user; remove it, or set TMPDIR to a folder of your own", path.display())]
    NotOurs {
        /// The folder.
        path: PathBuf,
    },
    /// The path of the server's folder is too long for a Unix socket.
    #[error("`{}` is too long a path for a Unix socket; set TMPDIR to a shorter one", path.display())]
    PathTooLong {
        /// The folder.
        path: PathBuf,
    },
    /// One of PostgreSQL's programs failed.
    #[error("`{program}` failed: {said}")]
    Failed {
        /// Its name.
        program: String,
        /// What it wrote last.
        said: String,
    },
    /// Something did not happen for as long as anybody would wait for it.
    #[error("{what} did not happen in {seconds} s")]
    Late {
        /// What was waited for.
        what: &'static str,
        /// For how long.
        seconds: u32,
    },
    /// The operating system refused something.
    #[error("cannot {what} `{}`", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file, folder or program.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
}

impl ServerError {
    /// Returns what makes an error of what the operating system says.
    pub(super) fn io(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source }
    }
}
