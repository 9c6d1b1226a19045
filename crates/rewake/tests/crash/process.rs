//! A child process that works on a store: this very binary, told by its environment what to do.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::child::{BUILD, STORE};
use crate::file::File;

/// A process that works on a file, and is killed when it is dropped.
pub(crate) struct Process {
    pub(crate) build: String,
    child: Child,
    says: Lines<BufReader<ChildStdout>>,
    hears: ChildStdin,
}

impl Process {
    /// Starts a process of this build, without waiting for anything.
    pub(crate) fn start(file: &File, build: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["child::a_process_serves", "--exact", "--nocapture"])
            .args(["--test-threads", "1"])
            .env(STORE, file.path())
            .env(BUILD, build)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            build: build.to_owned(),
            says: BufReader::new(child.stdout.take().unwrap()).lines(),
            hears: child.stdin.take().unwrap(),
            child,
        }
    }

    /// Has a command carried out, and gives the answer.
    pub(crate) fn ask(&mut self, command: &str) -> String {
        self.tell(command);
        self.answer()
    }

    /// Gives a command. The process may be gone before it hears of it, or before it has answered.
    pub(crate) fn tell(&mut self, command: &str) {
        let _heard = writeln!(self.hears, "{command}");
    }

    fn answer(&mut self) -> String {
        loop {
            let line = self.says.next().expect("the process goes on").unwrap();
            if let Some(answer) = line.strip_prefix("answer ") {
                return answer.to_owned();
            }
        }
    }

    /// Waits until the process has ended by itself, and not as one that is done.
    pub(crate) fn dies(mut self) {
        // What it says further on must be read, or it would wait for a reader.
        let _said = self.says.by_ref().count();
        let status = self.child.wait().unwrap();
        assert!(!status.success(), "{status}");
    }

    /// True until the process has ended.
    pub(crate) fn lives(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// SIGKILL: the process can do nothing about it.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            let _gone = self.child.kill();
            let _gone = self.child.wait();
        }
    }
}
