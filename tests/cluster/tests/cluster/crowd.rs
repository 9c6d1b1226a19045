//! Ten thousand callers of `resume_or_start` at once, in three processes.

use std::collections::{BTreeMap, BTreeSet};

use rewake::{Rewake, RunId};
use rewake_cluster::workflows::Letter;

use crate::process::Process;
use crate::stage::Stage;

const PROCESSES: usize = 3;
const CALLS: usize = 10_000;
const TOKENS: usize = 100;
/// What a run of the variant reads before it ends; the letters of a token come out even.
const ROOM: usize = 5;

/// What a call was told: in which run its letter is.
type Told = BTreeMap<String, BTreeSet<String>>;

pub(crate) fn one_run_for_each_token() {
    let mut stage = Stage::new();
    let processes = call(&mut stage, 0);
    let told = told(&stage);
    assert_eq!(told.len(), TOKENS, "as many runs as tokens");
    stage.ask(async |rewake| {
        for number in 0..TOKENS {
            let hook = rewake
                .resume_hook(format!("basket:{number}"), &Letter::Enough)
                .await;
            assert!(hook.unwrap().is_some(), "the run waits for more");
        }
        check(rewake, &told, None).await;
    });
    processes.into_iter().for_each(Process::end);
}

pub(crate) fn every_payload_in_one_run() {
    let mut stage = Stage::new();
    let processes = call(&mut stage, ROOM);
    let told = told(&stage);
    stage.ask(async |rewake| check(rewake, &told, Some(ROOM)).await);
    processes.into_iter().for_each(Process::end);
}

/// Lets the processes call, and waits until each call has its answer.
fn call(stage: &mut Stage, room: usize) -> Vec<Process> {
    let (tokens, room) = (TOKENS.to_string(), room.to_string());
    let mut left = CALLS;
    let mut processes: Vec<_> = (0..PROCESSES)
        .map(|number| {
            // Each a multiple of the tokens: every token gets as many letters as any other.
            let calls = if number + 1 == PROCESSES {
                left
            } else {
                left.min(3_300)
            };
            left -= calls;
            let options = [
                ("--tokens", &*tokens),
                ("--calls", &*calls.to_string()),
                ("--letters", &room),
            ];
            stage.start("crowd", &format!("crowd-{number}"), &options)
        })
        .collect();
    for process in &mut processes {
        process.tell("go");
    }
    let mut done = 0;
    stage.watch.until("the end of every call", |said| {
        done += usize::from(said.line == "done");
        (done == PROCESSES).then_some(())
    });
    processes
}

/// What the calls were told, by run.
fn told(stage: &Stage) -> Told {
    let mut told = Told::new();
    let mut calls = 0;
    for line in stage.noted().values().flatten() {
        let words: Vec<_> = line.split(' ').collect();
        let ["admitted", _token, letter, run, _started] = *words else {
            panic!("an odd line: {line}");
        };
        told.entry(run.to_owned())
            .or_default()
            .insert(letter.to_owned());
        calls += 1;
    }
    assert_eq!(calls, CALLS, "each call has one answer");
    told
}

/// Every letter was read by one run, and none is unread. Where runs end by themselves, a letter
/// may have been read by a later run than the one that took it.
async fn check(rewake: &Rewake, told: &Told, room: Option<usize>) {
    let mut read = BTreeSet::new();
    let mut ended = BTreeSet::new();
    // The end of a run begins the next in the same transaction: once all that are there have ended,
    // and there is no other, there will be none.
    loop {
        let new: Vec<_> = all_runs(rewake).await.difference(&ended).copied().collect();
        if new.is_empty() {
            break;
        }
        for run in new {
            for letter in check_run(rewake, run, told, room).await {
                assert!(read.insert(letter.clone()), "{letter} was read twice");
            }
            ended.insert(run);
        }
    }
    let all: BTreeSet<_> = told.values().flatten().cloned().collect();
    assert_eq!(all.len(), CALLS);
    let lost: Vec<_> = all.difference(&read).collect();
    let some = &lost[..lost.len().min(5)];
    assert!(
        lost.is_empty(),
        "{} admitted and read by nobody: {some:?}, …",
        lost.len()
    );
    assert_eq!(ended.len(), room.map_or(TOKENS, |room| CALLS / room));
}

async fn all_runs(rewake: &Rewake) -> BTreeSet<RunId> {
    let mut runs = BTreeSet::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut query = rewake.runs();
        if let Some(cursor) = &cursor {
            query = query.cursor(cursor);
        }
        let page = query.await.unwrap();
        runs.extend(page.data.iter().map(|run| run.run));
        cursor = page.cursor;
        if cursor.is_none() {
            return runs;
        }
    }
}

async fn check_run(rewake: &Rewake, run: RunId, told: &Told, room: Option<usize>) -> Vec<String> {
    let run = rewake.get_run::<Vec<String>>(run);
    let letters = run.result().await.unwrap();
    assert_eq!(run.unread().await.unwrap(), [], "{}", run.id());
    if let Some(room) = room {
        assert_eq!(letters.len(), room, "{}", run.id());
    } else {
        let read: BTreeSet<_> = letters.iter().cloned().collect();
        assert_eq!(told.get(&run.id().to_string()), Some(&read));
    }
    letters
}
