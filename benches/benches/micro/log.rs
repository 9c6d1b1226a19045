//! The log that everything here is about: a run whose steps do nothing, one after the other.

use std::collections::BTreeMap;

use rewake_core::event::{CreatedBy, EventKind, Frame, Position, StepOptions, Writer};
use rewake_core::id::{EventId, HookId, Place, RunId, StepId};
use rewake_core::payload::{Payload, encode, step_input};
use rewake_core::time::Timestamp;
use rewake_core::token::Token;

/// When everything happens.
pub(crate) const AT: Timestamp = Timestamp::from_millis(1_800_000_000_000);
/// The name of every step.
pub(crate) const NAME: &str = "micro::publish";
/// How a step is tried.
pub(crate) const OPTIONS: StepOptions = StepOptions {
    max_retries: 3,
    timeout_ms: None,
    backoff_ms: 1_000,
};

/// The run.
pub(crate) fn run() -> RunId {
    RunId::mint(AT, 1)
}

/// The step at a place.
pub(crate) fn step(place: u64) -> StepId {
    StepId::derive(run(), Place(place), NAME)
}

/// The only hook of the run.
pub(crate) fn hook() -> HookId {
    HookId::derive(run(), Place(0), token().as_str())
}

/// Its token.
pub(crate) fn token() -> Token {
    Token::parse("review:1", Token::MAX_LEN).expect("it is short and plain")
}

/// The id of an append, by a number of the caller's.
pub(crate) fn event_id(n: u64) -> EventId {
    EventId::mint(AT, u128::from(n) << 16)
}

/// A number as a payload.
pub(crate) fn number(n: u64) -> Payload {
    encode(&n).expect("a number is a payload")
}

/// What a step is called with.
pub(crate) fn input(n: u64) -> Payload {
    step_input(&(n,)).expect("a number is an argument")
}

/// The beginning of the log.
pub(crate) fn created() -> EventKind {
    EventKind::RunCreated {
        workflow: "micro::steps".to_owned(),
        input: input(1),
        build: "bench".to_owned(),
        seed: [7; 16],
        flags: 0,
        parent: None,
        not_before: None,
        continued_from: None,
        attributes: BTreeMap::new(),
        created_by: CreatedBy::Start,
    }
}

/// The registration of the hook.
pub(crate) fn hook_created() -> EventKind {
    EventKind::HookCreated {
        hook: hook(),
        token: token(),
        chosen: true,
        metadata: None,
        is_webhook: false,
        expires_at: None,
    }
}

/// All that is recorded of the step at a place.
pub(crate) fn step_events(place: u64) -> Vec<EventKind> {
    let step = step(place);
    vec![
        EventKind::StepCreated {
            step,
            name: NAME.to_owned(),
            input: input(place),
            options: OPTIONS,
            child: None,
        },
        EventKind::StepStarted { step, attempt: 1 },
        EventKind::StepCompleted {
            step,
            result: number(place),
        },
    ]
}

/// A log of about so many events: two of the run, and steps of three.
pub(crate) fn frames(events: u64) -> Vec<Frame> {
    let mut frames = vec![frame(1, vec![created(), EventKind::RunStarted])];
    for place in 0..(events - 2) / 3 {
        frames.push(frame(3 + 3 * place, step_events(place)));
    }
    frames
}

/// A frame as a worker writes it.
pub(crate) fn frame(first: u64, events: Vec<EventKind>) -> Frame {
    Frame {
        first: Position(first),
        at: AT,
        id: event_id(first),
        writer: Writer::Worker,
        events,
        taken: Vec::new(),
    }
}
