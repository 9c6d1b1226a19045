//! The bound of the write-ahead log, while it is written to and read from all the time.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use futures::executor::block_on;
use futures::future::join_all;
use rewake_sqlite::{Durability, Options};
use rewake_store::Log;
use rewake_store::core::event::{Frame, Position};
use rusqlite::Connection;

use super::clock;
use super::log::{Run, Stage, beside, payload};

const BOUND: u64 = 64 << 20;

fn length(path: &Path) -> u64 {
    std::fs::metadata(beside(path, "-wal")).unwrap().len()
}

/// Writes this many bytes without a pause, and answers how long the log has ever been.
fn write(stage: &Stage, run: Run<'_>, bytes: usize) -> u64 {
    let payload = payload(64 << 10);
    let mut longest = 0;
    for _ in 0..bytes / (payload.len() * 16) {
        let group = (0..16).map(|_| run.deliver(&payload));
        for delivered in block_on(join_all(group)) {
            delivered.unwrap();
        }
        longest = length(&stage.path()).max(longest);
    }
    longest
}

/// Reads a log page by page, over and over.
fn page_through(run: Run<'_>, stop: &AtomicBool) -> usize {
    let mut pages = 0;
    let mut after = Position::START;
    while !stop.load(Ordering::Acquire) {
        let frames = run.store.frames(run.scope, run.id, after, 1 << 20);
        let frames = block_on(frames).unwrap();
        pages += 1;
        after = frames.last().map_or(Position::START, Frame::last);
    }
    pages
}

#[test]
fn it_stays_under_its_bound_while_readers_page_through() {
    let stage = Stage::relaxed();
    let run = stage.run();
    let stop = AtomicBool::new(false);
    let (longest, pages) = thread::scope(|threads| {
        let readers = [(); 2].map(|()| threads.spawn(|| page_through(run, &stop)));
        let longest = write(&stage, run, 256 << 20);
        stop.store(true, Ordering::Release);
        (longest, readers.map(|reader| reader.join().unwrap()))
    });
    assert!(longest <= BOUND, "the log had {longest} bytes");
    assert!(pages.iter().all(|pages| *pages > 1), "{pages:?} pages");
    let counts = stage.store.counts();
    assert!(counts.checkpoints > 2, "{counts:?}");
}

#[test]
fn writing_pauses_for_a_reader_that_holds_on_to_an_old_state() {
    const BOUND: u64 = 8 << 20;
    let stage = Stage::with(|path| {
        Options::new(path, clock::ticking())
            .durability(Durability::Relaxed)
            .wal_bytes(BOUND)
    });
    let run = stage.run();
    let reader = Connection::open(stage.path()).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let _: i64 = reader
        .query_row("SELECT count(*) FROM frames", [], |row| row.get(0))
        .unwrap();

    let longest = thread::scope(|threads| {
        let writing = threads.spawn(|| write(&stage, run, 32 << 20));
        while stage.store.counts().pauses == 0 {
            thread::yield_now();
        }
        reader.execute_batch("COMMIT").unwrap();
        writing.join().unwrap()
    });
    let counts = stage.store.counts();
    assert!(longest <= BOUND, "{longest} bytes, {counts:?}");
}
