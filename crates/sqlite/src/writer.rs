//! The one thread that writes. It owns the connection, groups commits, and ends the store.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rewake_store::{Patience, StoreError};
use rusqlite::Connection;
use rusqlite::wal::CheckpointMode;

use crate::batch::{self, Broken, Source, Taken, refuse_all};
use crate::checkpoint::{Checkpoints, checkpoint};
use crate::connect::keep_wal;
use crate::counts::{Counters, count};
use crate::intake::Intake;
use crate::lanes::Most;
use crate::lock::Lock;
use crate::moment::began;
use crate::options::Now;
use crate::queue::{Caller, closed};
use crate::reader;
use crate::request::Task;
use crate::syncs::Syncs;
use crate::tables::Tables;

/// Why a store that ended in order takes nothing in.
pub(crate) const CLOSED: &str = "it was closed";

/// What the thread owns.
pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) now: Now,
    pub(crate) most: Most,
    pub(crate) patience: Patience,
    pub(crate) intake: Intake,
    pub(crate) counters: Arc<Counters>,
    /// None in memory.
    pub(crate) file: Option<Held>,
}

/// What there is only for a file.
pub(crate) struct Held {
    pub(crate) checkpoints: RefCell<Checkpoints>,
    /// None where nobody waits for the disk.
    pub(crate) syncs: Option<Syncs>,
    pub(crate) readers: Vec<JoinHandle<()>>,
    pub(crate) lock: Lock,
}

impl Writer {
    /// Serves until the store is closed or fails, lets go of everything, and says how it ended.
    pub(crate) fn run(self) -> Result<(), String> {
        let served = catch_unwind(AssertUnwindSafe(|| self.serve_all()));
        match served.unwrap_or_else(|_| Err("the writer panicked".to_owned())) {
            Ok(()) => self.end(),
            Err(reason) => {
                self.fail(&reason);
                Err(reason)
            }
        }
    }

    fn serve_all(&self) -> Result<(), String> {
        let mut tables = Tables::of_writer(&self.connection);
        let mut patience = self.patience.clone();
        let began = began();
        let mut last_commit = Duration::ZERO;
        loop {
            let tasks = &self.intake.tasks;
            tasks.look(&mut patience, || began.elapsed());
            let Some(mut share) = tasks.begin(self.most, last_commit) else {
                // A sync that is under way may have failed before this.
                let stable = self.intake.stable.as_ref();
                return stable.map_or(Ok(()), |stable| stable.wait());
            };
            let opened = began.elapsed();
            let mut full = opened;
            let mut questions = Vec::new();
            let mut source = || loop {
                full = began.elapsed();
                match tasks.next(&mut share, full.saturating_sub(opened))? {
                    (caller, Task::Write(request)) => {
                        count(&self.counters.requests, 1);
                        return Some((caller, request));
                    }
                    // It must not see what is not committed.
                    (_, Task::Read(question)) => questions.push(question),
                }
            };
            self.serve(&mut tables, &mut source)?;
            last_commit = began.elapsed().saturating_sub(full);
            (reader::look(&mut tables, questions).into_iter()).for_each(reader::answer);
            if let Some(file) = &self.file {
                let mut checkpoints = file.checkpoints.borrow_mut();
                checkpoints.after_commit(&self.connection)?;
            }
        }
    }

    /// Serves requests together; if that breaks, one by one.
    fn serve(&self, tables: &mut Tables<'_>, source: &mut Source<'_>) -> Result<(), String> {
        let mut taken = Taken::default();
        let done = self.commit(tables, source, &mut taken);
        match done {
            Err(Broken::Undone(_)) if taken.len() > 1 => self.serve_alone(tables, taken),
            Err(Broken::Undone(Some(error))) => {
                taken.refuse(&error);
                Ok(())
            }
            Err(Broken::Undone(None)) => self.settle(taken, 0),
            Ok(rows) => self.settle(taken, rows),
            Err(Broken::Failing(reason)) => {
                self.intake.shut(&reason);
                taken.refuse(&closed(&reason));
                Err(reason)
            }
            Err(Broken::Unknown(reason)) => Err(self.lose(taken, reason)),
        }
    }

    /// Answers what was judged, once that is on stable storage which it was judged against.
    fn settle(&self, taken: Taken, rows: u64) -> Result<(), String> {
        let Some(syncs) = self.file.as_ref().and_then(|file| file.syncs.as_ref()) else {
            taken.answer();
            return Ok(());
        };
        let alone = rows > 0 && taken.len() == 1 && self.intake.tasks.is_empty();
        let settled = syncs.settle(taken, alone);
        settled.map_err(|(taken, reason)| self.lose(taken, reason))
    }

    /// Nobody knows whether these were committed.
    fn lose(&self, taken: Taken, reason: String) -> String {
        let error = StoreError::OutcomeUnknown {
            reason: reason.clone(),
        };
        self.intake.shut(&reason);
        taken.refuse(&error);
        reason
    }

    fn serve_alone(&self, tables: &mut Tables<'_>, taken: Taken) -> Result<(), String> {
        let mut requests = taken.into_all();
        while let Some(request) = requests.next() {
            // Whose it is does not matter any more.
            let mut alone = Some((Caller::Worker, request));
            if let Err(reason) = self.serve(tables, &mut || alone.take()) {
                refuse_all(requests, &closed(&reason));
                return Err(reason);
            }
        }
        Ok(())
    }

    fn commit(
        &self,
        tables: &mut Tables<'_>,
        source: &mut Source<'_>,
        taken: &mut Taken,
    ) -> Result<u64, Broken> {
        let stable = self.intake.stable.as_deref();
        let rows = batch::commit(tables, &*self.now, source, taken, stable)?;
        count(&self.counters.commits, u64::from(rows > 0));
        count(&self.counters.rows, rows);
        Ok(rows)
    }

    /// After the last request: everything goes into the file, and the file is let go of.
    fn end(self) -> Result<(), String> {
        let Some(file) = self.file else {
            return Ok(());
        };
        if let Some(questions) = &self.intake.questions {
            questions.close(CLOSED);
        }
        let (lock, moved) = file.end();
        let moved = moved.and_then(|()| {
            checkpoint(&self.connection, CheckpointMode::TRUNCATE, &self.counters).map(drop)
        });
        let closed = keep_wal(&self.connection, moved.is_err())
            .and_then(|()| self.connection.close().map_err(|(_, error)| error));
        let ended = moved.and_then(|()| closed.map_err(|error| error.to_string()));
        if let Err(reason) = &ended {
            self.intake.shut(reason);
        }
        drop(lock);
        ended
    }

    /// After a failure: the files stay as they are, for the next opening to find out.
    fn fail(self, reason: &str) {
        self.intake.shut(reason);
        for task in self.intake.tasks.fail(reason) {
            match task {
                Task::Write(request) => refuse_all([request], &closed(reason)),
                Task::Read(question) => drop(question),
            }
        }
        let Some(file) = self.file else {
            return;
        };
        let (lock, _) = file.end();
        drop(self.connection);
        drop(lock);
    }
}

impl Held {
    /// Ends the other threads, which are asked nothing more, and leaves the lock to be let go of last. An
    /// error is one of moving the log that nobody has heard of yet.
    fn end(self) -> (Lock, Result<(), String>) {
        if let Some(syncs) = self.syncs {
            syncs.end();
        }
        let moved = self.checkpoints.into_inner().end();
        for reader in self.readers {
            // A reader that panicked has nothing to add.
            drop(reader.join());
        }
        (self.lock, moved)
    }
}
