//! Telling: whom a commit concerns hears of it, after the commit.

use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard, PoisonError};

use rewake_store::core::id::RunId;
use rewake_store::{Concern, News, NodeId, ScopeId, StoreError};

use super::ear::payload;
use super::{Crew, Place};
use crate::connect::Param;
use crate::id::{Id, node_of, number, scope, time, unsigned};
use crate::row::column;
use crate::sql::Sql;

/// What somebody is to be told.
#[derive(Clone, Copy)]
struct Told {
    scope: ScopeId,
    run: RunId,
    node: Option<NodeId>,
    news: News,
}

impl Told {
    fn of(concern: Concern) -> Self {
        match concern {
            Concern::Log {
                scope,
                run,
                head,
                node,
            } => Self {
                scope,
                run,
                // Nobody is told apart from somebody whom this does not know.
                node: Some(node.unwrap_or(NodeId(0))),
                news: News::Log { run, head },
            },
            Concern::Owed { scope, run } => Self {
                scope,
                run,
                node: None,
                news: News::Owed { run },
            },
        }
    }
}

impl Crew {
    /// Takes in whom a commit concerns. What is told meanwhile of the same run is told once.
    pub(crate) fn tell(self: &Arc<Self>, concerns: Vec<Concern>) {
        let mut waiting = self.concerns();
        let were_waiting = !waiting.is_empty();
        for concern in concerns {
            if !self.tell_here(concern) {
                waiting.insert(place(concern), concern);
            }
        }
        let must_go = !were_waiting && !waiting.is_empty();
        drop(waiting);
        if must_go {
            let crew = Arc::clone(self);
            tokio::spawn(async move { crew.tell_all().await });
        }
    }

    /// Tells a node of this process, which is known to live.
    fn tell_here(&self, concern: Concern) -> bool {
        let told = Told::of(concern);
        let inbox = told.node.and_then(|node| self.inboxes.get(node));
        let (Some(inbox), Some(now)) = (inbox, self.now()) else {
            return false;
        };
        let lives = inbox.lives(now);
        if lives {
            inbox.tell(told.news);
        }
        lives
    }

    /// Tells everything that waits. News are hints: those that cannot be told are found.
    pub(crate) async fn tell_all(&self) {
        let _turn = self.telling.lock().await;
        loop {
            let waiting = std::mem::take(&mut *self.concerns());
            if waiting.is_empty() {
                return;
            }
            let told: Vec<_> = waiting.into_values().map(Told::of).collect();
            if let Err(error) = self.tell_these(&told).await {
                tracing::debug!(%error, "other nodes were not told what was done");
            }
        }
    }

    async fn tell_these(&self, told: &[Told]) -> Result<(), StoreError> {
        let scopes: Vec<_> = told.iter().map(|told| scope(told.scope)).collect();
        let runs: Vec<_> = told.iter().map(|told| Id::from(told.run)).collect();
        let nodes = told.iter().map(|told| told.node.map(|node| number(node.0)));
        let nodes: Vec<_> = nodes.collect();
        let payloads: Vec<_> = told.iter().map(|told| payload(told.news)).collect();
        let own = self.inboxes.all().into_iter();
        let own: Vec<_> = own.map(|(node, _)| number(node.0)).collect();
        let clock = self.clock().map(time);
        let params: [Param<'_>; 7] = [
            &scopes,
            &runs,
            &nodes,
            &payloads,
            &clock,
            &own,
            &self.ear.prefix(),
        ];
        for row in self.hints.ask(Sql::Tell, &params).await? {
            let place = unsigned(column(&row, 0)?);
            let node: Option<i64> = column(&row, 1)?;
            let inbox = node
                .and_then(node_of)
                .and_then(|node| self.inboxes.get(node));
            let told = usize::try_from(place)
                .ok()
                .and_then(|place| told.get(place - 1));
            if let (Some(inbox), Some(told)) = (inbox, told) {
                inbox.tell(told.news);
            }
        }
        Ok(())
    }

    fn concerns(&self) -> MutexGuard<'_, BTreeMap<Place, Concern>> {
        self.concerns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn place(concern: Concern) -> Place {
    match concern {
        Concern::Log { run, .. } => (run, false),
        Concern::Owed { run, .. } => (run, true),
    }
}
