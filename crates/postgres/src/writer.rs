//! The one task that writes. It groups what has come into transactions, and finds its way back to a
//! database that was away.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use rewake_store::StoreError;

use crate::ahead::{Ahead, Judged, Written};
use crate::batch::{self, Broken, Done, Ways};
use crate::connect::Lane;
use crate::counts::count;
use crate::fault::{Fault, said};
use crate::lookup::Plan;
use crate::nodes::Crew;
use crate::pulse::Pulse;
use crate::queue::Queue;
use crate::reach::Reach;
use crate::remembered::Remembered;
use crate::request::Request;

/// How much of what waits goes into one transaction.
const MOST_REQUESTS: usize = 256;
const MOST_BYTES: usize = 4 << 20;

/// How often requests that stand in each other's way, or in that of other nodes, are tried together
/// before each is tried alone, and how often that is done.
const TOGETHER: u32 = 2;
const ALONE: u32 = 8;

/// How long the end of a store waits until other nodes were told what it has done.
const FAREWELL: Duration = Duration::from_secs(1);

pub(crate) struct Writer {
    pub(crate) tasks: Arc<Queue<Box<dyn Request>>>,
    pub(crate) reach: Arc<Reach>,
    pub(crate) ways: Ways,
    pub(crate) crew: Arc<Crew>,
    pub(crate) lane: Option<Lane>,
    pub(crate) remembered: Remembered,
    pub(crate) pulse: Arc<Pulse>,
}

/// What is done with requests whose transaction came to nothing.
enum Next {
    Again,
    OneByOne,
    Refuse(StoreError),
}

impl Writer {
    /// Serves until the store is closed.
    pub(crate) async fn run(mut self) {
        loop {
            let requests = self.tasks.take(MOST_REQUESTS, MOST_BYTES).await;
            if requests.is_empty() {
                self.farewell().await;
                return;
            }
            count(&self.ways.counters.requests, requests.len());
            let requests = self.ahead(requests).await;
            let mut groups = VecDeque::new();
            if !requests.is_empty() {
                groups.push_back(requests);
            }
            while let Some(group) = groups.pop_front() {
                let apart = self.serve(group).await;
                groups.extend(apart.into_iter().map(|request| vec![request]));
            }
        }
    }

    /// Serves the short way what can be, and gives the others back.
    async fn ahead(&mut self, requests: Vec<Box<dyn Request>>) -> Vec<Box<dyn Request>> {
        let now = self.ways.clock.as_ref().map(|now| now());
        let Some(now) = now.or_else(|| self.pulse.now()) else {
            return requests;
        };
        let mut ahead = Ahead::new(now);
        let judge = |request| ahead.judge(request, &mut self.remembered);
        let judged: Vec<_> = requests.into_iter().map(judge).collect();
        if judged.iter().all(|(_, run)| run.is_none()) {
            ahead.give_back(&mut self.remembered);
            return judged.into_iter().map(|(request, _)| request).collect();
        }
        let written = match reached(&mut self.lane, &self.reach).await {
            Ok(lane) => {
                count(&self.ways.counters.round_trips, 1);
                ahead.write(lane, &mut self.remembered).await
            }
            // The long way says so.
            Err(_) => Ok(Written::default()),
        };
        match written {
            Ok(written) => self.after_ahead(judged, &written),
            Err(error) if Fault::of(&error) == Fault::Lost => {
                self.lane = None;
                let reason = said(&error);
                let (sent, others) = judged.into_iter().partition(|(_, run)| run.is_some());
                let unknown = StoreError::OutcomeUnknown { reason };
                refuse_all(requests_of(sent), &unknown);
                requests_of(others)
            }
            Err(_) => {
                count(&self.ways.counters.undone, 1);
                requests_of(judged)
            }
        }
    }

