//! The real program, killed while it sleeps.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

/// A running example.
struct Program {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Program {
    fn start(db: &Path, options: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_drip"))
            .arg("--db")
            .arg(db)
            .args(options)
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

    /// Waits until the program says a line that begins so.
    fn says(&mut self, wanted: &str) {
        let mut said = self.said.by_ref().map(Result::unwrap);
        assert!(
            said.any(|line| line.starts_with(wanted)),
            "it never said: {wanted}"
        );
    }

    /// Skips what the first user waits for, once she waits.
    fn skips_a_wait(&mut self) {
        loop {
            self.types("skip ada");
            let answer = self.said.next().unwrap().unwrap();
            if answer == "[ada] has waited long enough" {
                return;
            }
        }
    }

    /// Waits until it has ended by itself; what it said by then.
    fn ends(mut self) -> Vec<String> {
        let said = self.said.by_ref().map(Result::unwrap).collect();
        assert!(self.child.wait().unwrap().success());
        said
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
    dir.path().join("drip.db")
}

/// What was sent, in order.
fn outbox(db: &Path) -> Vec<String> {
    let outbox = std::fs::read_to_string(db.with_extension("outbox")).unwrap_or_default();
    let letters = outbox
        .lines()
        .filter_map(|line| line.split_once(" (under "));
    letters.map(|(letter, _key)| letter.to_owned()).collect()
}

#[test]
fn days_of_sleep_outlast_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let db = database(&dir);
    let mut program = Program::start(&db, &[]);
    program.says("[ada] is sent: welcome");
    program.kill();

    let mut program = Program::start(&db, &[]);
    program.says("[ada] taken up where an earlier process left off: ");
    program.skips_a_wait();
    program.says("[ada] is sent: tips");
    program.kill();

    let mut program = Program::start(&db, &[]);
    program.says("[ada] taken up where an earlier process left off: ");
    program.types("done ada");
    program.says("[ada] the end: ada has made a first invoice");
    assert_eq!(outbox(&db), ["to ada: welcome", "to ada: tips"]);
}

#[test]
fn the_demonstration_shows_every_ending_and_stops_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let program = Program::start(&database(&dir), &["--fast", "--day", "0.4"]);
    let said = program.ends();
    let of = |user: &str| {
        let mark = format!("[{user}] ");
        let lines = said.iter().filter_map(|line| line.strip_prefix(&mark));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let ada = [
        "signs up",
        "is sent: welcome",
        "is sent: tips",
        "is sent: a reminder",
        "the end: ada will be called by a person",
    ];
    assert_eq!(of("ada"), ada);
    assert_eq!(of("support"), ["is sent: please call ada"]);
    let ben = [
        "signs up",
        "is sent: welcome",
        "is sent: tips",
        "makes a first invoice",
        "the end: ben has made a first invoice",
    ];
    assert_eq!(of("ben"), ben);
    let eve = [
        "signs up",
        "is sent: welcome",
        "is sent: tips",
        "is sent: a reminder",
        "unsubscribes",
        "the end: the run was cancelled: unsubscribed",
    ];
    assert_eq!(of("eve"), eve);
}

#[test]
fn the_demonstration_goes_on_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let db = database(&dir);
    let mut program = Program::start(&db, &["--fast", "--day", "0.2"]);
    program.says("[ada] is sent: tips");
    program.kill();

    // How long a day lasts was chosen when they signed up.
    let said = Program::start(&db, &["--fast", "--day", "1000"]).ends();
    assert!(
        said.contains(&"[ada] the end: ada will be called by a person".into()),
        "{said:?}"
    );
    let to_ada = outbox(&db);
    let to_ada: Vec<_> = to_ada.iter().filter(|line| line.contains("ada")).collect();
    let all = [
        "to ada: welcome",
        "to ada: tips",
        "to ada: a reminder",
        "to support: please call ada",
    ];
    assert_eq!(to_ada, all);
}
