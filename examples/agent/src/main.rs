//! An agent that asks a person before it acts.
//!
//! `cargo run -p agent` gives it a task: a customer wants money back. What was said and done is in
//! `agent.db`: kill the process at any moment, start it again, and the agent goes on where it was,
//! without calling the model again for what it has said already.

mod agent;
mod model;
mod person;
mod say;
mod shop;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use rewake::{Rewake, Run, RunStatus, StepStatus};

use agent::{Entry, Verdict, agent};
use model::{Model, Scripted};
use person::Person;
use shop::{Journal, Shop};

/// What the command line says.
struct Options {
    db: PathBuf,
    order: u32,
    thinks: Duration,
    person: Person,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = options(std::env::args().skip(1))?;
    let journal = Journal::beside(&options.db);
    let model: Arc<dyn Model> = Arc::new(Scripted {
        journal: journal.clone(),
        thinks: options.thinks,
    });
    let rewake = Rewake::builder()
        .store(format!("sqlite:{}", options.db.display()))
        .provide(model)
        .provide(Shop { journal })
        .workflow(agent)
        .build()
        .await?;
    say::opened(&options.db);
    let run = take_up_or_start(&rewake, options.order).await?;
    tokio::select! {
        ended = run.result() => say::ended(&ended),
        nobody = options.person.attend(&rewake, run.id()) => {
            nobody?;
            say::nobody();
        }
        _signal = tokio::signal::ctrl_c() => say::stopping(),
    }
    rewake.shutdown(Duration::from_secs(5)).await?;
    Ok(())
}

/// Takes up what an earlier process has left; gives the agent a task where it has none.
async fn take_up_or_start(rewake: &Rewake, order: u32) -> anyhow::Result<Run<Vec<Entry>>> {
    let runs = rewake.runs().await?.data;
    let is_open = |status| matches!(status, RunStatus::Pending | RunStatus::Running);
    if let Some(left) = runs.iter().find(|run| is_open(run.status)) {
        let steps = rewake.steps(left.run).await?.data;
        let said = steps
            .iter()
            .filter(|step| step.name.ends_with("::think") && step.status == StepStatus::Completed);
        say::taken_up(left.run, said.count());
        return Ok(rewake.get_run(left.run));
    }
    let task = format!("Order {order} arrived broken. The customer wants the money back.");
    let run = rewake.start(agent(task.clone())).await?;
    say::started(run.id(), &task);
    Ok(run)
}

fn options(mut args: impl Iterator<Item = String>) -> anyhow::Result<Options> {
    let (mut db, mut order, mut thinks) = (PathBuf::from("agent.db"), 1_042, 700);
    let mut person = None;
    while let Some(arg) = args.next() {
        let mut value = || {
            let value = args.next();
            value.with_context(|| format!("`{arg}` wants a value"))
        };
        let number = || format!("`{arg}` wants a number");
        match arg.as_str() {
            "--yes" => person = Some(Person::Says(Verdict::Yes)),
            "--no" => person = Some(Person::Says(Verdict::No(value()?))),
            "--ask" => person = Some(Person::types()),
            "--store" => db = value()?.into(),
            "--order" => order = value()?.parse().with_context(number)?,
            "--thinks-ms" => thinks = value()?.parse().with_context(number)?,
            _ => anyhow::bail!(
                "unknown option `{arg}`; there are --yes, --no REASON, --ask, --store FILE, \
                 --order NUMBER, and --thinks-ms NUMBER, how long the model takes for a reply"
            ),
        }
    }
    Ok(Options {
        db,
        order,
        thinks: Duration::from_millis(thinks),
        person: person.unwrap_or_else(Person::at_the_terminal),
    })
}
