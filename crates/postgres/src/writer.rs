//! The one task that writes. It groups what has come into transactions, and finds its way back to a
//! database that was away.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rewake_store::StoreError;

use crate::batch::{self, Broken, Ways};
use crate::connect::Lane;
use crate::counts::count;
use crate::lookup::Plan;
use crate::queue::Queue;
use crate::reach::Reach;
use crate::request::Request;

/// How much of what waits goes into one transaction.
const MOST_REQUESTS: usize = 256;
const MOST_BYTES: usize = 4 << 20;

/// How often requests that stand in each other's way, or in that of other nodes, are tried together
/// before each is tried alone, and how often that is done.
const TOGETHER: u32 = 2;
const ALONE: u32 = 8;

pub(crate) struct Writer {
    pub(crate) tasks: Arc<Queue<Box<dyn Request>>>,
    pub(crate) reach: Arc<Reach>,
    pub(crate) ways: Ways,
    pub(crate) lane: Option<Lane>,
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
                return;
            }
            count(&self.ways.counters.requests, requests.len());
            let mut groups = VecDeque::from([requests]);
            while let Some(group) = groups.pop_front() {
                let apart = self.serve(group).await;
                groups.extend(apart.into_iter().map(|request| vec![request]));
            }
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
            let Err(broken) = done else {
                requests.into_iter().for_each(answer);
                return Vec::new();
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

fn refuse_all(requests: Vec<Box<dyn Request>>, error: &StoreError) {
    for request in requests {
        shield(|| request.refuse(error.clone()));
    }
}

fn answer(request: Box<dyn Request>) {
    shield(|| request.answer());
}

/// Whoever is woken by an answer may panic here; the store goes on.
fn shield(act: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(act)) {
        drop(panic);
    }
}
