//! A catalogue of changes of workflow code while a run is under way: which are reported, where, and
//! which are none of replay's business.
//!
//! All runs of a table are under way at the same time: those that no longer match their log must not
//! be in the way of those that do. `docs/guide/changing-code.md` has the same tables for users.

mod harmless;
mod hooks;
mod shapes;
mod subject;

use std::fmt::Display;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rewake::prelude::*;
use rewake::{RunId, RunStatus};
use rewake_core::event::Event;

use crate::stage::{Stage, log, on_every_stage, parked, resume};
use subject::{Code, deploy, subject};

on_every_stage!(
    what_changes_the_calls_is_reported_at_the_first_record_that_finds_none,
    what_changes_the_hooks_is_reported_at_the_first_record_that_finds_none,
    what_changes_no_call_is_not_reported,
);

async fn what_changes_the_calls_is_reported_at_the_first_record_that_finds_none(stage: Stage) {
    all_of(shapes::CHANGES, stage).await;
}

async fn what_changes_the_hooks_is_reported_at_the_first_record_that_finds_none(stage: Stage) {
    all_of(hooks::CHANGES, stage).await;
}

async fn what_changes_no_call_is_not_reported(stage: Stage) {
    all_of(harmless::CHANGES, stage).await;
}

#[test]
fn the_guide_names_every_change() {
    let guide = include_str!("../../../../../docs/guide/changing-code.md");
    let changes = [shapes::CHANGES, hooks::CHANGES, harmless::CHANGES].concat();
    for Change { name, .. } in &changes {
        let line = format!("\n| {name} |");
        assert!(guide.contains(&line), "docs/guide/changing-code.md: {name}");
    }
    let end = guide.find("\n## What you see").unwrap();
    let lines = guide[..end].matches("\n| ").count();
    // Two tables, each with a heading and a rule below it.
    assert_eq!(lines, changes.len() + 4, "the guide knows no other change");
}

/// A change of code while a run of it is under way.
#[derive(Clone, Copy)]
struct Change {
    name: &'static str,
    old: Code,
    new: Code,
    /// How many events the log has when the old code is at rest.
    rests_at: usize,
    /// What its hooks are told before that.
    told: &'static [Told],
    then: Then,
    /// What comes of the run: by the new code, or where that has parted from the log, by the old.
    gives: &'static str,
}

/// A payload for a hook of the run.
#[derive(Clone, Copy)]
struct Told {
    /// Sent once the log has so many events.
    at: usize,
    hook: &'static str,
    payload: u64,
}

/// What becomes of the run under the new code. `OWN` stands for what the run goes by, and `*` for
/// what was drawn.
#[derive(Clone, Copy)]
enum Then {
    GoesOn,
    Parts {
        at: u64,
        log_has: &'static str,
        workflow: &'static str,
    },
}

/// What Rewake advises where code and log have parted.
const REMEDY: &str = "most likely the code was changed while the run was under way: let the code that \
                      wrote the log take the run, or write the calls that are on record as they were \
                      and in the same order, with new ones after them; if it was not changed, a clock, \
                      a random number, an unordered map or global state decided which way to go";

/// A change, and the run that it happens to.
struct Case {
    change: &'static Change,
    own: String,
    run: RunId,
    before: Vec<Event>,
    problems: Vec<String>,
}

