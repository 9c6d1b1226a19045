//! Everything that a store says about rows when it is asked.

use rewake_core::event::{Frame, Position};
use rewake_core::id::RunId;
use rewake_core::time::Timestamp;

use super::super::stage::ALL;
use crate::copy::{AnyRow, CopyOut, PAGE_BYTES, RowKind, ScopeRow};
use crate::error::StoreError;
use crate::role::{RunFilter, RunPage, Store, WakeUp};
use crate::row::{ChunkRow, MailRow, OwedRow, Parked, ScopeId, TokenRow};

/// Everything that a store says about rows when it is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    numbers: Vec<ScopeId>,
    runs: Vec<RunPage>,
    due: Vec<Vec<WakeUp>>,
    parked: Vec<Vec<(RunId, Parked)>>,
    chosen: Vec<Vec<TokenRow>>,
    mail: Vec<Vec<(u64, MailRow)>>,
    owed_runs: Vec<Vec<RunId>>,
    owed: Vec<Vec<OwedRow>>,
    logs: Vec<Vec<Frame>>,
    hooks: Vec<Option<TokenRow>>,
    chunks: Vec<Option<ChunkRow>>,
}

/// Asks a store everything that its roles answer about these rows.
///
/// # Errors
///
/// What the store says where it does not answer.
pub async fn ask(store: &dyn Store, rows: &[AnyRow]) -> Result<Asked, StoreError> {
    let mut asked = Asked::default();
    for row in rows {
        match row {
            AnyRow::Scope(row) => of_scope(store, row, &mut asked).await?,
            AnyRow::Run(run, row) => {
                let log = store.frames(row.scope, *run, Position::START, ALL);
                asked.logs.push(log.await?);
                asked.owed.push(store.owed(row.scope, *run, ALL).await?);
            }
            AnyRow::Token(row) => {
                let hook = store.token(row.scope, row.token.clone());
                asked.hooks.push(hook.await?);
            }
            AnyRow::Chunk(run, stream, _) => {
                for scope in asked.numbers.clone() {
                    let chunk = store.first_chunk(scope, *run, stream.clone());
                    asked.chunks.push(chunk.await?);
                }
            }
            // No question is about these alone; they decide what a request is answered.
            AnyRow::Frame(..)
            | AnyRow::Key(..)
            | AnyRow::Forget(_)
            | AnyRow::StartKey(..)
            | AnyRow::Owed(_)
            | AnyRow::Mail(..) => {}
        }
    }
    Ok(asked)
}

async fn of_scope(store: &dyn Store, row: &ScopeRow, asked: &mut Asked) -> Result<(), StoreError> {
    let scope = store.scope(row.project.clone(), row.environment.clone());
    let scope = scope.await?;
    asked.numbers.push(scope);
    let runs = store.runs(scope, RunFilter::default(), None, ALL);
    asked.runs.push(runs.await?);
    let due = store.due(scope, None, Timestamp::MAX, ALL);
    let mut due = due.await?;
    // Columns cannot tell times apart that no clock reaches, so their order is not the same everywhere.
    due.sort();
    asked.due.push(due);
    asked.parked.push(store.parked(scope, None, ALL).await?);
    let chosen = store.chosen_tokens(scope, String::new(), None, ALL);
    asked.chosen.push(chosen.await?);
    asked.mail.push(store.mail(scope, None, ALL).await?);
    asked
        .owed_runs
        .push(store.owed_runs(scope, None, ALL).await?);
    Ok(())
}

/// Every row of a source, in pages as they come.
///
/// # Errors
///
/// What the source says where it cannot be read.
pub async fn read(source: &mut dyn CopyOut) -> Result<Vec<AnyRow>, StoreError> {
    let mut rows = Vec::new();
    for kind in RowKind::ALL {
        let mut after = None;
        loop {
            let page = source.page(kind, after, PAGE_BYTES / 256).await?;
            let Some(last) = page.last() else {
                break;
            };
            after = Some(last.place());
            rows.extend(page);
        }
    }
    Ok(rows)
}
