//! What nodes of this process are told, until they hear it.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rewake_store::core::time::Timestamp;
use rewake_store::{News, NodeId, ScopeId, StoreError};
use tokio::sync::Notify;

/// The nodes that have joined by this store.
#[derive(Debug, Default)]
pub(crate) struct Inboxes {
    nodes: Mutex<BTreeMap<NodeId, Arc<Inbox>>>,
}

/// What one node is told.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub(crate) scope: ScopeId,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    news: BTreeSet<News>,
    lives_until: Timestamp,
    leaves: bool,
    closed: bool,
}

impl Inboxes {
    pub(crate) fn open(&self, node: NodeId, scope: ScopeId, lives_until: Timestamp) {
        let inbox = Inbox {
            scope,
            state: Mutex::new(State {
                news: BTreeSet::new(),
                lives_until,
                leaves: false,
                closed: false,
            }),
            changed: Notify::new(),
        };
        self.nodes().insert(node, Arc::new(inbox));
    }

    pub(crate) fn get(&self, node: NodeId) -> Option<Arc<Inbox>> {
        self.nodes().get(&node).cloned()
    }

    pub(crate) fn all(&self) -> Vec<(NodeId, Arc<Inbox>)> {
        let nodes = self.nodes();
        nodes
            .iter()
            .map(|(node, inbox)| (*node, Arc::clone(inbox)))
            .collect()
    }

    /// The node has left: it hears nothing more.
    pub(crate) fn close(&self, node: NodeId) {
        let inbox = self.nodes().remove(&node);
        if let Some(inbox) = inbox {
            inbox.close();
        }
    }

    pub(crate) fn close_all(&self) {
        let inboxes = std::mem::take(&mut *self.nodes());
        for inbox in inboxes.values() {
            inbox.close();
        }
    }

    /// Tells every node of a project.
    pub(crate) fn tell_all(&self, scope: ScopeId, news: News) {
        for (_, inbox) in self.all() {
            if inbox.scope == scope {
                inbox.tell(news);
            }
        }
    }

    fn nodes(&self) -> MutexGuard<'_, BTreeMap<NodeId, Arc<Inbox>>> {
        // Nothing here panics while it holds the lock half-changed.
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inbox {
    pub(crate) fn tell(&self, news: News) {
        let mut state = self.state();
        if let News::Log { run, head } = news {
            let told_before = |told: &News| matches!(told, News::Log { run: of, head: at } if *of == run && *at <= head);
            state.news.retain(|told| !told_before(told));
        }
        state.news.insert(news);
        drop(state);
        self.changed.notify_waiters();
    }

    pub(crate) fn lives_until(&self, at: Timestamp) {
        self.state().lives_until = at;
    }

    pub(crate) fn leaves(&self) {
        self.state().leaves = true;
    }

    /// True where the node has said lately that it lives, and does not leave.
    pub(crate) fn lives(&self, now: Timestamp) -> bool {
        let state = self.state();
        now < state.lives_until && !state.leaves && !state.closed
    }

    /// What the node was not told before, as soon as there is something.
    pub(crate) async fn heard(&self) -> Result<Vec<News>, StoreError> {
        loop {
            let mut changed = pin!(self.changed.notified());
            // What comes from here on is not missed.
            changed.as_mut().enable();
            if let Some(heard) = self.take() {
                return heard;
            }
            changed.await;
        }
    }

    fn take(&self) -> Option<Result<Vec<News>, StoreError>> {
        let mut state = self.state();
        if state.closed {
            return Some(Err(has_left()));
        }
        let news = std::mem::take(&mut state.news);
        (!news.is_empty()).then(|| Ok(news.into_iter().collect()))
    }

    fn close(&self) {
        self.state().closed = true;
        self.changed.notify_waiters();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn has_left() -> StoreError {
    StoreError::Closed {
        reason: "the node has left".to_owned(),
    }
}
