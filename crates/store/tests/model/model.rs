//! The model: logs as lists of events, and who holds which token.

use std::collections::BTreeMap;

use rewake_store::core::event::{Disposal, EventKind, Role};
use rewake_store::core::id::{HookId, RunId};
use rewake_store::core::payload::Payload;
use rewake_store::core::time::Timestamp;
use rewake_store::core::token::Token;

#[derive(Debug, Default)]
pub(crate) struct Model {
    /// By number; a run that was not started is not here.
    pub(crate) runs: BTreeMap<usize, Run>,
    pub(crate) live: BTreeMap<usize, (usize, HookId)>,
    /// By token and key: the payload, and the run and position it went to.
    pub(crate) keys: BTreeMap<(usize, u8), (u8, usize, u64)>,
    hooks_made: u8,
}

#[derive(Debug, Default)]
pub(crate) struct Run {
    pub(crate) events: Vec<EventKind>,
    /// The position of the last event that its worker wrote.
    pub(crate) worker: u64,
    /// Up to where its worker knows the log.
    pub(crate) seen: u64,
    /// Up to where its worker has said that it has reacted.
    pub(crate) said: u64,
    /// When its worker wants to be woken if nothing happens.
    pub(crate) wake_at: Option<Timestamp>,
    /// Hooks its worker has registered and not given up, with their tokens.
    pub(crate) given_out: Vec<(HookId, usize)>,
}

pub(crate) fn run_id(run: usize) -> RunId {
    RunId::mint(Timestamp::from_millis(1_000), run as u128)
}

pub(crate) fn token(token: usize) -> Token {
    Token::parse(&format!("token-{token}"), Token::MAX_LEN).expect("the model says so")
}

pub(crate) fn payload(payload: u8) -> Payload {
    Payload::from_bytes([payload; 8])
}

impl Run {
    pub(crate) fn head(&self) -> u64 {
        self.events.len() as u64
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.events.iter().any(EventKind::is_terminal)
    }

    /// True where something stands in the log that the worker must react to and has not.
    pub(crate) fn is_ready(&self) -> bool {
        let unseen = &self.events[usize::try_from(self.said).expect("the model says so")..];
        let calls = |kind: &EventKind| matches!(kind.role(), Role::Fact | Role::AwaitedRecord);
        !self.has_ended() && unseen.iter().any(calls)
    }
}

impl Model {
    /// A hook that no run has had.
    pub(crate) fn new_hook(&mut self) -> HookId {
        self.hooks_made += 1;
        HookId::from_bytes([self.hooks_made; 16])
    }

    /// Takes one event into the log, as it must be stored.
    pub(crate) fn take(&mut self, run: usize, kind: EventKind) -> EventKind {
        let stored = self.stored(run, kind);
        if let EventKind::HookDisposed { hook, .. } | EventKind::HookExpired { hook } = &stored {
            self.live.retain(|_, (_, held)| held != hook);
        }
        if stored.is_terminal() {
            self.live.retain(|_, (holder, _)| *holder != run);
        }
        let log = self.runs.get_mut(&run).expect("the model says so");
        log.events.push(stored.clone());
        stored
    }

    fn stored(&mut self, run: usize, kind: EventKind) -> EventKind {
        let EventKind::HookCreated {
            hook, token: name, ..
        } = &kind
        else {
            return kind;
        };
        let number = (0..crate::TOKENS).find(|number| token(*number) == *name);
        let number = number.expect("the model says so");
        if let Some((owner, _)) = self.live.get(&number) {
            return EventKind::HookConflict {
                hook: *hook,
                token: name.clone(),
                owner: run_id(*owner),
            };
        }
        self.live.insert(number, (run, *hook));
        kind
    }
}

pub(crate) fn hook_created(hook: HookId, number: usize) -> EventKind {
    EventKind::HookCreated {
        hook,
        token: token(number),
        chosen: true,
        metadata: None,
        is_webhook: false,
        expires_at: None,
    }
}

pub(crate) const fn hook_dropped(hook: HookId) -> EventKind {
    EventKind::HookDisposed {
        hook,
        by: Disposal::Dropped,
    }
}
