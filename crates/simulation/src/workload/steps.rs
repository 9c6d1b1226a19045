//! Steps: what they do, and how a workflow calls them.

use futures_util::StreamExt;
use futures_util::future::try_join;
use futures_util::stream::FuturesUnordered;
use rewake::prelude::*;
use rewake::{StepCall, StepMetadata};

use super::notes::{Code, Notes, Seen};
use super::{millis, scripted_panic};
use crate::ledger::StepWorld;
use crate::program::{Op, Script};

/// The name of the step.
pub(super) const WORK: &str = "work";
/// The name of the step that undo calls run.
pub(crate) const TAKE_BACK: &str = "take-back";
/// What it is called in code that was changed.
pub(super) const CHANGED_WORK: &str = "changed-work";
/// The pause that a step may ask for, in milliseconds.
const PAUSE: u64 = 700;

#[step(name = "work", backoff = "100ms")]
async fn work(script: Script, #[provided] world: StepWorld) -> anyhow::Result<u64> {
    attempt(script, world, step_metadata()).await
}

#[step(name = "changed-work", backoff = "100ms")]
async fn changed_work(script: Script, #[provided] world: StepWorld) -> anyhow::Result<u64> {
    attempt(script, world, step_metadata()).await
}

/// What an undo call runs. It has a number of its own, so that a check tells one from another.
#[step(name = "take-back", backoff = "100ms")]
async fn take_back(_n: u64, script: Script, #[provided] world: StepWorld) -> anyhow::Result<u64> {
    attempt(script, world, step_metadata()).await
}

/// Ends early where its signal is aborted, or its run no longer wants it.
#[step(name = "heed", backoff = "100ms")]
async fn heed(
    script: Script,
    signal: AbortSignal,
    #[provided] world: StepWorld,
) -> anyhow::Result<u64> {
    let about = step_metadata();
    let cancelled = about.cancellation.clone();
    let execution = world.begin(about.run_id, about.step_id, about.attempt);
    let aborted = futures_util::future::select(signal.aborted(), cancelled.aborted());
    futures_util::future::select(world.pause(script.takes_ms), aborted).await;
    Ok(execution.end())
}

async fn attempt(script: Script, world: StepWorld, attempt: StepMetadata) -> anyhow::Result<u64> {
    let execution = world.begin(attempt.run_id, attempt.step_id, attempt.attempt);
    if script.takes_ms > 0 {
        world.pause(script.takes_ms).await;
    }
    if attempt.attempt <= script.fails {
        if script.panics {
            scripted_panic();
        }
        if script.asks_pause {
            return Err(RetryableError::new("scripted pause")
                .retry_after(millis(PAUSE))
                .into());
        }
        return Err(anyhow::anyhow!("scripted failure"));
    }
    if script.fatal {
        return Err(FatalError::new("scripted end").into());
    }
    Ok(execution.end())
}

fn inline(script: Script) -> StepCall<u64> {
    let call = step(WORK, async move || {
        let world = provided::<StepWorld>()?;
        attempt(script, world, step_metadata()).await
    });
    call.backoff(millis(100))
}

pub(super) fn call(script: &Script, notes: &Notes) -> StepCall<u64> {
    let call = match notes.code() {
        // Every way to write a step under this name.
        Code::Right if script.max_retries == 1 => inline(script.clone()),
        Code::Right if script.max_retries == 0 => changed_work(script.clone()).name(WORK),
        Code::Right => work(script.clone()),
        Code::Changed => changed_work(script.clone()),
    };
    let call = call.max_retries(script.max_retries);
    match script.timeout_ms {
        Some(ms) => call.timeout(millis(ms)),
        None => call,
    }
}

pub(super) async fn perform(op: &Op, notes: &Notes) {
    match op {
        Op::Step(script) => note_step(call(script, notes).await, notes),
        Op::CrossedSteps(a, b) => {
            let (a, b) = (call(a, notes), call(b, notes));
            note_step(b.await, notes);
            note_step(a.await, notes);
        }
        Op::UnpolledStep(script) => drop(call(script, notes)),
        Op::StepOrSleep(script, ms) => select! {
            ended = call(script, notes) => note_step(ended, notes),
            () = sleep(millis(*ms)) => notes.note(Seen::Woke),
        },
        Op::Unordered(scripts) => {
            let calls = scripts.iter().map(|script| call(script, notes));
            let mut calls: FuturesUnordered<_> = calls.collect();
            while let Some(ended) = calls.next().await {
                note_step(ended, notes);
            }
        }
        Op::Undo(script) => {
            let n = notes.next_undo();
            undo(take_back(n, script.clone()).max_retries(script.max_retries));
            notes.note(Seen::Undo(n));
        }
        Op::Abort(script, ms) => {
            let controller = AbortController::new();
            let call = heed(script.clone(), controller.signal());
            let mut call = call.max_retries(script.max_retries);
            let ended = select! {
                ended = &mut call => ended,
                () = sleep(millis(*ms)) => {
                    controller.abort("scripted");
                    call.await
                }
            };
            note_step(ended, notes);
        }
        Op::TryBoth(a, b) => match try_join(call(a, notes), call(b, notes)).await {
            Ok((a, b)) => {
                notes.note(Seen::Value(a));
                notes.note(Seen::Value(b));
            }
            Err(error) => note_step(Err(error), notes),
        },
        _ => {}
    }
}

pub(super) fn note_step(ended: Result<u64, StepError>, notes: &Notes) {
    notes.note(match ended {
        Ok(value) => Seen::Value(value),
        Err(error) => {
            let step = error.step_id.map(|id| id.to_string()).unwrap_or_default();
            Seen::Failed(step, format!("{:?} {}", error.kind, error.attempts))
        }
    });
}
