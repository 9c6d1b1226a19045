//! Hooks: five states, all events.

use crate::entity::{Hook, HookState, HowDisposed};
use crate::event::{Disposal, EventKind};
use crate::samples::{self, at, event, payload, token};
use crate::transition::{IllegalTransition, hook};

const CREATED: u64 = 10;
const ENDED: u64 = 30;
const NOW: u64 = 90;

fn live(created_ms: u64) -> Hook {
    Hook {
        id: samples::hook(),
        token: token("review:1"),
        chosen: true,
        metadata: Some(payload("meta")),
        is_webhook: false,
        expires_at: Some(at(9_000)),
        state: HookState::Live,
        received: 0,
        taken: 0,
        created_at: at(created_ms),
        ended_at: None,
        dropped_at: None,
    }
}

fn ended(state: HookState, ms: u64) -> Hook {
    Hook {
        state,
        ended_at: Some(at(ms)),
        ..live(CREATED)
    }
}

fn dropped(hook: Hook, ms: u64) -> Hook {
    Hook {
        dropped_at: Some(at(ms)),
        ..hook
    }
}

fn conflicted(ms: u64) -> Hook {
    Hook {
        metadata: None,
        expires_at: None,
        created_at: at(ms),
        ..ended(in_conflict(), ms)
    }
}

const CLOSED: HookState = HookState::Disposed {
    by: HowDisposed::Closed,
};
const DROPPED: HookState = HookState::Disposed {
    by: HowDisposed::Dropped,
};

fn in_conflict() -> HookState {
    HookState::Conflicted {
        owner: samples::other_run(),
    }
}

fn states() -> [Option<HookState>; 6] {
    [
        None,
        Some(HookState::Live),
        Some(CLOSED),
        Some(DROPPED),
        Some(HookState::Expired),
        Some(in_conflict()),
    ]
}

fn entity(state: HookState) -> Hook {
    match state {
        HookState::Live => live(CREATED),
        DROPPED => dropped(ended(state, ENDED), ENDED),
        CLOSED | HookState::Expired => ended(state, ENDED),
        HookState::Conflicted { .. } => conflicted(ENDED),
    }
}

fn expected(state: Option<HookState>, event: &'static str) -> Result<Hook, IllegalTransition> {
    let hook = samples::hook();
    Err(match (event, state) {
        ("hook_created", None) => return Ok(live(NOW)),
        ("hook_conflict", None) => return Ok(conflicted(NOW)),
        ("hook_created" | "hook_conflict", Some(_)) => IllegalTransition::HookExists { hook },
        ("hook_received" | "hook_disposed" | "hook_expired", None) => {
            IllegalTransition::HookMissing { event, hook }
        }
        ("hook_received", Some(HookState::Live)) => {
            return Ok(Hook {
                received: 1,
                ..live(CREATED)
            });
        }
        ("hook_disposed", Some(HookState::Live)) => return Ok(ended(CLOSED, NOW)),
        ("hook_expired", Some(HookState::Live)) => return Ok(ended(HookState::Expired, NOW)),
        ("hook_disposed", Some(late @ (HookState::Expired | HookState::Conflicted { .. }))) => {
            return Ok(entity(late));
        }
        ("hook_received" | "hook_disposed" | "hook_expired", Some(_)) => {
            IllegalTransition::HookEnded { event, hook }
        }
        (event, _) => IllegalTransition::Misrouted {
            event,
            entity: "hook",
        },
    })
}

#[test]
fn every_event_in_every_state_has_its_answer() {
    for kind in samples::every_kind() {
        for state in states() {
            let before = state.map(entity);
            assert_eq!(
                hook(before.as_ref(), event(&kind, NOW)),
                expected(state, kind.name()),
                "{state:?}, then {}",
                kind.name()
            );
        }
    }
}

fn disposed(by: Disposal) -> EventKind {
    let hook = samples::hook();
    EventKind::HookDisposed { hook, by }
}

#[test]
fn how_a_hook_was_disposed_of_is_kept() {
    let closed = hook(
        Some(&live(CREATED)),
        event(&disposed(Disposal::Closed), NOW),
    );
    assert_eq!(closed, Ok(ended(CLOSED, NOW)));
    let kind = disposed(Disposal::Dropped);
    let gone = hook(Some(&live(CREATED)), event(&kind, NOW));
    assert_eq!(gone, Ok(dropped(ended(DROPPED, NOW), NOW)));
}

#[test]
fn a_receiver_is_dropped_once_however_its_hook_ended_before() {
    let kind = disposed(Disposal::Dropped);
    for state in [CLOSED, HookState::Expired, in_conflict()] {
        let before = entity(state);
        let after = hook(Some(&before), event(&kind, NOW)).unwrap();
        assert_eq!(
            after,
            dropped(before, NOW),
            "{state:?}: what ended it stands"
        );
        for by in [Disposal::Dropped, Disposal::Closed] {
            let again = hook(Some(&after), event(&disposed(by), NOW));
            let refused = IllegalTransition::HookEnded {
                event: "hook_disposed",
                hook: samples::hook(),
            };
            assert_eq!(again, Err(refused), "{state:?}, dropped, then {by:?}");
        }
    }
}

#[test]
fn a_payload_after_the_end_is_refused_however_the_hook_ended() {
    let kind = EventKind::HookReceived {
        hook: samples::hook(),
        payload: payload("late"),
        key: None,
        fallback: None,
        kept_until: None,
    };
    for state in [CLOSED, DROPPED, HookState::Expired, in_conflict()] {
        assert_eq!(
            hook(Some(&entity(state)), event(&kind, NOW)),
            Err(IllegalTransition::HookEnded {
                event: "hook_received",
                hook: samples::hook()
            }),
            "{state:?}"
        );
    }
}

#[test]
fn time_decides_nothing() {
    let kind = EventKind::HookReceived {
        hook: samples::hook(),
        payload: payload("after the expiry, and before anybody noticed"),
        key: None,
        fallback: None,
        kept_until: None,
    };
    let after = hook(Some(&live(CREATED)), event(&kind, 1_000_000)).unwrap();
    assert_eq!((after.state, after.received), (HookState::Live, 1));
}
