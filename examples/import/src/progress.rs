//! How far a batch has come, as anybody outside can see it.

use rewake::{Rewake, Run, RunStatus};

use crate::batch::Report;

/// What became of the records so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// How many records the batch has; none while its list is being read.
    pub(crate) records: Option<usize>,
    pub(crate) imported: usize,
    pub(crate) failed: usize,
    pub(crate) cancelled: usize,
    /// Begun, and not ended.
    pub(crate) open: usize,
}

/// Asks the store: the children of a run are runs like any other.
pub(crate) async fn progress(rewake: &Rewake, run: &Run<Report>) -> anyhow::Result<Progress> {
    let attributes = run.snapshot().await?.attributes;
    let mut progress = Progress {
        records: attributes
            .get("records")
            .and_then(|count| count.parse().ok()),
        ..Progress::default()
    };
    let children = || rewake.runs().parent(run.id()).limit(1_000);
    let mut page = children().await?;
    loop {
        for child in page.data {
            match child.status {
                RunStatus::Completed => progress.imported += 1,
                RunStatus::Failed => progress.failed += 1,
                RunStatus::Cancelled => progress.cancelled += 1,
                RunStatus::Pending | RunStatus::Running => progress.open += 1,
            }
        }
        let Some(cursor) = page.cursor else {
            return Ok(progress);
        };
        page = children().cursor(cursor).await?;
    }
}
