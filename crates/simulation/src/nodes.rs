//! The store's nodes, as one process has them: what it asks goes the way of every request, and what it
//! is told may get lost or come twice.

use futures_util::{FutureExt, TryFutureExt};
use rewake_core::id::RunId;
use rewake_core::time::Timestamp;
use rewake_store::{Beat, Claimed, Join, Lease, Leased, News, NodeId, Nodes, StoreFuture, WakeUp};

use crate::check::write::About;
use crate::prng::{Prng, Stream};
use crate::store::FaultyStore;
use crate::world::{World, lock};

/// True where a request says only that a node lives, or looks for work.
pub(crate) fn is_of_nodes(name: &str) -> bool {
    matches!(name, "join" | "beat" | "leave" | "claim" | "lease")
}

impl Nodes for FaultyStore {
    fn is_shared(&self) -> bool {
        self.world.shared
    }

    fn now(&self) -> Option<Timestamp> {
        self.world.memory.now()
    }

    fn join(&self, node: Join) -> StoreFuture<NodeId> {
        let (world, process) = (std::sync::Arc::clone(&self.world), self.process);
        self.hand_over("join", About::Once, move |store, _| {
            let world = std::sync::Arc::clone(&world);
            let joined = store.join(node.clone());
            joined
                .inspect_ok(move |node| {
                    lock(&world.nodes).insert(*node, process);
                })
                .boxed()
        })
    }

    fn beat(&self, node: NodeId) -> StoreFuture<Beat> {
        self.read("beat", move |store| {
            let beat = store.beat(node);
            beat.inspect(|beat| {
                if *beat == Ok(Beat::TakenForDead) {
                    crate::ledger::count("met taken-for-dead");
                }
            })
            .boxed()
        })
    }

    fn leave(&self, node: NodeId, keep: Vec<RunId>) -> StoreFuture<()> {
        self.hand_over("leave", About::Sessions, move |store, _| {
            store.leave(node, keep.clone())
        })
    }

    fn claim(&self, node: NodeId, until: Timestamp, limit: usize) -> StoreFuture<Vec<Claimed>> {
        // Few at a time, so that others have a chance.
        let limit = limit.min(8);
        self.hand_over("claim", About::Once, move |store, _| {
            store.claim(node, until, limit).inspect(note_claims).boxed()
        })
    }

    fn lease(&self, node: NodeId, run: RunId) -> StoreFuture<Lease> {
        self.hand_over("lease", About::Sessions, move |store, _| {
            let lease = store.lease(node, run);
            lease
                .inspect(|lease| match lease {
                    Ok(Lease::Elsewhere) => crate::ledger::count("met leased-elsewhere"),
                    Ok(Lease::Own { .. }) | Err(_) => {}
                })
                .boxed()
        })
    }

    fn leased(
        &self,
        node: NodeId,
        after: Option<WakeUp>,
        until: Timestamp,
        limit: usize,
    ) -> StoreFuture<Vec<Leased>> {
        self.read("leased", move |store| {
            store.leased(node, after, until, limit)
        })
    }

    fn heard(&self, node: NodeId) -> StoreFuture<Vec<News>> {
        let world = std::sync::Arc::clone(&self.world);
        let heard = world.store().heard(node);
        let nth = self.site("heard").nth;
        let place = (u64::from(self.process), nth);
        heard
            .map(move |news| news.map(|news| distorted(&world, place, news)))
            .boxed()
    }
}

fn note_claims(claimed: &Result<Vec<Claimed>, rewake_store::StoreError>) {
    for claimed in claimed.iter().flatten() {
        crate::ledger::count("met claimed");
        if claimed.orphaned {
            crate::ledger::count("met orphan");
        }
    }
}

/// Some of it gets lost in the turmoil, and some comes twice.
fn distorted(world: &World, place: (u64, u64), news: Vec<News>) -> Vec<News> {
    let mut prng = Prng::at(world.seed, Stream::News, place);
    if !world.is_in_turmoil() {
        return news;
    }
    let mut told = Vec::new();
    for news in news {
        if prng.chance(3_000) {
            world.count("met news-lost");
            continue;
        }
        told.push(news);
        if prng.chance(1_000) {
            told.push(news);
        }
    }
    told
}
