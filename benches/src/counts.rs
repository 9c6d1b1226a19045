//! What can be counted: one operation after another, with marks between them.
//!
//! `rewake-bench counts` does the operations and says what the store counted. Beside that its caller
//! counts what cannot be seen from inside: syncs and bytes, through a library loaded before libc that
//! keeps them in a file, and instructions, through valgrind, which begins a new part at each
//! [`mark_of_counts`].

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use serde::Serialize;

use crate::notes::{self, WAITS};
use crate::place::Place;
use crate::still::StillWorld;

/// Where the library loaded before libc keeps its counters, if it is there.
const SYNCS: &str = "REWAKE_SYNCS";

static MARKS: AtomicU64 = AtomicU64::new(0);

/// Where one part of a profile ends and the next begins.
#[inline(never)]
pub(crate) fn mark_of_counts() {
    MARKS.fetch_add(1, Ordering::AcqRel);
}

fn marks() -> u64 {
    MARKS.load(Ordering::Acquire)
}

/// What was counted between two marks.
#[derive(Clone, Debug, Serialize)]
struct Section {
    name: &'static str,
    operations: u64,
    commits: u64,
    rows: u64,
    /// Zero where nobody counts them.
    syncs: u64,
    written: u64,
    /// The number of the mark that ends it, from one: valgrind's part of the same number holds it.
    mark: u64,
}

/// Does every operation, and gives what was counted as JSON. The long runs have `late` operations.
pub(crate) async fn run(parent: &Path, late: u64) -> Result<String> {
    let mut counts = Counts {
        place: Place::below(parent)?,
        syncs: std::env::var_os(SYNCS).map(PathBuf::from),
        sections: Vec::new(),
    };
    counts.starts().await?;
    counts.steps().await?;
    counts.waiting_and_resumes().await?;
    counts.late_steps(late).await?;
    counts.late_payloads(late).await?;
    Ok(serde_json::to_string(&counts.sections)?)
}

#[derive(Debug)]
struct Counts {
    place: Place,
    syncs: Option<PathBuf>,
    sections: Vec<Section>,
}

/// What had been counted at a mark.
#[derive(Clone, Copy, Debug, Default)]
struct At {
    commits: u64,
    rows: u64,
    syncs: u64,
    written: u64,
}

impl Counts {
    async fn world(&self, name: &str) -> Result<StillWorld> {
        StillWorld::open(&self.place.file(name)?).await
    }

    fn at(&self, world: &StillWorld) -> Result<At> {
        let counts = world.counts();
        let mut outside = [0; 2];
        if let Some(path) = &self.syncs {
            let bytes = std::fs::read(path)?;
            for (counter, bytes) in outside.iter_mut().zip(bytes.chunks_exact(8)) {
                *counter = u64::from_ne_bytes(bytes.try_into()?);
            }
        }
        Ok(At {
            commits: counts.commits,
            rows: counts.rows,
            syncs: outside[0],
            written: outside[1],
        })
    }

    fn begin(&self, world: &StillWorld) -> Result<At> {
        let at = self.at(world)?;
        mark_of_counts();
        Ok(at)
    }

    fn end(
        &mut self,
        name: &'static str,
        operations: u64,
        world: &StillWorld,
        before: At,
    ) -> Result<()> {
        mark_of_counts();
        let after = self.at(world)?;
        self.sections.push(Section {
            name,
            operations,
            commits: after.commits - before.commits,
            rows: after.rows - before.rows,
            syncs: after.syncs - before.syncs,
            written: after.written - before.written,
            mark: marks(),
        });
        Ok(())
    }

    /// From a start to the end of a run of one step.
    async fn starts(&mut self) -> Result<()> {
        const RUNS: u64 = 50;
        let world = self.world("starts").await?;
        let run = world.start("steps", (1_u64,)).await?;
        world.end_of(run).await?;
        let before = self.begin(&world)?;
        for _ in 0..RUNS {
            let run = world.start("steps", (1_u64,)).await?;
            world.end_of(run).await?;
        }
        self.end("start to finished", RUNS, &world, before)?;
        world.close().await
    }

    /// A hundred steps of one run, with its start and its end.
    async fn steps(&mut self) -> Result<()> {
        let world = self.world("steps").await?;
        let run = world.start("steps", (100_u64,)).await?;
        world.end_of(run).await?;
        let before = self.begin(&world)?;
        let run = world.start("steps", (100_u64,)).await?;
        world.end_of(run).await?;
        self.end("run of 100 steps", 1, &world, before)?;
        world.close().await
    }

    /// From a start until the run waits on its hook; then from a resume to its end.
    async fn waiting_and_resumes(&mut self) -> Result<()> {
        const RUNS: u64 = 50;
        let world = self.world("waiting").await?;
        notes::forget(RUNS + 1);
        let mut runs = Vec::new();
        let mut before = At::default();
        for n in 0..=RUNS {
            if n == 1 {
                before = self.begin(&world)?;
            }
            runs.push(world.start("waits", (n,)).await?);
            notes::until(WAITS + n).await;
        }
        self.end("start to waiting", RUNS, &world, before)?;
        for (n, run) in (0..).zip(runs) {
            if n == 1 {
                before = self.begin(&world)?;
            }
            world.resume(n).await?;
            world.end_of(run).await?;
        }
        self.end("resume to finished", RUNS, &world, before)?;
        world.close().await
    }

    /// A hundred steps early in a run, and a hundred late in it.
    async fn late_steps(&mut self, late: u64) -> Result<()> {
        let world = StillWorld::in_memory().await?;
        let before = marks();
        let run = world.start("marked_steps", (late,)).await?;
        world.end_of(run).await?;
        self.early_and_late(["early steps", "late steps"], before);
        world.close().await
    }

    /// A hundred payloads early in a run that receives many, and a hundred late.
    async fn late_payloads(&mut self, late: u64) -> Result<()> {
        let world = StillWorld::in_memory().await?;
        notes::forget(late);
        let before = marks();
        let run = world.start("collects", (late,)).await?;
        notes::until(WAITS).await;
        for n in 0..late {
            if matches!(n, 100 | 200) || n == late - 100 {
                mark_of_counts();
            }
            world.deliver("collects".to_owned(), n).await?;
            notes::until(n).await;
        }
        mark_of_counts();
        world.end_of(run).await?;
        self.early_and_late(["early payloads", "late payloads"], before);
        world.close().await
    }

    /// The four marks of a long run since `before`: round a hundred early operations, and a hundred late ones.
    fn early_and_late(&mut self, names: [&'static str; 2], before: u64) {
        for (name, mark) in names.into_iter().zip([before + 2, before + 4]) {
            self.sections.push(Section {
                name,
                operations: 100,
                commits: 0,
                rows: 0,
                syncs: 0,
                written: 0,
                mark,
            });
        }
    }
}
