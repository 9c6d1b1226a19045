//! The nodes that work on the tables: the role, and what the handles of a store share of it.
//!
//! Who leases a run is a column beside its body, so a claim is one statement that changes no body and
//! waits for nobody. All of it goes over connections of its own, whose commits do not wait for the
//! disk: should the server lose what is said on it, effort is lost and nothing else.
//!
//! ```text
//!  writer ── concerns, after the commit ──▶ tell ──▶ NOTIFY ─┐
//!                                            │               ▼
//!  join, beat, claim ──▶ the database        └──▶ inboxes ◀── LISTEN
//! ```

mod claim;
mod ear;
mod inbox;
mod tell;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use futures_util::future::ready;
use rewake_store::core::id::RunId;
use rewake_store::core::time::Timestamp;
use rewake_store::{
    Beat, Claimed, Concern, Join, LEASE, Lease, Leased, News, NodeId, Nodes, StoreError,
    StoreFuture, WakeUp,
};

use crate::connect::Param;
use crate::fault::damaged;
use crate::id::{Id, node_of, number, scope, time, unsigned};
use crate::options::Now;
use crate::pulse::Pulse;
use crate::reach::Readers;
use crate::row::column;
use crate::sql::Sql;
use crate::store::PostgresStore;

pub(crate) use ear::Ear;
use inbox::Inboxes;

/// What the handles of a store share of its nodes.
pub(crate) struct Crew {
    /// The connection that listens, claims and notifies.
    hints: Readers,
    /// The connection of beats, which wait for nothing else.
    beats: Readers,
    /// The connections of questions: for what may wait for a lock.
    readers: Arc<Readers>,
    inboxes: Arc<Inboxes>,
    ear: Arc<Ear>,
    clock: Option<Now>,
    concerns: Mutex<BTreeMap<Place, Concern>>,
    telling: tokio::sync::Mutex<()>,
    /// When what dead nodes have left was put in order last.
    tidied: Mutex<Option<Timestamp>>,
    pulse: Arc<Pulse>,
}

/// Of concerns with one place, the last says it all.
type Place = (RunId, bool);

impl Crew {
    pub(crate) fn new(
        hints: impl FnOnce(Arc<Ear>) -> Readers,
        (beats, readers): (Readers, Arc<Readers>),
        schema: &str,
        (clock, pulse): (Option<Now>, Arc<Pulse>),
    ) -> Self {
        let inboxes = Arc::<Inboxes>::default();
        let ear = Arc::new(Ear::new(schema, Arc::clone(&inboxes)));
        Self {
            hints: hints(Arc::clone(&ear)),
            beats,
            readers,
            inboxes,
            ear,
            clock,
            concerns: Mutex::default(),
            telling: tokio::sync::Mutex::default(),
            tidied: Mutex::default(),
            pulse,
        }
    }
}

impl Crew {
    /// The time of the clock that stands in for the database's, where there is one.
    fn clock(&self) -> Option<Timestamp> {
        self.clock.as_ref().map(|now| now())
    }

    /// The database's time, as far as it was heard.
    fn now(&self) -> Option<Timestamp> {
        self.clock().or_else(|| self.pulse.now())
    }

    fn hear(&self, said: i64) -> Timestamp {
        let said = Timestamp::from_millis(unsigned(said));
        self.pulse.hear(said);
        said
    }

