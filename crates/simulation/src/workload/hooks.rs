//! Hooks: how a workflow opens them, and receives.

use futures_util::StreamExt;
use futures_util::future::join;
use rewake::prelude::*;
use rewake::{CreateHook, HookDefinition};

use super::notes::{Notes, Seen};
use super::steps::{call, note_step};
use super::{Hooks, millis};
use crate::program::{Op, Script, token};

/// A hook that workflows and those outside share.
static NUMBERS: HookDefinition<u64> = define_hook("numbers");

pub(super) async fn perform(op: &Op, hooks: &mut Hooks, notes: &Notes) {
    match op {
        Op::Hook {
            token: chosen,
            expires_ms,
        } => {
            let opening = create_hook::<u64>();
            let opening = match chosen {
                Some(n) => opening.token(token(*n)),
                None => opening,
            };
            let opening = match expires_ms {
                Some(ms) => opening.expires_in(millis(*ms)),
                None => opening,
            };
            open(opening, hooks, notes).await;
        }
        Op::Defined(n) => open(NUMBERS.create().token(token(*n)), hooks, notes).await,
        Op::HookInTime(n, ms) => {
            let opening = open(create_hook::<u64>().token(token(*n)), hooks, notes);
            if timeout(millis(*ms), Box::pin(opening)).await.is_err() {
                notes.note(Seen::Elapsed);
            }
        }
        Op::HookLoop(times, ms) => {
            for _ in 0..*times {
                let mut own = Hooks::new();
                open(create_hook::<u64>(), &mut own, notes).await;
                if let Some(hook) = own.last_mut() {
                    in_time(hook, *ms, notes).await;
                }
            }
        }
        Op::Drop => drop(hooks.pop()),
        Op::RecvBoth => {
            if let [.., a, b] = hooks.as_mut_slice() {
                let _both = join(Box::pin(recv(a, notes)), Box::pin(recv(b, notes))).await;
            }
        }
        Op::Select(script, ms) => {
            if let [.., a, b] = hooks.as_mut_slice() {
                select_of_four((a, b), script, *ms, notes).await;
            }
        }
        op => {
            if let Some(hook) = hooks.last_mut() {
                read(op, hook, notes).await;
            }
        }
    }
}

async fn select_of_four(
    (a, b): (&mut HookReceiver<u64>, &mut HookReceiver<u64>),
    script: &Script,
    ms: u64,
    notes: &Notes,
) {
    let (id_of_a, id_of_b) = (a.hook_id().to_string(), b.hook_id().to_string());
    select! {
        received = a.recv() => { note_payload(received, &id_of_a, notes); }
        ended = call(script, notes) => note_step(ended, notes),
        received = b.recv() => { note_payload(received, &id_of_b, notes); }
        () = sleep(millis(ms)) => notes.note(Seen::Woke),
    }
}

async fn open(opening: CreateHook<u64>, hooks: &mut Hooks, notes: &Notes) {
    match opening.await {
        Ok(hook) => {
            let token = hook.token().to_string();
            notes.note(Seen::Hook(hook.hook_id().to_string(), token));
            hooks.push(hook);
        }
        Err(error) => notes.note(Seen::Conflict(error.to_string())),
    }
}

/// Receives one; false where nothing more will come.
async fn recv(hook: &mut HookReceiver<u64>, notes: &Notes) -> bool {
    let id = hook.hook_id().to_string();
    note_payload(hook.recv().await, &id, notes)
}

async fn in_time(hook: &mut HookReceiver<u64>, ms: u64, notes: &Notes) {
    if timeout(millis(ms), Box::pin(recv(hook, notes)))
        .await
        .is_err()
    {
        notes.note(Seen::Elapsed);
    }
}

async fn read(op: &Op, hook: &mut HookReceiver<u64>, notes: &Notes) {
    let id = hook.hook_id().to_string();
    match op {
        Op::Recv(n) => {
            for _ in 0..*n {
                if !recv(hook, notes).await {
                    break;
                }
            }
        }
        Op::Stream(n) => {
            for _ in 0..*n {
                let Some(received) = hook.next().await else {
                    notes.note(Seen::Over(id, "the stream ended".to_owned()));
                    break;
                };
                note_payload(received, &id, notes);
            }
        }
        Op::RecvTimeout(ms) => in_time(hook, *ms, notes).await,
        Op::RecvOrSleep(ms) => select! {
            received = hook.recv() => { note_payload(received, &id, notes); }
            () = sleep(millis(*ms)) => notes.note(Seen::Woke),
        },
        Op::Close => {
            hook.close().await;
            notes.note(Seen::Closed(id));
            while recv(hook, notes).await {}
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
        Err(HookError::Decode { bytes, .. }) => {
            notes.note(Seen::Undecodable(hook, number_in(&bytes)));
            true
        }
        Err(error) => {
            notes.note(Seen::Over(hook, error.to_string()));
            false
        }
    }
}

/// The number in a payload that is none.
fn number_in(bytes: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(bytes);
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_default()
}
