//! The opening of a store: look, lock, make or migrate, recover, begin the threads.

use std::cell::RefCell;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::FutureExt;
use rewake_store::Durability;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags};

use crate::checkpoint::{Checkpoints, checkpoint};
use crate::connect::{self, beside, resolve, trouble};
use crate::counts::Counters;
use crate::create::{self, sync_names};
use crate::error::OpenError;
use crate::intake::Intake;
use crate::lanes::Most;
use crate::lock::{Lock, note_failure};
use crate::migrate;
use crate::options::{Options, Place};
use crate::queue::Queue;
use crate::reader;
use crate::request::Question;
use crate::stable::Stable;
use crate::store::{Inner, ToWriter};
use crate::syncs::Syncs;
use crate::writer::{Held, Writer};

const READERS: usize = 2;
/// Why the readers of a store that was not opened answer nothing.
const UNOPENED: &str = "it could not be opened";

pub(crate) fn open(options: &Options) -> Result<Inner, OpenError> {
    match &options.place {
        Place::Memory => in_memory(options),
        Place::File(path) if options.read_only => to_read(&resolve(path)?, options),
        Place::File(path) => to_write(&resolve(path)?, options),
    }
}

fn in_memory(options: &Options) -> Result<Inner, OpenError> {
    let path = Path::new(":memory:");
    let refused = |error| trouble(path, &error);
    let connection = connect::in_memory(options).map_err(refused)?;
    migrate::make(&connection).map_err(refused)?;
    let counters = Arc::<Counters>::default();
    let intake = Intake {
        tasks: Arc::new(Queue::new(options.queue_bytes)),
        questions: None,
        stable: None,
        path: None,
    };
    let writer = begin(path, options, connection, &counters, intake, None)?;
    Ok(Inner {
        path: None,
        writer: Some(writer),
        questions: None,
        counters,
        now: Arc::clone(&options.now),
    })
}

fn to_read(path: &Path, options: &Options) -> Result<Inner, OpenError> {
    let length = fs::metadata(path)
        .map_err(|error| unopenable(path, error))?
        .len();
    if length == 0 {
        return Err(OpenError::Damaged {
            path: path.to_owned(),
            detail: "it is empty".to_owned(),
        });
    }
    let found = migrate::inspect(path)?;
    if found < migrate::KNOWN {
        return Err(OpenError::Older {
            path: path.to_owned(),
            found,
            known: migrate::KNOWN,
        });
    }
    let questions = Arc::new(Queue::new(usize::MAX));
    begin_readers(path, &questions, None)?;
    Ok(Inner {
        path: Some(path.to_owned()),
        writer: None,
        questions: Some(questions),
        counters: Arc::default(),
        now: Arc::clone(&options.now),
    })
}

fn to_write(path: &Path, options: &Options) -> Result<Inner, OpenError> {
    // First without the lock and without a trace, so that a file of somebody else's stays alone.
    if fs::metadata(path).is_ok_and(|found| found.len() > 0) {
        migrate::inspect(path)?;
    }
    let mut lock = Lock::take(path, options.wait_for_store)?;
    if lock.failed_before && is_open_elsewhere(path, options.wait_for_store) {
        return Err(OpenError::Stale {
            path: path.to_owned(),
        });
    }
    create::ensure(path, lock.held_before)?;
    let counters = Arc::<Counters>::default();
    let mut connection = connect::to_write(path, options).map_err(|error| trouble(path, &error))?;
    if connection.is_readonly(MAIN_DB).unwrap_or(false) {
        return Err(unopenable(path, io::ErrorKind::PermissionDenied.into()));
    }
    migrate::migrate(path, &connection)?;
    // One that fails here is as one that fails later.
    recover(path, &connection, &counters).inspect_err(|_| note_failure(path))?;
    lock.forgive().map_err(|error| refused(path, &error))?;

    let own = connect::to_write(path, options).map_err(|error| trouble(path, &error))?;
    let questions = Arc::new(Queue::new(usize::MAX));
    let stable = (options.durability == Durability::Full).then(Arc::<Stable>::default);
    let readers = begin_readers(path, &questions, stable.as_ref())?;
    let checkpoints = Checkpoints::begin(
        &mut connection,
        own,
        path,
        options.wal_bytes,
        Arc::clone(&counters),
    )
    .inspect_err(|_| questions.close(UNOPENED))
    .map_err(|error| refused(path, &error))?;
    let intake = Intake {
        tasks: Arc::new(Queue::new(options.queue_bytes)),
        questions: Some(Arc::clone(&questions)),
        stable,
        path: Some(path.to_owned()),
    };
    let syncs = (intake.stable.as_ref())
        .map(|stable| {
            let (stable, intake) = (Arc::clone(stable), intake.clone());
            Syncs::begin(&connection, &beside(path, "-wal"), stable, intake)
        })
        .transpose()
        .inspect_err(|_| questions.close(UNOPENED))
        .map_err(|error| refused(path, &error))?;
    let held = Held {
        checkpoints: RefCell::new(checkpoints),
        syncs,
        readers,
        lock,
    };
    let writer = begin(path, options, connection, &counters, intake, Some(held))?;
    Ok(Inner {
        path: Some(path.to_owned()),
        writer: Some(writer),
        questions: Some(questions),
        counters,
        now: Arc::clone(&options.now),
    })
}

