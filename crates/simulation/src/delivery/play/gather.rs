//! Asks for all that can be known at the end.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures_executor::block_on;
use futures_util::FutureExt;
use rewake::AnswerError;
use rewake_core::event::{Event, EventKind};
use rewake_core::id::HookId;
use rewake_core::payload::{self, Payload};
use rewake_core::time::Timestamp;
use rewake_runtime::{Engine, HookFilter, QueryError};
use rewake_store::RunFilter;

use super::{Post, RUNS, SCOPE, number};
use crate::delivery::model::{Given, History, Seen, Stands};
use crate::delivery::script::Script;
use crate::scheduler::OUTSIDE;
use crate::simulation::settle;
use crate::statement::{Breaks, Problem, Statement};
use crate::workload;
use crate::world::{World, lock};

/// Asks for all that can be known.
pub(super) fn gather(world: &Arc<World>, post: &Post) -> Result<History, Problem> {
    let engines = lock(&world.processes).engines();
    let Some((_, engine)) = engines.into_iter().next() else {
        return Err(Statement::Order.broken("no process is up at the end"));
    };
    let gathered = Arc::new(Mutex::new(None));
    let asking = {
        let (gathered, world, post) = (Arc::clone(&gathered), Arc::clone(world), Arc::clone(post));
        async move {
            let history = ask(&engine, &world, &post).await;
            *lock(&gathered) = Some(history.map_err(|error| error.to_string()));
        }
    };
    world.tasks.spawn(OUTSIDE, "ask", asking.boxed());
    settle(world)?;
    let history = lock(&gathered).take();
    history
        .unwrap_or_else(|| Err("the questions were not answered".to_owned()))
        .breaks(Statement::Order)
}

async fn ask(engine: &Engine, world: &World, post: &Post) -> Result<History, QueryError> {
    let listed = engine.runs(RunFilter::default(), None, RUNS).await?;
    let mut runs = Vec::new();
    for view in listed.runs {
        let run = view.run;
        let events = engine.events(run).await?;
        let unread = engine.unread(run).await?.into_iter();
        let unread = unread.filter_map(|left| Some((left.hook_id, number(&left.payload)?)));
        let serial = events.iter().find_map(|event| match &event.kind {
            EventKind::RunCreated { input, .. } => serial(input),
            _ => None,
        });
        let mut seen = Seen {
            run,
            serial: serial.unwrap_or(u64::MAX),
            unread: unread.collect(),
            events,
            read: Vec::new(),
            dropped: Vec::new(),
            given: Vec::new(),
        };
        inside(world, &mut seen);
        runs.push(seen);
    }
    let page = engine.hooks(HookFilter::default(), None, RUNS).await?;
    let live = page.hooks.into_iter();
    let live = live.map(|listed| (listed.hook.token.to_string(), listed.hook.hook_id));
    let mail = mail(engine, world).await?;
    Ok(History {
        now: Timestamp::from_millis(world.clock.now()),
        sent: lock(post).clone(),
        runs,
        mail,
        live: live.collect(),
    })
}

/// The act that a run belongs to.
fn serial(input: &Payload) -> Option<u64> {
    let (serial, _): (u64, Script) = payload::decode(input).ok()?;
    Some(serial)
}

/// What the workflow of a run saw and did.
fn inside(world: &World, run: &mut Seen) {
    let webhooks = webhooks(&run.events);
    let hook = |name: &str| name.parse().ok().or_else(|| webhooks.get(name).copied());
    let second = AnswerError::AlreadyAnswered.to_string();
    for (seen, at) in world.ledger.lock().seen_by(run.run) {
        match seen {
            workload::Seen::Payload(name, number) | workload::Seen::Request(name, number) => {
                run.read.extend(hook(name).map(|hook| (hook, *number)));
            }
            workload::Seen::Dropped(name) => run.dropped.extend(hook(name)),
            workload::Seen::Answered(number, answered) => run.given.push(Given {
                number: *number,
                stands: match answered {
                    Ok(()) => Stands::Yes,
                    Err(error) if *error == second => Stands::Second,
                    Err(_) => Stands::Unsure,
                },
                by: Timestamp::from_millis(at),
            }),
            _ => {}
        }
    }
}

/// Workflows do not learn the ids of webhooks; a token is random, and so of one of them.
fn webhooks(events: &[Event]) -> BTreeMap<String, HookId> {
    let created = events.iter().filter_map(|event| match &event.kind {
        EventKind::HookCreated { hook, token, .. } => Some((token.to_string(), *hook)),
        _ => None,
    });
    created.collect()
}

/// What the mailbox keeps. Its listing tells neither tokens nor payloads; the store's rows do, and the
/// two must be the same ones.
async fn mail(engine: &Engine, world: &World) -> Result<Vec<(String, u64, Timestamp)>, QueryError> {
    let listed = engine.mailbox(None, RUNS).await?;
    let rows = block_on(world.store().mail(SCOPE, None, RUNS))?;
    let listed = listed.iter().map(|mail| (mail.place, mail.until));
    let kept = rows.iter().map(|(place, mail)| (*place, mail.until));
    if !listed.eq(kept) {
        world.fail(Statement::Delivered.broken("the mailbox is not listed as it is"));
    }
    let mail = rows
        .into_iter()
        .filter_map(|(_, mail)| Some((mail.token.to_string(), number(&mail.payload)?, mail.until)));
    Ok(mail.collect())
}
