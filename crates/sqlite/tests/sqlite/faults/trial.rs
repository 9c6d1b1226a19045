//! A trial: a directory, and lives on it one after another, each on a disk with a plan.

use std::path::PathBuf;

use rewake_sqlite::Durability;
use tempfile::TempDir;

use super::super::child::Process;
use super::super::log::path_in;
use super::checker::{self, Complaint};
use super::disk::{Plan, Trace};
use super::life::{Course, Dice, LIFE};
use super::told::Told;

/// What the disk ends a process with when it cuts the power.
const CUT: i32 = 86;

pub(crate) struct Trial {
    directory: TempDir,
    pub(crate) told: Told,
}

impl Trial {
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            told: Told::default(),
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        // The store goes by the path without links, and the disk by its text.
        let directory = self.directory.path().canonicalize().unwrap();
        directory.join(path_in(&self.directory).file_name().unwrap())
    }

    /// Lives until the plan or the course ends it.
    pub(crate) fn live(&mut self, course: Course, plan: &Plan) -> Trace {
        self.live_seen(course, plan, |_| {})
    }

    /// The same, and shows what the life says while it goes on.
    pub(crate) fn live_seen(
        &mut self,
        course: Course,
        plan: &Plan,
        mut see: impl FnMut(&str),
    ) -> Trace {
        let path = self.path();
        let traces = tempfile::tempdir().unwrap();
        let trace = traces.path().join("trace");
        let mut process = Process::start_told("faults::life::a_process_lives", &path, |command| {
            plan.below(command, path.parent().unwrap(), &trace);
            command.env(LIFE, course.write());
        });
        self.told.begins();
        for line in process.lines.by_ref().map_while(Result::ok) {
            self.told.note(&line);
            see(&line);
        }
        let status = process.wait();
        let trace = Trace::read(&trace);
        assert_eq!(status.code(), Some(CUT), "{course:?} {plan:?} {trace:?}");
        let ended = self.told.ended || self.told.stale > 0;
        assert!(trace.was_cut || ended, "{course:?} {plan:?}");
        trace
    }

    /// What is not as it was told, when the store is opened without faults.
    pub(crate) fn complaints(&self) -> Vec<Complaint> {
        checker::complaints(&self.path(), &self.told)
    }

    /// Everything is as it was told.
    pub(crate) fn holds(&self, what: &dyn std::fmt::Debug) {
        let complaints = self.complaints();
        let late = &self.told.served_late;
        if !complaints.is_empty() || !late.is_empty() {
            // What is left can be looked at.
            let kept = std::env::temp_dir().join("rewake-fault");
            drop(std::fs::remove_dir_all(&kept));
            drop(std::fs::rename(self.directory.path(), &kept));
        }
        assert!(complaints.is_empty(), "{what:?}: {complaints:#?}");
        assert!(late.is_empty(), "{what:?}: served late: {late:#?}");
    }
}

/// The course of a life with this seed.
pub(crate) const fn course(seed: u64) -> Course {
    Course {
        seed,
        rounds: 20,
        durability: Durability::Full,
        // So little that the log is moved and begun anew in every life.
        wal_bytes: 256 << 10,
    }
}

/// What a life without faults does: where faults can be put.
pub(crate) fn measure(course: Course) -> Trace {
    let mut trial = Trial::new();
    let trace = trial.live(course, &Plan::default());
    trial.holds(&"without faults");
    assert!(trial.told.acknowledged() > 20, "{:?}", trial.told);
    trace
}

/// The seed of this run of the tests, and how many trials it makes where it picks some.
pub(crate) fn extent(usual: u64) -> (u64, u64) {
    let number = |key: &str| {
        let text = std::env::var_os(key)?;
        Some(text.to_str()?.parse().expect("a number"))
    };
    (
        number("REWAKE_FAULT_SEED").unwrap_or(1),
        number("REWAKE_FAULT_COUNT").unwrap_or(usual),
    )
}

/// Numbers from one to `last`, each about equally often.
pub(crate) fn picks(seed: u64, count: u64, last: u64) -> impl Iterator<Item = u64> {
    let mut dice = Dice(seed);
    (0..count).map(move |at| 1 + (at * last / count + dice.roll(last.div_ceil(count))) % last)
}