/// True where another connection has the file open, and with it keeps the index of the log, which may
/// know what a sync that failed has lost: frames that are gone, or pages of them that never reached
/// the file. Without one the index is made anew from the log.
fn is_open_elsewhere(path: &Path, wait: Duration) -> bool {
    let alone = || {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.busy_timeout(wait)?;
        connect::keep_wal(&connection, true)?;
        // Set before anything is read: it wants the file alone, and has an index of its own.
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
    };
    let asked: rusqlite::Result<()> = alone();
    // Whatever else is wrong with the file, opening it finds out.
    asked.is_err_and(|error| error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy))
}

/// Puts what a process before this one left in the write-ahead log on stable storage.
///
/// It may have died between a commit's write and its sync, or the sync may have failed. From here on
/// the commit is seen, and a repeated request is answered from it, so it must not be lost any more;
/// and its pages must not reach the file before it is safe itself.
fn recover(path: &Path, connection: &Connection, counters: &Counters) -> Result<(), OpenError> {
    match write_over(&beside(path, "-wal")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(refused(path, &error));
        }
        Ok(()) | Err(_) => {}
    }
    checkpoint(connection, CheckpointMode::TRUNCATE, counters).map_err(|reason| {
        OpenError::Backend {
            path: path.to_owned(),
            reason,
        }
    })?;
    // SQLite syncs the name of a new write-ahead log and does not look whether that succeeds.
    sync_names(path).map_err(|error| refused(path, &error))
}

/// Writes a file over with what is in it, and syncs it. A sync alone is not enough: pages whose sync
/// has failed before count as written, although they are in memory only.
fn write_over(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut part = vec![0; 1 << 20];
    let mut at = 0;
    loop {
        file.seek(SeekFrom::Start(at))?;
        let read = file.read(&mut part)?;
        if read == 0 {
            return file.sync_all();
        }
        file.seek(SeekFrom::Start(at))?;
        file.write_all(&part[..read])?;
        at += read as u64;
    }
}

fn begin_readers(
    path: &Path,
    questions: &Arc<Queue<Question>>,
    stable: Option<&Arc<Stable>>,
) -> Result<Vec<JoinHandle<()>>, OpenError> {
    let mut readers = Vec::with_capacity(READERS);
    for _ in 0..READERS {
        let begun = connect::to_read(path)
            .map_err(|error| trouble(path, &error))
            .and_then(|connection| {
                migrate::format(path, &connection)?;
                migrate::check_schema(path, &connection)?;
                reader::begin(connection, Arc::clone(questions), stable.cloned())
                    .map_err(|error| refused(path, &error))
            });
        match begun {
            Ok(thread) => readers.push(thread),
            Err(error) => {
                questions.close(UNOPENED);
                return Err(error);
            }
        }
    }
    Ok(readers)
}

fn begin(
    path: &Path,
    options: &Options,
    connection: Connection,
    counters: &Arc<Counters>,
    intake: Intake,
    file: Option<Held>,
) -> Result<ToWriter, OpenError> {
    let tasks = Arc::clone(&intake.tasks);
    let writer = Writer {
        connection,
        now: Arc::clone(&options.now),
        most: Most::beside(options.wal_bytes),
        patience: options.patience.clone(),
        intake,
        counters: Arc::clone(counters),
        file,
    };
    let (done, ended) = oneshot::channel();
    let (here, gone) = channel::<()>();
    reader::spawn("rewake-writer", move || {
        // Nobody may be waiting.
        drop(done.send(writer.run()));
        drop(here);
    })
    .map_err(|error| refused(path, &error))?;
    Ok(ToWriter {
        tasks,
        ended: ended.shared(),
        gone: Mutex::new(gone),
    })
}

fn unopenable(path: &Path, source: io::Error) -> OpenError {
    OpenError::Unopenable {
        path: path.to_owned(),
        source,
    }
}

fn refused(path: &Path, error: &io::Error) -> OpenError {
    OpenError::Backend {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}
