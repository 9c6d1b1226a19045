//! The checkers find what is forged: a checker that never fails checks nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use rewake_core::event::{
    CreatedBy, EventKind, Failure, FailureKind, Frame, Position, StepOptions, Taken, Writer,
};
use rewake_core::id::{EventId, HookId, Place, RunId, StepId};
use rewake_core::payload::{self, Payload};
use rewake_core::time::Timestamp;
use rewake_core::token::Token;

use super::{History, check};
use crate::ledger::{
    CallAsked, CancelAsked, Entries, Execution, Ledger, Recording, ResumeAsked, StartAsked, Told,
};
use crate::program::{Program, Script};
use crate::shadow::Shadow;
use crate::statement::{Problem, Statement};
use crate::workload::{Seen, TAKE_BACK};

/// A log that is forged event by event.
struct Forged {
    shadow: Shadow,
    entries: Entries,
    run: RunId,
}

impl Forged {
    /// One run that has begun.
    fn new() -> Self {
        let run = RunId::mint(Timestamp::ZERO, 1);
        let mut forged = Self {
            shadow: Shadow::default(),
            entries: Entries::default(),
            run,
        };
        forged.entries.starts.push(StartAsked {
            serial: 0,
            program: Program::new(),
            told: vec![Told::Done(run)],
        });
        forged.add(created()).add(EventKind::RunStarted);
        forged
    }

    fn add(&mut self, kind: EventKind) -> &mut Self {
        self.try_add(kind).unwrap();
        self
    }

    fn try_add(&mut self, kind: EventKind) -> Result<(), Problem> {
        let frame = frame(self.shadow.head(self.run).next(), kind);
        self.shadow.take_in(self.run, &frame)
    }

    fn sent(&mut self, payload: u64, told: Told<(RunId, HookId)>) -> &mut Self {
        self.entries.resumes.push(ResumeAsked {
            payload,
            token: "t".to_owned(),
            key: false,
            told: vec![told],
        });
        self
    }

    fn check(&self) -> Result<(), Problem> {
        check(&History {
            runs: self.shadow.runs(),
            entries: &self.entries,
            takeovers: 1,
            changed: false,
        })
    }

    /// What is found, and of which statement.
    fn problem(&self, statement: Statement) -> String {
        let problem = self.check().unwrap_err();
        assert_eq!(problem.statement, statement, "{}", problem.text);
        problem.text
    }

    fn hook(&self) -> HookId {
        HookId::derive(self.run, Place(0), "t")
    }

    fn step(&self) -> StepId {
        StepId::derive(self.run, Place(1), "work")
    }
}

fn created() -> EventKind {
    EventKind::RunCreated {
        workflow: "simulated".to_owned(),
        input: payload::encode(&(0_u64, Program::new())).unwrap(),
        build: String::new(),
        seed: [0; 16],
        flags: 0,
        parent: None,
        not_before: None,
        continued_from: None,
        attributes: BTreeMap::new(),
        created_by: CreatedBy::Start,
    }
}

fn frame(first: Position, kind: EventKind) -> Frame {
    Frame {
        first,
        at: Timestamp::ZERO,
        id: EventId::mint(Timestamp::ZERO, u128::from(first.0)),
        writer: Writer::Worker,
        events: vec![kind],
        taken: Vec::new(),
    }
}

fn number(n: u64) -> Payload {
    payload::encode(&n).unwrap()
}

fn hook_created(hook: HookId) -> EventKind {
    EventKind::HookCreated {
        hook,
        token: Token::parse("t", Token::MAX_LEN).unwrap(),
        chosen: true,
        metadata: None,
        is_webhook: false,
        expires_at: None,
    }
}

fn received(hook: HookId, n: u64) -> EventKind {
    EventKind::HookReceived {
        hook,
        payload: number(n),
        key: None,
        fallback: None,
        kept_until: None,
    }
}

fn with_hook() -> (Forged, HookId) {
    let mut forged = Forged::new();
    let hook = forged.hook();
    forged.add(hook_created(hook));
    (forged, hook)
}

fn with_step(max_retries: u32) -> (Forged, StepId) {
    let mut forged = Forged::new();
    let step = forged.step();
    let options = StepOptions {
        max_retries,
        timeout_ms: None,
        backoff_ms: 0,
    };
    forged.add(EventKind::StepCreated {
        step,
        name: "work".to_owned(),
        input: number(0),
        options,
        child: None,
    });
    forged.add(EventKind::StepStarted { step, attempt: 1 });
    (forged, step)
}

fn step_created(forged: &Forged) -> EventKind {
    EventKind::StepCreated {
        step: forged.step(),
        name: "work".to_owned(),
        input: number(0),
        options: StepOptions::default(),
        child: None,
    }
}

fn execution(forged: &Forged, ended: bool) -> Execution {
    Execution {
        run: forged.run,
        step: forged.step(),
        attempt: 1,
        ended,
    }
}

