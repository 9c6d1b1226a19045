//! The real program as a child process, and what it says.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

/// A running example.
pub(crate) struct Program {
    child: Child,
    said: Receiver<String>,
}

impl Program {
    /// Starts the program on a database.
    pub(crate) fn start(db: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_webhooks"))
            .args(["--port", "0", "--db"])
            .arg(db)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (saying, said) = channel();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // What it says must be read, or it would block.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _nobody_listens = saying.send(line);
            }
        });
        Self { child, said }
    }

    /// Waits for the URL that a sender is told to send to.
    pub(crate) fn url(&self, sender: &str) -> String {
        let told = format!("send {sender} ");
        self.until(|line| {
            let (_, rest) = line.split_once(&told)?;
            rest.split(' ').next().map(str::to_owned)
        })
    }

    /// Waits until a workflow has finished with this result.
    pub(crate) fn finished(&self, result: &str) {
        self.until(|line| (line == format!("Finished: {result}")).then_some(()));
    }

    fn until<T>(&self, mut wanted: impl FnMut(&str) -> Option<T>) -> T {
        let found = self.said.iter().find_map(|line| wanted(&line));
        found.expect("the program says it before it ends")
    }

    /// Sends as a person would, and gives what was printed.
    pub(crate) fn send(sender: &str, url: &str, text: &[&str]) -> String {
        let sent = Command::new(env!("CARGO_BIN_EXE_webhooks"))
            .args(["send", sender, url])
            .args(text)
            .output()
            .unwrap();
        assert!(sent.status.success(), "{sent:?}");
        String::from_utf8(sent.stdout).unwrap()
    }

    /// Kills it, as `kill -9` does.
    pub(crate) fn kill(mut self) {
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
