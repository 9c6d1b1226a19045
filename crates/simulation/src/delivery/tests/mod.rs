//! The model finds what breaks the contract: forged histories, each but for one thing in order.

mod payloads;
mod replies;

use rewake_core::event::{CreatedBy, Disposal, Event, EventKind, Position};
use rewake_core::id::{EventId, HookId, RunId};
use rewake_core::payload;
use rewake_core::time::Timestamp;
use rewake_core::token::Token;

use super::model::{Answer, History, Seen, Sent, Way, check};
use super::script::Told;

const TOKEN: &str = "token-a";

fn at(ms: u64) -> Timestamp {
    Timestamp::from_millis(ms)
}

fn run_id(n: u64) -> RunId {
    RunId::mint(at(1), u128::from(n))
}

fn hook_id(n: u64) -> HookId {
    HookId::mint(at(1), u128::from(n))
}

fn created(serial: u64, created_by: CreatedBy) -> EventKind {
    let script: super::script::Script = Vec::new();
    EventKind::RunCreated {
        workflow: super::script::WORKFLOW.to_owned(),
        input: payload::encode(&(serial, script)).unwrap(),
        build: String::new(),
        seed: [0; 16],
        flags: 0,
        parent: None,
        not_before: None,
        continued_from: None,
        attributes: std::collections::BTreeMap::new(),
        created_by,
    }
}

fn opened(hook: u64, token: &str) -> EventKind {
    EventKind::HookCreated {
        hook: hook_id(hook),
        token: Token::parse(token, Token::MAX_LEN).unwrap(),
        chosen: true,
        metadata: None,
        is_webhook: false,
        expires_at: None,
    }
}

fn took(hook: u64, number: u64) -> EventKind {
    let told = Told {
        number,
        finish: false,
    };
    EventKind::HookReceived {
        hook: hook_id(hook),
        payload: payload::encode(&told).unwrap(),
        key: None,
        fallback: None,
        kept_until: None,
    }
}

fn dropped(hook: u64) -> EventKind {
    EventKind::HookDisposed {
        hook: hook_id(hook),
        by: Disposal::Dropped,
    }
}

fn completed() -> EventKind {
    EventKind::RunCompleted {
        output: payload::encode(&0).unwrap(),
    }
}

const fn terminated() -> EventKind {
    EventKind::RunCancelled {
        reason: None,
        terminated: true,
    }
}

/// A run whose events are a millisecond apart.
fn run(n: u64, from_ms: u64, kinds: impl IntoIterator<Item = EventKind>) -> Seen {
    let events = kinds.into_iter().zip(0..).map(|(kind, nth)| Event {
        position: Position(nth + 1),
        at: at(from_ms + nth),
        id: EventId::mint(at(1), u128::from(1_000 * n + nth)),
        kind,
    });
    Seen {
        run: run_id(n),
        serial: n,
        events: events.collect(),
        unread: Vec::new(),
        read: Vec::new(),
        dropped: Vec::new(),
        given: Vec::new(),
    }
}

fn read(mut run: Seen, read: &[(u64, u64)]) -> Seen {
    run.read = read.iter().map(|(hook, n)| (hook_id(*hook), *n)).collect();
    run
}

fn unread(mut run: Seen, unread: &[(u64, u64)]) -> Seen {
    run.unread = unread
        .iter()
        .map(|(hook, n)| (hook_id(*hook), *n))
        .collect();
    run
}

fn sent(number: u64, way: Way, answers: impl Into<Vec<Answer>>) -> Sent {
    Sent {
        number,
        token: TOKEN.to_owned(),
        way,
        answers: answers.into(),
    }
}

fn taken(n: u64) -> Answer {
    Answer::Taken {
        run: run_id(n),
        hook: hook_id(n),
        started: false,
    }
}

fn history(sent: impl Into<Vec<Sent>>, runs: impl Into<Vec<Seen>>) -> History {
    History {
        now: at(100),
        sent: sent.into(),
        runs: runs.into(),
        mail: Vec::new(),
        live: Vec::new(),
    }
}

fn start() -> EventKind {
    created(1, CreatedBy::Start)
}

#[track_caller]
fn found(history: &History, what: &str) {
    let problem = check(history).unwrap_err();
    assert!(problem.contains(what), "{problem}");
}