#[test]
fn an_honest_history_passes() {
    let (mut forged, hook) = with_hook();
    let done = Told::Done((forged.run, hook));
    forged.add(received(hook, 7)).sent(7, done);
    assert_eq!(forged.check(), Ok(()));
}

#[test]
fn an_acknowledged_start_without_a_run_is_found() {
    let mut forged = Forged::new();
    forged.entries.starts.push(StartAsked {
        serial: 1,
        program: Program::new(),
        told: vec![Told::Done(RunId::mint(Timestamp::ZERO, 2))],
    });
    assert!(forged.problem(Statement::Durable).contains("start 1"));
}

#[test]
fn a_refused_cancel_that_is_recorded_is_found() {
    let mut forged = Forged::new();
    let reason = "why".to_owned();
    forged.add(EventKind::RunCancelRequested {
        reason: Some(reason.clone()),
    });
    forged.entries.cancels.push(CancelAsked {
        run: forged.run,
        reason,
        told: Told::Refused("busy".to_owned()),
    });
    assert!(
        forged
            .problem(Statement::Durable)
            .contains("recorded 1 times")
    );
}

#[test]
fn an_acknowledged_payload_that_is_lost_is_found() {
    let (mut forged, hook) = with_hook();
    let done = Told::Done((forged.run, hook));
    forged.sent(7, done);
    assert!(forged.problem(Statement::Delivered).contains("payload 7"));
}

#[test]
fn a_payload_that_is_recorded_twice_is_found() {
    let (mut forged, hook) = with_hook();
    forged.add(received(hook, 7)).add(received(hook, 7));
    forged.sent(7, Told::Unknown);
    assert!(forged.problem(Statement::Delivered).contains("payload 7"));
}

#[test]
fn payloads_received_out_of_order_are_found() {
    let (mut forged, hook) = with_hook();
    forged.add(received(hook, 1)).add(received(hook, 2));
    forged.sent(1, Told::Unknown).sent(2, Told::Unknown);
    let seen = Seen::Payload(hook.to_string(), 2);
    forged.entries.seen.insert(forged.run, vec![seen]);
    assert!(
        forged
            .problem(Statement::Delivered)
            .contains("its workflow received [2]")
    );
}

#[test]
fn a_result_from_nowhere_is_found() {
    let (mut forged, step) = with_step(3);
    forged.entries.executions.push(execution(&forged, false));
    let result = number(0);
    forged.add(EventKind::StepCompleted { step, result });
    assert!(
        forged
            .problem(Statement::Recorded)
            .contains("has the result 0")
    );
}

#[test]
fn a_step_without_retries_that_ran_twice_is_found() {
    let (mut forged, _) = with_step(0);
    let twice = vec![execution(&forged, true), execution(&forged, true)];
    forged.entries.executions = twice;
    assert!(
        forged
            .problem(Statement::Recorded)
            .contains("may run 1 times")
    );
}

#[test]
fn a_token_that_two_hooks_hold_is_found() {
    let (mut forged, _) = with_hook();
    let other = HookId::derive(forged.run, Place(9), "t");
    let problem = forged.try_add(hook_created(other)).unwrap_err();
    assert_eq!(problem.statement, Statement::Token);
    assert!(problem.text.contains("takes token"), "{}", problem.text);
}

#[test]
fn a_gap_and_an_event_after_the_end_are_found() {
    let mut forged = Forged::new();
    let gap = frame(Position(9), EventKind::RunStarted);
    assert!(forged.shadow.take_in(forged.run, &gap).is_err());
    let output = number(0);
    forged.add(EventKind::RunCompleted { output });
    let problem = forged.try_add(EventKind::RunStarted).unwrap_err();
    assert_eq!(problem.statement, Statement::Workers);
    assert!(problem.text.contains("not legal"), "{}", problem.text);
}

#[test]
fn a_hook_that_was_registered_or_closed_and_is_not_in_the_log_is_found() {
    for seen in [
        Seen::Hook("hook".to_owned(), "other".to_owned()),
        Seen::Closed("t".to_owned()),
    ] {
        let (mut forged, _) = with_hook();
        forged.entries.seen.insert(forged.run, vec![seen]);
        let problem = forged.problem(Statement::Durable);
        assert!(problem.contains("its log d"), "{problem}");
    }
}

#[test]
fn a_payload_that_was_received_and_not_counted_as_taken_is_found() {
    let (mut forged, hook) = with_hook();
    forged.add(received(hook, 1)).sent(1, Told::Unknown);
    let seen = Seen::Payload(hook.to_string(), 1);
    forged.entries.seen.insert(forged.run, vec![seen]);
    let output = number(0);
    forged.add(EventKind::RunCompleted { output });
    let problem = forged.problem(Statement::Delivered);
    assert!(
        problem.contains("0 payloads counted as taken of 1"),
        "{problem}"
    );
}

