//! What the events of one append change in the rows around the log.

use rewake_core::entity::RunStatus;
use rewake_core::event::{EventKind, Frame, Role};
use rewake_core::id::RunId;
use rewake_core::time::Timestamp;
use rewake_core::token::Token;

use super::rows::{Rows, Write};
use crate::error::StoreError;
use crate::row::{RunRow, ScopeId, TokenRow};

/// The time of the next frame: the store's, but never before the log's last.
pub(super) fn frame_time(row: &RunRow, now: Timestamp) -> Timestamp {
    now.max(row.last_at)
}

/// True where a worker must react to something in the frame.
pub(super) fn calls_for_reaction(events: &[EventKind]) -> bool {
    events
        .iter()
        .any(|kind| matches!(kind.role(), Role::Fact | Role::AwaitedRecord))
}

/// Brings the run's row up to a frame that is about to be written.
pub(super) fn advance(row: &mut RunRow, frame: &Frame) {
    row.head = frame.last();
    row.last_at = frame.at;
    for kind in &frame.events {
        if let Some(status) = status_after(kind) {
            row.status = status;
        }
        if kind.is_terminal() {
            row.ended_at = Some(frame.at);
        }
    }
}

const fn status_after(kind: &EventKind) -> Option<RunStatus> {
    match kind {
        EventKind::RunCreated { .. } => Some(RunStatus::Pending),
        EventKind::RunStarted => Some(RunStatus::Running),
        EventKind::RunCompleted { .. } | EventKind::RunContinued { .. } => {
            Some(RunStatus::Completed)
        }
        EventKind::RunFailed { .. } => Some(RunStatus::Failed),
        EventKind::RunCancelled { .. } => Some(RunStatus::Cancelled),
        EventKind::RunCancelRequested { .. }
        | EventKind::StepCreated { .. }
        | EventKind::StepStarted { .. }
        | EventKind::StepCompleted { .. }
        | EventKind::StepFailed { .. }
        | EventKind::StepRetrying { .. }
        | EventKind::HookCreated { .. }
        | EventKind::HookReceived { .. }
        | EventKind::HookDisposed { .. }
        | EventKind::HookConflict { .. }
        | EventKind::HookExpired { .. }
        | EventKind::WaitCreated { .. }
        | EventKind::WaitCompleted { .. }
        | EventKind::WaitCancelled { .. }
        | EventKind::AttrSet { .. }
        | EventKind::PatchMarked { .. } => None,
    }
}

/// The row of a hook that an event registers; none for other events.
pub(super) fn token_row(
    scope: ScopeId,
    run: RunId,
    at: Timestamp,
    kind: &EventKind,
) -> Option<TokenRow> {
    let EventKind::HookCreated {
        hook,
        token,
        chosen,
        metadata,
        is_webhook,
        expires_at,
    } = kind
    else {
        return None;
    };
    Some(TokenRow {
        scope,
        token: token.clone(),
        run,
        hook: *hook,
        created_at: at,
        metadata: metadata.clone(),
        is_webhook: *is_webhook,
        chosen: *chosen,
        expires_at: *expires_at,
        received: 0,
        received_bytes: 0,
    })
}

/// Removes those of `tokens` that this run still holds. One that expired just before is gone, and
/// may belong to somebody else by now; one that the same append registers anew is put over the old.
pub(super) fn release(
    rows: &mut impl Rows,
    run: RunId,
    row: &mut RunRow,
    tokens: &[Token],
    writes: &mut Vec<Write>,
) -> Result<(), StoreError> {
    for token in tokens {
        let Some(held) = rows.token(row.scope, token)? else {
            continue;
        };
        if held.run == run {
            row.live_hooks = row.live_hooks.saturating_sub(1);
            row.taken.retain(|taken| taken.hook != held.hook);
            let anew = writes
                .iter()
                .any(|write| matches!(write, Write::Token(put) if put.token == *token));
            if !anew {
                writes.push(Write::Release(row.scope, token.clone()));
            }
        }
    }
    Ok(())
}
