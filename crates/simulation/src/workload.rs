//! The workflow that carries out a program, and its step.
//!
//! What the workflow sees is written down twice: in its result, and at once in the ledger, which
//! compares it with what the same run saw in every other replay.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use rewake::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ledger::{Recording, StepWorld};
use crate::program::{Op, Program, Script, token};

/// The name of the workflow that outsiders start.
pub(crate) const WORKFLOW: &str = "simulated";

/// Something that a workflow saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Seen {
    /// What the start carried, so that outsiders tell it apart.
    Serial(u64),
    /// A step's value.
    Value(u64),
    /// A step that failed for good.
    Failed(String, String),
    /// A hook that was registered.
    Hook(String, String),
    /// A token that somebody else has.
    Conflict(String),
    /// A payload.
    Payload(String, u64),
    /// A hook that gives nothing more.
    Over(String, String),
    /// A time that ran out.
    Elapsed,
    /// A sleep that ended.
    Woke,
    /// A time, a random number, a UUID.
    Asked(u64, u64, String),
    /// The end of a branch that lost a race, from the winner's side.
    Won(u64),
    /// What a nested workflow saw.
    Nested(Vec<Self>),
}

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

#[workflow(name = "nested")]
pub(crate) async fn nested(program: Program) -> anyhow::Result<Vec<Seen>> {
    let notes = Notes::default();
    finish(run(&program, &mut Vec::new(), &notes).await, &notes)
}

#[step(name = "work", backoff = "100ms")]
async fn work(script: Script, #[provided] world: StepWorld) -> anyhow::Result<u64> {
    let attempt = step_metadata();
    let execution = world.begin(attempt.run_id, attempt.step_id, attempt.attempt);
    if script.takes_ms > 0 {
        world.pause(script.takes_ms).await;
    }
    if attempt.attempt <= script.fails {
        if script.panics {
            scripted_panic();
        }
        return Err(anyhow::anyhow!("scripted failure"));
    }
    if script.fatal {
        return Err(FatalError::new("scripted end").into());
    }
    Ok(execution.end())
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

/// What a workflow has seen so far.
#[derive(Clone, Debug, Default)]
struct Notes {
    seen: Arc<Mutex<Vec<Seen>>>,
    recording: Option<Arc<Recording>>,
}

impl Notes {
    fn recorded(recording: Recording) -> Self {
        Self {
            seen: Arc::default(),
            recording: Some(Arc::new(recording)),
        }
    }

    fn note(&self, seen: Seen) {
        if let Some(recording) = &self.recording {
            recording.note(&seen);
        }
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(seen);
    }

    fn all(&self) -> Vec<Seen> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

type Hooks = Vec<HookReceiver<u64>>;

fn run<'a>(program: &'a [Op], hooks: &'a mut Hooks, notes: &'a Notes) -> BoxFuture<'a, Flow> {
    Box::pin(async move {
        for op in program {
            let flow = match op {
                Op::Return => Flow::Return,
                Op::Fail => Flow::Fail,
                Op::Panic => scripted_panic(),
                Op::Join(branches) => join(branches, notes).await,
                Op::Race(a, b) => race(a, b, notes).await,
                Op::Loop(times, body) => repeat(*times, body, hooks, notes).await,
                Op::Nested(body) => {
                    if let Ok(seen) = nested(body.clone()).await {
                        notes.note(Seen::Nested(seen));
                    }
                    Flow::On
                }
                op => {
                    plain(op, hooks, notes).await;
                    Flow::On
                }
            };
            if flow != Flow::On {
                return flow;
            }
        }
        Flow::On
    })
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

async fn plain(op: &Op, hooks: &mut Hooks, notes: &Notes) {
    match op {
        Op::Step(script) => note_step(call(script).await, notes),
        Op::CrossedSteps(a, b) => {
            let (a, b) = (call(a), call(b));
            note_step(b.await, notes);
            note_step(a.await, notes);
        }
        Op::UnpolledStep(script) => drop(call(script)),
        Op::StepOrSleep(script, ms) => select! {
            ended = call(script) => note_step(ended, notes),
            () = sleep(millis(*ms)) => notes.note(Seen::Woke),
        },
        Op::Sleep(ms) => {
            sleep(millis(*ms)).await;
            notes.note(Seen::Woke);
        }
        Op::Ask => ask(notes),
        op => receive(op, hooks, notes).await,
    }
}

fn ask(notes: &Notes) {
    let since = now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    let ms = u64::try_from(since.as_millis()).unwrap_or_default();
    notes.note(Seen::Asked(ms, random(), uuid().to_string()));
}

async fn receive(op: &Op, hooks: &mut Hooks, notes: &Notes) {
    match op {
        Op::Hook { token, expires_ms } => open(*token, *expires_ms, hooks, notes).await,
        Op::HookInTime(token, ms) => {
            let opening = open(Some(*token), None, hooks, notes);
            if timeout(millis(*ms), Box::pin(opening)).await.is_err() {
                notes.note(Seen::Elapsed);
            }
        }
        Op::Drop => drop(hooks.pop()),
        op => {
            if let Some(hook) = hooks.last_mut() {
                read(op, hook, notes).await;
            }
        }
    }
}

async fn open(token_no: Option<u64>, expires_ms: Option<u64>, hooks: &mut Hooks, notes: &Notes) {
    let mut opening = create_hook::<u64>();
    if let Some(n) = token_no {
        opening = opening.token(token(n));
    }
    if let Some(ms) = expires_ms {
        opening = opening.expires_in(millis(ms));
    }
    match opening.await {
        Ok(hook) => {
            let token = hook.token().to_string();
            notes.note(Seen::Hook(hook.hook_id().to_string(), token));
            hooks.push(hook);
        }
        Err(error) => notes.note(Seen::Conflict(error.to_string())),
    }
}

async fn read(op: &Op, hook: &mut HookReceiver<u64>, notes: &Notes) {
    let id = hook.hook_id().to_string();
    match op {
        Op::Recv(n) => {
            for _ in 0..*n {
                if !note_payload(hook.recv().await, &id, notes) {
                    break;
                }
            }
        }
        Op::RecvTimeout(ms) => match timeout(millis(*ms), Box::pin(hook.recv())).await {
            Ok(received) => {
                note_payload(received, &id, notes);
            }
            Err(_) => notes.note(Seen::Elapsed),
        },
        Op::RecvOrSleep(ms) => select! {
            received = hook.recv() => { note_payload(received, &id, notes); }
            () = sleep(millis(*ms)) => notes.note(Seen::Woke),
        },
        Op::Close => {
            hook.close().await;
            while note_payload(hook.recv().await, &id, notes) {}
        }
        _ => {}
    }
}

fn note_payload(received: Result<u64, HookError>, hook: &str, notes: &Notes) -> bool {
    let hook = hook.to_owned();
    match received {
        Ok(payload) => {
            notes.note(Seen::Payload(hook, payload));
            true
        }
        Err(error) => {
            notes.note(Seen::Over(hook, error.to_string()));
            false
        }
    }
}

fn note_step(ended: Result<u64, StepError>, notes: &Notes) {
    notes.note(match ended {
        Ok(value) => Seen::Value(value),
        Err(error) => {
            let step = error.step_id.map(|id| id.to_string()).unwrap_or_default();
            Seen::Failed(step, format!("{:?} {}", error.kind, error.attempts))
        }
    });
}

fn call(script: &Script) -> rewake::StepCall<u64> {
    let call = work(script.clone()).max_retries(script.max_retries);
    match script.timeout_ms {
        Some(ms) => call.timeout(millis(ms)),
        None => call,
    }
}

const fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
