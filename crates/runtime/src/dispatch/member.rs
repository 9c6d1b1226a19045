//! Membership: what a process does that shares its store with others.
//!
//! It says that it lives, hears what others did, and claims what nobody who lives has. News are hints;
//! whatever they do not tell is claimed, or found among the process's own runs, when it looks by itself
//! once a second. This module must not know how a store keeps any of it.
//!
//! ```text
//!  beat ──▶ store        news ──▶ driver of the run, or "something is cold"
//!  claim ◀── cold, or a second has passed ──▶ count orphans ──▶ drivers, so many at once
//! ```

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_channel::{Receiver, Sender};
use futures_channel::oneshot;
use futures_util::future::{Either, pending, select};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use rewake_core::id::RunId;
use rewake_store::{BEAT, Beat, Claimed, Join, News, NodeId, Store, StoreError};

use super::recovery::{AT_ONCE, call};
use super::residents::Message;
use crate::engine::Inner;

/// How often the process looks by itself, and up to how much later: so many nodes do not look all at
/// once. With a lease of two seconds, what a dead node had goes on elsewhere within three.
const LOOK: Duration = Duration::from_millis(700);
const SPREAD_MS: u64 = 200;
/// Runs that fall due so soon are claimed, so that they are at hand when they do.
const AHEAD: Duration = Duration::from_millis(1_500);
/// How long to wait before a store that tells nothing is asked again.
const PAUSE: Duration = Duration::from_millis(200);
/// How many runs the process claims at once when something is cold, before it claims twice as many, and
/// so on: of a few that come together every node that hears of them gets some.
const FIRST: usize = 2;
/// How many of its own runs the process looks at in one page.
const PAGE: usize = 1_024;

/// A process as a node of its store.
#[derive(Debug)]
pub(crate) struct Member {
    join: Join,
    id: AtomicU64,
    ring: Sender<()>,
    bell: Receiver<()>,
}

impl Member {
    pub(crate) async fn join(store: &dyn Store, join: Join) -> Result<Self, StoreError> {
        let id = store.join(join.clone()).await?;
        let (ring, bell) = async_channel::bounded(1);
        Ok(Self {
            join,
            id: AtomicU64::new(id.0),
            ring,
            bell,
        })
    }

    pub(crate) fn id(&self) -> NodeId {
        NodeId(self.id.load(Ordering::Acquire))
    }

    /// There may be something to claim, or the engine stops.
    pub(crate) fn ring(&self) {
        // A full bell has been rung.
        let _rung = self.ring.try_send(());
    }
}

/// Says that the process lives, until it has nothing more to say it for. Once it stops, it gives up the
/// runs that it has not at hand: others need not wait until it is through with these.
pub(crate) async fn beat(engine: Arc<Inner>) {
    let Some(member) = &engine.member else { return };
    loop {
        let clock = &engine.host.clock;
        clock.sleep_until(clock.now().after(BEAT)).await;
        if engine.has_left() {
            return;
        }
        if engine.is_stopping() {
            give_up(&engine).await;
            continue;
        }
        match engine.store.beat(member.id()).await {
            Ok(Beat::Living) => {}
            Ok(Beat::TakenForDead) => {
                tracing::warn!("this node was taken for dead; others may have its runs");
                engine.look_at_leases();
            }
            Ok(Beat::Unknown) => rejoin(&engine, member).await,
            Err(StoreError::Closed { .. }) => return,
            Err(error) => tracing::warn!(%error, "the store did not hear that this node lives"),
        }
    }
}

async fn rejoin(engine: &Arc<Inner>, member: &Member) {
    if engine.is_stopping() {
        return;
    }
    tracing::warn!("the store has forgotten this node; it joins anew");
    match engine.store.join(member.join.clone()).await {
        Ok(id) => {
            member.id.store(id.0, Ordering::Release);
            engine.look_at_leases();
        }
        Err(error) => tracing::warn!(%error, "this node could not join anew"),
    }
}

/// Gives up all runs but those that are at hand.
pub(crate) async fn give_up(engine: &Inner) {
    let Some(member) = &engine.member else { return };
    let keep = engine.residents.runs();
    // Without any it would be gone; that is said last.
    if keep.is_empty() {
        return;
    }
    if let Err(error) = engine.store.leave(member.id(), keep).await {
        tracing::warn!(%error, "runs that are not at hand could not be given up yet");
    }
}

/// Passes on what others did, until the process has left.
pub(crate) async fn listen(engine: Arc<Inner>) {
    let Some(member) = &engine.member else { return };
    while !engine.has_left() {
        match engine.store.heard(member.id()).await {
            Ok(news) => news.into_iter().for_each(|news| pass_on(&engine, news)),
            Err(error) => {
                if engine.is_stopping() {
                    return;
                }
                tracing::debug!(%error, "no news from the store at present");
                let clock = &engine.host.clock;
                clock.sleep_until(clock.now().after(PAUSE)).await;
            }
        }
    }
}

fn pass_on(engine: &Arc<Inner>, news: News) {
    match news {
        News::Log { run, head } => engine.tell(run, Message::Upto(head)),
        News::Owed { run } => engine.tell(run, Message::Owed),
        News::Cold => {
            if let Some(member) = &engine.member {
                member.ring();
            }
        }
    }
}

