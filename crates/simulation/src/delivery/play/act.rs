//! What is done from outside, act by act.

use std::sync::Arc;

use futures_executor::block_on;
use futures_util::FutureExt;
use rewake_core::id::RunId;
use rewake_core::payload::{self, Payload};
use rewake_runtime::{Engine, Start};
use rewake_store::RunFilter;

use super::{Post, RUNS, SCOPE, TRIES, call, send};
use crate::delivery::schedule::{Act, Deed};
use crate::delivery::script::WORKFLOW;
use crate::outsider::give_up;
use crate::prng::{Prng, Stream};
use crate::world::{World, lock};

pub(super) async fn perform(world: Arc<World>, act: Act, post: Post) {
    world.clock.sleep(act.after_ms).await;
    world.trace(|| format!("act  {} {:?}", act.serial, act.deed));
    world.count(act.deed.name());
    let mut prng = Prng::at(world.seed, Stream::Outsider, (act.serial, 0));
    match act.deed {
        Deed::Start { script, key } => {
            let mut start = Start::new(WORKFLOW, encoded(&(act.serial, script)));
            start.key = key.then(|| format!("start-{}", act.serial));
            for _ in 0..if key { TRIES } else { 1 } {
                let start = start.clone();
                let started = give_up(&world, &mut prng, None, |engine| {
                    async move { engine.start(start).await }.boxed()
                });
                if started.await.is_some_and(|started| started.is_ok()) {
                    break;
                }
                world.clock.sleep(100).await;
            }
        }
        Deed::Send(letter) => {
            send::send(&world, (act.serial, &letter), &mut prng, &post).await;
        }
        Deed::Call(made) => call::call(&world, (act.serial, &made), &mut prng, &post).await,
        Deed::Cancel(n) => {
            if let Some(run) = any_run(&world, n) {
                let cancel = |engine: Engine| async move { engine.cancel(run, None).await }.boxed();
                give_up(&world, &mut prng, None, cancel).await;
            }
        }
        Deed::Terminate(n) => {
            if let Some(run) = any_run(&world, n) {
                let end = |engine: Engine| async move { engine.terminate(run, None).await }.boxed();
                give_up(&world, &mut prng, None, end).await;
            }
        }
        Deed::LookUp(token) => {
            let look = |engine: Engine| async move { engine.hook_by_token(token).await }.boxed();
            give_up(&world, &mut prng, None, look).await;
        }
        Deed::Evict(n) => {
            if let Some(run) = any_run(&world, n) {
                let engines = lock(&world.processes).engines();
                for (_, engine) in engines {
                    if engine.evict(run) {
                        world.count("met evicted");
                    }
                }
            }
        }
        Deed::Await(n) => {
            if let Some(run) = any_run(&world, n) {
                let outcome = |engine: Engine| async move { engine.outcome(run).await }.boxed();
                give_up(&world, &mut prng, Some(1_000), outcome).await;
            }
        }
    }
}

pub(super) fn encoded(value: &impl serde::Serialize) -> Payload {
    payload::encode(value).expect("plain data can be encoded")
}

fn any_run(world: &World, n: u64) -> Option<RunId> {
    let listed = world.store().runs(SCOPE, RunFilter::default(), None, RUNS);
    let runs = block_on(listed).ok()?.runs;
    let nth = n.checked_rem(runs.len() as u64)?;
    runs.get(usize::try_from(nth).ok()?).map(|(run, _)| *run)
}
