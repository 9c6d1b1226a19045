//! What a person types, and what is done about it.

use std::io::BufRead as _;
use std::time::Duration;

use drip::{Letter, Posted, activation_of, onboard};
use rewake::{Rewake, Run, RunError, RunStatus};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;

use crate::screen;

/// The attribute under which the run of a user is found.
const USER: &str = "user";

/// Signs users up, hears what they do, and tells of it.
pub(crate) struct Desk {
    rewake: Rewake,
    day: Duration,
    /// Whether Ben and Eve are played, instead of what somebody types.
    plays: bool,
    ends: JoinSet<(String, Result<String, RunError>)>,
}

impl Desk {
    pub(crate) fn new(rewake: Rewake, day: Duration, plays: bool) -> Self {
        Self {
            rewake,
            day,
            plays,
            ends: JoinSet::new(),
        }
    }

    /// Tells what an earlier process left, which goes on by itself; gives how many users.
    pub(crate) async fn take_up(&mut self) -> anyhow::Result<usize> {
        // One that has not begun is pending: its process was killed just then.
        let mut left = self.rewake.runs().status(RunStatus::Pending).await?.data;
        left.extend(self.rewake.runs().status(RunStatus::Running).await?.data);
        for view in &left {
            let user = view.attributes.get(USER).cloned().unwrap_or_default();
            let run = self.rewake.get_run(view.run);
            screen::taken_up(&user, &run.why().await?);
            self.tell_the_end_of(user, run);
        }
        Ok(left.len())
    }

    /// Begins with a new user, once.
    pub(crate) async fn sign_up(&mut self, user: &str) -> anyhow::Result<()> {
        if self.run_of(user).await?.is_some() {
            screen::says(user, "has signed up already");
            return Ok(());
        }
        screen::says(user, "signs up");
        let run = self.rewake.start(onboard(user.to_owned(), self.day));
        let run = run.attribute(USER, user).await?;
        self.tell_the_end_of(user.to_owned(), run);
        Ok(())
    }

    /// Does what is typed until somebody wants to stop, or nothing more is typed and nobody waits.
    pub(crate) async fn serve(
        &mut self,
        mut posted: UnboundedReceiver<Posted>,
    ) -> anyhow::Result<()> {
        let mut lines = typed();
        let mut typing = !self.plays;
        while typing || !self.ends.is_empty() {
            tokio::select! {
                Some(letter) = posted.recv() => self.hear_of(letter).await?,
                line = lines.recv(), if typing => match line.as_deref().map(str::trim) {
                    Some("quit") => break,
                    Some(line) => self.obey(line).await?,
                    None => typing = false,
                },
                Some(ended) = self.ends.join_next() => {
                    // The letters that came before it are told of first.
                    while let Ok(letter) = posted.try_recv() {
                        self.hear_of(letter).await?;
                    }
                    let (user, result) = ended?;
                    screen::ended(&user, result);
                }
                interrupted = tokio::signal::ctrl_c() => return Ok(interrupted?),
            }
        }
        Ok(())
    }

    /// Tells of a letter. Ben does something once he has tips, and Eve has enough when she is reminded.
    async fn hear_of(&mut self, letter: Posted) -> anyhow::Result<()> {
        screen::posted(&letter);
        match letter.to.as_str() {
            "ben" if self.plays && letter.text == Letter::Tips.to_string() => {
                self.done("ben").await
            }
            "eve" if self.plays && letter.text == Letter::Reminder.to_string() => {
                self.stop("eve").await
            }
            _ => Ok(()),
        }
    }

    async fn obey(&mut self, line: &str) -> anyhow::Result<()> {
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["new", user] => self.sign_up(user).await,
            ["done", user] => self.done(user).await,
            ["stop", user] => self.stop(user).await,
            ["skip", user] => self.skip(user).await,
            [] => Ok(()),
            _ => {
                screen::commands();
                Ok(())
            }
        }
    }

    /// Tells the workflow that the user has done something: when this returns, it is on disk.
    async fn done(&self, user: &str) -> anyhow::Result<()> {
        let token = activation_of(user);
        match self
            .rewake
            .resume_hook(token, "made a first invoice")
            .await?
        {
            Some(_hook) => screen::says(user, "makes a first invoice"),
            None => screen::nobody_waits(user),
        }
        Ok(())
    }

    /// Cancels the run of a user who wants no more letters.
    async fn stop(&self, user: &str) -> anyhow::Result<()> {
        match self.run_of(user).await? {
            Some(run) if run.cancel("unsubscribed").await? => screen::says(user, "unsubscribes"),
            _ => screen::nobody_waits(user),
        }
        Ok(())
    }

    /// Ends what the run of a user waits for now, as if its time had come.
    async fn skip(&self, user: &str) -> anyhow::Result<()> {
        match self.run_of(user).await? {
            Some(run) if run.wake_up().await? > 0 => screen::says(user, "has waited long enough"),
            _ => screen::nobody_waits(user),
        }
        Ok(())
    }

    /// The unfinished run of a user.
    async fn run_of(&self, user: &str) -> anyhow::Result<Option<Run<String>>> {
        let runs = self.rewake.runs().attribute(USER, user).await?.data;
        let unfinished = runs
            .iter()
            .find(|run| matches!(run.status, RunStatus::Pending | RunStatus::Running));
        Ok(unfinished.map(|run| self.rewake.get_run(run.run)))
    }

    fn tell_the_end_of(&mut self, user: String, run: Run<String>) {
        self.ends.spawn(async move { (user, run.result().await) });
    }
}

/// The lines that are typed. A thread reads them, because nothing can stop who reads a terminal.
fn typed() -> UnboundedReceiver<String> {
    let (typed, lines) = unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if typed.send(line).is_err() {
                return;
            }
        }
    });
    lines
}
