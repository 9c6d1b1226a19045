//! The nodes of a shared store in memory, and what they are told.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use rewake_core::id::RunId;
use rewake_core::time::Timestamp;

use super::MemoryStore;
use super::tables::Tables;
use crate::error::StoreError;
use crate::judge::Rows;
use crate::nodes::{Beat, Claimed, Concern, Join, LEASE, Lease, Leased, News};
use crate::role::WakeUp;
use crate::row::{NodeId, RunRow, ScopeId};

/// All nodes that ever joined: none is forgotten.
#[derive(Debug, Default)]
pub(super) struct NodeTable {
    nodes: BTreeMap<NodeId, Node>,
}

#[derive(Debug)]
struct Node {
    join: Join,
    lives_until: Timestamp,
    /// Once it leaves: the runs that it goes on with.
    keeps: Option<BTreeSet<RunId>>,
    news: BTreeSet<News>,
    listeners: Vec<Waker>,
}

impl Node {
    fn lives(&self, now: Timestamp) -> bool {
        now < self.lives_until && !self.is_gone()
    }

    fn is_gone(&self) -> bool {
        self.keeps.as_ref().is_some_and(BTreeSet::is_empty)
    }

    fn claims(&self, now: Timestamp) -> bool {
        self.lives(now) && self.keeps.is_none()
    }

    fn knows(&self, workflow: &str) -> bool {
        self.join.workflows.iter().any(|known| known == workflow)
    }
}

/// Who has a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holder {
    Node(NodeId),
    Nobody { orphaned: bool },
}

impl NodeTable {
    fn holder(&self, run: RunId, leased_to: Option<NodeId>, now: Timestamp) -> Holder {
        let Some(id) = leased_to else {
            return Holder::Nobody { orphaned: false };
        };
        let Some(node) = self.nodes.get(&id) else {
            return Holder::Nobody { orphaned: true };
        };
        let given_up = node.keeps.as_ref().is_some_and(|keep| !keep.contains(&run));
        if given_up {
            Holder::Nobody { orphaned: false }
        } else if node.lives(now) {
            Holder::Node(id)
        } else {
            Holder::Nobody { orphaned: true }
        }
    }

    fn claims(&self, id: NodeId, now: Timestamp) -> Option<&Node> {
        self.nodes.get(&id).filter(|node| node.claims(now))
    }

    pub(super) fn join(&mut self, join: Join, now: Timestamp) -> NodeId {
        let id = NodeId(self.nodes.len() as u64 + 1);
        let node = Node {
            join,
            lives_until: now.after(LEASE),
            keeps: None,
            news: BTreeSet::new(),
            listeners: Vec::new(),
        };
        self.nodes.insert(id, node);
        id
    }

    pub(super) fn beat(&mut self, id: NodeId, now: Timestamp) -> Beat {
        let Some(node) = self.nodes.get_mut(&id).filter(|node| !node.is_gone()) else {
            return Beat::Unknown;
        };
        let lived = node.lives(now);
        node.lives_until = now.after(LEASE);
        if lived {
            Beat::Living
        } else {
            Beat::TakenForDead
        }
    }

    /// Those who must be woken because of it.
    pub(super) fn leave(&mut self, id: NodeId, keep: Vec<RunId>, now: Timestamp) -> Vec<Waker> {
        let Some(node) = self.nodes.get_mut(&id) else {
            return Vec::new();
        };
        node.lives_until = now.after(LEASE);
        let mut keep: BTreeSet<_> = keep.into_iter().collect();
        if let Some(before) = &node.keeps {
            keep.retain(|run| before.contains(run));
        }
        node.keeps = Some(keep);
        let mut woken = std::mem::take(&mut node.listeners);
        let scope = node.join.scope;
        woken.extend(self.tell_all(scope, News::Cold, now));
        woken
    }

    fn tell(&mut self, id: NodeId, news: News) -> Vec<Waker> {
        let Some(node) = self.nodes.get_mut(&id) else {
            return Vec::new();
        };
        if let News::Log { run, head } = news {
            let told_before = |told: &News| matches!(told, News::Log { run: of, head: at } if *of == run && *at <= head);
            node.news.retain(|told| !told_before(told));
        }
        node.news.insert(news);
        std::mem::take(&mut node.listeners)
    }

    fn tell_all(&mut self, scope: ScopeId, news: News, now: Timestamp) -> Vec<Waker> {
        let living = self.nodes.iter();
        let living = living.filter(|(_, node)| node.join.scope == scope && node.claims(now));
        let living: Vec<_> = living.map(|(id, _)| *id).collect();
        let woken = living.into_iter().map(|id| self.tell(id, news));
        woken.flatten().collect()
    }
}

impl Tables {
    /// Tells the nodes whom it concerns; those who must be woken because of it.
    pub(super) fn tell(&mut self, concerns: &[Concern], now: Timestamp) -> Vec<Waker> {
        let mut woken = Vec::new();
        for concern in concerns {
            let (scope, run, node, news) = match *concern {
                Concern::Log {
                    scope,
                    run,
                    head,
                    node,
                } => (scope, run, node, News::Log { run, head }),
                Concern::Owed { scope, run } => {
                    let row = self.run(run).ok().flatten();
                    (scope, run, row.and_then(|row| row.node), News::Owed { run })
                }
            };
            woken.extend(match self.nodes.holder(run, node, now) {
                Holder::Node(node) => self.nodes.tell(node, news),
                Holder::Nobody { .. } => self.nodes.tell_all(scope, News::Cold, now),
            });
        }
        woken
    }

