//! The world outside, pretended: a warehouse, a bank and a courier that share a ledger.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rewake::step_metadata;

/// A warehouse, a bank and a courier. Like real ones they take an idempotency key, and do nothing
/// twice under one.
#[derive(Clone, Debug)]
pub struct World {
    ledger: Arc<Mutex<PathBuf>>,
}

impl World {
    /// The world that belongs to a database: its ledger is the file beside it.
    pub fn beside(db: &Path) -> Self {
        Self {
            ledger: Arc::new(Mutex::new(db.with_extension("ledger"))),
        }
    }

    /// Does something for an order, unless the step that asks has had it done in an earlier attempt.
    pub(crate) fn once(&self, deed: &str, order: u32, said: &str) -> anyhow::Result<()> {
        let key = step_metadata().step_id.to_string();
        let path = self.lock();
        let (mut ledger, written) = open(&path)?;
        if !written.contains(&key) {
            writeln!(ledger, "{deed} {order} under {key}")?;
            say(order, said);
        }
        Ok(())
    }

    /// Takes a deed back, if it was ever done.
    pub(crate) fn take_back(
        &self,
        deed: &str,
        back: &str,
        order: u32,
        said: &str,
    ) -> anyhow::Result<()> {
        if self.has_done(deed, order)? {
            return self.once(back, order, said);
        }
        say(order, &format!("{back}: nothing to take back"));
        Ok(())
    }

    /// The courier never answers a first call, so that the attempt runs out of time.
    pub(crate) async fn call_the_courier(&self, order: u32) {
        let attempt = step_metadata().attempt;
        say(order, &format!("the courier is called (attempt {attempt})"));
        if attempt == 1 {
            std::future::pending::<()>().await;
        }
    }

    fn has_done(&self, deed: &str, order: u32) -> std::io::Result<bool> {
        let (_, written) = open(&self.lock())?;
        let line = format!("{deed} {order} under ");
        Ok(written.lines().any(|done| done.starts_with(&line)))
    }

    /// One at a time, or two would both find that nothing is written.
    fn lock(&self) -> MutexGuard<'_, PathBuf> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The ledger, to be written on, and what is written in it.
fn open(path: &Path) -> std::io::Result<(File, String)> {
    let mut options = OpenOptions::new();
    let mut ledger = options.create(true).append(true).read(true).open(path)?;
    let mut written = String::new();
    ledger.read_to_string(&mut written)?;
    Ok((ledger, written))
}

/// Tells the person who runs the program what happens to an order.
#[expect(
    clippy::print_stdout,
    reason = "talking to the person is what this program is for"
)]
pub fn say(order: u32, what: &str) {
    println!("[order {order}] {what}");
}
