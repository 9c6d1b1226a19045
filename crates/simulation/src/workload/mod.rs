//! The workflow that carries out a program.
//!
//! What the workflow sees is written down twice: in its result, and at once in the ledger, which
//! compares it with what the same run saw in every other replay.

mod children;
mod hooks;
mod notes;
mod steps;
mod webhooks;

use futures_util::future::{BoxFuture, join_all};
use rewake::prelude::*;

use crate::ledger::{self, Recording};
use crate::program::{Op, Program};
use notes::Notes;

pub(crate) use notes::{Code, Seen};
pub(crate) use steps::TAKE_BACK;
pub(crate) use webhooks::answer_text;

/// The name of the workflow that outsiders start.
pub(crate) const WORKFLOW: &str = "simulated";
/// What child runs carry in place of the number of a start.
const CHILD: u64 = u64::MAX;
/// The code that stands under that name in a process whose code was changed.
pub(crate) const CHANGED: &str = "simulated-changed";

/// How a block ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    On,
    Return,
    Fail,
}

#[workflow(name = "simulated")]
pub(crate) async fn simulated(serial: u64, program: Program) -> anyhow::Result<Vec<Seen>> {
    let notes = Notes::recorded(Recording::begin(workflow_metadata().run_id));
    notes.note(Seen::Serial(serial));
    finish(run(&program, &mut Vec::new(), &notes).await, &notes)
}

/// The same, after a change that no log of the other fits: its steps have other names.
#[workflow(name = "simulated-changed")]
pub(crate) async fn changed(serial: u64, program: Program) -> anyhow::Result<Vec<Seen>> {
    let notes = Notes::unrecorded(Code::Changed);
    notes.note(Seen::Serial(serial));
    finish(run(&program, &mut Vec::new(), &notes).await, &notes)
}

#[workflow(name = "nested")]
async fn nested(program: Program, code: Code) -> anyhow::Result<Vec<Seen>> {
    let notes = Notes::unrecorded(code);
    finish(run(&program, &mut Vec::new(), &notes).await, &notes)
}

/// Calls itself so many times, and then does something else.
#[workflow(name = "recursive")]
async fn recursive(times: u64, program: Program, code: Code) -> anyhow::Result<Vec<Seen>> {
    if times > 0 {
        let seen = recursive(times - 1, program, code).await?;
        return Ok(vec![Seen::Nested(seen)]);
    }
    Ok(nested(program, code).await?)
}

/// Panics without a word on standard error.
fn scripted_panic() -> ! {
    std::panic::resume_unwind(Box::new("scripted panic".to_owned()))
}

fn finish(flow: Flow, notes: &Notes) -> anyhow::Result<Vec<Seen>> {
    if flow == Flow::Fail {
        return Err(anyhow::anyhow!("scripted error"));
    }
    Ok(notes.all())
}

const fn millis(ms: u64) -> std::time::Duration {
    std::time::Duration::from_millis(ms)
}

type Hooks = Vec<HookReceiver<u64>>;

fn run<'a>(program: &'a [Op], hooks: &'a mut Hooks, notes: &'a Notes) -> BoxFuture<'a, Flow> {
    Box::pin(async move {
        for op in program {
            ledger::count(op.name());
            let flow = one(op, hooks, notes).await;
            if flow != Flow::On {
                return flow;
            }
        }
        Flow::On
    })
}

