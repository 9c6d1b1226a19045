//! An engine on a file of its own, as an application would open it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use rewake::{Durability, Rewake};
use rewake_sqlite::{Counts, Options, SqliteStore};
use rewake_store::Store;

use crate::clock;

/// How an engine is opened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Setting {
    pub(crate) durability: Durability,
    /// The default where none is given.
    pub(crate) memory_budget: Option<usize>,
    pub(crate) public_url: Option<String>,
}

/// An engine on a file.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) path: PathBuf,
    pub(crate) rewake: Rewake,
    store: Arc<SqliteStore>,
}

impl World {
    pub(crate) async fn open(path: &Path, setting: &Setting) -> Result<Self> {
        let options = Options::new(path, Arc::new(clock::timestamp)).durability(setting.durability);
        let store = Arc::new(SqliteStore::open(options)?);
        let shared: Arc<dyn Store> = Arc::<SqliteStore>::clone(&store);
        let mut builder = Rewake::builder().store(shared).build_id("bench");
        if let Some(bytes) = setting.memory_budget {
            builder = builder.memory_budget(bytes);
        }
        if let Some(url) = &setting.public_url {
            builder = builder.public_url(url);
        }
        Ok(Self {
            path: path.to_owned(),
            rewake: builder.build().await?,
            store,
        })
    }

    /// What the store has done since it was opened.
    pub(crate) fn counts(&self) -> Counts {
        self.store.counts()
    }

    /// Ends it in order.
    pub(crate) async fn close(self) -> Result<()> {
        self.rewake.shutdown(Duration::from_secs(30)).await?;
        drop(self.rewake);
        drop(self.store);
        Ok(())
    }
}
