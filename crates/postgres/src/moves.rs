//! The one statement of the short way: rows that are to change where they are still the same, and what is
//! added to their logs then.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rewake_store::RunRow;
use rewake_store::core::event::Position;
use rewake_store::core::id::RunId;
use rewake_store::core::time::Timestamp;

use crate::connect::{Lane, Param};
use crate::id::{Id, node, number, unsigned};
use crate::remembered::Known;
use crate::row::{RunColumns, run_body};
use crate::sql::Sql;

/// The server keeps what comes along with the rows for a moment; larger frames do not.
const ALONG: usize = 8 << 10;

/// The columns of the statement's parameters.
#[derive(Debug, Default)]
pub(crate) struct Moves {
    places: BTreeMap<RunId, usize>,
    rows: Vec<RunRow>,
    ids: Vec<Id>,
    node_before: Vec<i64>,
    before: Vec<Vec<u8>>,
    nodes: Vec<i64>,
    workflows: Vec<Vec<u8>>,
    wake_at: Vec<Option<i64>>,
    parked: Vec<Option<String>>,
    bodies: Vec<Vec<u8>>,
    /// The frame that comes along with each row.
    first: Vec<Option<i64>>,
    frames: Vec<Option<Vec<u8>>>,
    more: More,
}

/// Frames that come along with no row.
#[derive(Debug, Default)]
struct More {
    runs: Vec<Id>,
    first: Vec<i64>,
    frames: Vec<Vec<u8>>,
}

impl Moves {
    /// A row is to change, where it is still as it was.
    pub(crate) fn add(&mut self, run: RunId, before: Known, mut row: RunRow) {
        let columns = RunColumns::of(&row);
        self.nodes.push(columns.node);
        self.workflows.push(columns.workflow.to_vec());
        self.wake_at.push(columns.wake_at);
        self.parked.push(columns.parked());
        self.node_before.push(node(before.row.node));
        self.before.push(before.into_body());
        self.bodies.push(run_body(&mut row));
        self.first.push(None);
        self.frames.push(None);
        self.places.insert(run, self.ids.len());
        self.ids.push(Id::from(run));
        self.rows.push(row);
    }

    /// A frame is to be added, where the row of its run changes.
    pub(crate) fn add_frame(&mut self, run: RunId, first: Position, frame: Vec<u8>) {
        let first = number(first.0);
        let place = self.places.get(&run).copied();
        let place = place.filter(|at| self.first[*at].is_none() && frame.len() <= ALONG);
        if let Some(at) = place {
            self.first[at] = Some(first);
            self.frames[at] = Some(frame);
        } else {
            self.more.runs.push(Id::from(run));
            self.more.first.push(first);
            self.more.frames.push(frame);
        }
    }

    /// Carries the statement out, and answers which rows were still the same.
    pub(crate) async fn make(self, lane: Arc<Lane>) -> Result<Moved, tokio_postgres::Error> {
        let params: [Param<'_>; 13] = [
            &self.ids,
            &self.node_before,
            &self.before,
            &self.nodes,
            &self.workflows,
            &self.wake_at,
            &self.parked,
            &self.bodies,
            &self.first,
            &self.frames,
            &self.more.runs,
            &self.more.first,
            &self.more.frames,
        ];
        let said = lane.rows(Sql::WriteAhead, &params).await?;
        let mut moved = Moved::default();
        let Some(row) = said.first() else {
            return Ok(moved);
        };
        let runs: Option<Vec<Id>> = row.try_get(0)?;
        let runs: BTreeSet<_> = runs.into_iter().flatten().map(RunId::from).collect();
        if !runs.is_empty() {
            moved.at = Some(Timestamp::from_millis(unsigned(row.try_get(1)?)));
        }
        let known = self.into_known();
        moved.runs = known.filter(|(run, _)| runs.contains(run)).collect();
        Ok(moved)
    }

    /// The rows as they are where they have changed.
    fn into_known(self) -> impl Iterator<Item = (RunId, Known)> {
        let rows = self.rows.into_iter().zip(self.bodies);
        let known = rows.map(|(row, body)| Known::written(row, body));
        self.ids.into_iter().map(RunId::from).zip(known)
    }
}

/// What was still as it was remembered, and is written.
#[derive(Debug, Default)]
pub(crate) struct Moved {
    pub(crate) runs: BTreeMap<RunId, Known>,
    /// The database's time, where anything was.
    pub(crate) at: Option<Timestamp>,
}
