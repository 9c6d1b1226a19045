//! One transaction: requests judged in order of arrival, each against what those before it left.
//!
//! ```text
//!  BEGIN, locks, look-ups ──▶ judge each ──▶ writes, COMMIT        two round trips, whatever it holds
//!                               │    ▲
//!                   something is missing: written so far, and the look-ups for it
//! ```

use std::collections::BTreeSet;

use futures_util::future::{join, join_all};
use rewake_store::core::id::RunId;
use rewake_store::core::time::Timestamp;
use rewake_store::{RunRow, StoreError};
use tokio_postgres::Error;

use crate::connect::Lane;
use crate::counts::{Counters, count};
use crate::fault::{Fault, refusal, said};
use crate::fetch::{self, Question};
use crate::flush::{self, Change};
use crate::lookup::{Lookup, Plan};
use crate::options::Now;
use crate::request::{Request, Served};
use crate::sight::Sight;

/// Why a transaction came to nothing.
#[derive(Debug)]
pub(crate) enum Broken {
    /// It is undone: locks must be taken before others, and that they are needed turned out late.
    Wants(Plan),
    /// It is undone. Another transaction was in the way, and the same again may find its way.
    Conflict(StoreError),
    /// It is undone, and why.
    Undone(StoreError),
    /// The connection is gone, before anything could be committed.
    Lost(StoreError),
    /// The connection is gone, and the commit may or may not have happened.
    Unknown(String),
}

/// What transactions share.
pub(crate) struct Ways {
    pub(crate) schema: String,
    pub(crate) clock: Option<Now>,
    pub(crate) counters: std::sync::Arc<Counters>,
}

/// A transaction that is open.
struct Open<'b> {
    lane: &'b Lane,
    ways: &'b Ways,
    locks: BTreeSet<i64>,
    sight: Sight,
    wrote: bool,
}

/// What a transaction has left.
pub(crate) struct Done {
    /// The rows of the runs that it held.
    pub(crate) held: Vec<(RunId, RunRow)>,
    /// When it began, by the database's clock.
    pub(crate) at: Timestamp,
}

/// Serves requests in one transaction. Nobody has been answered yet.
pub(crate) async fn commit(
    lane: &Lane,
    ways: &Ways,
    plan: &Plan,
    requests: &mut [Box<dyn Request>],
) -> Result<Done, Broken> {
    let locks = |plan: &Plan| {
        plan.iter()
            .filter_map(|lookup| lookup.lock(&ways.schema))
            .collect()
    };
    let mut open = Open {
        lane,
        ways,
        locks: locks(plan),
        sight: Sight::default(),
        wrote: false,
    };
    let served = match open.begin(plan).await {
        Ok(()) => open.serve_all(requests).await,
        Err(broken) => Err(broken),
    };
    match served {
        Ok(()) => open.end().await,
        Err(broken) => {
            count(&ways.counters.undone, 1);
            if !matches!(broken, Broken::Lost(_)) {
                // Should the connection be gone by now, the next to use it finds out.
                drop(lane.say("ROLLBACK").await);
            }
            Err(broken)
        }
    }
}

impl Open<'_> {
    async fn begin(&mut self, plan: &Plan) -> Result<(), Broken> {
        let clock = self.ways.clock.as_ref().map(|now| now());
        let mut questions = vec![fetch::lock(self.locks.iter().copied().collect(), clock)];
        questions.extend(fetch::questions(plan, clock));
        let begin = self.lane.say("BEGIN");
        count(&self.ways.counters.round_trips, 1);
        let (begun, asked) = join(begin, fetch::ask_all(self.lane, questions)).await;
        begun.map_err(|error| undone(&error))?;
        self.note(asked)
    }

    async fn serve_all(&mut self, requests: &mut [Box<dyn Request>]) -> Result<(), Broken> {
        for request in requests {
            while let Served::Missed(missed) = request.serve(&mut self.sight) {
                self.look_up(missed).await?;
            }
        }
        Ok(())
    }

    /// Looks up what turned out to be missing, behind what was written so far.
    async fn look_up(&mut self, missed: Plan) -> Result<(), Broken> {
        let lock = |lookup: &Lookup| lookup.lock(&self.ways.schema);
        if !missed
            .iter()
            .filter_map(lock)
            .all(|lock| self.locks.contains(&lock))
        {
            return Err(Broken::Wants(missed));
        }
        let clock = self.ways.clock.as_ref().map(|_| self.sight.now);
        let changes = self.changes();
        let questions: Vec<Question> = fetch::questions(&missed, clock);
        count(&self.ways.counters.round_trips, 1);
        let made = join_all(changes.into_iter().map(|change| change.make(self.lane)));
        let (made, asked) = join(made, fetch::ask_all(self.lane, questions)).await;
        for made in made {
            made.map_err(|error| undone(&error))?;
        }
        self.note(asked)
    }

    fn note(&mut self, asked: Result<Vec<fetch::Asked>, Error>) -> Result<(), Broken> {
        for (note, rows) in asked.map_err(|error| undone(&error))? {
            note(&mut self.sight, &rows).map_err(Broken::Undone)?;
        }
        Ok(())
    }

    fn changes(&mut self) -> Vec<Change> {
        let changes = flush::changes(&mut self.sight);
        self.wrote |= !changes.is_empty();
        changes
    }

    fn done(&self) -> Done {
        Done {
            held: self.sight.stored().collect(),
            at: self.sight.now,
        }
    }

    async fn end(mut self) -> Result<Done, Broken> {
        let changes = self.changes();
        let lane = self.lane;
        count(&self.ways.counters.round_trips, 1);
        if !self.wrote {
            // Refusals and repeated answers only.
            let ended = lane.say("ROLLBACK").await;
            return match ended {
                Ok(()) => Ok(self.done()),
                Err(error) => Err(undone(&error)),
            };
        }
        let made = join_all(changes.into_iter().map(|change| change.make(lane)));
        let (made, committed) = join(made, lane.say("COMMIT")).await;
        let first = made
            .into_iter()
            .map(|made| made.map(drop))
            .chain([committed]);
        let done: Result<(), Error> = first.collect();
        match done {
            Ok(()) => {
                count(&self.ways.counters.commits, 1);
                Ok(self.done())
            }
            // The commit went out with the writes: once the connection is gone, nobody knows how far
            // the server came.
            Err(error) if Fault::of(&error) == Fault::Lost => Err(Broken::Unknown(said(&error))),
            // A server that answers with an error has undone the transaction.
            Err(error) => {
                count(&self.ways.counters.undone, 1);
                Err(undone(&error))
            }
        }
    }
}

/// What it means that a statement before the commit failed.
fn undone(error: &Error) -> Broken {
    match Fault::of(error) {
        Fault::Lost => Broken::Lost(refusal(error)),
        Fault::Conflict | Fault::Busy => Broken::Conflict(refusal(error)),
        Fault::Full | Fault::Damage | Fault::Refused => Broken::Undone(refusal(error)),
    }
}
