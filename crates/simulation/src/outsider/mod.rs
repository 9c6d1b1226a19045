//! Outsiders: those who start, resume, call, cancel and ask, through whichever process takes calls.
//!
//! Each writes down what it asked for and what it was told. Whoever has a key repeats what has an
//! unknown outcome, through another process if need be.
//!
//! A new action is a variant here with its name, a number in `action`, and its act in `perform`.

mod call;
mod payloads;
mod webhook;

use std::sync::Arc;

use futures_util::FutureExt;
use rewake_core::id::RunId;
use serde::{Deserialize, Serialize};

use crate::prng::{Prng, Stream};
use crate::program::{self, Program};
use crate::scheduler::OUTSIDE;
use crate::settings::Settings;
use crate::world::World;

pub(crate) use call::give_up;
pub(crate) use payloads::deliver;

/// How often somebody with a key asks.
const TRIES: u32 = 12;

/// What is done from outside, and when.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Act {
    /// Unique; what it sends is told by it.
    pub(crate) serial: u64,
    /// So many milliseconds after the beginning.
    pub(crate) after_ms: u64,
    pub(crate) action: Action,
}

/// What is done from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Action {
    /// Starts a run.
    Start {
        program: Program,
        /// With an idempotency key.
        key: bool,
        /// With an id of its own.
        named: bool,
        delay_ms: Option<u64>,
        /// Waits no longer for the answer, the first time.
        gives_up_ms: Option<u64>,
    },
    /// Resumes a hook.
    Resume {
        /// A token of few; one that is live just then where none is given.
        token: Option<String>,
        key: bool,
        /// With a payload that is no number.
        wrong: bool,
        /// Waits no longer for the answer, the first time.
        gives_up_ms: Option<u64>,
    },
    /// Calls a webhook.
    Call { key: bool },
    /// Asks for the end of a run.
    Cancel,
    /// Ends a run's sleeps before their time.
    WakeUp,
    /// Asks for what must be refused.
    Misuse(Misuse),
    /// Looks a token up.
    LookUp,
    /// Waits for the end of a run.
    Await,
}

/// What must be refused, and leave nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Misuse {
    /// A payload that is null.
    Null,
    /// A token that is too long.
    LongToken,
    /// A webhook's token at the door of hooks.
    WrongDoor,
    /// A key that was used for another payload.
    KeyReused,
    /// A workflow that nobody knows.
    UnknownWorkflow,
}

impl Action {
    /// How each kind is counted.
    pub(crate) const NAMES: [&'static str; 12] = [
        "act start",
        "act resume",
        "act call",
        "act cancel",
        "act look-up",
        "act await",
        "act misuse-null",
        "act misuse-long-token",
        "act misuse-wrong-door",
        "act misuse-key-reused",
        "act misuse-unknown-workflow",
        "act wake-up",
    ];

    /// How it is counted.
    pub(crate) const fn name(&self) -> &'static str {
        Self::NAMES[match self {
            Self::Start { .. } => 0,
            Self::Resume { .. } => 1,
            Self::Call { .. } => 2,
            Self::Cancel => 3,
            Self::LookUp => 4,
            Self::Await => 5,
            Self::Misuse(Misuse::Null) => 6,
            Self::Misuse(Misuse::LongToken) => 7,
            Self::Misuse(Misuse::WrongDoor) => 8,
            Self::Misuse(Misuse::KeyReused) => 9,
            Self::Misuse(Misuse::UnknownWorkflow) => 10,
            Self::WakeUp => 11,
        }]
    }
}

/// What the seed wants to be done.
pub(crate) fn acts(seed: u64, settings: &Settings) -> Vec<Act> {
    let mut prng = Prng::new(seed, Stream::Acts);
    let act = |serial| {
        let action = action(&mut prng, settings, serial);
        let after = prng.pick(&[0, 0, 10, 100, 1_000, 30_000, 4_000_000]);
        Act {
            serial,
            after_ms: prng.below(after + 1),
            action,
        }
    };
    (0..settings.actions).map(act).collect()
}

