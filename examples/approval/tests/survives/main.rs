//! The real program, killed at the worst moments.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod program;

use std::path::{Path, PathBuf};

use program::Program;
use rewake::{Rewake, RunStatus};

/// How often each line stands in the program's journal: how often each side effect happened.
fn times(db: &Path, line: &str) -> usize {
    let journal = std::fs::read_to_string(db.with_extension("journal")).unwrap_or_default();
    journal.lines().filter(|found| *found == line).count()
}

/// Waits for a side effect.
fn until(db: &Path, line: &str) {
    while times(db, line) == 0 {
        std::thread::yield_now();
    }
}

/// Looks into the file, as a program beside the one that works on it may.
fn look<T>(db: &Path, question: impl AsyncFnOnce(Rewake) -> T) -> T {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let url = format!("sqlite:{}", db.display());
        let rewake = Rewake::builder().store(url).client_only().build().await;
        question(rewake.unwrap()).await
    })
}

/// Waits until so many steps are on record as completed: from there on none of them may run again.
fn until_recorded(db: &Path, steps: usize) {
    look(db, async |rewake| {
        let completed = async || {
            let mut completed = 0;
            for run in rewake.runs().await.unwrap().data {
                let entities = rewake.engine().entities(run.run).await.unwrap();
                completed += entities
                    .steps()
                    .values()
                    .filter(|step| step.result.is_some())
                    .count();
            }
            completed
        };
        while completed().await < steps {
            tokio::task::yield_now().await;
        }
    });
}

/// The path of the webhook that each unfinished run waits on, read from the file.
fn webhooks(db: &Path) -> Vec<String> {
    look(db, async |rewake| {
        let mut paths = Vec::new();
        for run in rewake
            .runs()
            .status(RunStatus::Running)
            .limit(1_000)
            .await
            .unwrap()
            .data
        {
            for hook in rewake.hooks().run(run.run).await.unwrap().data {
                if hook.is_webhook {
                    paths.push(format!("/.well-known/workflow/v1/webhook/{}", hook.token));
                }
            }
        }
        paths
    })
}

fn database(dir: &tempfile::TempDir) -> PathBuf {
    dir.path().join("approval.db")
}

#[test]
fn a_killed_review_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let db = database(&dir);

    let program = Program::start(&db);
    until_recorded(&db, 1);
    program.kill();

    let program = Program::start(&db);
    program.approve("handbook-1", "fine");
    until_recorded(&db, 2);
    program.kill();

    let program = Program::start(&db);
    let webhook = webhooks(&db).remove(0);
    let refused = program.post(&webhook, "no report");
    assert_eq!(
        (refused.status, refused.body.contains("send JSON")),
        (400, true)
    );
    let answer = program.post(&webhook, "{\"copies\": 7}");
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (200, "thanks for 7 copies\n")
    );
    assert_eq!(
        program.result("handbook-1"),
        "handbook-1: approved (fine), 7 copies printed"
    );
    assert_eq!(
        program.post(&webhook, "{\"copies\": 8}").status,
        404,
        "the run has ended"
    );
    for line in [
        "ask_reviewer handbook-1",
        "publish handbook-1",
        "file_away handbook-1 7",
    ] {
        assert_eq!(times(&db, line), 1, "{line}");
    }
}

#[test]
fn killed_after_each_of_100_answers_every_acknowledged_resume_is_seen_once() {
    const KILLS: usize = 100;
    let dir = tempfile::tempdir().unwrap();
    let db = database(&dir);
    let doc = |n: usize| format!("doc{n}");

    for n in 0..KILLS {
        let program = Program::start(&db);
        assert_eq!(
            program
                .post(&format!("/reviews/{}/start", doc(n)), "")
                .status,
            200
        );
        program.approve(&doc(n), &format!("comment {n}"));
        // The answer is in; what the workflow does with it has hardly begun.
        program.kill();
        // What the killed process left is taken up before the next kill; a run that is caught again
        // and again while it is replayed would be parked, as one that kills its process.
        let program = Program::start(&db);
        until(&db, &format!("publish {}", doc(n)));
        program.kill();
    }

    let program = Program::start(&db);
    let mut open = webhooks(&db);
    while open.len() < KILLS {
        open = webhooks(&db);
    }
    for webhook in open {
        assert_eq!(program.post(&webhook, "{\"copies\": 1}").status, 200);
    }
    for n in 0..KILLS {
        let expected = format!("{0}: approved (comment {n}), 1 copies printed", doc(n));
        assert_eq!(program.result(&doc(n)), expected);
    }
    program.kill();
    each_decision_was_delivered_once(&db, KILLS);
}

fn each_decision_was_delivered_once(db: &Path, reviews: usize) {
    look(db, async |rewake| {
        let completed = rewake
            .runs()
            .status(RunStatus::Completed)
            .limit(1_000)
            .await
            .unwrap()
            .data;
        assert_eq!(completed.len(), reviews);
        for run in completed {
            let entities = rewake.engine().entities(run.run).await.unwrap();
            for hook in entities.hooks().values() {
                assert_eq!((hook.received, hook.taken), (1, 1), "{}", run.run);
            }
            for step in entities.steps().values() {
                assert!(step.result.is_some(), "{}: {}", run.run, step.name);
            }
        }
    });
}