    async fn join(&self, join: Join) -> Result<NodeId, StoreError> {
        let workflows = join.workflows.iter().map(String::as_bytes);
        let workflows: Vec<_> = workflows.collect();
        let params: [Param<'_>; 6] = [
            &scope(join.scope),
            &join.name.as_bytes(),
            &join.build.as_bytes(),
            &workflows,
            &self.clock().map(time),
            &lease(),
        ];
        // An id must not be given twice, so this waits for the disk.
        let joined = self.readers.change(Sql::Join, &params).await?;
        let Some(row) = joined.first() else {
            return Err(damaged("the nodes", "none was added"));
        };
        let Some(id) = node_of(column(row, 0)?) else {
            return Err(damaged("the nodes", "one has the number of none"));
        };
        let now = self.hear(column(row, 1)?);
        self.inboxes.open(id, join.scope, now.after(LEASE));
        let listening = self.ear.listening(id, join.scope);
        if let Err(error) = self.hints.say(&listening).await {
            tracing::debug!(%error, "the database does not say what others do");
        }
        // An answer that has waited for the disk tells the time late; this one does not.
        if let Err(error) = self.beat(id).await {
            tracing::debug!(%error, "the database did not hear that the node lives");
        }
        Ok(id)
    }

    async fn beat(&self, id: NodeId) -> Result<Beat, StoreError> {
        let params: [Param<'_>; 3] = [&number(id.0), &self.clock().map(time), &lease()];
        let beaten = self.beats.ask(Sql::Beat, &params).await?;
        let Some(row) = beaten.first() else {
            self.inboxes.close(id);
            return Ok(Beat::Unknown);
        };
        let now = self.hear(column(row, 1)?);
        if let Some(inbox) = self.inboxes.get(id) {
            inbox.lives_until(now.after(LEASE));
        }
        if column(row, 0)? {
            Ok(Beat::Living)
        } else {
            Ok(Beat::TakenForDead)
        }
    }

    async fn leave(&self, id: NodeId, keep: Vec<RunId>) -> Result<(), StoreError> {
        let keep: Vec<_> = keep.into_iter().map(Id::from).collect();
        if let Some(inbox) = self.inboxes.get(id) {
            inbox.leaves();
        }
        let clock = self.clock().map(time);
        let params: [Param<'_>; 5] = [&number(id.0), &clock, &lease(), &keep, &self.ear.prefix()];
        let left = self.beats.ask(Sql::Leave, &params).await?;
        let is_gone = left.first().map(|row| column(row, 1)).transpose()?;
        if is_gone.unwrap_or(true) {
            self.inboxes.close(id);
        }
        Ok(())
    }

    /// Nobody hears anything any more.
    pub(crate) fn close(&self) {
        self.inboxes.close_all();
    }
}

fn lease() -> i64 {
    i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX)
}

impl Nodes for PostgresStore {
    fn is_shared(&self) -> bool {
        true
    }

    fn now(&self) -> Option<Timestamp> {
        self.crew().now()
    }

    fn join(&self, node: Join) -> StoreFuture<NodeId> {
        self.as_crew(move |crew| async move { crew.join(node).await })
    }

    fn beat(&self, node: NodeId) -> StoreFuture<Beat> {
        self.as_crew(move |crew| async move { crew.beat(node).await })
    }

    fn leave(&self, node: NodeId, keep: Vec<RunId>) -> StoreFuture<()> {
        self.as_crew(move |crew| async move { crew.leave(node, keep).await })
    }

    fn claim(&self, node: NodeId, until: Timestamp, limit: usize) -> StoreFuture<Vec<Claimed>> {
        self.as_crew(move |crew| async move { crew.claim(node, until, limit).await })
    }

    fn lease(&self, node: NodeId, run: RunId) -> StoreFuture<Lease> {
        self.as_crew(move |crew| async move { crew.lease(node, run).await })
    }

    fn leased(
        &self,
        node: NodeId,
        after: Option<WakeUp>,
        until: Timestamp,
        limit: usize,
    ) -> StoreFuture<Vec<Leased>> {
        self.as_crew(move |crew| async move { crew.leased(node, after, until, limit).await })
    }

    fn heard(&self, node: NodeId) -> StoreFuture<Vec<News>> {
        match self.crew().inboxes.get(node) {
            Some(inbox) => async move { inbox.heard().await }.boxed(),
            None => ready(Err(inbox::has_left())).boxed(),
        }
    }
}