/// Claims what nobody has, and finds what no news told, until the engine stops.
pub(crate) async fn claim(engine: Arc<Inner>) {
    let Some(member) = &engine.member else { return };
    let mut under_way = UnderWay::new();
    let mut look_at = engine.host.clock.now();
    while !engine.is_stopping() {
        let full = match under_way.claim(&engine, member).await {
            Ok(full) => full,
            Err(error) => {
                tracing::warn!(%error, "what nobody has could not be claimed");
                if error.may_have_happened() {
                    engine.schedule.read_again();
                }
                false
            }
        };
        let now = engine.host.clock.now();
        if now >= look_at {
            if let Err(error) = find_overlooked(&engine, member).await {
                tracing::warn!(%error, "this node's own runs could not be looked through");
            }
            look_at = now.after(LOOK + Duration::from_millis(engine.jitter() % SPREAD_MS));
        }
        if full && under_way.room() > 0 {
            continue;
        }
        let look = pin!(engine.host.clock.sleep_until(look_at));
        let rung = pin!(member.bell.recv());
        let called = select(look, rung);
        match select(called, pin!(under_way.one_rests())).await {
            Either::Left(_) | Either::Right(_) => {}
        }
    }
}

/// Runs that were claimed and have not rested since.
struct UnderWay {
    /// How many to claim the next time.
    appetite: usize,
    not_rested: FuturesUnordered<oneshot::Receiver<()>>,
    /// Orphans that were counted before: one of them may be what ends processes, so each is counted
    /// and replayed when its turn comes.
    suspects: VecDeque<RunId>,
    suspect: Option<oneshot::Receiver<()>>,
}

impl UnderWay {
    fn new() -> Self {
        Self {
            appetite: FIRST,
            not_rested: FuturesUnordered::new(),
            suspects: VecDeque::new(),
            suspect: None,
        }
    }

    fn room(&self) -> usize {
        AT_ONCE.saturating_sub(self.not_rested.len() + self.suspects.len())
    }

    /// Claims as much as there is room for; true where there may be more. What is found again has a
    /// driver already.
    async fn claim(&mut self, engine: &Arc<Inner>, member: &Member) -> Result<bool, StoreError> {
        while let Some(Some(_rested_or_gone)) = self.not_rested.next().now_or_never() {}
        self.call_suspect(engine);
        let many = self.room().min(self.appetite);
        if many == 0 {
            return Ok(false);
        }
        let until = engine.host.clock.now().after(AHEAD);
        let claimed = engine.store.claim(member.id(), until, many).await?;
        let full = self.take_up(engine, claimed).await? >= many;
        self.appetite = if full { 2 * many } else { FIRST };
        Ok(full)
    }

    async fn take_up(
        &mut self,
        engine: &Arc<Inner>,
        claimed: Vec<Claimed>,
    ) -> Result<usize, StoreError> {
        let is_suspect = |claimed: &Claimed| claimed.orphaned && claimed.crashes > 0;
        let orphans = claimed.iter().filter(|claimed| claimed.orphaned);
        let first_time = orphans.filter(|claimed| !is_suspect(claimed));
        let first_time: Vec<_> = first_time.map(|claimed| claimed.run).collect();
        engine.recovery.count(engine, first_time).await?;
        let mut new = 0;
        for claimed in claimed {
            let run = claimed.run;
            if is_suspect(&claimed) {
                engine.recovery.suspect(run);
                self.suspects.push_back(run);
            } else if !engine.residents.tell_resident(run, Message::Owed) {
                self.not_rested.push(call(engine, run, claimed.orphaned));
                new += 1;
            }
        }
        self.call_suspect(engine);
        Ok(new)
    }

    fn call_suspect(&mut self, engine: &Arc<Inner>) {
        let rested = self.suspect.as_mut().is_none_or(|rest| {
            // A driver may also go without having rested; that is as good.
            !matches!(rest.try_recv(), Ok(None))
        });
        if rested {
            let next = self.suspects.pop_front();
            self.suspect = next.map(|run| call(engine, run, true));
        }
    }

    /// Resolves when it makes sense to claim more because one has rested.
    async fn one_rests(&mut self) {
        let suspect = async {
            match &mut self.suspect {
                Some(rest) => drop(rest.await),
                None => pending().await,
            }
        };
        let other = async {
            // With room for more, only something cold is worth a look.
            if self.not_rested.len() < AT_ONCE {
                pending::<()>().await;
            }
            let _rested_or_gone = self.not_rested.next().await;
        };
        let _either = select(pin!(suspect), pin!(other)).await;
    }
}

/// Looks through the process's own runs that are due: one to whose log somebody added, and of which no
/// news came, has a driver that does not know, or none.
async fn find_overlooked(engine: &Arc<Inner>, member: &Member) -> Result<(), StoreError> {
    let until = engine.host.clock.now();
    let mut after = None;
    loop {
        let page = engine.store.leased(member.id(), after, until, PAGE).await?;
        for leased in &page {
            engine.tell(leased.wake_up.run, Message::Upto(leased.head));
        }
        after = page.last().map(|last| last.wake_up);
        if page.len() < PAGE {
            return Ok(());
        }
    }
}
