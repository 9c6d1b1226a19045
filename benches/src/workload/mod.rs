//! The workloads: one file for each, in the order of the table in docs/performance.md.

mod growth;
mod payloads;
mod relaxed;
pub(crate) mod restart;
pub(crate) mod resume;
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
use crate::postgres;
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

/// Returns the workload of that name, or every one that wants nothing but a disk.
pub(crate) fn asked(name: Option<&str>) -> impl Iterator<Item = &'static Workload> {
    let all = ALL.iter().filter(move |_| name.is_none());
    let named = ALL
        .iter()
        .chain(ON_DEMAND)
        .filter(move |workload| Some(workload.name) == name);
    all.chain(named)
}

/// Returns the names of all workloads.
pub(crate) fn names() -> String {
    let names: Vec<_> = ALL
        .iter()
        .chain(ON_DEMAND)
        .map(|workload| workload.name)
        .collect();
    names.join(", ")
}

/// Workloads that want a server, and are done only when they are named.
const ON_DEMAND: &[Workload] = &[Workload {
    name: "postgres",
    run: |bench| Box::pin(postgres::run(bench)),
}];

/// Every workload that wants nothing but a disk.
const ALL: &[Workload] = &[
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
    Workload {
        name: "growth",
        run: |bench| Box::pin(growth::run(bench)),
    },
];
