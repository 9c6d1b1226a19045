//! The real program, killed in the middle of things.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

/// A running example.
struct Program {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Program {
    fn start(db: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_orders"))
            .arg("--db")
            .arg(db)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, said }
    }

    /// Types a line.
    fn types(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Waits until the program says this of the first order.
    fn says(&mut self, what: &str) {
        let wanted = format!("[order 1] {what}");
        let mut said = self.said.by_ref().map(Result::unwrap);
        assert!(said.any(|line| line == wanted), "it never said: {wanted}");
    }

    /// Kills it, as `kill -9` does.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

fn database(dir: &tempfile::TempDir) -> PathBuf {
    dir.path().join("orders.db")
}

/// What was done for the first order, in order.
fn deeds(db: &Path) -> Vec<String> {
    let ledger = std::fs::read_to_string(db.with_extension("ledger")).unwrap_or_default();
    let deeds = ledger
        .lines()
        .filter_map(|line| line.split_once(" 1 under "));
    deeds.map(|(deed, _key)| deed.to_owned()).collect()
}

#[test]
fn an_order_goes_on_where_it_was_and_nothing_is_done_twice() {
    let dir = tempfile::tempdir().unwrap();
    let db = database(&dir);
    let mut program = Program::start(&db);
    program.says("the bank is asked for the money, and has yet to confirm");
    program.kill();

    let mut program = Program::start(&db);
    program.says(
        "taken up where an earlier process left it; it waits for the bank:  pay 1  or  refuse 1",
    );
    program.types("pay 1");
    program.says("heard, and on disk");
    program.kill();

    let mut program = Program::start(&db);
    program.says("the courier promises to come for the parcel");
    program.types("collect 1");
    program.says("fulfilled: Mo is on the way with the bicycle");
    assert_eq!(deeds(&db), ["reserve", "charge", "ship"]);
}

#[test]
fn what_is_being_taken_back_is_taken_back_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let db = database(&dir);
    let mut program = Program::start(&db);
    program.says("the bank is asked for the money, and has yet to confirm");
    program.types("pay 1");
    program.says("the courier promises to come for the parcel");
    program.types("cancel 1");
    program.says("heard, and on disk");
    program.kill();

    let _program = Program::start(&db);
    while deeds(&db).last().is_none_or(|deed| deed != "release") {
        std::thread::yield_now();
    }
    let all = ["reserve", "charge", "ship", "call off", "refund", "release"];
    assert_eq!(deeds(&db), all);
}
