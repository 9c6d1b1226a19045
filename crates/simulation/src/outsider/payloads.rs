//! Deliveries to hooks.

use std::sync::Arc;

use futures_util::FutureExt;
use rewake_core::event::EventKind;
use rewake_core::id::{HookId, RunId};
use rewake_core::payload;
use rewake_runtime::{Hook, Resume, ResumeError};

use super::call::{give_up, note};
use super::{TRIES, webhook};
use crate::ledger::{ResumeAsked, Told};
use crate::prng::{Prng, Stream};
use crate::shadow::number_of;
use crate::statement::Statement;
use crate::world::World;

/// A delivery that somebody wants to make.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    /// Unique.
    pub(super) payload: u64,
    pub(super) token: String,
    pub(super) key: bool,
    /// The payload is no number.
    pub(super) wrong: bool,
    pub(super) gives_up_ms: Option<u64>,
}

/// Resumes with the number as payload.
async fn resume(world: &Arc<World>, payload: u64, token: String, key: bool) {
    let sent = Sent {
        payload,
        token,
        key,
        wrong: false,
        gives_up_ms: None,
    };
    let mut prng = Prng::at(world.seed, Stream::Outsider, (payload, 1));
    send(world, sent, &mut prng).await;
}

/// Sends a number to whatever holds a token: a hook is resumed, a webhook is called.
pub(crate) async fn deliver(world: &Arc<World>, payload: u64, token: String, key: bool) {
    let is_webhook = {
        let shadow = world.shadow();
        let mut tokens = shadow.tokens().iter();
        tokens.any(|(live, held)| live.as_str() == token && held.is_webhook)
    };
    if is_webhook {
        let mut prng = Prng::at(world.seed, Stream::Outsider, (payload, 1));
        webhook::call(world, (payload, token, key), &mut prng).await;
    } else {
        resume(world, payload, token, key).await;
    }
}

pub(super) async fn send(world: &Arc<World>, mut sent: Sent, prng: &mut Prng) {
    let number = sent.payload;
    let encoded = if sent.wrong {
        payload::encode(&format!("no number but {number}"))
    } else {
        payload::encode(&number)
    };
    let asked = Resume {
        token: sent.token.clone(),
        payload: encoded.expect("numbers and texts can be encoded"),
        key: sent.key.then(|| format!("resume-{number}")),
    };
    let place = note(world, |entries| {
        entries.resumes.push(ResumeAsked {
            payload: number,
            token: sent.token,
            key: sent.key,
            told: Vec::new(),
        });
        entries.resumes.len() - 1
    });
    for _ in 0..TRIES {
        let again = asked.clone();
        let answer = give_up(world, prng, sent.gives_up_ms.take(), |engine| {
            async move { engine.resume(again).await }.boxed()
        })
        .await;
        let told = told_of_resume(answer);
        if let Told::Done((run, _)) = &told {
            on_record(world, *run, number);
        }
        let settled = matches!(told, Told::Done(_) | Told::Nothing);
        note(world, |entries| entries.resumes[place].told.push(told));
        if settled || !sent.key {
            return;
        }
        world.clock.sleep(50).await;
    }
}

/// Statement 1 at once: what is acknowledged stands in the log, and not only later.
pub(super) fn on_record(world: &World, run: RunId, number: u64) {
    let is_there = world.shadow().runs().get(&run).is_some_and(|followed| {
        let mut events = followed.events();
        events.any(|kind| match kind {
            EventKind::HookReceived { payload, .. } => number_of(payload) == Some(number),
            _ => false,
        })
    });
    if !is_there {
        let text = format!("payload {number} was acknowledged, and run {run} has not received it");
        world.fail(Statement::Durable.broken(text));
    }
}

fn told_of_resume(answer: Option<Result<Option<Hook>, ResumeError>>) -> Told<(RunId, HookId)> {
    match answer {
        None => Told::Unknown,
        Some(Ok(Some(hook))) => Told::Done((hook.run_id, hook.hook_id)),
        Some(Ok(None)) => Told::Nothing,
        Some(Err(error)) if error.may_have_happened() => Told::Unknown,
        Some(Err(error)) => Told::Refused(error.to_string()),
    }
}
