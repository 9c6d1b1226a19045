//! Outsiders: those who start, resume, cancel and ask, through whichever process takes calls.
//!
//! Each writes down what it asked for and what it was told. Whoever has a key repeats what has an
//! unknown outcome, through another process if need be.

use std::sync::Arc;

use futures_channel::oneshot;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rewake_core::id::RunId;
use rewake_core::payload;
use rewake_core::time::Timestamp;
use rewake_runtime::{CancelError, Engine, Resume, ResumeError, Start, StartError};

use crate::ledger::{CancelAsked, Entries, ResumeAsked, StartAsked, Told};
use crate::prng::Prng;
use crate::program::{self, Program};
use crate::scheduler::OUTSIDE;
use crate::settings::Settings;
use crate::workload::WORKFLOW;
use crate::world::{World, lock};

/// How often somebody with a key asks.
const TRIES: u32 = 12;

/// What is done from outside.
#[derive(Clone, Debug)]
enum Action {
    Start {
        program: Program,
        key: bool,
        named: bool,
        delay_ms: Option<u64>,
    },
    Resume {
        /// A token of few; one that is live just then where none is given.
        token: Option<String>,
        key: bool,
    },
    Cancel,
    LookUp,
    Await,
}

/// Sends everybody out.
pub(crate) fn send_out(world: &Arc<World>, settings: &Settings) {
    let mut prng = Prng::new(world.seed, 3);
    for serial in 0..settings.actions {
        let action = action(&mut prng, settings, serial);
        let after = prng.pick(&[0, 0, 10, 100, 1_000, 30_000, 4_000_000]);
        let after = prng.below(after + 1);
        let own = Prng::new(world.seed, 10_000 + serial);
        let task = perform(Arc::clone(world), (serial, action), after, own);
        world.tasks.spawn(OUTSIDE, "outsider", task.boxed());
    }
}

fn action(prng: &mut Prng, settings: &Settings, serial: u64) -> Action {
    if serial == 0 || prng.chance(2_500) {
        return Action::Start {
            program: program::grow(prng, settings.taste),
            key: prng.chance(5_000),
            named: prng.chance(2_500),
            delay_ms: prng.chance(1_500).then(|| prng.below(2_000)),
        };
    }
    match prng.below(10) {
        0 => Action::Cancel,
        1 => Action::LookUp,
        2 => Action::Await,
        _ => Action::Resume {
            token: prng.chance(6_000).then(|| program::any_token(prng)),
            key: prng.chance(5_000),
        },
    }
}

async fn perform(world: Arc<World>, (serial, action): (u64, Action), after: u64, mut prng: Prng) {
    world.clock.sleep(after).await;
    world.trace(|| format!("act  {serial} {action:?}"));
    match action {
        Action::Start { .. } => start(&world, serial, action, &mut prng).await,
        Action::Resume { token, key } => {
            if let Some(token) = token.or_else(|| any_live_token(&world, &mut prng)) {
                resume(&world, serial, token, key).await;
            }
        }
        Action::Cancel => {
            if let Some(run) = any_run(&world, &mut prng) {
                cancel(&world, serial, run).await;
            }
        }
        Action::LookUp => look_up(&world, program::any_token(&mut prng)).await,
        Action::Await => {
            if let Some(run) = any_run(&world, &mut prng) {
                await_end(&world, run).await;
            }
        }
    }
}

/// Calls through any process. None where the process ended before it answered.
async fn call<T: Send + 'static>(
    world: &Arc<World>,
    make: impl FnOnce(Engine) -> BoxFuture<'static, T>,
) -> Option<T> {
    loop {
        let engines = lock(&world.processes).engines();
        if engines.is_empty() {
            world.clock.sleep(20).await;
            continue;
        }
        let (process, engine) = engines[world.rng().index(engines.len())].clone();
        let (sender, answer) = oneshot::channel();
        let call = make(engine);
        let task = async move {
            let _gone = sender.send(call.await);
        };
        world.tasks.spawn(process, "call", task.boxed());
        return answer.await.ok();
    }
}

async fn start(world: &Arc<World>, serial: u64, action: Action, prng: &mut Prng) {
    let Action::Start {
        program,
        key,
        named,
        delay_ms,
    } = action
    else {
        return;
    };
    let input = payload::encode(&(serial, &program)).expect("programs can be encoded");
    let mut asked = Start::new(WORKFLOW, input);
    asked.key = key.then(|| format!("start-{serial}"));
    asked.delay = delay_ms.map(std::time::Duration::from_millis);
    asked.run = named.then(|| {
        let entropy = (u128::from(prng.next()) << 64) | u128::from(prng.next());
        RunId::mint(Timestamp::from_millis(world.clock.now()), entropy)
    });
    let place = note(world, |entries| {
        entries.starts.push(StartAsked {
            serial,
            program,
            told: Vec::new(),
        });
        entries.starts.len() - 1
    });
    for _ in 0..TRIES {
        let again = asked.clone();
        let answer = call(world, |engine| {
            async move { engine.start(again).await }.boxed()
        })
        .await;
        let told = match answer {
            None => Told::Unknown,
            Some(Ok(started)) => Told::Done(started.run),
            Some(Err(StartError::RunExists { run })) => Told::Done(run),
            Some(Err(error)) if error.may_have_happened() => Told::Unknown,
            Some(Err(error)) => Told::Refused(error.to_string()),
        };
        let done = matches!(told, Told::Done(_));
        note(world, |entries| entries.starts[place].told.push(told));
        if done || !(key || named) {
            return;
        }
        world.clock.sleep(100).await;
    }
}

