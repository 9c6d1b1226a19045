//! The world outside: where a batch comes from, and where its records go.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;

use crate::batch::Customer;

/// Every so many records one is damaged.
const DAMAGED: usize = 97;

/// Where batches are read from. This one makes them up.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// How many records a batch has.
    pub(crate) records: usize,
}

impl Source {
    pub(crate) fn read(&self, batch: &str) -> anyhow::Result<Vec<String>> {
        anyhow::ensure!(self.records > 0, "the batch `{batch}` is empty");
        let line = |n: usize| match n % DAMAGED {
            0 => format!("Customer {n}, unknown"),
            _ => format!("Customer {n}, customer{n}@example.com"),
        };
        Ok((1..=self.records).map(line).collect())
    }
}

/// Where customers are stored: a file for each.
#[derive(Clone, Debug)]
pub(crate) struct Archive {
    folder: PathBuf,
    takes: Duration,
}

impl Archive {
    /// The archive that belongs to a database; it takes so long for each record.
    pub(crate) fn beside(db: &Path, takes: Duration) -> anyhow::Result<Self> {
        let folder = db.with_extension("archive");
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        Ok(Self { folder, takes })
    }

    pub(crate) async fn store(&self, number: u32, customer: &Customer) -> anyhow::Result<()> {
        if !self.takes.is_zero() {
            far_away(self.takes).await;
        }
        let file = self.folder.join(format!("{number:05}.json"));
        Ok(std::fs::write(file, serde_json::to_vec(customer)?)?)
    }
}

/// An archive is usually far away, and takes its time.
#[expect(
    clippy::disallowed_methods,
    reason = "a step may take as long as it likes; this one stands for one that does"
)]
async fn far_away(takes: Duration) {
    tokio::time::sleep(takes).await;
}