    /// Answers what was written, and gives the others back.
    fn after_ahead(&mut self, judged: Vec<Judged>, written: &Written) -> Vec<Box<dyn Request>> {
        if let Some(at) = written.at {
            count(&self.ways.counters.commits, 1);
            self.pulse.hear(at);
        }
        let is_written = |(_, run): &Judged| run.is_some_and(|run| written.runs.contains(&run));
        let (written, others) = judged.into_iter().partition(is_written);
        self.answer(requests_of(written));
        requests_of(others)
    }

    /// Serves requests together, and gives those back that must be served one by one.
    async fn serve(&mut self, mut requests: Vec<Box<dyn Request>>) -> Vec<Box<dyn Request>> {
        let plans = requests.iter().flat_map(|request| request.plan());
        let mut plan: Plan = plans.cloned().collect();
        let mut tries = 0;
        loop {
            let done = match reached(&mut self.lane, &self.reach).await {
                Ok(lane) => batch::commit(lane, &self.ways, &plan, &mut requests).await,
                Err(error) => {
                    refuse_all(requests, &error);
                    return Vec::new();
                }
            };
            let broken = match done {
                Ok(Done { held, at }) => {
                    self.pulse.hear(at);
                    for (run, row) in held {
                        self.remembered.put(run, row.into());
                    }
                    self.answer(requests);
                    return Vec::new();
                }
                Err(broken) => broken,
            };
            match self.after(broken, &mut plan, &mut tries, requests.len()) {
                Next::Again => {}
                Next::OneByOne => return requests,
                Next::Refuse(error) => {
                    refuse_all(requests, &error);
                    return Vec::new();
                }
            }
        }
    }

    /// Answers requests, and tells other nodes whatever it concerns them.
    fn answer(&self, requests: Vec<Box<dyn Request>>) {
        let mut concerns = Vec::new();
        for request in requests {
            shield(|| concerns.extend(request.answer()));
        }
        if !concerns.is_empty() {
            self.crew.tell(concerns);
        }
    }

    /// What other nodes are still to be told is told, if that is quick.
    async fn farewell(&self) {
        drop(tokio::time::timeout(FAREWELL, self.crew.tell_all()).await);
    }

    fn after(&mut self, broken: Broken, plan: &mut Plan, tries: &mut u32, many: usize) -> Next {
        *tries += 1;
        match broken {
            Broken::Wants(missed) => {
                plan.extend(missed);
                Next::Again
            }
            Broken::Undone(_) if many > 1 => Next::OneByOne,
            Broken::Undone(error) => Next::Refuse(error),
            Broken::Conflict(_) if many > 1 && *tries >= TOGETHER => Next::OneByOne,
            Broken::Conflict(error) if *tries >= ALONE => Next::Refuse(error),
            Broken::Conflict(_) => Next::Again,
            Broken::Lost(error) => {
                self.lane = None;
                if *tries >= ALONE {
                    Next::Refuse(error)
                } else {
                    Next::Again
                }
            }
            Broken::Unknown(reason) => {
                self.lane = None;
                Next::Refuse(StoreError::OutcomeUnknown { reason })
            }
        }
    }
}

/// The connection, or a new one where it is gone.
async fn reached<'l>(lane: &'l mut Option<Lane>, reach: &Reach) -> Result<&'l Lane, StoreError> {
    lane.take_if(|lane| lane.is_lost());
    let reached = match lane.take() {
        Some(lane) => lane,
        None => reach.lane().await?,
    };
    Ok(lane.insert(reached))
}

fn requests_of(judged: Vec<Judged>) -> Vec<Box<dyn Request>> {
    judged.into_iter().map(|(request, _)| request).collect()
}

fn refuse_all(requests: Vec<Box<dyn Request>>, error: &StoreError) {
    for request in requests {
        shield(|| request.refuse(error.clone()));
    }
}

/// Whoever is woken by an answer may panic here; the store goes on.
fn shield(act: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(act)) {
        drop(panic);
    }
}
