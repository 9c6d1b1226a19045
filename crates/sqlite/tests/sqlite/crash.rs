//! Processes that die, and disks that fail: what was acknowledged is there.

use std::collections::BTreeMap;
use std::path::Path;

use futures::executor::block_on;
use rewake_sqlite::{Options, SqliteStore};
use rewake_store::Queries;
use rewake_store::core::id::RunId;

use super::child::Process;
use super::clock;
use super::log::{Run, path_in, scope};

type Acknowledged = BTreeMap<RunId, u64>;

fn note(acknowledged: &mut Acknowledged, line: &str) {
    // The last line may have been cut by the kill.
    let Some(("written", rest)) = line.split_once(' ') else {
        return;
    };
    let Some((run, position)) = rest.split_once(' ') else {
        return;
    };
    if let (Ok(run), Ok(position)) = (run.parse(), position.parse::<u64>()) {
        let last = acknowledged.entry(run).or_default();
        *last = position.max(*last);
    }
}

fn everything_is_there(path: &Path, acknowledged: &Acknowledged) {
    let store = SqliteStore::open(Options::new(path, clock::ticking())).unwrap();
    let scope = scope(&store);
    for (id, position) in acknowledged {
        let row = block_on(store.run(scope, *id)).unwrap().unwrap();
        assert!(row.head.0 >= *position, "{id}: {} is there", row.head);
        let run = Run {
            store: &store,
            scope,
            id: *id,
        };
        let frames = run.frames();
        assert_eq!(frames.last().unwrap().last(), row.head);
        assert_eq!(frames.len() as u64, row.head.0 - 1);
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let path = path_in(&directory);
    let mut acknowledged = Acknowledged::new();
    for round in 1..=3 {
        let mut process = Process::start("write", &path);
        let mut seen = 0;
        while seen < 400 * round {
            let line = process.lines.next().unwrap().unwrap();
            seen += usize::from(line.starts_with("written"));
            note(&mut acknowledged, &line);
        }
        process.kill();
        for line in process.lines.by_ref().map_while(Result::ok) {
            note(&mut acknowledged, &line);
        }
        everything_is_there(&path, &acknowledged);
    }
    assert_eq!(acknowledged.len(), 24);
}

#[cfg(unix)]
#[test]
fn a_disk_that_fails_shuts_the_store_and_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = path_in(&directory);
    let mut acknowledged = Acknowledged::new();
    let mut process = Process::start_limited("write until it fails", &path, 4096);
    let failed = loop {
        let line = process.lines.next().unwrap().unwrap();
        note(&mut acknowledged, &line);
        if let Some(code) = line.strip_prefix("failed ") {
            break code.to_owned();
        }
    };
    assert_eq!(failed, "OUTCOME_UNKNOWN");
    assert_eq!(process.next("later"), "STORE_CLOSED");
    drop(process);
    assert!(acknowledged.values().all(|position| *position > 5));
    everything_is_there(&path, &acknowledged);
}
