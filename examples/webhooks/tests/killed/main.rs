//! The real program, sent to as its senders do it, and killed while they do.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../../src/say.rs"]
#[expect(dead_code, reason = "only senders speak here")]
mod say;
#[path = "../../src/send.rs"]
#[expect(dead_code, reason = "the program itself sends what it prints")]
mod send;
#[path = "../../src/sign.rs"]
mod sign;

mod crowd;
mod program;

use std::path::{Path, PathBuf};

use program::Program;

/// How often a line stands in the program's journal: how often a side effect happened.
fn times(db: &Path, line: &str) -> usize {
    let journal = std::fs::read_to_string(db.with_extension("journal")).unwrap_or_default();
    journal.lines().filter(|found| *found == line).count()
}

fn database(dir: &tempfile::TempDir) -> PathBuf {
    dir.path().join("webhooks.db")
}

#[test]
fn a_release_is_announced_when_github_says_so_and_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    let db = database(&dir);
    let program = Program::start(&db);
    let url = program.url("github");
    let printed = Program::send("github", &url, &[]);
    let (forged, signed) = printed.split_once('\n').unwrap();
    assert!(forged.starts_with("forged: 401 "), "{printed}");
    assert_eq!(signed, "signed: 202 \n");
    program.finished("shop v1.0.0 was announced");
    assert_eq!(times(&db, "announce shop v1.0.0"), 1);
}

#[test]
fn a_payment_that_is_sent_again_and_again_is_booked_once() {
    let dir = tempfile::tempdir().unwrap();
    let db = database(&dir);
    let program = Program::start(&db);
    let url = program.url("stripe");
    let printed = Program::send("stripe", &url, &[]);
    assert_eq!(printed, "sent: 202 \nsent again: 202 \nand again: 202 \n");
    program.finished("order-7 is paid: 1999 cents");
    assert_eq!(times(&db, "book order-7 1999"), 1);
}

#[test]
fn commands_are_answered_by_the_workflow_also_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let db = database(&dir);
    let program = Program::start(&db);
    let url = program.url("slack");
    let printed = Program::send("slack", &url, &["deploy", "shop"]);
    assert_eq!(printed, "deploy shop: 200 command 1: deploy shop\n");
    program.kill();

    let program = Program::start(&db);
    let again = program.url("slack");
    let token = |url: &str| url.rsplit_once('/').unwrap().1.to_owned();
    assert_eq!(token(&again), token(&url), "the same webhook");
    let printed = Program::send("slack", &again, &["roll", "back"]);
    assert_eq!(printed, "roll back: 200 command 2: roll back\n");
    let printed = Program::send("slack", &again, &["history"]);
    assert_eq!(printed, "history: 200 deploy shop\nroll back\n");
    Program::send("slack", &again, &["goodbye"]);
    program.finished("2 commands were answered");
}

#[test]
fn killed_again_and_again_each_answered_request_is_seen_once() {
    let dir = tempfile::tempdir().unwrap();
    crowd::besiege(&database(&dir));
}
