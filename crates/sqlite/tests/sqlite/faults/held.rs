//! A sync takes long. Meanwhile what it is about is written and could be seen, and nobody is answered
//! from it: no repeat, no refusal, no question.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use futures::FutureExt;
use futures::executor::block_on;
use rewake_sqlite::{Options, SqliteStore};
use rewake_store::{Append, Log};

use super::super::child::{Process, STORE, say};
use super::super::clock::Gate;
use super::super::log::{Run, event_id, path_in, payload, run_id, scope};
use super::disk::Plan;

/// Asks, and sees to it that the answer is what it must be.
type Ask<'a> = Box<dyn FnOnce() + Send + 'a>;

/// As long as this file is there, syncs take.
const HOLD: &str = "REWAKE_DISK_HOLD";
/// Who is answered from what is not synced is so within microseconds.
const A_WHILE: Duration = Duration::from_millis(100);

#[test]
fn nobody_is_answered_from_what_is_not_synced() {
    let directory = tempfile::tempdir().unwrap();
    let beside = tempfile::tempdir().unwrap();
    let path = directory.path().canonicalize().unwrap();
    let store = path.join(path_in(&directory).file_name().unwrap());
    let test = "faults::held::a_process_waits_for_its_disk";
    let mut process = Process::start_told(test, &store, |command| {
        Plan::default().below(command, &path, &beside.path().join("trace"));
        command.env(HOLD, beside.path().join("hold"));
    });
    let lines = process.lines.by_ref().map_while(Result::ok);
    let said: BTreeSet<String> = lines
        .filter(|line| line.starts_with("early") || line.starts_with("answered"))
        .collect();
    let answered = ["first", "frames", "refused", "repeat", "row"];
    let answered = answered.map(|what| format!("answered: {what}"));
    assert_eq!(said, BTreeSet::from(answered));
}

/// Does nothing unless it was started by the test above.
#[test]
fn a_process_waits_for_its_disk() {
    let (Some(path), Some(hold)) = (std::env::var_os(STORE), std::env::var_os(HOLD)) else {
        return;
    };
    let gate = Gate::new();
    let store = SqliteStore::open(Options::new(path, gate.now())).unwrap();
    let (scope, id) = (scope(&store), run_id());
    let run = Run {
        store: &store,
        scope,
        id,
    };
    block_on(store.create(run.creation())).unwrap();
    ask_while_held(&gate, run, &PathBuf::from(hold));
}

fn ask_while_held(gate: &Gate, run: Run<'_>, hold: &Path) {
    let step = run.step(&payload(100));
    let repeat = Append {
        repeat: true,
        ..step.clone()
    };
    let refused = Append {
        id: event_id(),
        ..step.clone()
    };
    let closed = gate.close();
    let mut first = run.append(step);
    closed.wait();
    // In line behind it, and so in the next transaction.
    let (repeat, refused) = (run.append(repeat), run.append(refused));
    std::fs::write(hold, "").unwrap();
    drop(closed);
    let held = PathBuf::from(format!("{}-held", hold.display()));
    while !held.exists() {
        if first.as_mut().now_or_never().is_some() {
            say("early: without a sync");
            return;
        }
        thread::yield_now();
    }

    let (told, answers) = channel();
    thread::scope(|threads| {
        let asks: [(&str, Ask<'_>); 5] = [
            ("first", Box::new(|| drop(block_on(first).unwrap()))),
            ("repeat", Box::new(|| drop(block_on(repeat).unwrap()))),
            ("refused", Box::new(|| drop(block_on(refused).unwrap_err()))),
            ("row", Box::new(|| assert_eq!(run.row().worker.0, 5))),
            ("frames", Box::new(|| assert_eq!(run.frames().len(), 2))),
        ];
        for (what, ask) in asks {
            let told = told.clone();
            threads.spawn(move || {
                ask();
                told.send(what).unwrap();
            });
        }
        // They have their own; with the last of them this hangs up.
        drop(told);
        if let Ok(what) = answers.recv_timeout(A_WHILE) {
            say(&format!("early: {what}"));
        }
        std::fs::remove_file(hold).unwrap();
        for what in answers {
            say(&format!("answered: {what}"));
        }
    });
}
