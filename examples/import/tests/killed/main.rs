//! The real program, killed and called off while it imports.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// The running program.
struct Program {
    child: Child,
    said: Box<dyn Iterator<Item = String>>,
}

impl Program {
    /// Starts it on a database: 100 records, for each of which the archive takes a while.
    fn start(db: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_import"))
            .args(["--records", "100", "--takes-ms", "40", "--store"])
            .arg(db)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self {
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

    /// Kills it, as `kill -9` does.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn ends(mut self) {
        assert!(self.child.wait().unwrap().success());
    }
}

fn database() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("import.db");
    (dir, db)
}

/// How many records are in the archive.
fn archived(db: &Path) -> usize {
    let files = std::fs::read_dir(db.with_extension("archive"));
    files.map(Iterator::count).unwrap_or_default()
}

/// Waits until so many records are in the archive.
fn until_archived(db: &Path, count: usize) {
    while archived(db) < count {
        std::thread::yield_now();
    }
}

#[test]
fn killed_again_and_again_it_imports_every_record() {
    let (_dir, db) = database();
    let mut program = Program::start(&db);
    program.says("Importing the batch `customers`");
    for stored in [1, 30, 60] {
        until_archived(&db, stored);
        program.kill();
        program = Program::start(&db);
        program.says("An earlier process has left the batch `customers`");
    }
    let finished = program.says("Finished");
    assert!(
        finished.ends_with("99 records were imported, 1 failed."),
        "{finished}"
    );
    program.says("`Customer 97, unknown` has no e-mail address");
    program.ends();
    assert_eq!(archived(&db), 99);

    let mut program = Program::start(&db);
    program.says("was imported before");
    assert!(
        program
            .says("Finished")
            .ends_with("99 records were imported, 1 failed.")
    );
    program.ends();
}

#[test]
fn called_off_it_stops_every_record() {
    let (_dir, db) = database();
    let mut program = Program::start(&db);
    program.says("Importing");
    until_archived(&db, 1);
    writeln!(program.child.stdin.take().unwrap(), "cancel").unwrap();
    program.says("Called off.");
    let stopped = program.says("The import was called off");
    program.ends();
    let after = archived(&db);
    assert!(after < 99, "{stopped}");
    let mut program = Program::start(&db);
    assert_eq!(
        program.says("The import was called off"),
        stopped,
        "nothing goes on"
    );
    program.ends();
    assert_eq!(archived(&db), after);
}
