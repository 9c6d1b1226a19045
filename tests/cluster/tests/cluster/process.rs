//! One process of the cluster, and what it says.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};

use rustix::process::{Pid, Signal, kill_process};

use crate::time::PATIENCE;

/// Something that a process said.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) by: String,
    pub(crate) line: String,
}

/// How a process is started.
#[derive(Debug, Clone)]
pub(crate) struct Script<'a> {
    pub(crate) role: &'a str,
    pub(crate) name: &'a str,
    pub(crate) options: &'a [(&'a str, &'a str)],
}

/// A running process. Dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    /// Hangs up when it says nothing more.
    silent: Receiver<()>,
}

impl Process {
    /// Starts it; what it says goes to `saying`.
    pub(crate) fn start(script: &Script<'_>, saying: &Sender<Said>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rewake-cluster"));
        command.arg(script.role).args(["--name", script.name]);
        for (option, value) in script.options {
            command.args([option, value]);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (by, saying) = (script.name.to_owned(), saying.clone());
        let (speaking, silent) = channel();
        // What it says must be read, or it would block.
        std::thread::spawn(move || {
            let _until_it_is_silent = speaking;
            for line in lines.map_while(Result::ok) {
                let by = by.clone();
                let _nobody_listens = saying.send(Said { by, line });
            }
        });
        let stdin = child.stdin.take();
        Self {
            name: script.name.to_owned(),
            child,
            stdin,
            silent,
        }
    }

    /// Tells it something.
    pub(crate) fn tell(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Kills it, as `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Stops it where it stands.
    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Tells it that it is over, and waits until it has ended in good order.
    pub(crate) fn end(mut self) {
        drop(self.stdin.take());
        let ended = self.silent.recv_timeout(PATIENCE);
        let ended = ended == Err(RecvTimeoutError::Disconnected);
        assert!(ended, "{} does not end", self.name);
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{} ended with {status}", self.name);
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}
