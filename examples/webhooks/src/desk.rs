//! The workflows and their steps.

use std::io::Write;
use std::path::{Path, PathBuf};

use http::Response;
use rewake::prelude::*;

use crate::say;

/// The world outside: every side effect leaves a line in a file, so that one can count them.
#[derive(Clone, Debug)]
pub(crate) struct Journal {
    path: PathBuf,
}

impl Journal {
    /// The journal that belongs to a database.
    pub(crate) fn beside(db: &Path) -> Self {
        Self {
            path: db.with_extension("journal"),
        }
    }

    fn write(&self, line: &str) -> std::io::Result<()> {
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path)?;
        writeln!(file, "{line}")
    }
}

/// Tells the sender where to send; here the sender is the person at the terminal.
#[step]
async fn tell_sender(workflow: String, url: String) -> anyhow::Result<()> {
    say::waits(&workflow, &url);
    Ok(())
}

/// Announces a release.
#[step]
async fn announce(
    repository: String,
    version: String,
    #[provided] journal: Journal,
) -> anyhow::Result<()> {
    journal.write(&format!("announce {repository} {version}"))?;
    Ok(())
}

/// Books a payment.
#[step]
async fn book(order: String, cents: u64, #[provided] journal: Journal) -> anyhow::Result<()> {
    journal.write(&format!("book {order} {cents}"))?;
    Ok(())
}

/// What GitHub sends, as far as it is of interest.
#[derive(Debug, Deserialize)]
struct Release {
    action: String,
    release: Tag,
}

#[derive(Debug, Deserialize)]
struct Tag {
    tag_name: String,
}

/// Waits until a release of the repository is published. Others than GitHub cannot say so: a request
/// that is not signed with the secret gets 401 and never comes here.
#[workflow]
pub(crate) async fn release(repository: String) -> anyhow::Result<String> {
    let mut events = create_webhook().verify(Verify::github("github")).await?;
    tell_sender("release".into(), events.url().to_owned()).await?;
    loop {
        let event = events.recv().await?;
        let Ok(Release { action, release }) = event.json() else {
            continue; // Another kind of event.
        };
        if action == "published" {
            announce(repository.clone(), release.tag_name.clone()).await?;
            return Ok(format!("{repository} {} was announced", release.tag_name));
        }
    }
}

/// What Stripe sends, as far as it is of interest.
#[derive(Debug, Deserialize)]
struct PaymentEvent {
    r#type: String,
    data: PaymentData,
}

#[derive(Debug, Deserialize)]
struct PaymentData {
    object: PaymentIntent,
}

#[derive(Debug, Deserialize)]
struct PaymentIntent {
    amount: u64,
}

/// Waits until an order is paid, and books it once, however often the event is sent.
#[workflow]
pub(crate) async fn payment(order: String) -> anyhow::Result<String> {
    let mut events = create_webhook().verify(Verify::stripe("stripe")).await?;
    tell_sender("payment".into(), events.url().to_owned()).await?;
    loop {
        let event: PaymentEvent = events.recv().await?.json()?;
        if event.r#type == "payment_intent.succeeded" {
            let cents = event.data.object.amount;
            book(order.clone(), cents).await?;
            return Ok(format!("{order} is paid: {cents} cents"));
        }
    }
}

/// What Slack sends when somebody types a command.
#[derive(Debug, Deserialize)]
struct Command {
    text: String,
}

/// Answers commands, each caller with its own answer. What it knows it holds in a variable: the log
/// brings it back after every crash.
#[workflow]
pub(crate) async fn commands() -> anyhow::Result<String> {
    let mut calls = create_webhook()
        .manual()
        .verify(Verify::slack("slack"))
        .await?;
    tell_sender("commands".into(), calls.url().to_owned()).await?;
    let mut said: Vec<String> = Vec::new();
    loop {
        let call = calls.recv().await?;
        let Ok(Command { text }) = call.form() else {
            let usage = Response::builder().status(400).body("send text=…\n")?;
            call.respond_with(usage).await?;
            continue;
        };
        let answer = match text.as_str() {
            "history" => said.join("\n"),
            "goodbye" => "goodbye".to_owned(),
            _ => {
                said.push(text.clone());
                format!("command {}: {text}", said.len())
            }
        };
        call.respond_with(Response::new(answer)).await?;
        if text == "goodbye" {
            return Ok(format!("{} commands were answered", said.len()));
        }
    }
}
