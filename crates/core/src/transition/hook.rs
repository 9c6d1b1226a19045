//! What an event makes of a hook.

use super::IllegalTransition;
use crate::entity::{Hook, HookState};
use crate::event::{Disposal, EventRef, HookEvent, Subject};
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
            let hook = held(id, before, event)?;
            let hook = match by {
                Disposal::Closed => not_closed(hook, event)?,
                Disposal::Dropped => Hook {
                    dropped_at: Some(event.at),
                    ..hook
                },
            };
            // What ended it first stands.
            Ok(if hook.is_live() {
                ended(hook, HookState::Disposed { by: by.into() }, event.at)
            } else {
                hook
            })
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
        dropped_at: None,
    }
}

fn live(id: HookId, before: Option<&Hook>, event: EventRef<'_>) -> Result<Hook, IllegalTransition> {
    let hook = before.ok_or_else(|| missing(id, event))?;
    if hook.is_live() {
        return Ok(hook.clone());
    }
    Err(has_ended(id, event))
}

/// A hook whose receiver has not been dropped.
fn held(id: HookId, before: Option<&Hook>, event: EventRef<'_>) -> Result<Hook, IllegalTransition> {
    let hook = before.ok_or_else(|| missing(id, event))?;
    if hook.dropped_at.is_none() {
        return Ok(hook.clone());
    }
    Err(has_ended(id, event))
}

/// The workflow may close a hook just when it expires: the command was issued, so its record stands.
fn not_closed(hook: Hook, event: EventRef<'_>) -> Result<Hook, IllegalTransition> {
    match hook.state {
        HookState::Live | HookState::Expired | HookState::Conflicted { .. } => Ok(hook),
        HookState::Disposed { .. } => Err(has_ended(hook.id, event)),
    }
}

fn missing(hook: HookId, event: EventRef<'_>) -> IllegalTransition {
    IllegalTransition::HookMissing {
        event: event.kind.name(),
        hook,
    }
}

fn has_ended(hook: HookId, event: EventRef<'_>) -> IllegalTransition {
    IllegalTransition::HookEnded {
        event: event.kind.name(),
        hook,
    }
}

fn ended(hook: Hook, state: HookState, at: Timestamp) -> Hook {
    Hook {
        state,
        ended_at: Some(at),
        ..hook
    }
}
