//! Where a handle keeps everything: the store behind a URL, or one that is open.

use std::sync::Arc;
use std::time::Duration;

use rewake_sqlite::{Options, SqliteStore};
use rewake_store::{Durability, Store};

use crate::builder::OpenError;
use crate::host;

/// Where the handle keeps everything.
#[derive(Clone, Debug)]
pub enum StoreSource {
    /// A URL: `sqlite:PATH`, `sqlite::memory:`, or a connection string as libpq reads it that begins
    /// with `postgres://` or `postgresql://`.
    Url(String),
    /// A store that is open.
    Open(Arc<dyn Store>),
}

impl From<&str> for StoreSource {
    fn from(url: &str) -> Self {
        Self::Url(url.to_owned())
    }
}

impl From<String> for StoreSource {
    fn from(url: String) -> Self {
        Self::Url(url)
    }
}

impl From<Arc<dyn Store>> for StoreSource {
    fn from(store: Arc<dyn Store>) -> Self {
        Self::Open(store)
    }
}

/// How the store behind a URL is opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    pub(crate) durability: Durability,
    pub(crate) wait: Option<Duration>,
    pub(crate) client_only: bool,
}

impl StoreSource {
    /// The store, opened where it is not.
    pub(crate) async fn open(self, opening: Opening) -> Result<Arc<dyn Store>, OpenError> {
        let url = match self {
            Self::Open(store) => return Ok(store),
            Self::Url(url) => url,
        };
        // Opening blocks while another process holds the file, or the database is away.
        let opened = tokio::task::spawn_blocking(move || opening.open(url));
        opened.await.map_err(|_| OpenError::NoTokio)?
    }
}

impl Opening {
    fn open(self, url: String) -> Result<Arc<dyn Store>, OpenError> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            return self.open_sqlite(path);
        }
        #[cfg(feature = "postgres")]
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return self.open_postgres(url);
        }
        Err(OpenError::UnknownStore {
            url: without_credentials(&url),
        })
    }

    /// A handle that runs nothing looks at a file that another process works on, where there is one.
    fn open_sqlite(self, path: &str) -> Result<Arc<dyn Store>, OpenError> {
        let mut options = Options::new(path, Arc::new(host::now)).durability(self.durability);
        if let Some(wait) = self.wait {
            options = options.wait_for_store(wait);
        }
        if !self.client_only {
            return Ok(Arc::new(SqliteStore::open(options)?));
        }
        match SqliteStore::open(options.clone().wait_for_store(Duration::ZERO)) {
            Ok(store) => Ok(Arc::new(store)),
            Err(rewake_sqlite::OpenError::InUse { .. }) => {
                Ok(Arc::new(SqliteStore::open(options.read_only())?))
            }
            Err(error) => Err(error.into()),
        }
    }

    #[cfg(feature = "postgres")]
    fn open_postgres(self, url: String) -> Result<Arc<dyn Store>, OpenError> {
        let mut options = rewake_postgres::Options::new(url).durability(self.durability);
        if let Some(wait) = self.wait {
            options = options.patience(wait);
        }
        Ok(Arc::new(rewake_postgres::PostgresStore::open(options)?))
    }
}

/// The URL as it may be shown: a password is nobody's business.
fn without_credentials(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if scheme + 3 <= at => {
            format!("{}…{}", &url[..scheme + 3], &url[at..])
        }
        _ => url.to_owned(),
    }
}
