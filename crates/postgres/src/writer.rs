//! The one task that writes. It groups what has come into transactions, and finds its way back to a
//! database that was away.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, pending, select};
use rewake_store::StoreError;
use tokio_postgres::Error;

use crate::ahead::{Ahead, Judged};
use crate::batch::{self, Broken, Done, Ways};
use crate::connect::Lane;
use crate::counts::count;
use crate::fault::{Fault, said};
use crate::flight::{self, Flight, Sent};
use crate::lookup::Plan;
use crate::moves::Moved;
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
    pub(crate) lane: Option<Arc<Lane>>,
    /// What went out the short way, in order.
    pub(crate) flights: VecDeque<Flight>,
    /// What went out in vain and goes the long way.
    pub(crate) left: Vec<Box<dyn Request>>,
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
            let requests = self.take().await;
            if requests.is_empty() {
                self.farewell().await;
                return;
            }
            count(&self.ways.counters.requests, requests.len());
            self.go(requests).await;
        }
    }

    /// What has come since. While something is on its way, only as much as may follow it: what comes
    /// meanwhile shares a transaction.
    async fn take(&mut self) -> Vec<Box<dyn Request>> {
        loop {
            let may_follow = self.flights.len() < flight::MOST;
            let Some(first) = self.flights.front_mut() else {
                return self.tasks.take(MOST_REQUESTS, MOST_BYTES).await;
            };
            let full = async {
                if may_follow {
                    self.tasks.take_full(MOST_REQUESTS, MOST_BYTES).await
                } else {
                    pending().await
                }
            };
            let answer = match select(pin!(full), pin!(first.answered())).await {
                Either::Left((requests, _)) => return requests,
                Either::Right((answer, _)) => answer,
            };
            self.land(answer);
            if !self.left.is_empty() {
                self.settle().await;
            }
        }
    }

    /// Sends what can go the short way, and serves the rest.
    async fn go(&mut self, requests: Vec<Box<dyn Request>>) {
        let (mut ahead, mut judged) = self.judge(requests);
        if !self.flights.is_empty() && judged.iter().any(|(_, run)| run.is_none()) {
            // It may be about what is on its way, and is judged again when that is settled.
            ahead.give_back(&mut self.remembered);
            self.settle().await;
            (ahead, judged) = self.judge(requests_of(judged));
        }
        let rest = self.send(ahead, judged).await;
        if !rest.is_empty() {
            self.settle().await;
            self.serve_all(rest).await;
        }
    }

    /// Judges requests by memory, as far as the time is known.
    fn judge(&mut self, requests: Vec<Box<dyn Request>>) -> (Ahead, Vec<Judged>) {
        let now = self.ways.clock.as_ref().map(|now| now());
        let now = now.or_else(|| self.pulse.now());
        let mut ahead = Ahead::new(now.unwrap_or_default());
        let judge = |request| match now {
            Some(_) => ahead.judge(request, &mut self.remembered),
            None => (request, None),
        };
        let judged = requests.into_iter().map(judge).collect();
        (ahead, judged)
    }

    /// Sends what was judged by memory, and gives the others back.
    async fn send(&mut self, ahead: Ahead, judged: Vec<Judged>) -> Vec<Box<dyn Request>> {
        let lane = if judged.iter().any(|(_, run)| run.is_some()) {
            reached(&mut self.lane, &self.reach).await.ok()
        } else {
            None
        };
        let Some(lane) = lane else {
            // If that is because there is no connection, the long way says so.
            ahead.give_back(&mut self.remembered);
            return requests_of(judged);
        };
        let moves = ahead.into_moves(&mut self.remembered);
        let (mut sent, mut rest) = (Vec::new(), Vec::new());
        for (request, run) in judged {
            match run {
                Some(run) => sent.push((request, run)),
                None => rest.push(request),
            }
        }
        count(&self.ways.counters.round_trips, 1);
        self.flights.push_back(Flight::begin(lane, moves, sent));
        rest
    }

    /// Waits for everything that is on its way, and serves what went out in vain.
    async fn settle(&mut self) {
        while let Some(first) = self.flights.front_mut() {
            let answer = first.answered().await;
            self.land(answer);
        }
        let left = std::mem::take(&mut self.left);
        self.serve_all(left).await;
    }

    /// Answers what was written by the first that is on its way.
    fn land(&mut self, answer: Result<Moved, Error>) {
        let Some(Flight { requests, lane, .. }) = self.flights.pop_front() else {
            return;
        };
        match answer {
            Ok(moved) => self.landed(requests, moved),
            Err(error) if Fault::of(&error) == Fault::Lost => {
                self.lane.take_if(|current| Arc::ptr_eq(current, &lane));
                let reason = said(&error);
                let unknown = StoreError::OutcomeUnknown { reason };
                let requests = requests.into_iter().map(|(request, _)| request);
                refuse_all(requests.collect(), &unknown);
            }
            Err(_) => {
                count(&self.ways.counters.undone, 1);
                let requests = requests.into_iter().map(|(request, _)| request);
                self.left.extend(requests);
            }
        }
    }

    fn landed(&mut self, requests: Sent, moved: Moved) {
        if let Some(at) = moved.at {
            count(&self.ways.counters.commits, 1);
            self.pulse.hear(at);
        }
        let mut written = Vec::with_capacity(requests.len());
        for (request, run) in requests {
            if moved.runs.contains_key(&run) {
                written.push(request);
            } else {
                self.left.push(request);
            }
        }
        for (run, known) in moved.runs {
            self.remembered.put(run, known);
        }
        self.answer(written);
    }

    /// Serves requests the long way.
    async fn serve_all(&mut self, requests: Vec<Box<dyn Request>>) {
        let mut groups = VecDeque::new();
        if !requests.is_empty() {
            groups.push_back(requests);
        }
        while let Some(group) = groups.pop_front() {
            let apart = self.serve(group).await;
            groups.extend(apart.into_iter().map(|request| vec![request]));
        }
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
async fn reached<'l>(
    lane: &'l mut Option<Arc<Lane>>,
    reach: &Reach,
) -> Result<&'l Arc<Lane>, StoreError> {
    lane.take_if(|lane| lane.is_lost());
    let reached = match lane.take() {
        Some(lane) => lane,
        None => Arc::new(reach.lane().await?),
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
