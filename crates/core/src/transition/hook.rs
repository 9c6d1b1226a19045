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
    if let Some(before) = before {
        let mut hook = before.clone();
        change_hook(&mut hook, event)?;
        return Ok(hook);
    }
    match subject(event)? {
        (
            id,
            HookEvent::Created {
                token,
                chosen,
                metadata,
                is_webhook,
                expires_at,
            },
        ) => Ok(Hook {
            chosen,
            metadata: metadata.cloned(),
            is_webhook,
            expires_at,
            ..bare(id, token, HookState::Live, event.at)
        }),
        (id, HookEvent::Conflict { token, owner }) => Ok(Hook {
            ended_at: Some(event.at),
            ..bare(id, token, HookState::Conflicted { owner }, event.at)
        }),
        (hook, HookEvent::Received { .. } | HookEvent::Disposed { .. } | HookEvent::Expired) => {
            Err(IllegalTransition::HookMissing {
                event: event.kind.name(),
                hook,
            })
        }
    }
}

/// Makes of a hook what it is after `event`, as [`hook`] does.
///
/// # Errors
///
/// [`IllegalTransition`] where the event must not follow; the hook is unchanged.
pub fn change_hook(hook: &mut Hook, event: EventRef<'_>) -> Result<(), IllegalTransition> {
    let (id, kind) = subject(event)?;
    match kind {
        HookEvent::Created { .. } | HookEvent::Conflict { .. } => {
            return Err(IllegalTransition::HookExists { hook: id });
        }
        HookEvent::Received { .. } => {
            live(hook, event)?;
            hook.received += 1;
        }
        HookEvent::Disposed { by } => {
            disposable(hook, by, event)?;
            if by == Disposal::Dropped {
                hook.dropped_at = Some(event.at);
            }
            // What ended it first stands.
            if hook.is_live() {
                end(hook, HookState::Disposed { by: by.into() }, event.at);
            }
        }
        HookEvent::Expired => {
            live(hook, event)?;
            end(hook, HookState::Expired, event.at);
        }
    }
    Ok(())
}

fn subject(event: EventRef<'_>) -> Result<(HookId, HookEvent<'_>), IllegalTransition> {
    match event.kind.subject() {
        Subject::Hook(id, kind) => Ok((id, kind)),
        Subject::Run(_) | Subject::Step(..) | Subject::Wait(..) => {
            Err(IllegalTransition::Misrouted {
                event: event.kind.name(),
                entity: "hook",
            })
        }
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

fn live(hook: &Hook, event: EventRef<'_>) -> Result<(), IllegalTransition> {
    if hook.is_live() {
        return Ok(());
    }
    Err(has_ended(hook.id, event))
}

/// A hook whose receiver was dropped is done with. The workflow may close one just when it expires: the
/// command was issued, so its record stands.
fn disposable(hook: &Hook, by: Disposal, event: EventRef<'_>) -> Result<(), IllegalTransition> {
    let closed = matches!(hook.state, HookState::Disposed { .. });
    if hook.dropped_at.is_some() || (closed && by == Disposal::Closed) {
        return Err(has_ended(hook.id, event));
    }
    Ok(())
}

fn has_ended(hook: HookId, event: EventRef<'_>) -> IllegalTransition {
    IllegalTransition::HookEnded {
        event: event.kind.name(),
        hook,
    }
}

const fn end(hook: &mut Hook, state: HookState, at: Timestamp) {
    hook.state = state;
    hook.ended_at = Some(at);
}
