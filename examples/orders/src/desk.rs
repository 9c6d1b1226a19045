//! What a person types, and what is done about it.

use std::io::BufRead as _;
use std::time::Duration;

use anyhow::Context;
use orders::{Order, Payment, collection_of, fulfil, payment_of};
use rewake::{Rewake, Run, RunStatus};
use serde::Serialize;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;

use crate::screen;

/// The attribute under which the run of an order is found.
const NUMBER: &str = "order";

/// Takes orders, and tells of their ends.
pub(crate) struct Desk {
    rewake: Rewake,
    pay_within: Duration,
    ends: JoinSet<()>,
}

impl Desk {
    pub(crate) fn new(rewake: Rewake, pay_within: Duration) -> Self {
        Self {
            rewake,
            pay_within,
            ends: JoinSet::new(),
        }
    }

    /// Tells what an earlier process left, which goes on by itself; gives how many orders.
    pub(crate) async fn take_up(&mut self) -> anyhow::Result<usize> {
        // One that has not begun is pending: its process was killed just then.
        let mut left = self.rewake.runs().status(RunStatus::Pending).await?.data;
        left.extend(self.rewake.runs().status(RunStatus::Running).await?.data);
        for run in &left {
            let number = number(&run.attributes).context("every run is of an order")?;
            screen::taken_up(number, &self.rewake.hooks().run(run.run).await?.data);
            self.tell_the_end_of(number, self.rewake.get_run(run.run));
        }
        Ok(left.len())
    }

    /// Takes an order.
    pub(crate) async fn place(&mut self, item: &str, card: &str) -> anyhow::Result<()> {
        let newest = self.rewake.runs().limit(1).await?.data;
        let number = newest.first().and_then(|run| number(&run.attributes));
        let number = number.unwrap_or(0) + 1;
        let order = Order {
            number,
            item: item.to_owned(),
            card: card.to_owned(),
            pay_within: self.pay_within,
        };
        screen::placed(&order);
        let run = self.rewake.start(fulfil(order));
        let run = run.attribute(NUMBER, number.to_string()).await?;
        self.tell_the_end_of(number, run);
        Ok(())
    }

    /// Does what is typed until somebody wants to stop, or nothing more is typed and every order is
    /// done with.
    pub(crate) async fn serve(&mut self) -> anyhow::Result<()> {
        let mut lines = typed();
        let mut typing = true;
        while typing || !self.ends.is_empty() {
            tokio::select! {
                line = lines.recv(), if typing => match line.as_deref().map(str::trim) {
                    Some("quit") => break,
                    Some(line) => self.obey(line).await?,
                    None => typing = false,
                },
                Some(ended) = self.ends.join_next() => ended?,
                interrupted = tokio::signal::ctrl_c() => return Ok(interrupted?),
            }
        }
        Ok(())
    }

    async fn obey(&mut self, line: &str) -> anyhow::Result<()> {
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["order", item] => self.place(item, "gold").await,
            ["order", item, card] => self.place(item, card).await,
            [verb @ ("pay" | "refuse"), n] => {
                let confirmed = verb == "pay";
                self.report(n, payment_of, &Payment { confirmed }).await
            }
            ["collect", n] => self.report(n, collection_of, "Mo").await,
            ["cancel", n] => self.cancel(n).await,
            [] => Ok(()),
            _ => {
                screen::commands();
                Ok(())
            }
        }
    }

    /// Hands the workflow what somebody outside reports: when this returns, it is on disk.
    async fn report<P: Serialize + ?Sized>(
        &self,
        n: &str,
        token: fn(u32) -> String,
        payload: &P,
    ) -> anyhow::Result<()> {
        let Ok(number) = n.parse() else {
            screen::nobody_waits(n);
            return Ok(());
        };
        match self.rewake.resume_hook(token(number), payload).await? {
            Some(_hook) => screen::on_disk(n),
            None => screen::nobody_waits(n),
        }
        Ok(())
    }

    async fn cancel(&self, n: &str) -> anyhow::Result<()> {
        let found = self.rewake.runs().attribute(NUMBER, n).await?.data;
        let Some(run) = found.first() else {
            screen::nobody_waits(n);
            return Ok(());
        };
        let run: Run<String> = self.rewake.get_run(run.run);
        if run.cancel("the customer has changed her mind").await? {
            screen::on_disk(n);
        } else {
            screen::nobody_waits(n);
        }
        Ok(())
    }

    fn tell_the_end_of(&mut self, number: u32, run: Run<String>) {
        self.ends.spawn(async move {
            screen::ended(number, run.result().await);
        });
    }
}

fn number(attributes: &std::collections::BTreeMap<String, String>) -> Option<u32> {
    attributes.get(NUMBER)?.parse().ok()
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