    pub(super) fn claim(
        &mut self,
        id: NodeId,
        (now, until): (Timestamp, Timestamp),
        limit: usize,
    ) -> Result<Vec<Claimed>, StoreError> {
        let Some(node) = self.nodes.claims(id, now) else {
            return Ok(Vec::new());
        };
        let scope = node.join.scope;
        let due = self.due(scope, None, until, usize::MAX);
        let parked = self.parked(scope, None, usize::MAX)?;
        let owed = self.owed_runs(scope, None, usize::MAX);
        let knows = |tables: &Self, row: &RunRow| {
            let node = tables.nodes.nodes.get(&id);
            node.is_some_and(|node| node.knows(&row.workflow))
        };
        let mut claimed = Vec::new();
        claimed.extend(self.claim_of(id, due, now, limit, |tables, row| {
            row.node != Some(id) && (row.status.is_terminal() || knows(tables, row))
        })?);
        let at_once = |run| WakeUp { at: now, run };
        let parked = parked.into_iter().map(|(run, _)| at_once(run)).collect();
        claimed.extend(self.claim_of(id, parked, now, limit, |tables, row| {
            let node = tables.nodes.nodes.get(&id);
            let tried = |node: &Node| {
                let parked = row.parked.as_ref();
                parked.is_none_or(|parked| parked.is_by(&node.join.build))
            };
            knows(tables, row) && !node.is_none_or(tried)
        })?);
        let owed = owed.into_iter().map(at_once).collect();
        let owed = self.claim_of(id, owed, now, limit, |tables, row| {
            row.parked.is_none() && knows(tables, row)
        })?;
        // A run is listed once, whatever it is claimed for.
        let is_new = |owed: &Claimed| claimed.iter().all(|before| before.run != owed.run);
        let owed: Vec<_> = owed.into_iter().filter(is_new).collect();
        claimed.extend(owed);
        Ok(claimed)
    }

    fn claim_of(
        &mut self,
        id: NodeId,
        found: Vec<WakeUp>,
        now: Timestamp,
        limit: usize,
        wants: impl Fn(&Self, &RunRow) -> bool,
    ) -> Result<Vec<Claimed>, StoreError> {
        let (mut claimed, mut new) = (Vec::new(), 0);
        for WakeUp { at, run } in found {
            let Some(row) = self.run(run)?.filter(|row| wants(self, row)) else {
                continue;
            };
            let crashes = row.crashes;
            let is_own = row.node == Some(id);
            if !is_own && new == limit {
                continue;
            }
            if let Some(orphaned) = self.take(id, run, *row, now) {
                new += usize::from(!is_own);
                claimed.push(Claimed {
                    run,
                    at,
                    crashes,
                    orphaned,
                });
            }
        }
        Ok(claimed)
    }

    /// Gives the run to the node unless somebody else has it; whether it was an orphan.
    fn take(&mut self, id: NodeId, run: RunId, mut row: RunRow, now: Timestamp) -> Option<bool> {
        match self.nodes.holder(run, row.node, now) {
            Holder::Node(holder) if holder == id => Some(false),
            Holder::Node(_) => None,
            Holder::Nobody { orphaned } => {
                row.node = Some(id);
                self.put_run(run, &row);
                Some(orphaned)
            }
        }
    }

    pub(super) fn lease(
        &mut self,
        id: NodeId,
        run: RunId,
        now: Timestamp,
    ) -> Result<Lease, StoreError> {
        let Some(node) = self.nodes.claims(id, now) else {
            return Ok(Lease::Elsewhere);
        };
        let scope = node.join.scope;
        let Some(row) = self.run_in(scope, run)? else {
            return Ok(Lease::Elsewhere);
        };
        let taken = self.take(id, run, row, now);
        Ok(taken.map_or(Lease::Elsewhere, |orphaned| Lease::Own { orphaned }))
    }

    pub(super) fn leased(
        &mut self,
        id: NodeId,
        after: Option<WakeUp>,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Leased>, StoreError> {
        let Some(node) = self.nodes.nodes.get(&id) else {
            return Ok(Vec::new());
        };
        let mut leased = Vec::new();
        for wake_up in self.due(node.join.scope, after, until, usize::MAX) {
            if leased.len() == limit {
                break;
            }
            let row = self.run(wake_up.run)?;
            if let Some(row) = row.filter(|row| row.node == Some(id)) {
                let head = row.head;
                leased.push(Leased { wake_up, head });
            }
        }
        Ok(leased)
    }
}

/// What a node hears next.
pub(super) struct Heard {
    pub(super) store: MemoryStore,
    pub(super) node: NodeId,
}

impl Future for Heard {
    type Output = Result<Vec<News>, StoreError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut tables = self.store.tables();
        let node = tables.nodes.nodes.get_mut(&self.node);
        let Some(node) = node.filter(|node| !node.is_gone()) else {
            let reason = "the node has left".to_owned();
            return Poll::Ready(Err(StoreError::Closed { reason }));
        };
        if node.news.is_empty() {
            node.listeners.push(context.waker().clone());
            return Poll::Pending;
        }
        let news = std::mem::take(&mut node.news);
        Poll::Ready(Ok(news.into_iter().collect()))
    }
}
