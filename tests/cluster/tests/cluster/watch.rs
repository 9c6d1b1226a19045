//! Watching what the processes say while they say it: who works on what, and who took over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use crate::process::Said;
use crate::time::{PATIENCE, now};

/// Listens to all processes.
pub(crate) struct Watch {
    saying: Sender<Said>,
    said: Receiver<Said>,
    /// Who did the last step for each token.
    worker_of: BTreeMap<String, String>,
}

impl Watch {
    pub(crate) fn new() -> Self {
        let (saying, said) = channel();
        Self {
            saying,
            said,
            worker_of: BTreeMap::new(),
        }
    }

    /// Where processes say what they say.
    pub(crate) fn ear(&self) -> &Sender<Said> {
        &self.saying
    }

    /// Waits until somebody says what is waited for.
    ///
    /// # Panics
    ///
    /// If nobody does for as long as anybody would wait.
    pub(crate) fn until<T>(&mut self, what: &str, mut wanted: impl FnMut(&Said) -> Option<T>) -> T {
        let deadline = now() + PATIENCE;
        let mut last = BTreeMap::new();
        loop {
            let left = deadline.saturating_duration_since(now());
            let Ok(said) = self.said.recv_timeout(left) else {
                panic!("{what}: not seen; the last words of each: {last:#?}");
            };
            self.notice(&said);
            if let Some(found) = wanted(&said) {
                return found;
            }
            last.insert(said.by, said.line);
        }
    }

    /// Waits until this process says this line.
    pub(crate) fn until_said(&mut self, name: &str, line: &str) {
        self.until(&format!("`{line}` by {name}"), |said| {
            (said.by == name && said.line == line).then_some(())
        });
    }

    /// Waits until each of these tokens has had a step done by somebody other than `except`, and
    /// returns how long that took.
    pub(crate) fn until_done_for(&mut self, tokens: &BTreeSet<String>, except: &str) -> Duration {
        let begun = now();
        let mut open = tokens.clone();
        if open.is_empty() {
            return Duration::ZERO;
        }
        self.until(
            &format!("a step for each of {tokens:?}, not by {except}"),
            |said| {
                if let Some(token) = done(said).filter(|_| said.by != except) {
                    open.remove(token);
                }
                open.is_empty().then_some(())
            },
        );
        begun.elapsed()
    }

    /// The tokens whose last step this worker did.
    pub(crate) fn tokens_of(&mut self, worker: &str) -> BTreeSet<String> {
        while let Ok(said) = self.said.try_recv() {
            self.notice(&said);
        }
        let of = self.worker_of.iter().filter(|(_, of)| *of == worker);
        of.map(|(token, _)| token.clone()).collect()
    }

    fn notice(&mut self, said: &Said) {
        if let Some(token) = done(said) {
            self.worker_of.insert(token.to_owned(), said.by.clone());
        }
    }
}

/// The token that a step was just done for.
fn done(said: &Said) -> Option<&str> {
    said.line.strip_prefix("did ")?.split(' ').next()
}
