//! The short way: what concerns one run alone, which this process has written last, is judged by what
//! it remembers, and written by one statement in one round trip. Many runs share the statement.
//!
//! ```text
//!  remembered ──▶ judge each ──▶ change each row that is still the same, add its frames
//!                                   │
//!                                   └──▶ those that were not: the long way, where the rows are read
//! ```
//!
//! Nothing is refused from memory, and nothing is answered that was not written: whatever is not a
//! plain yes goes the long way.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use rewake_store::core::id::RunId;
use rewake_store::core::time::Timestamp;
use rewake_store::encode_row;

use crate::connect::{Lane, Param};
use crate::id::{Id, node, number, unsigned};
use crate::lookup::{Lookup, Plan};
use crate::remembered::Remembered;
use crate::request::{Request, Served};
use crate::row::{RunColumns, column, run_body, run_id};
use crate::sight::Sight;
use crate::sql::Sql;

/// A request, and the run for which it was judged by memory, if it was.
pub(crate) type Judged = (Box<dyn Request>, Option<RunId>);

/// What goes the short way, of requests in order.
pub(crate) struct Ahead {
    sight: Sight,
    /// The rows that it builds on, as they are stored if nobody else has written.
    before: BTreeMap<RunId, (i64, Vec<u8>)>,
    /// Runs that a request before is about which goes the long way.
    busy: BTreeSet<RunId>,
    /// True where a request before goes the long way to whichever run holds its token.
    tokens: bool,
}

impl Ahead {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            sight: Sight {
                now,
                ..Sight::default()
            },
            before: BTreeMap::new(),
            busy: BTreeSet::new(),
            tokens: false,
        }
    }

    /// Judges a request by memory, if that may be.
    pub(crate) fn judge(
        &mut self,
        mut request: Box<dyn Request>,
        remembered: &mut Remembered,
    ) -> Judged {
        let run = only_run(request.plan());
        let run = run.filter(|run| !self.busy.contains(run));
        if let Some(run) = run
            && self.recall(run, remembered)
        {
            self.sight.only = Some(run);
            if let Served::Yes = request.serve(&mut self.sight)
                && self.sight.runs.has_changed(&run)
            {
                return (request, Some(run));
            }
        }
        self.wait_for(request.plan());
        (request, None)
    }

    /// Looks at a run as it is remembered; false where it is not, or where a token may lead to it
    /// that is on its way.
    fn recall(&mut self, run: RunId, remembered: &mut Remembered) -> bool {
        let Some(row) = remembered.get(run) else {
            return false;
        };
        if self.tokens && row.live_hooks > 0 {
            return false;
        }
        if let Entry::Vacant(place) = self.before.entry(run) {
            place.insert((node(row.node), run_body(&row)));
            self.sight.logs.insert(run, Ok((row.head, Vec::new())));
            self.sight.runs.see(run, Ok(Some(row)));
        }
        true
    }

    /// Requests behind this one must not overtake it.
    fn wait_for(&mut self, plan: &Plan) {
        for lookup in plan {
            match lookup {
                Lookup::Held(run) | Lookup::Run(run) | Lookup::ParentOf(run) => {
                    self.busy.insert(*run);
                }
                Lookup::Holder(..) | Lookup::Token(..) => self.tokens = true,
                Lookup::Frames(..)
                | Lookup::Key(..)
                | Lookup::Keys(..)
                | Lookup::Forgets(..)
                | Lookup::StartKey(..)
                | Lookup::Owed(..)
                | Lookup::Chunk(..)
                | Lookup::Mail(..)
                | Lookup::MailSize(_)
                | Lookup::MailSizeOfToken(..)
                | Lookup::ExpiredMail(..) => {}
            }
        }
    }

    /// Writes what was judged, and answers which runs were still as they were remembered.
    pub(crate) async fn write(
        mut self,
        lane: &Lane,
        remembered: &mut Remembered,
    ) -> Result<Written, tokio_postgres::Error> {
        let (rows, _) = self.sight.runs.changes();
        let frames = std::mem::take(&mut self.sight.new_frames);
        let ids: Vec<_> = rows.iter().map(|(run, _)| Id::from(*run)).collect();
        let before = rows.iter().map(|(run, _)| self.before.remove(run));
        let (node_before, before): (Vec<_>, Vec<_>) = before.map(Option::unzip).unzip();
        let columns: Vec<_> = rows.iter().map(|(_, row)| RunColumns::of(row)).collect();
        let nodes: Vec<_> = columns.iter().map(|columns| columns.node).collect();
        let workflows: Vec<_> = columns.iter().map(|columns| columns.workflow).collect();
        let wake_at: Vec<_> = columns.iter().map(|columns| columns.wake_at).collect();
        let parked: Vec<_> = columns.iter().map(RunColumns::parked).collect();
        let bodies: Vec<_> = rows.iter().map(|(_, row)| run_body(row)).collect();
        let of: Vec<_> = frames.iter().map(|(run, _)| Id::from(*run)).collect();
        let first = frames.iter().map(|(_, frame)| number(frame.first.0));
        let first: Vec<_> = first.collect();
        let log: Vec<_> = frames.iter().map(|(_, frame)| encode_row(frame)).collect();
        let params: [Param<'_>; 11] = [
            &ids,
            &node_before,
            &before,
            &nodes,
            &workflows,
            &wake_at,
            &parked,
            &bodies,
            &of,
            &first,
            &log,
        ];
        // What is not said to have moved is looked at again.
        for (run, _) in &rows {
            remembered.forget(*run);
        }
        let moved = lane.rows(Sql::WriteAhead, &params).await?;
        let mut written = Written::default();
        for row in &moved {
            if let (Ok(run), Ok(said)) = (run_id(row, 0), column(row, 1)) {
                written.runs.insert(run);
                written.at = Some(Timestamp::from_millis(unsigned(said)));
            }
        }
        for (run, row) in rows {
            if written.runs.contains(&run) {
                remembered.put(run, row);
            }
        }
        Ok(written)
    }
}

/// What was written the short way.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) runs: BTreeSet<RunId>,
    /// The database's time.
    pub(crate) at: Option<Timestamp>,
}

/// The one run that a request is about, where it needs nothing else.
fn only_run(plan: &Plan) -> Option<RunId> {
    let mut only = None;
    for lookup in plan {
        match lookup {
            Lookup::Held(run) if only.is_none() => only = Some(*run),
            Lookup::Frames(run, _) if only == Some(*run) => {}
            _ => return None,
        }
    }
    only
}
