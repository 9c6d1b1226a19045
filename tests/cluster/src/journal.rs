//! A process's own record: on stable storage before the process goes on.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// The record of one process. What is noted is printed as well, for whoever watches.
#[derive(Clone, Debug)]
pub struct Journal(Arc<Mutex<File>>);

impl Journal {
    /// Opens it, and makes it where it is missing.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened.
    pub fn open(path: impl AsRef<Path>) -> std::io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self(Arc::new(Mutex::new(file))))
    }

    /// Adds a line, syncs it, and says it.
    ///
    /// # Errors
    ///
    /// If the line cannot be written; it counts as not noted.
    pub fn note(&self, line: &str) -> std::io::Result<()> {
        {
            let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            file.write_all(format!("{line}\n").as_bytes())?;
            file.sync_data()?;
        }
        say(line);
        Ok(())
    }
}

/// Says something to whoever watches.
#[expect(
    clippy::print_stdout,
    reason = "the test that started this process listens"
)]
pub fn say(line: &str) {
    println!("{line}");
}
