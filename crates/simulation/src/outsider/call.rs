//! Calls: starting, cancelling, asking, and what must be refused.

use std::pin::pin;
use std::sync::Arc;

use futures_channel::oneshot;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, select};
use rewake_core::entity::WaitStatus;
use rewake_core::id::RunId;
use rewake_core::payload;
use rewake_core::time::Timestamp;
use rewake_core::token::Token;
use rewake_runtime::{CancelError, Engine, Resume, ResumeError, Start, StartError};

use super::{Act, Action, Misuse, TRIES};
use crate::ledger::{CancelAsked, Entries, StartAsked, Told};
use crate::prng::Prng;
use crate::statement::Statement;
use crate::workload::WORKFLOW;
use crate::world::{World, lock};

/// Calls through any process. None where the process ended before it answered.
pub(super) async fn call<T: Send + 'static>(
    world: &Arc<World>,
    prng: &mut Prng,
    make: impl FnOnce(Engine) -> BoxFuture<'static, T>,
) -> Option<T> {
    give_up(world, prng, None, make).await
}

/// Calls through any process, and waits no longer than the time. None where there was no answer.
pub(crate) async fn give_up<T: Send + 'static>(
    world: &Arc<World>,
    prng: &mut Prng,
    after_ms: Option<u64>,
    make: impl FnOnce(Engine) -> BoxFuture<'static, T>,
) -> Option<T> {
    loop {
        let engines = lock(&world.processes).engines();
        if engines.is_empty() {
            world.clock.sleep(20).await;
            continue;
        }
        let (process, engine) = engines[prng.index(engines.len())].clone();
        let (sender, answer) = oneshot::channel();
        let call = make(engine);
        let nap = after_ms.map(|ms| world.clock.sleep(ms));
        let task = async move {
            let answer = match nap {
                None => call.await,
                Some(nap) => match select(call, pin!(nap)).await {
                    Either::Left((answer, _)) => answer,
                    // The call is dropped where it stands.
                    Either::Right(((), _)) => return,
                },
            };
            let _gone = sender.send(answer);
        };
        world.tasks.spawn(process, "call", task.boxed());
        return answer.await.ok();
    }
}

pub(super) fn note<T>(world: &World, change: impl FnOnce(&mut Entries) -> T) -> T {
    change(&mut world.ledger.lock())
}

