//! Everything about a store that a caller can see, to compare before and after.

use rewake_core::event::{Frame, Position};
use rewake_core::id::RunId;
use rewake_core::time::Timestamp;

use super::event;
use super::stage::{ALL, Stage};
use crate::role::{RunFilter, WakeUp};
use crate::row::{ChunkRow, MailRow, OwedRow, Parked, RunRow, ScopeId, TokenRow};

/// What one project and environment holds.
#[derive(Debug, PartialEq)]
pub(super) struct Observed {
    runs: Vec<(RunId, RunRow)>,
    logs: Vec<Vec<Frame>>,
    chunks: Vec<Option<ChunkRow>>,
    tokens: Vec<Option<TokenRow>>,
    wake_ups: Vec<WakeUp>,
    parked: Vec<(RunId, Parked)>,
    mail: Vec<(u64, MailRow)>,
    owed: Vec<OwedRow>,
    owed_runs: Vec<RunId>,
}

/// Looks at both environments of the stage.
pub(super) async fn everything(stage: &Stage<'_>) -> [Observed; 2] {
    [
        observe(stage, stage.scope).await,
        observe(stage, stage.elsewhere).await,
    ]
}

async fn observe(stage: &Stage<'_>, scope: ScopeId) -> Observed {
    let store = &stage.store;
    let runs = store.runs(scope, RunFilter::default(), None, ALL).await;
    let runs = runs.expect("the runs are listed").runs;
    let (mut logs, mut chunks, mut tokens) = (Vec::new(), Vec::new(), Vec::new());
    let mut owed = Vec::new();
    for (run, _) in &runs {
        let log = store.frames(scope, *run, Position::START, ALL).await;
        logs.push(log.expect("the log is read"));
        let of_run = store.owed(scope, *run, ALL).await;
        owed.extend(of_run.expect("what is owed is listed"));
        for stream in event::STREAMS {
            let chunk = store.first_chunk(scope, *run, stream.to_owned()).await;
            chunks.push(chunk.expect("the stream is read"));
        }
    }
    for token in event::TOKENS {
        let token = store.token(scope, event::token(token)).await;
        tokens.push(token.expect("the token is looked up"));
    }
    let wake_ups = store.due(scope, None, Timestamp::MAX, ALL).await;
    let parked = store.parked(scope, None, ALL).await;
    let mail = store.mail(scope, None, ALL).await;
    let owed_runs = store.owed_runs(scope, None, ALL).await;
    Observed {
        runs,
        logs,
        chunks,
        tokens,
        wake_ups: wake_ups.expect("the wake-ups are listed"),
        parked: parked.expect("the parked runs are listed"),
        mail: mail.expect("the mailbox is listed"),
        owed,
        owed_runs: owed_runs.expect("the runs are listed"),
    }
}