async fn all_of(changes: &'static [Change], stage: Stage) {
    let mut cases = under_the_old_code(changes, &stage).await;
    // Steps that the old code left under way come to their end from here on.
    stage.probe.open(1_000);
    under_the_new_code(&mut cases, &stage).await;
    under_the_old_code_again(&mut cases, &stage).await;
    let problems: Vec<String> = cases.into_iter().flat_map(|case| case.problems).collect();
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

static NEXT: AtomicUsize = AtomicUsize::new(0);

async fn under_the_old_code(changes: &'static [Change], stage: &Stage) -> Vec<Case> {
    let rewake = stage.builder().build_id("old").build().await.unwrap();
    let mut cases = Vec::new();
    for change in changes {
        let own = format!("r{}", NEXT.fetch_add(1, Ordering::SeqCst));
        deploy(&own, "old", change.old);
        let run = rewake.start(subject(own.clone())).await.unwrap();
        in_time_for(change, rests(change, &own, &rewake, &run)).await;
        cases.push(Case {
            change,
            own,
            run: run.id(),
            before: Vec::new(),
            problems: Vec::new(),
        });
    }
    for case in &mut cases {
        case.before = log(&rewake, &rewake.get_run::<String>(case.run)).await;
        let names: Vec<&str> = case.before.iter().map(|event| event.kind.name()).collect();
        case.check(
            case.before.len() == case.change.rests_at,
            format!("rests with {names:?}"),
        );
    }
    rewake.shutdown(Duration::ZERO).await.unwrap();
    cases
}

/// Tells the run what it is to be told, and waits until it rests.
async fn rests(change: &Change, own: &str, rewake: &Rewake, run: &Run<String>) {
    for told in change.told {
        until_logged(rewake, run, told.at).await;
        let token = format!("{own}/{}", told.hook);
        resume(rewake, &token, &told.payload).await;
    }
    until_logged(rewake, run, change.rests_at).await;
}

/// A change that leads to a run that hangs shall be named.
async fn in_time_for(change: &Change, work: impl Future<Output = ()>) {
    let waited = tokio::time::timeout(Duration::from_secs(30), work).await;
    assert!(waited.is_ok(), "{}: nothing happens any more", change.name);
}

async fn until_logged(rewake: &Rewake, run: &Run<String>, events: usize) {
    while log(rewake, run).await.len() < events {
        tokio::task::yield_now().await;
    }
}

async fn under_the_new_code(cases: &mut [Case], stage: &Stage) {
    for case in &*cases {
        deploy(&case.own, "new", case.change.new);
    }
    let rewake = stage.builder().build_id("new").build().await.unwrap();
    for case in &mut *cases {
        let token = format!("{}/gate", case.own);
        let taken = rewake.resume_hook(&token, &5).await.unwrap();
        case.check(taken.is_some(), "its hook takes nothing");
    }
    for case in cases {
        let run = rewake.get_run::<String>(case.run);
        let change = case.change;
        match &change.then {
            Then::GoesOn => in_time_for(change, case.gives(&run)).await,
            Then::Parts {
                at,
                log_has,
                workflow,
            } => {
                let expected = format!(
                    "workflow `runs::changes::subject::subject`, event {at}: at event {at} the log \
                     has {log_has}, but the workflow {workflow}; {REMEDY}"
                );
                in_time_for(change, case.has_parted(&rewake, &run, &expected)).await;
            }
        }
    }
    rewake.shutdown(Duration::ZERO).await.unwrap();
}

async fn under_the_old_code_again(cases: &mut [Case], stage: &Stage) {
    for case in &*cases {
        deploy(&case.own, "old", case.change.old);
    }
    let rewake = stage.builder().build_id("old").build().await.unwrap();
    for case in cases {
        let run = rewake.get_run::<String>(case.run);
        in_time_for(case.change, case.goes_on(&run)).await;
    }
    rewake.shutdown(Duration::ZERO).await.unwrap();
}

impl Case {
    fn check(&mut self, holds: bool, problem: impl Display) {
        if !holds {
            self.problems
                .push(format!("{}: {problem}", self.change.name));
        }
    }

    async fn gives(&mut self, run: &Run<String>) {
        let result = run.result().await;
        let expected = Ok(self.change.gives.to_owned());
        self.check(result == expected, format!("it came to {result:?}"));
    }

    /// Until the build has replayed it, it is parked.
    async fn goes_on(&mut self, run: &Run<String>) {
        while run.snapshot().await.unwrap().parked.is_some() {
            tokio::task::yield_now().await;
        }
        self.gives(run).await;
    }

    /// It is parked at the right place, nothing was appended for it, and its hooks take payloads.
    async fn has_parted(&mut self, rewake: &Rewake, run: &Run<String>, expected: &str) {
        let (code, reason) = match run.result().await {
            Err(RunError::Parked { .. }) => parked(run).await,
            other => return self.check(false, format!("it is not parked: {other:?}")),
        };
        self.check(code == "REPLAY_PARTED", code);
        let expected = expected.replace("OWN", &self.own);
        self.check(
            reads_like(&expected, &reason),
            format!("\n  it says    {reason}\n  instead of {expected}"),
        );
        let snapshot = run.snapshot().await.unwrap();
        self.check(
            snapshot.status == RunStatus::Running,
            format!("{:?}", snapshot.status),
        );
        let told = snapshot
            .parked
            .is_some_and(|parked| parked.reason == reason);
        self.check(told, "its snapshot says something else");

        let token = format!("{}/gate", self.own);
        let taken = rewake.resume_hook(&token, &6).await.unwrap();
        self.check(taken.is_some(), "its hook takes nothing more");
        let after = log(rewake, run).await;
        let appended: Vec<&str> = after[self.before.len()..]
            .iter()
            .map(|event| event.kind.name())
            .collect();
        self.check(
            after[..self.before.len()] == self.before && appended == ["hook_received"; 2],
            format!("there was appended {appended:?}"),
        );
    }
}

/// True where the text is the pattern, with anything for each `*`.
fn reads_like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let rest = parts.try_fold(text.strip_prefix(first).unwrap_or("?"), |rest, part| {
        rest.split_once(part).map(|(_, after)| after)
    });
    rest == Some("")
}