pub(super) async fn start(world: &Arc<World>, act: Act, prng: &mut Prng) {
    let serial = act.serial;
    let Action::Start {
        program,
        key,
        named,
        delay_ms,
        mut gives_up_ms,
    } = act.action
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
        let answer = give_up(world, prng, gives_up_ms.take(), |engine| {
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
        if let Told::Done(run) = told {
            on_record(world, run, "a start");
        }
        let done = matches!(told, Told::Done(_));
        note(world, |entries| entries.starts[place].told.push(told));
        if done || !(key || named) {
            return;
        }
        world.clock.sleep(100).await;
    }
}

/// Statement 1 at once: what is acknowledged stands in the log, and not only later.
fn on_record(world: &World, run: RunId, what: &str) {
    if !world.shadow().runs().contains_key(&run) {
        let text = format!("{what} was acknowledged, and run {run} has no log");
        world.fail(Statement::Durable.broken(text));
    }
}

pub(super) async fn cancel(world: &Arc<World>, serial: u64, run: RunId, prng: &mut Prng) {
    for attempt in 0..TRIES {
        let reason = format!("cancel-{serial}-{attempt}");
        let again = reason.clone();
        let answer = call(world, prng, |engine| {
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

/// Wakes a run up, perhaps at the very moment when its sleep ends: that no wait ends twice, the log
/// itself must show.
pub(super) async fn wake_up(world: &Arc<World>, run: RunId, prng: &mut Prng) {
    let woken = call(world, prng, |engine| {
        async move { engine.wake_up(run, None).await }.boxed()
    })
    .await;
    let Some(Ok(woken @ 1..)) = woken else { return };
    let shadow = world.shadow();
    let waits = shadow.runs().get(&run).map(|run| {
        let waits = run.entities.waits().values();
        waits
            .filter(|wait| wait.status == WaitStatus::Completed)
            .count()
    });
    if waits.is_none_or(|completed| completed < woken) {
        drop(shadow);
        let text = format!("{woken} sleeps of run {run} were ended, and {waits:?} have ended");
        world.fail(Statement::Durable.broken(text));
    }
}

pub(super) async fn look_up(world: &Arc<World>, token: String, prng: &mut Prng) {
    let found = call(world, prng, |engine| {
        async move { engine.hook_by_token(&token).await }.boxed()
    })
    .await;
    if let Some(Ok(Some(hook))) = found {
        let shadow = world.shadow();
        let known = shadow.runs().get(&hook.run_id);
        if known.is_none_or(|run| !run.entities.hooks().contains_key(&hook.hook_id)) {
            drop(shadow);
            let text = format!("hook {} was found and never made", hook.hook_id);
            world.fail(Statement::Durable.broken(text));
        }
    }
}

/// Waits for the end of a run, through as many processes as it takes.
pub(super) async fn await_end(world: &Arc<World>, run: RunId, prng: &mut Prng) {
    loop {
        let outcome = call(world, prng, |engine| {
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

/// Statement 8: asks for what must be refused. False where there is nothing to misuse, or nobody who
/// could say anything but that the store does not serve.
pub(super) async fn misuse(
    world: &Arc<World>,
    misuse: Misuse,
    serial: u64,
    prng: &mut Prng,
) -> bool {
    let number = payload::encode(&serial).expect("numbers can be encoded");
    let (token, payload) = match misuse {
        Misuse::UnknownWorkflow => return unknown_workflow(world, prng).await,
        Misuse::Null => ("token-0".to_owned(), payload::encode(&()).expect("null")),
        Misuse::LongToken => ("t".repeat(Token::MAX_LEN + 1), number),
        Misuse::WrongDoor => match super::any_live_token(world, prng, true) {
            Some(token) => (token, number),
            None => return false,
        },
        Misuse::KeyReused => return key_reused(world, serial, prng).await,
    };
    let asked = Resume {
        token,
        payload,
        key: None,
    };
    let answer = call(world, prng, |engine| {
        async move { engine.resume(asked).await }.boxed()
    })
    .await;
    let Some(answer) = answer else { return false };
    let expected = match (misuse, &answer) {
        (Misuse::Null, Err(ResumeError::NullPayload))
        | (Misuse::LongToken, Err(ResumeError::InvalidToken(_)))
        // It may have been closed meanwhile.
        | (Misuse::WrongDoor, Err(ResumeError::NotAHook) | Ok(None)) => true,
        (_, Err(ResumeError::Store(_))) => return false,
        (_, _) => false,
    };
    if !expected {
        let text = format!("{misuse:?} was answered with {answer:?}");
        world.fail(Statement::Refused.broken(text));
    }
    true
}

async fn unknown_workflow(world: &Arc<World>, prng: &mut Prng) -> bool {
    let input = payload::encode(&()).expect("nothing can be encoded");
    let asked = Start::new("nobody knows this", input);
    let answer = call(world, prng, |engine| {
        async move { engine.start(asked).await }.boxed()
    })
    .await;
    match answer {
        Some(Err(StartError::UnknownWorkflow { .. })) => true,
        None | Some(Err(StartError::Store(_) | StartError::ShuttingDown)) => false,
        Some(answer) => {
            let text = format!("an unknown workflow was answered with {answer:?}");
            world.fail(Statement::Refused.broken(text));
            true
        }
    }
}

/// A delivery that was acknowledged under a key, and another payload under the same key.
async fn key_reused(world: &Arc<World>, serial: u64, prng: &mut Prng) -> bool {
    let used = note(world, |entries| {
        let keyed = entries.resumes.iter().filter(|asked| asked.key);
        let mut done = keyed.filter(|asked| asked.told.iter().any(Told::is_done));
        done.next()
            .map(|asked| (asked.token.clone(), format!("resume-{}", asked.payload)))
    });
    let Some((token, key)) = used else {
        return false;
    };
    let asked = Resume {
        token,
        payload: payload::encode(&serial).expect("numbers can be encoded"),
        key: Some(key),
    };
    let answer = call(world, prng, |engine| {
        async move { engine.resume(asked).await }.boxed()
    })
    .await;
    match answer {
        Some(Err(ResumeError::KeyReused)) => true,
        None | Some(Err(ResumeError::Store(_))) => false,
        Some(answer) => {
            let text = format!("a key with another payload was answered with {answer:?}");
            world.fail(Statement::Refused.broken(text));
            true
        }
    }
}