/// Sends everybody out.
pub(crate) fn send_out(world: &Arc<World>, acts: &[Act]) {
    for act in acts {
        let own = Prng::at(world.seed, Stream::Outsider, (act.serial, 0));
        let task = perform(Arc::clone(world), act.clone(), own).boxed();
        world
            .tasks
            .spawn_at((OUTSIDE, "outsider"), (1 << 31) | act.serial, task);
    }
}

fn action(prng: &mut Prng, settings: &Settings, serial: u64) -> Action {
    let gives_up_ms = |prng: &mut Prng| prng.chance(1_000).then(|| prng.pick(&[0, 1, 20]));
    if serial == 0 || prng.chance(2_500) {
        return Action::Start {
            program: program::grow(prng, settings.taste),
            key: prng.chance(5_000),
            named: prng.chance(2_500),
            delay_ms: prng.chance(1_500).then(|| prng.below(2_000)),
            gives_up_ms: gives_up_ms(prng),
        };
    }
    match prng.below(15) {
        0 => Action::Cancel,
        1 => Action::LookUp,
        2 => Action::Await,
        3 => Action::Misuse(prng.pick(&[
            Misuse::Null,
            Misuse::LongToken,
            Misuse::WrongDoor,
            Misuse::KeyReused,
            Misuse::UnknownWorkflow,
        ])),
        14 => Action::WakeUp,
        4..=5 => Action::Call {
            key: prng.chance(5_000),
        },
        _ => Action::Resume {
            token: prng.chance(6_000).then(|| program::any_token(prng)),
            key: prng.chance(5_000),
            wrong: prng.chance(500),
            gives_up_ms: gives_up_ms(prng),
        },
    }
}

async fn perform(world: Arc<World>, act: Act, mut prng: Prng) {
    world.clock.sleep(act.after_ms).await;
    let serial = act.serial;
    world.trace(|| format!("act  {serial} {:?}", act.action));
    let name = act.action.name();
    match act.action {
        Action::Start { .. } => call::start(&world, act, &mut prng).await,
        Action::Resume {
            token,
            key,
            wrong,
            gives_up_ms,
        } => {
            let Some(token) = token.or_else(|| any_live_token(&world, &mut prng, false)) else {
                return;
            };
            let sent = payloads::Sent {
                payload: serial,
                token,
                key,
                wrong,
                gives_up_ms,
            };
            payloads::send(&world, sent, &mut prng).await;
        }
        Action::Call { key } => {
            let Some(token) = any_live_token(&world, &mut prng, true) else {
                return;
            };
            webhook::call(&world, (serial, token, key), &mut prng).await;
        }
        Action::Cancel => {
            let Some(run) = any_run(&world, &mut prng) else {
                return;
            };
            call::cancel(&world, serial, run, &mut prng).await;
        }
        Action::WakeUp => {
            let Some(run) = any_run(&world, &mut prng) else {
                return;
            };
            call::wake_up(&world, run, &mut prng).await;
        }
        Action::Misuse(misuse) => {
            if !call::misuse(&world, misuse, serial, &mut prng).await {
                return;
            }
        }
        Action::LookUp => {
            let token = program::any_token(&mut prng);
            call::look_up(&world, token, &mut prng).await;
        }
        Action::Await => {
            let Some(run) = any_run(&world, &mut prng) else {
                return;
            };
            call::await_end(&world, run, &mut prng).await;
        }
    }
    world.count(name);
}

fn any_run(world: &World, prng: &mut Prng) -> Option<RunId> {
    let shadow = world.shadow();
    let runs: Vec<_> = shadow.runs().keys().collect();
    (!runs.is_empty()).then(|| *runs[prng.index(runs.len())])
}

fn any_live_token(world: &World, prng: &mut Prng, of_webhook: bool) -> Option<String> {
    let shadow = world.shadow();
    let tokens = shadow.tokens().iter();
    let tokens: Vec<_> = tokens
        .filter(|(_, held)| held.is_webhook == of_webhook)
        .map(|(token, _)| token)
        .collect();
    (!tokens.is_empty()).then(|| tokens[prng.index(tokens.len())].to_string())
}