#[test]
fn counts_of_payloads_that_shrink_or_exceed_what_came_are_found() {
    let (mut forged, hook) = with_hook();
    forged.add(received(hook, 1));
    let mut taking = |count| {
        let mut frame = frame(forged.shadow.head(forged.run).next(), step_created(&forged));
        let bytes = count;
        frame.taken = vec![Taken { hook, count, bytes }];
        forged.shadow.take_in(forged.run, &frame).unwrap_err().text
    };
    let too_many = taking(2);
    assert!(too_many.contains("were taken"), "{too_many}");
}

#[test]
fn an_answer_to_a_call_that_the_workflow_never_got_is_found() {
    let mut forged = Forged::new();
    let run = forged.run;
    forged.entries.calls.push(CallAsked { payload: 9, run });
    let problem = forged.problem(Statement::Delivered);
    assert!(problem.contains("never got it"), "{problem}");
}

#[test]
fn a_step_that_failed_for_the_workflow_only_is_found() {
    let (mut forged, step) = with_step(3);
    let seen = Seen::Failed(step.to_string(), "Fatal 1".to_owned());
    forged.entries.seen.insert(forged.run, vec![seen]);
    let problem = forged.problem(Statement::Recorded);
    assert!(problem.contains("and the log did not"), "{problem}");
}

#[test]
fn steps_of_two_codes_in_one_log_are_found() {
    let (mut forged, _) = with_step(3);
    let other = EventKind::StepCreated {
        step: StepId::derive(forged.run, Place(2), "changed-work"),
        name: "changed-work".to_owned(),
        input: number(0),
        options: StepOptions::default(),
        child: None,
    };
    let problem = forged.try_add(other).unwrap_err();
    assert_eq!(problem.statement, Statement::Replay);
}

#[test]
fn a_log_with_a_second_end_is_found() {
    let mut forged = Forged::new();
    forged.add(EventKind::RunCompleted { output: number(0) });
    let problem = forged.try_add(EventKind::RunCompleted { output: number(0) });
    assert_eq!(problem.unwrap_err().statement, Statement::Workers);
}

#[test]
fn replays_that_see_different_things_are_found() {
    let ledger = Arc::new(Ledger::default());
    let opened = ledger.open();
    let run = RunId::mint(Timestamp::ZERO, 1);
    let (first, second) = (Recording::begin(run), Recording::begin(run));
    first.note(&Seen::Woke);
    second.note(&Seen::Woke);
    assert_eq!(ledger.lock().difference, None);
    first.note(&Seen::Value(1));
    second.note(&Seen::Value(2));
    drop(opened);
    assert!(ledger.lock().difference.is_some());
}

/// A run that keeps two undo calls, and whose log goes on with these.
fn undoing(kinds: Vec<EventKind>) -> Forged {
    let mut forged = Forged::new();
    let seen = vec![Seen::Undo(0), Seen::Undo(1)];
    forged.entries.seen.insert(forged.run, seen);
    for kind in kinds {
        forged.add(kind);
    }
    forged
}

fn undo_step(n: u64) -> StepId {
    StepId::derive(RunId::mint(Timestamp::ZERO, 7), Place(100 + n), TAKE_BACK)
}

fn undo_begins(n: u64) -> EventKind {
    EventKind::StepCreated {
        step: undo_step(n),
        name: TAKE_BACK.to_owned(),
        input: payload::step_input(&(n, Script::PLAIN)).unwrap(),
        options: StepOptions::default(),
        child: None,
    }
}

fn undo_fails(n: u64) -> Vec<EventKind> {
    let step = undo_step(n);
    vec![
        EventKind::StepStarted { step, attempt: 1 },
        EventKind::StepFailed {
            step,
            error: Failure::new("no"),
            kind: FailureKind::Fatal,
        },
    ]
}

fn failed() -> EventKind {
    EventKind::RunFailed {
        error: Failure::new("no"),
    }
}

#[test]
fn undo_calls_in_the_right_order_pass() {
    let first = [vec![undo_begins(1)], undo_fails(1)].concat();
    let second = [vec![undo_begins(0)], undo_fails(0)].concat();
    assert_eq!(undoing(first.clone()).check(), Ok(()), "it is under way");
    let all = [first, second, vec![failed()]].concat();
    assert_eq!(undoing(all).check(), Ok(()));
}

#[test]
fn undo_calls_that_are_missing_too_many_or_out_of_order_are_found() {
    let one = |n| [vec![undo_begins(n)], undo_fails(n)].concat();
    let completed = EventKind::RunCompleted { output: number(0) };
    let wrong = [
        vec![failed()],
        [one(1), vec![failed()]].concat(),
        [one(0), one(1), vec![failed()]].concat(),
        [one(1), one(0), vec![completed]].concat(),
        vec![undo_begins(1), undo_begins(0)],
    ];
    for kinds in wrong {
        let text = undoing(kinds).problem(Statement::Recorded);
        assert!(text.contains("undid") || text.contains("beside"), "{text}");
    }
}
