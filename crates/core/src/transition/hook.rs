//! What an event makes of a hook.

use super::IllegalTransition;
use crate::entity::{Hook, HookState};
use crate::event::{EventRef, HookEvent, Subject};
use crate::id::HookId;
use crate::time::Timestamp;
use crate::token::Token;

/// The hook after `event`.
///
/// # Errors
///
/// [`IllegalTransition`] where the event must not follow.
pub fn hook(before: Option<&Hook>, event: EventRef<'_>) -> Result<Hook, IllegalTransition> {
    let Subject::Hook(id, kind) = event.kind.subject() else {
        return Err(IllegalTransition::Misrouted {
            event: event.kind.name(),
            entity: "hook",
        });
    };
    match kind {
        HookEvent::Created {
            token,
            chosen,
            metadata,
            is_webhook,
            expires_at,
        } => {
            first(id, before)?;
            Ok(Hook {
                chosen,
                metadata: metadata.cloned(),
                is_webhook,
                expires_at,
                ..bare(id, token, HookState::Live, event.at)
            })
        }
        HookEvent::Conflict { token, owner } => {
            first(id, before)?;
            Ok(Hook {
                ended_at: Some(event.at),
                ..bare(id, token, HookState::Conflicted { owner }, event.at)
            })
        }
        HookEvent::Received { .. } => {
            let hook = live(id, before, event)?;
            Ok(Hook {
                received: hook.received + 1,
                ..hook
            })
        }
        HookEvent::Disposed { by } => {
            // The workflow let go of the hook just when it expired, or before it knew that it was
            // in conflict: the command was issued, so its record stands, and changes nothing.
            if let Some(gone) = before.filter(|hook| is_gone_by_itself(hook.state)) {
                return Ok(gone.clone());
            }
            let hook = live(id, before, event)?;
            Ok(ended(hook, HookState::Disposed { by: by.into() }, event.at))
        }
        HookEvent::Expired => {
            let hook = live(id, before, event)?;
            Ok(ended(hook, HookState::Expired, event.at))
        }
    }
}

fn first(id: HookId, before: Option<&Hook>) -> Result<(), IllegalTransition> {
    match before {
        Some(_) => Err(IllegalTransition::HookExists { hook: id }),
        None => Ok(()),
    }
}

fn bare(id: HookId, token: &Token, state: HookState, at: Timestamp) -> Hook {
    Hook {
        id,
        token: token.clone(),
        chosen: true,
        metadata: None,
        is_webhook: false,
        expires_at: None,
        state,
        received: 0,
        taken: 0,
        created_at: at,
        ended_at: None,
    }
}

fn live(id: HookId, before: Option<&Hook>, event: EventRef<'_>) -> Result<Hook, IllegalTransition> {
    let hook = before.ok_or_else(|| IllegalTransition::HookMissing {
        event: event.kind.name(),
        hook: id,
    })?;
    if hook.is_live() {
        return Ok(hook.clone());
    }
    Err(IllegalTransition::HookEnded {
        event: event.kind.name(),
        hook: id,
    })
}

const fn is_gone_by_itself(state: HookState) -> bool {
    match state {
        HookState::Expired | HookState::Conflicted { .. } => true,
        HookState::Live | HookState::Disposed { .. } => false,
    }
}

fn ended(hook: Hook, state: HookState, at: Timestamp) -> Hook {
    Hook {
        state,
        ended_at: Some(at),
        ..hook
    }
}
