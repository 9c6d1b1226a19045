//! The way of the rows from one store to the other.

use futures_util::FutureExt;
use futures_util::future::ready;

use crate::error::StoreError;
use crate::role::StoreFuture;

use super::error::CopyError;
use super::logs::{Logs, without_row};
use super::role::{CopyIn, CopyOut};
use super::row::{AnyRow, RowKind, RowPlace};
use super::tally::Tally;

/// About how many bytes of rows a page has. A few pages are in memory at the same time.
pub const PAGE_BYTES: usize = 2 << 20;

/// Copies everything: every row of the source is in the target, which shows nothing of it before all is
/// there and was counted. Answers what was copied. `on_page` is told what has been read so far.
///
/// # Errors
///
/// [`CopyError`] as its variants say; the target is as it was.
///
/// # Cancel safety
///
/// Dropped, it has changed nothing, unless that happens in its last moment: then the target is full or
/// empty, and nothing between.
pub async fn copy(
    source: Box<dyn CopyOut>,
    target: Box<dyn CopyIn>,
    on_page: &mut (dyn FnMut(&Tally) + Send),
) -> Result<Tally, CopyError> {
    let mut carrier = Carrier {
        source,
        target,
        on_page,
        read: Tally::default(),
        loading: ready(Ok(())).boxed(),
    };
    for kind in RowKind::ALL {
        match kind {
            RowKind::Run => carrier.carry_logs().await?,
            RowKind::Frame => {}
            RowKind::Scope
            | RowKind::Token
            | RowKind::Key
            | RowKind::Forget
            | RowKind::StartKey
            | RowKind::Owed
            | RowKind::Chunk
            | RowKind::Mail => carrier.carry(kind).await?,
        }
    }
    carrier.finish().await
}

struct Carrier<'p> {
    source: Box<dyn CopyOut>,
    target: Box<dyn CopyIn>,
    on_page: &'p mut (dyn FnMut(&Tally) + Send),
    read: Tally,
    /// The page that is being written: the next is read meanwhile.
    loading: StoreFuture<()>,
}

impl Carrier<'_> {
    async fn carry(&mut self, kind: RowKind) -> Result<(), CopyError> {
        let mut after = None;
        while let Some(rows) = self.page(kind, &mut after).await? {
            self.load(rows).await?;
        }
        Ok(())
    }

    /// Runs and frames together, so that each log is known to be whole.
    async fn carry_logs(&mut self) -> Result<(), CopyError> {
        let mut logs = Logs::default();
        let (mut last_run, mut last_frame) = (None, None);
        while let Some(frames) = self.page(RowKind::Frame, &mut last_frame).await? {
            for row in &frames {
                let AnyRow::Frame(run, frame) = row else {
                    continue;
                };
                while !logs.take(*run, frame).map_err(CopyError::Source)? {
                    if !self.carry_runs(&mut last_run, &mut logs).await? {
                        return Err(CopyError::Source(without_row(*run)));
                    }
                }
            }
            self.load(frames).await?;
        }
        while self.carry_runs(&mut last_run, &mut logs).await? {}
        logs.end().map_err(CopyError::Source)
    }

    /// One page of runs; false at the end.
    async fn carry_runs(
        &mut self,
        after: &mut Option<RowPlace>,
        logs: &mut Logs,
    ) -> Result<bool, CopyError> {
        let Some(mut rows) = self.page(RowKind::Run, after).await? else {
            return Ok(false);
        };
        for row in &mut rows {
            if let AnyRow::Run(run, row) = row {
                logs.expect(*run, row.head);
                // A node of the source is none of the target's.
                row.node = None;
            }
        }
        self.load(rows).await?;
        Ok(true)
    }

    async fn page(
        &mut self,
        kind: RowKind,
        after: &mut Option<RowPlace>,
    ) -> Result<Option<Vec<AnyRow>>, CopyError> {
        let page = self.source.page(kind, after.clone(), PAGE_BYTES);
        let rows = page.await.map_err(CopyError::Source)?;
        let Some(last) = rows.last() else {
            return Ok(None);
        };
        *after = Some(last.place());
        self.read.add(kind, rows.len() as u64);
        (self.on_page)(&self.read);
        Ok(Some(rows))
    }

    async fn load(&mut self, rows: Vec<AnyRow>) -> Result<(), CopyError> {
        self.loaded().await?;
        self.loading = self.target.load(rows);
        Ok(())
    }

    async fn loaded(&mut self) -> Result<(), CopyError> {
        let loading = std::mem::replace(&mut self.loading, ready(Ok(())).boxed());
        loading.await.map_err(CopyError::Target)
    }

    async fn finish(mut self) -> Result<Tally, CopyError> {
        self.loaded().await?;
        let written = self.target.tally().await.map_err(CopyError::Target)?;
        for (kind, read) in self.read.iter() {
            let written = written.of(kind);
            if written != read {
                return Err(CopyError::Miscounted {
                    kind,
                    read,
                    written,
                });
            }
        }
        let finished: Result<(), StoreError> = self.target.finish().await;
        finished.map_err(CopyError::Target)?;
        Ok(self.read)
    }
}
