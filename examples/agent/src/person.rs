//! The person who is asked: at the terminal, or one who always says the same.

use std::io::IsTerminal;
use std::time::Duration;

use rewake::{ListedHook, Rewake, RunId};
use tokio::sync::mpsc;

use crate::agent::{APPROVAL, Verdict};
use crate::say;
use crate::shop::ToolCall;

/// How often one looks for a question.
const OFTEN: Duration = Duration::from_millis(50);

/// Who answers.
pub(crate) enum Person {
    /// Whoever types.
    Types(mpsc::Receiver<String>),
    /// Nobody: the answer is known.
    Says(Verdict),
}

impl Person {
    /// Whoever sits at the terminal. Where there is none, the answer is yes, so that one can watch.
    pub(crate) fn at_the_terminal() -> Self {
        if std::io::stdin().is_terminal() {
            Self::types()
        } else {
            Self::Says(Verdict::Yes)
        }
    }

    /// Whoever writes to the standard input.
    pub(crate) fn types() -> Self {
        let (lines, typed) = mpsc::channel(1);
        // Reading from a terminal cannot be given up: a thread does it for which the process does not
        // wait.
        std::thread::spawn(move || {
            for line in std::io::stdin().lines().map_while(Result::ok) {
                if lines.blocking_send(line).is_err() {
                    return;
                }
            }
        });
        Self::Types(typed)
    }

    /// Answers the questions of a run, as they come and those that an earlier process has left;
    /// returns once nobody answers any more.
    pub(crate) async fn attend(mut self, rewake: &Rewake, run: RunId) -> anyhow::Result<()> {
        let mut ticks = tokio::time::interval(OFTEN);
        loop {
            ticks.tick().await;
            let open = rewake.hooks().prefix(format!("approve:{run}:")).await?;
            for question in open.data {
                let Some(verdict) = self.verdict(&question).await else {
                    return Ok(());
                };
                let taken = APPROVAL
                    .resume(rewake, question.token.as_str(), &verdict)
                    .await?;
                say::decided(&verdict, taken.is_some());
            }
        }
    }

    async fn verdict(&mut self, question: &ListedHook) -> Option<Verdict> {
        let call = question.metadata.clone().unwrap_or_default();
        match serde_json::from_value::<ToolCall>(call) {
            Ok(call) => say::asked(&call.to_string()),
            Err(_another_build_asked) => say::asked("something that this build does not know"),
        }
        match self {
            Self::Says(verdict) => Some(verdict.clone()),
            Self::Types(lines) => loop {
                say::prompt();
                let line = lines.recv().await?;
                if let Some(verdict) = read(&line) {
                    return Some(verdict);
                }
            },
        }
    }
}

/// `y`, or `n` and why not.
fn read(line: &str) -> Option<Verdict> {
    let line = line.trim();
    match line.split_once(char::is_whitespace).unwrap_or((line, "")) {
        ("y" | "yes", "") => Some(Verdict::Yes),
        ("n" | "no", "") => Some(Verdict::No("no reason was given".to_owned())),
        ("n" | "no", why) => Some(Verdict::No(why.trim().to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_yes_or_no_and_why() {
        let no = |why: &str| Some(Verdict::No(why.to_owned()));
        assert_eq!(read("y"), Some(Verdict::Yes));
        assert_eq!(read(" yes \n"), Some(Verdict::Yes));
        assert_eq!(read("n"), no("no reason was given"));
        assert_eq!(read("no  too much "), no("too much"));
        assert_eq!(read("y but not today"), None);
        assert_eq!(read(""), None);
        assert_eq!(read("nope"), None);
    }
}
