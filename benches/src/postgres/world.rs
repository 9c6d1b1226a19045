//! An engine on a database of its own, as an application would open it.

use std::sync::Arc;

use anyhow::Result;
use rewake::{Rewake, seconds};
use rewake_postgres::private_server::Database;
use rewake_postgres::{Counts, Options, PostgresStore};
use rewake_store::Store;

/// An engine on a database.
#[derive(Debug)]
pub(super) struct World {
    pub(super) rewake: Rewake,
    store: Arc<PostgresStore>,
}

impl World {
    pub(super) async fn open(database: &Database) -> Result<Self> {
        let options = Options::new(database.url());
        let store = tokio::task::spawn_blocking(|| PostgresStore::open(options)).await??;
        let store = Arc::new(store);
        let shared: Arc<dyn Store> = Arc::<PostgresStore>::clone(&store);
        let rewake = Rewake::builder()
            .store(shared)
            .build_id("bench")
            .build()
            .await?;
        Ok(Self { rewake, store })
    }

    /// What the store has done since it was opened.
    pub(super) fn counts(&self) -> Counts {
        self.store.counts()
    }

    /// Ends it in order.
    pub(super) async fn close(self) -> Result<()> {
        self.rewake.shutdown(seconds(30)).await?;
        Ok(())
    }
}
