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

/// The right to write to a store; gone when it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
    /// True where somebody held it before: the store has existed.
    pub(crate) held_before: bool,
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
        let held_before = sign(&mut file).map_err(unopenable)?;
        Ok(Self {
            _file: file,
            held_before,
        })
    }
}

/// Who holds the lock, or held it last.
pub(crate) fn holder(path: &Path) -> Holder {
    let text = std::fs::read_to_string(beside(path, "-lock")).unwrap_or_default();
    let (process, program) = text.trim_end().split_once(' ').unwrap_or((&text, ""));
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

/// Writes who holds the lock, and answers whether somebody had done so before.
fn sign(file: &mut File) -> io::Result<bool> {
    let mut before = String::new();
    file.read_to_string(&mut before)?;
    let program = std::env::current_exe()
        .ok()
        .and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .unwrap_or_default();
    file.rewind()?;
    file.set_len(0)?;
    writeln!(file, "{} {program}", std::process::id())?;
    Ok(!before.is_empty())
}

/// Waits on a channel that nobody sends to: exactly the time, without spinning. The kernel has no
/// lock that one can wait for with a bound.
fn pause() {
    let (held, never) = mpsc::channel::<()>();
    let timed_out = never.recv_timeout(PAUSE);
    drop(held);
    debug_assert!(timed_out.is_err(), "nobody sends");
}