async fn one(op: &Op, hooks: &mut Hooks, notes: &Notes) -> Flow {
    match op {
        Op::Return => Flow::Return,
        Op::Fail => Flow::Fail,
        Op::Panic => scripted_panic(),
        Op::Join(branches) => join(branches, notes).await,
        Op::JoinInTime(ms, branches) => {
            let joined = timeout(millis(*ms), Box::pin(join(branches, notes))).await;
            joined.unwrap_or_else(|_| {
                notes.note(Seen::Elapsed);
                Flow::On
            })
        }
        Op::Race(a, b) => race(a, b, notes).await,
        Op::Loop(times, body) => repeat(*times, body, hooks, notes).await,
        Op::Nested(body) => {
            note_nested(nested(body.clone(), notes.code()).await, notes);
            Flow::On
        }
        Op::Recurse(times, body) => {
            note_nested(recursive(*times, body.clone(), notes.code()).await, notes);
            Flow::On
        }
        Op::Sleep(_) | Op::SleepUntil(_) => {
            doze(op).await;
            notes.note(Seen::Woke);
            Flow::On
        }
        Op::Ask => {
            ask(notes).await;
            Flow::On
        }
        Op::Child(_) | Op::Children(..) | Op::ChildOrSleep(..) | Op::Detached(_) => {
            children::perform(op, notes).await;
            Flow::On
        }
        Op::Webhook {
            manual,
            by_step,
            requests,
        } => {
            webhooks::serve((*manual, *by_step), *requests, notes).await;
            Flow::On
        }
        Op::Shield(body) => {
            // What is shielded owns what it uses.
            let (body, notes) = (body.clone(), notes.clone());
            shield(async move { run(&body, &mut Hooks::new(), &notes).await }).await
        }
        Op::Step(_)
        | Op::CrossedSteps(..)
        | Op::UnpolledStep(_)
        | Op::StepOrSleep(..)
        | Op::Unordered(_)
        | Op::TryBoth(..)
        | Op::Undo(_)
        | Op::Abort(..) => {
            steps::perform(op, notes).await;
            Flow::On
        }
        Op::Hook { .. }
        | Op::Defined(_)
        | Op::HookInTime(..)
        | Op::Recv(_)
        | Op::Stream(_)
        | Op::RecvTimeout(_)
        | Op::RecvOrSleep(_)
        | Op::RecvBoth
        | Op::Select(..)
        | Op::Close
        | Op::Drop
        | Op::HookLoop(..) => {
            hooks::perform(op, hooks, notes).await;
            Flow::On
        }
    }
}

/// Sleeps in the way that is asked for.
async fn doze(op: &Op) {
    match op {
        Op::Sleep(ms) => sleep(millis(*ms)).await,
        Op::SleepUntil(ms) => sleep_until(now() + millis(*ms)).await,
        _ => {}
    }
}

fn note_nested(ended: Result<Vec<Seen>, RunError>, notes: &Notes) {
    if let Ok(seen) = ended {
        notes.note(Seen::Nested(seen));
    }
}

async fn join(branches: &[Program], notes: &Notes) -> Flow {
    let branches = branches
        .iter()
        .map(|branch| async move { run(branch, &mut Vec::new(), notes).await });
    let ends = join_all(branches).await;
    ends.into_iter()
        .find(|flow| *flow != Flow::On)
        .unwrap_or(Flow::On)
}

async fn race(a: &[Op], b: &[Op], notes: &Notes) -> Flow {
    let (mut hooks_of_a, mut hooks_of_b) = (Hooks::new(), Hooks::new());
    select! {
        flow = run(a, &mut hooks_of_a, notes) => { notes.note(Seen::Won(0)); flow }
        flow = run(b, &mut hooks_of_b, notes) => { notes.note(Seen::Won(1)); flow }
    }
}

async fn repeat(times: u64, body: &[Op], hooks: &mut Hooks, notes: &Notes) -> Flow {
    for _ in 0..times {
        let flow = run(body, hooks, notes).await;
        if flow != Flow::On {
            return flow;
        }
    }
    Flow::On
}

async fn ask(notes: &Notes) {
    let since = now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    let ms = u64::try_from(since.as_millis()).unwrap_or_default();
    let drawn = random::<u64>();
    let set = set_attributes([("drawn", drawn.to_string()), ("asked", ms.to_string())]);
    set.await.expect("few attributes are set, and short ones");
    notes.note(Seen::Asked(ms, drawn, uuid().to_string()));
}
