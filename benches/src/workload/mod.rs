//! The workloads: one file for each, in the order of the table in docs/performance.md.

mod payloads;
mod relaxed;
pub(crate) mod restart;
mod resume;
mod sequential;
mod sleepers;
mod start;
mod steps;
mod waiting;
mod webhook;

use std::fmt;
use std::pin::Pin;

use anyhow::Result;

use crate::bench::Bench;
use crate::report::Row;

/// What a workload's program gives.
type Rows<'b> = Pin<Box<dyn Future<Output = Result<Vec<Row>>> + 'b>>;

/// A workload by its name.
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) run: for<'b> fn(&'b Bench) -> Rows<'b>,
}

impl fmt::Debug for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workload")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Every workload.
pub(crate) const ALL: &[Workload] = &[
    Workload {
        name: "resume",
        run: |bench| Box::pin(resume::run(bench)),
    },
    Workload {
        name: "steps",
        run: |bench| Box::pin(steps::run(bench)),
    },
    Workload {
        name: "sequential",
        run: |bench| Box::pin(sequential::run(bench)),
    },
    Workload {
        name: "start",
        run: |bench| Box::pin(start::run(bench)),
    },
    Workload {
        name: "payloads",
        run: |bench| Box::pin(payloads::run(bench)),
    },
    Workload {
        name: "waiting",
        run: |bench| Box::pin(waiting::run(bench)),
    },
    Workload {
        name: "restart",
        run: |bench| Box::pin(restart::run(bench)),
    },
    Workload {
        name: "sleepers",
        run: |bench| Box::pin(sleepers::run(bench)),
    },
    Workload {
        name: "webhook",
        run: |bench| Box::pin(webhook::run(bench)),
    },
    Workload {
        name: "relaxed",
        run: |bench| Box::pin(relaxed::run(bench)),
    },
];
