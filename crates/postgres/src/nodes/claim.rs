//! Claims: what nobody who lives has becomes a node's, and what dead nodes have left is put in order.

use std::sync::PoisonError;
use std::time::Duration;

use futures_util::future::join4;
use rewake_store::core::event::Position;
use rewake_store::core::id::RunId;
use rewake_store::core::time::Timestamp;
use rewake_store::{Claimed, Lease, Leased, NodeId, RunRow, StoreError, WakeUp};
use tokio_postgres::Row;

use super::Crew;
use crate::connect::Param;
use crate::id::{Id, number, rows, scope, time};
use crate::page::due_at;
use crate::row::{body, column, run_id};
use crate::sql::Sql;

/// How often a process looks after what dead nodes have left, and how many rows it then moves.
const TIDY: Duration = Duration::from_mins(1);
const MOVED: usize = 2_000;
/// How many of its own runs a node finds again at once.
const AGAIN: usize = 1_024;
/// How long after its last beat nobody thinks any more that a node might come back.
const FORGOTTEN: Duration = Duration::from_hours(1);

impl Crew {
    pub(super) async fn claim(
        &self,
        node: NodeId,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Claimed>, StoreError> {
        let clock = self.clock().map(time);
        let (id, until, limit) = (number(node.0), time(until), rows(limit));
        let due: [Param<'_>; 4] = [&id, &until, &limit, &clock];
        let other: [Param<'_>; 3] = [&id, &limit, &clock];
        let again: [Param<'_>; 3] = [&id, &rows(AGAIN), &clock];
        let (due, parked, owed, again) = join4(
            self.hints.change(Sql::ClaimDue, &due),
            self.hints.change(Sql::ClaimParked, &other),
            self.hints.change(Sql::ClaimOwed, &other),
            self.hints.ask(Sql::FoundAgain, &again),
        )
        .await;
        let mut claimed = read(&due?)?;
        claimed.sort_by_key(|claimed| (claimed.at, claimed.run));
        let now = self.now().unwrap_or_default();
        for (found, is_in_order) in [(parked, false), (owed, false), (again, true)] {
            let mut at_once = match found {
                Ok(found) => read(&found)?,
                // What was claimed is this node's, and must not be forgotten because of the rest.
                Err(error) => {
                    tracing::warn!(%error, "not everything that nobody has could be claimed");
                    continue;
                }
            };
            if !is_in_order {
                at_once.sort_by_key(|claimed| claimed.run);
            }
            for claim in at_once {
                // A run is listed once, whatever it is claimed for.
                if claimed.iter().all(|before| before.run != claim.run) {
                    claimed.push(Claimed { at: now, ..claim });
                }
            }
        }
        self.tidy(node).await;
        Ok(claimed)
    }

    pub(super) async fn lease(&self, node: NodeId, run: RunId) -> Result<Lease, StoreError> {
        let clock = self.clock().map(time);
        let params: [Param<'_>; 3] = [&number(node.0), &Id::from(run), &clock];
        // Twice comes to the same as once.
        let found = self.readers.ask(Sql::Lease, &params).await?;
        match found.first() {
            Some(row) => Ok(Lease::Own {
                orphaned: column(row, 0)?,
            }),
            None => Ok(Lease::Elsewhere),
        }
    }

    pub(super) async fn leased(
        &self,
        node: NodeId,
        after: Option<WakeUp>,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Leased>, StoreError> {
        let (at, run) = after.map_or((-1, Id::NIL), |after| (time(after.at), after.run.into()));
        let params: [Param<'_>; 5] = [&number(node.0), &at, &run, &time(until), &rows(limit)];
        let found = self.readers.ask(Sql::Leased, &params).await?;
        let mut leased = Vec::with_capacity(found.len());
        for row in &found {
            let run = run_id(row, 1)?;
            let at = due_at(row, run)?;
            // The column cannot tell times apart that no clock reaches.
            if at <= until {
                let head = stored(row, 2, run).map_or(Position::START, |row| row.head);
                let wake_up = WakeUp { at, run };
                leased.push(Leased { wake_up, head });
            }
        }
        Ok(leased)
    }

    /// Makes sleepers of nodes that are dead for long nobody's, and forgets nodes that have nothing
    /// more. Claims look through all nodes that are known and dead, so these must stay few.
    async fn tidy(&self, node: NodeId) {
        let inbox = self.inboxes.get(node);
        let (Some(inbox), Some(now)) = (inbox, self.now()) else {
            return;
        };
        if !self.is_untidy(now) {
            return;
        }
        let of = scope(inbox.scope);
        let since = |span: Duration| {
            let span = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
            time(Timestamp::from_millis(now.as_millis().saturating_sub(span)))
        };
        let (dead, forgotten) = (since(TIDY), since(FORGOTTEN));
        let sleepers: [Param<'_>; 4] = [&of, &dead, &time(now), &rows(MOVED)];
        let nodes: [Param<'_>; 2] = [&of, &forgotten];
        for (sql, params) in [
            (Sql::DisownSleepers, &sleepers[..]),
            (Sql::ForgetNodes, &nodes[..]),
        ] {
            if let Err(error) = self.readers.change(sql, params).await {
                tracing::warn!(%error, "what dead nodes have left was not put in order");
            }
        }
    }

    fn is_untidy(&self, now: Timestamp) -> bool {
        let mut tidied = self.tidied.lock().unwrap_or_else(PoisonError::into_inner);
        let untidy = tidied.is_none_or(|at| now >= at.after(TIDY));
        if untidy {
            *tidied = Some(now);
        }
        untidy
    }
}

/// Reads `run, body, orphaned` of runs that were claimed.
fn read(found: &[Row]) -> Result<Vec<Claimed>, StoreError> {
    let read = |row: &Row| {
        let run = run_id(row, 0)?;
        let stored = stored(row, 1, run);
        Ok(Claimed {
            run,
            at: stored
                .as_ref()
                .and_then(|row| row.wake_at)
                .unwrap_or_default(),
            crashes: stored.map_or(0, |row| row.crashes),
            orphaned: column(row, 2)?,
        })
    };
    found.iter().map(read).collect()
}

/// The row of a run, if it can be read. One that is damaged must not keep the others: whoever drives
/// the run says what is wrong with it.
fn stored(row: &Row, place: usize, run: RunId) -> Option<RunRow> {
    let stored = body(row, place, &format!("run `{run}`"));
    stored
        .inspect_err(|error| tracing::error!(%error, "a run that is to be driven cannot be read"))
        .ok()
}
