//! The workers of the show: three processes, and what they say.

use std::process::Stdio;

use anyhow::Context;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::say;

/// Three processes that work.
pub(crate) struct Crew {
    workers: Vec<(String, Child)>,
    passed: UnboundedReceiver<say::Passed>,
}

impl Crew {
    /// Starts the workers.
    pub(crate) fn start(names: &[&str], store: &str) -> anyhow::Result<Self> {
        let (telling, passed) = unbounded_channel();
        let start = |name: &&str| start_one(name, store, telling.clone());
        let workers = names.iter().map(start).collect::<anyhow::Result<_>>()?;
        Ok(Self { workers, passed })
    }

    /// Returns the next station that a worker brings a parcel to.
    pub(crate) async fn passed(&mut self) -> anyhow::Result<say::Passed> {
        self.passed.recv().await.context("every worker has ended")
    }

    /// Kills a worker, as `kill -9` does.
    pub(crate) async fn kill(&mut self, name: &str) -> anyhow::Result<()> {
        let found = self.workers.iter_mut().find(|(worker, _)| worker == name);
        let (_, child) = found.context("there is such a worker")?;
        Ok(child.kill().await?)
    }

    /// Lets the others end in good order.
    pub(crate) async fn end(self) -> anyhow::Result<()> {
        for (_, mut child) in self.workers {
            drop(child.stdin.take());
            child.wait().await?;
        }
        Ok(())
    }
}

fn start_one(
    name: &str,
    store: &str,
    telling: UnboundedSender<say::Passed>,
) -> anyhow::Result<(String, Child)> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["worker", name, store])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let said = child.stdout.take().context("it can be heard")?;
    tokio::spawn(async move {
        let mut lines = BufReader::new(said).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            say::line(&line);
            if let Some(passed) = say::Passed::read(&line) {
                let _nobody_listens = telling.send(passed);
            }
        }
    });
    Ok((name.to_owned(), child))
}
