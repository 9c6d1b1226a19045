//! A process that resumes hooks, and insists on an answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rewake::{Rewake, seconds};

use crate::handle::open;
use crate::journal::{Journal, say};
use crate::options::Options;
use crate::worker::{orders, until_the_end};
use crate::workflows::Letter;

/// How many letters a client has on the way at most.
const SENDERS: usize = 4;
/// A sender sends no more than one letter in this time, so that the workers have time to be killed.
const PACE: Duration = Duration::from_millis(60);

/// Sends letters, to each conversation in turn, until its standard input ends; every letter that was
/// begun is brought to an answer.
///
/// # Errors
///
/// If the journal cannot be written.
pub async fn send(options: &Options) -> anyhow::Result<()> {
    let journal = Journal::open(&options.journal)?;
    let rewake = open(options, &journal).await;
    say("ready");
    let enough = Arc::new(AtomicBool::new(false));
    let senders: Vec<_> = (0..SENDERS)
        .map(|number| {
            let sender = Sender {
                rewake: rewake.clone(),
                journal: journal.clone(),
                enough: Arc::clone(&enough),
                name: format!("{}-{number}", options.name),
                tokens: options.tokens,
            };
            // Senders of one client begin at different tokens, so that one that waits holds up none.
            tokio::spawn(sender.send_from(number * options.tokens / SENDERS))
        })
        .collect();
    until_the_end(&mut orders()).await;
    enough.store(true, Ordering::Relaxed);
    for sender in senders {
        sender.await??;
    }
    rewake.shutdown(seconds(5)).await?;
    say("drained");
    Ok(())
}

struct Sender {
    rewake: Rewake,
    journal: Journal,
    enough: Arc<AtomicBool>,
    name: String,
    tokens: usize,
}

impl Sender {
    async fn send_from(self, first: usize) -> anyhow::Result<()> {
        let mut pace = tokio::time::interval(PACE);
        let mut number = 0;
        while !self.enough.load(Ordering::Relaxed) {
            pace.tick().await;
            let token = format!("talk:{}", (first + number) % self.tokens);
            self.bring(&token, &format!("{}-{number}", self.name))
                .await?;
            number += 1;
        }
        Ok(())
    }

    /// Sends one letter until it is known what became of it. The key makes a repeat harmless.
    async fn bring(&self, token: &str, letter: &str) -> anyhow::Result<()> {
        let mut pace = tokio::time::interval(PACE);
        loop {
            pace.tick().await;
            let payload = Letter::Say(letter.to_owned());
            match self
                .rewake
                .resume_hook(token, &payload)
                .idempotency_key(letter)
                .await
            {
                Ok(Some(_)) => return Ok(self.journal.note(&format!("acked {token} {letter}"))?),
                Ok(None) => return Ok(self.journal.note(&format!("nobody {token} {letter}"))?),
                Err(error) => say(&format!("again {letter}: {error}")),
            }
        }
    }
}
