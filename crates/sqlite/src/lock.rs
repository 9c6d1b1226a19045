//! The kernel's lock that makes sure that one process writes.
//!
//! It is on a file of its own: closing any descriptor of the database file would drop the locks that
//! SQLite has on it. The kernel lets go when the process dies, however it dies; the file stays, since
//! removing it would let two processes hold locks on two files of one name.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use crate::connect::beside;
use crate::error::{Holder, OpenError};

const PAUSE: Duration = Duration::from_millis(20);
/// A line of the lock's file: the store was shut, because nobody knew what was on the disk.
const FAILED: &str = "failed";

/// The right to write to a store; gone when it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
    /// True where somebody held it before: the store has existed.
    pub(crate) held_before: bool,
    /// True where a holder before this one shut the store, and nobody has served it since.
    pub(crate) failed_before: bool,
}

impl Lock {
    /// Takes the lock, and waits for it if another has it.
    pub(crate) fn take(path: &Path, wait: Duration) -> Result<Self, OpenError> {
        let unopenable = |source| OpenError::Unopenable {
            path: path.to_owned(),
            source,
        };
        let mut file = open(path).map_err(unopenable)?;
        let mut waited = Duration::ZERO;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(source)) => return Err(unopenable(source)),
                Err(TryLockError::WouldBlock) if waited < wait => {
                    waited += PAUSE;
                    pause();
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(OpenError::InUse {
                        path: path.to_owned(),
                        holder: holder(path),
                    });
                }
            }
        }
        let mut before = String::new();
        file.read_to_string(&mut before).map_err(unopenable)?;
        let failed_before = before.lines().skip(1).any(|line| line.starts_with(FAILED));
        sign(&mut file, failed_before).map_err(unopenable)?;
        Ok(Self {
            file,
            held_before: !before.is_empty(),
            failed_before,
        })
    }

    /// What a failure may have left is put right.
    pub(crate) fn forgive(&mut self) -> io::Result<()> {
        if self.failed_before {
            sign(&mut self.file, false)?;
        }
        Ok(())
    }
}

/// Has the next holder know that this one shut the store. That it is not synced is no loss: what it is
/// about does not outlive the machine.
pub(crate) fn note_failure(path: &Path) {
    let file = OpenOptions::new().append(true).open(beside(path, "-lock"));
    // Where even that cannot be written, nothing can be done about it.
    let _unwritten = file.and_then(|mut file| file.write_all(format!("{FAILED}\n").as_bytes()));
}

/// Who holds the lock, or held it last.
pub(crate) fn holder(path: &Path) -> Holder {
    let text = std::fs::read_to_string(beside(path, "-lock")).unwrap_or_default();
    let text = text.lines().next().unwrap_or_default();
    let (process, program) = text.trim_end().split_once(' ').unwrap_or((text, ""));
    Holder {
        process: process.trim_end().parse().ok(),
        program: (!program.is_empty()).then(|| program.to_owned()),
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    private(&mut options);
    options.open(beside(path, "-lock"))
}

/// For the owner's eyes only: logs hold what users type.
pub(crate) fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _: &mut OpenOptions = options;
}

/// Writes who holds the lock, and whether one before it failed.
fn sign(file: &mut File, failed: bool) -> io::Result<()> {
    let program = std::env::current_exe()
        .ok()
        .and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .unwrap_or_default();
    let failed = if failed { FAILED } else { "" };
    let text = format!("{} {program}\n{failed}\n", std::process::id());
    // Over what is there, so that nothing of it is lost in between.
    file.rewind()?;
    file.write_all(text.as_bytes())?;
    file.set_len(text.len() as u64)
}

/// Waits on a channel that nobody sends to: exactly the time, without spinning. The kernel has no
/// lock that one can wait for with a bound.
fn pause() {
    let (held, never) = mpsc::channel::<()>();
    let timed_out = never.recv_timeout(PAUSE);
    drop(held);
    debug_assert!(timed_out.is_err(), "nobody sends");
}
