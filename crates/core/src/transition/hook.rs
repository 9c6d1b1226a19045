//! What an event makes of a hook.

use super::IllegalTransition;
use crate::entity::{Hook, HookState};
use crate::event::{Correlation, EventKind, EventRef};
use crate::id::HookId;

/// The hook after `event`.
///
/// # Errors
///
/// [`IllegalTransition`] where the event must not follow.
pub fn hook(before: Option<&Hook>, event: EventRef<'_>) -> Result<Hook, IllegalTransition> {
    let name = event.kind.name();
    let Some(Correlation::Hook(id)) = event.kind.correlation_id() else {
        return Err(IllegalTransition::Misrouted {
            event: name,
            entity: "hook",
        });
    };
    if let Some(made) = made(id, event) {
        return match before {
            Some(_) => Err(IllegalTransition::HookExists { hook: id }),
            None => Ok(made),
        };
    }
    let hook = before.ok_or(IllegalTransition::HookMissing {
        event: name,
        hook: id,
    })?;
    // The workflow let go of the hook just when it expired, or before it knew that it was in
    // conflict: the command was issued, so its record stands, and changes nothing.
    let late = matches!(event.kind, EventKind::HookDisposed { .. });
    let gone = matches!(
        hook.state,
        HookState::Expired | HookState::Conflicted { .. }
    );
    if late && gone {
        return Ok(hook.clone());
    }
    if !hook.is_live() {
        return Err(IllegalTransition::HookEnded {
            event: name,
            hook: id,
        });
    }
    after(hook.clone(), event)
}

/// The hook that `hook_created` or `hook_conflict` makes; none for other events.
fn made(id: HookId, event: EventRef<'_>) -> Option<Hook> {
    let blank = |token: &crate::token::Token, state| Hook {
        id,
        token: token.clone(),
        chosen: true,
        metadata: None,
        is_webhook: false,
        expires_at: None,
        state,
        received: 0,
        taken: 0,
        created_at: event.at,
        ended_at: None,
    };
    if let EventKind::HookCreated {
        token,
        chosen,
        metadata,
        is_webhook,
        expires_at,
        ..
    } = event.kind
    {
        return Some(Hook {
            chosen: *chosen,
            metadata: metadata.clone(),
            is_webhook: *is_webhook,
            expires_at: *expires_at,
            ..blank(token, HookState::Live)
        });
    }
    if let EventKind::HookConflict { token, owner, .. } = event.kind {
        return Some(Hook {
            ended_at: Some(event.at),
            ..blank(token, HookState::Conflicted { owner: *owner })
        });
    }
    None
}

fn after(mut hook: Hook, event: EventRef<'_>) -> Result<Hook, IllegalTransition> {
    match event.kind {
        EventKind::HookReceived { .. } => hook.received += 1,
        EventKind::HookDisposed { by, .. } => {
            hook.state = HookState::Disposed { by: (*by).into() };
            hook.ended_at = Some(event.at);
        }
        EventKind::HookExpired { .. } => {
            hook.state = HookState::Expired;
            hook.ended_at = Some(event.at);
        }
        EventKind::RunCreated { .. }
        | EventKind::RunStarted
        | EventKind::RunCompleted { .. }
        | EventKind::RunFailed { .. }
        | EventKind::RunCancelled { .. }
        | EventKind::RunCancelRequested { .. }
        | EventKind::RunContinued { .. }
        | EventKind::StepCreated { .. }
        | EventKind::StepStarted { .. }
        | EventKind::StepCompleted { .. }
        | EventKind::StepFailed { .. }
        | EventKind::StepRetrying { .. }
        | EventKind::HookCreated { .. }
        | EventKind::HookConflict { .. }
        | EventKind::WaitCreated { .. }
        | EventKind::WaitCompleted { .. }
        | EventKind::WaitCancelled { .. }
        | EventKind::AttrSet { .. }
        | EventKind::PatchMarked { .. } => {
            return Err(IllegalTransition::Misrouted {
                event: event.kind.name(),
                entity: "hook",
            });
        }
    }
    Ok(hook)
}
