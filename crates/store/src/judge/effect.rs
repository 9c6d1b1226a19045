//! What the events of one append change in the rows around the log.

use std::collections::BTreeMap;

use rewake_core::entity::RunStatus;
use rewake_core::event::{EventKind, Frame, Position, Role};
use rewake_core::id::RunId;
use rewake_core::time::Timestamp;

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
    row.tail = frame.first;
    row.last_at = frame.at;
    for kind in &frame.events {
        if let Some(status) = status_after(kind) {
            row.status = status;
        }
        if kind.is_terminal() {
            row.ended_at = Some(frame.at);
        }
        if let EventKind::RunCreated {
            attributes: set, ..
        }
        | EventKind::AttrSet { changes: set, .. } = kind
        {
            row.attributes.extend(set.clone());
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

/// The row of a run whose log begins with these events, before the first of them.
pub(super) fn blank(scope: ScopeId, events: &[EventKind], now: Timestamp) -> RunRow {
    let (workflow, build, parent) = events
        .iter()
        .find_map(|kind| match kind {
            EventKind::RunCreated {
                workflow,
                build,
                parent,
                ..
            } => Some((workflow.clone(), build.clone(), *parent)),
            _ => None,
        })
        .unwrap_or_default();
    RunRow {
        scope,
        workflow,
        build,
        status: RunStatus::Pending,
        head: Position::START,
        worker: Position::START,
        reacted: Position::START,
        last_at: now,
        wake_at: None,
        crashes: 0,
        parked: None,
        live_hooks: 0,
        taken: Vec::new(),
        created_at: now,
        ended_at: None,
        tail: Position::START,
        left: Vec::new(),
        fated: 0,
        unread: 0,
        parent,
        children: 0,
        attributes: BTreeMap::new(),
        node: None,
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
        keyed: false,
    })
}
