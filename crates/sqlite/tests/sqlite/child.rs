//! Processes that tests start: this very binary, told by its environment what to do.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use futures::executor::block_on;
use rewake_sqlite::{Options, SqliteStore};
use rewake_store::{Failed, Log, ScopeId, StoreError};

use super::log::{Run, payload, run_id, scope};
use super::{admission, clock};

const TASK: &str = "REWAKE_TEST_TASK";
pub(crate) const STORE: &str = "REWAKE_TEST_STORE";

/// A process that is killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Process {
    pub(crate) fn start(task: &str, store: &Path) -> Self {
        let program = std::env::current_exe().unwrap();
        Self::command(Command::new(program), task, store)
    }

    /// With a limit on how large its files may become; writing past it is an I/O error.
    #[cfg(unix)]
    pub(crate) fn start_limited(task: &str, store: &Path, blocks: u32) -> Self {
        let mut shell = Command::new("sh");
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        shell.args(["-c", &script]);
        shell.arg(std::env::current_exe().unwrap());
        Self::command(shell, task, store)
    }

    /// Runs another test than the one with the tasks, and lets its complaints be seen.
    #[cfg(target_os = "linux")]
    pub(crate) fn start_told(test: &str, store: &Path, tell: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        tell(&mut command);
        Self::spawn(&mut command, test, store)
    }

    fn command(mut command: Command, task: &str, store: &Path) -> Self {
        command.env(TASK, task).stderr(Stdio::null());
        Self::spawn(&mut command, "child::a_process_does_its_task", store)
    }

    fn spawn(command: &mut Command, test: &str, store: &Path) -> Self {
        let mut child = command
            .args([test, "--exact", "--nocapture"])
            .args(["--test-threads", "1"])
            .env(STORE, store)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line that begins with a word, without the word.
    pub(crate) fn next(&mut self, word: &str) -> String {
        loop {
            let line = self.lines.next().expect("the process goes on").unwrap();
            if let Some(rest) = line.strip_prefix(word) {
                return rest.trim().to_owned();
            }
        }
    }

    /// How it ended by itself.
    #[cfg(target_os = "linux")]
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// SIGKILL: the process can do nothing about it.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.kill();
        }
    }
}

/// Does nothing unless it was started by another test.
#[test]
fn a_process_does_its_task() {
    let (Some(task), Some(path)) = (std::env::var_os(TASK), std::env::var_os(STORE)) else {
        return;
    };
    let options = Options::new(path, clock::ticking()).wait_for_store(Duration::ZERO);
    let store = SqliteStore::open(options.clone()).unwrap();
    match task.to_str() {
        Some("hold") => hold(),
        Some("look beside and hold") => {
            begin(&store, scope(&store));
            // It comes and goes, and so does one that is refused.
            drop(SqliteStore::open(options.clone().read_only()).unwrap());
            SqliteStore::open(options).unwrap_err();
            hold()
        }
        Some("write") => write(&store),
        Some("admit") => admission::admit_and_end(&store),
        Some("write until it fails") => write_until_it_fails(&store),
        _ => panic!("there is no task {}", task.display()),
    }
}

pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{line}").unwrap();
    out.flush().unwrap();
}

fn hold() -> ! {
    say("held");
    // Until this process is killed.
    loop {
        thread::park();
    }
}

/// Says each position once it has been acknowledged.
fn write(store: &SqliteStore) {
    let scope = scope(store);
    thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(move || -> ! {
                let run = begin(store, scope);
                loop {
                    let delivered = block_on(run.deliver(&payload(700))).unwrap();
                    say(&format!("written {} {}", run.id, delivered.position));
                }
            });
        }
    });
}

fn write_until_it_fails(store: &SqliteStore) {
    let run = begin(store, scope(store));
    loop {
        match block_on(run.deliver(&payload(60_000))) {
            Ok(delivered) => say(&format!("written {} {}", run.id, delivered.position)),
            Err(Failed::Store(error)) => {
                say(&format!("failed {}", error.code()));
                break;
            }
            Err(Failed::Refused(refusal)) => panic!("{refusal}"),
        }
    }
    let later: StoreError = match block_on(run.deliver(&payload(1))) {
        Err(Failed::Store(error)) => error,
        other => panic!("{other:?}"),
    };
    say(&format!("later {}", later.code()));
}

fn begin(store: &SqliteStore, scope: ScopeId) -> Run<'_> {
    let id = run_id();
    let run = Run { store, scope, id };
    block_on(store.create(run.creation())).unwrap();
    run
}
