//! A log that begins with the hook which owns a token, and with payloads in it.

use std::collections::BTreeMap;

use rewake_core::event::{CreatedBy, EventKind, Fallback, Frame, Position, Writer};
use rewake_core::time::Timestamp;
use rewake_core::token::Token;

use super::arrival::{Arrival, note_fate};
use super::rows::Write;
use super::{effect, tokens};
use crate::row::{RunRow, ScopeId, TokenRow};

/// A run that begins now.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) frame: Frame,
    pub(super) hook: TokenRow,
    pub(super) row: RunRow,
}

/// Begins the run that a payload names. Its workflow begins in the same frame where `begins`: behind
/// the hook, so that its code finds it. Nobody has the run.
pub(super) fn begin(
    (scope, token): (ScopeId, &Token),
    named: &Fallback,
    arrivals: impl IntoIterator<Item = Arrival>,
    begins: bool,
    at: Timestamp,
) -> Begun {
    let hook = named.hook;
    let mut events = vec![run_created(named), hook_created(named, token)];
    events.extend(arrivals.into_iter().map(|arrival| arrival.event(hook)));
    if begins {
        events.push(EventKind::RunStarted);
    }
    let mut row = effect::blank(scope, &events, at);
    row.wake_at = Some(at);
    row.live_hooks = 1;
    let registered = effect::token_row(scope, named.run, at, &events[1]);
    let mut hook = registered.expect("the second event registers the hook");
    for kind in &events {
        if let EventKind::HookReceived { payload, .. } = kind {
            tokens::count(&mut row, &mut hook, payload.len() as u64);
            note_fate(&mut row, kind);
        }
    }
    let frame = Frame {
        first: Position::START.next(),
        at,
        id: named.event,
        writer: Writer::Outsider,
        events,
        taken: Vec::new(),
    };
    effect::advance(&mut row, &frame);
    Begun { frame, hook, row }
}

impl Begun {
    /// The rows of the run itself; its token's is not among them.
    pub(super) fn writes(self) -> [Write; 2] {
        let run = self.hook.run;
        [
            Write::frame(run, &self.frame),
            Write::Run(run, Box::new(self.row)),
        ]
    }
}

fn run_created(named: &Fallback) -> EventKind {
    EventKind::RunCreated {
        workflow: named.workflow.clone(),
        input: named.input.clone(),
        build: named.build.clone(),
        seed: named.seed,
        flags: named.flags,
        parent: None,
        not_before: None,
        continued_from: None,
        attributes: BTreeMap::new(),
        created_by: CreatedBy::Admission,
    }
}

fn hook_created(named: &Fallback, token: &Token) -> EventKind {
    EventKind::HookCreated {
        hook: named.hook,
        token: token.clone(),
        chosen: true,
        metadata: None,
        is_webhook: false,
        expires_at: None,
    }
}
