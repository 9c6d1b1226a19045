//! The real program, killed while the model thinks and while the person does.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use tempfile::TempDir;

/// The running program.
struct Program {
    child: Child,
    types: Option<ChildStdin>,
    said: Box<dyn Iterator<Item = String>>,
}

impl Program {
    fn start(db: &Path, options: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_agent"))
            .args(["--thinks-ms", "0", "--store"])
            .arg(db)
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self {
            types: child.stdin.take(),
            child,
            said: Box::new(lines.map(Result::unwrap)),
        }
    }

    /// Reads on until it says so, and gives the line.
    fn says(&mut self, what: &str) -> String {
        let mut before = Vec::new();
        for line in self.said.by_ref() {
            if line.contains(what) {
                return line;
            }
            before.push(line);
        }
        panic!("it did not say `{what}`, but: {before:#?}");
    }

    fn types(&mut self, line: &str) {
        writeln!(self.types.as_ref().unwrap(), "{line}").unwrap();
    }

    /// Kills it, as `kill -9` does.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn ends(mut self) {
        self.types = None;
        assert!(self.child.wait().unwrap().success());
    }
}

fn database() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("agent.db");
    (dir, db)
}

/// What happened in the world, without the keys under which it did.
fn journal(db: &Path) -> Vec<String> {
    let journal = std::fs::read_to_string(db.with_extension("journal")).unwrap();
    let lines = journal.lines().map(|line| line.split(" (").next().unwrap());
    lines.map(str::to_owned).collect()
}

#[test]
fn killed_while_the_person_thinks_it_asks_again_and_does_not_call_the_model_again() {
    let (_dir, db) = database();
    let mut program = Program::start(&db, &["--ask"]);
    program.says("[person] is asked whether the agent may give 4990 cents back for order 1042");
    program.kill();

    let mut program = Program::start(&db, &["--ask"]);
    program.says("2 of the model's replies are on record");
    program.says("[person] is asked whether the agent may give 4990 cents back for order 1042");
    program.types("what?");
    program.types("n too much");
    program.says("[person] says no: too much");
    program.says("[person] is asked whether the agent may send a voucher of 2495 cents");
    program.kill();

    let mut program = Program::start(&db, &["--ask"]);
    program.says("3 of the model's replies are on record");
    program.says("[person] is asked whether the agent may send a voucher of 2495 cents");
    program.types("y");
    program.says("Finished");
    program.says("give 4990 cents back for order 1042: refused: too much");
    program.says("answer: This was done for order 1042: a voucher of 2495 cents is sent.");
    program.ends();

    let voucher = "send a voucher of 2495 cents for order 1042";
    let expected = ["model 1", "model 2", "model 3", voucher, "model 4"];
    assert_eq!(journal(&db), expected);
}

#[test]
fn killed_while_the_model_thinks_it_goes_on() {
    let (_dir, db) = database();
    // It would think for an hour.
    let mut program = Program::start(&db, &["--thinks-ms", "3600000", "--yes"]);
    program.says("[model] is called, for the 1. turn");
    program.kill();
    let mut program = Program::start(&db, &["--yes"]);
    program.says("0 of the model's replies are on record");
    program.says("answer: This was done for order 1042: 4990 cents are on their way.");
    program.ends();
    let refund = "give 4990 cents back for order 1042";
    let expected = ["model 1", "model 1", "model 2", refund, "model 3"];
    assert_eq!(
        journal(&db),
        expected,
        "nobody can know whether the first call was answered"
    );
}

#[test]
fn where_nobody_can_answer_the_answer_is_yes() {
    let (_dir, db) = database();
    let mut program = Program::start(&db, &[]);
    program.says("[person] says yes");
    program.says("answer: This was done for order 1042");
    program.ends();
}

#[test]
fn where_nobody_answers_it_waits_for_the_next_process() {
    let (_dir, db) = database();
    let mut program = Program::start(&db, &["--ask"]);
    program.says("[person] is asked");
    program.types = None;
    program.says("Nobody is here to answer.");
    program.ends();
    let mut program = Program::start(&db, &["--no", "not today"]);
    program.says("answer: Nothing is done for order 1042, because: not today.");
    program.ends();
    let models = ["model 1", "model 2", "model 3", "model 4"];
    assert_eq!(journal(&db), models);
}

#[test]
fn an_order_that_is_not_there_is_told_to_the_model() {
    let (_dir, db) = database();
    let mut program = Program::start(&db, &["--order", "7", "--yes"]);
    program.says("answer: I can do nothing for order 7: failed: there is no order 7.");
    program.ends();
}