/// Resumes with the number as payload.
pub(crate) async fn resume(world: &Arc<World>, payload: u64, token: String, key: bool) {
    let asked = Resume {
        token: token.clone(),
        payload: payload::encode(&payload).expect("numbers can be encoded"),
        key: key.then(|| format!("resume-{payload}")),
    };
    let place = note(world, |entries| {
        entries.resumes.push(ResumeAsked {
            payload,
            token,
            told: Vec::new(),
        });
        entries.resumes.len() - 1
    });
    for _ in 0..TRIES {
        let again = asked.clone();
        let answer = call(world, |engine| {
            async move { engine.resume(again).await }.boxed()
        })
        .await;
        let told = told_of_resume(answer);
        let settled = matches!(told, Told::Done(_) | Told::Nothing);
        note(world, |entries| entries.resumes[place].told.push(told));
        if settled || !key {
            return;
        }
        world.clock.sleep(50).await;
    }
}

fn told_of_resume(
    answer: Option<Result<Option<rewake_runtime::Hook>, ResumeError>>,
) -> Told<(RunId, rewake_core::id::HookId)> {
    match answer {
        None => Told::Unknown,
        Some(Ok(Some(hook))) => Told::Done((hook.run_id, hook.hook_id)),
        Some(Ok(None)) => Told::Nothing,
        Some(Err(error)) if error.may_have_happened() => Told::Unknown,
        Some(Err(error)) => Told::Refused(error.to_string()),
    }
}

async fn cancel(world: &Arc<World>, serial: u64, run: RunId) {
    for attempt in 0..TRIES {
        let reason = format!("cancel-{serial}-{attempt}");
        let again = reason.clone();
        let answer = call(world, |engine| {
            async move { engine.cancel(run, Some(again)).await }.boxed()
        })
        .await;
        let told = match answer {
            None => Told::Unknown,
            Some(Ok(true)) => Told::Done(()),
            Some(Ok(false)) => Told::Nothing,
            Some(Err(CancelError::Store(error))) if error.may_have_happened() => Told::Unknown,
            Some(Err(error)) => Told::Refused(error.to_string()),
        };
        let settled = matches!(told, Told::Done(()) | Told::Nothing);
        note(world, |entries| {
            entries.cancels.push(CancelAsked { run, reason, told });
        });
        if settled {
            return;
        }
        world.clock.sleep(50).await;
    }
}

async fn look_up(world: &Arc<World>, token: String) {
    let found = call(world, |engine| {
        async move { engine.hook_by_token(&token).await }.boxed()
    })
    .await;
    if let Some(Ok(Some(hook))) = found {
        let shadow = world.shadow();
        let known = shadow.runs().get(&hook.run_id);
        if known.is_none_or(|run| !run.entities.hooks().contains_key(&hook.hook_id)) {
            drop(shadow);
            world.fail(format!("hook {} was found and never made", hook.hook_id));
        }
    }
}

/// Waits for the end of a run, through as many processes as it takes.
async fn await_end(world: &Arc<World>, run: RunId) {
    loop {
        let outcome = call(world, |engine| {
            async move { engine.outcome(run).await }.boxed()
        })
        .await;
        if let Some(Ok(outcome)) = outcome {
            world.trace(|| format!("end of {run}: {outcome:?}"));
            return;
        }
        world.clock.sleep(1_000).await;
    }
}

fn any_run(world: &Arc<World>, prng: &mut Prng) -> Option<RunId> {
    let shadow = world.shadow();
    let runs: Vec<_> = shadow.runs().keys().collect();
    (!runs.is_empty()).then(|| *runs[prng.index(runs.len())])
}

fn any_live_token(world: &Arc<World>, prng: &mut Prng) -> Option<String> {
    let shadow = world.shadow();
    let tokens: Vec<_> = shadow.tokens().keys().collect();
    (!tokens.is_empty()).then(|| tokens[prng.index(tokens.len())].to_string())
}

fn note<T>(world: &World, change: impl FnOnce(&mut Entries) -> T) -> T {
    change(&mut world.ledger.lock())
}
