//! A process that calls `resume_or_start` so many times at once, and runs what it started.

use std::time::Duration;

use rewake::{Rewake, seconds};

use crate::handle::open;
use crate::journal::{Journal, say};
use crate::options::Options;
use crate::worker::{orders, until_the_end};
use crate::workflows::{Letter, basket};

const PAUSE: Duration = Duration::from_millis(50);

/// Makes its calls once it is told to go, all at the same time, and works until its standard input ends.
///
/// # Errors
///
/// If the journal cannot be written, or a call is refused for good.
pub async fn admit(options: &Options) -> anyhow::Result<()> {
    let journal = Journal::open(&options.journal)?;
    let rewake = open(options, &journal).await;
    say("ready");
    let mut orders = orders();
    orders.next_line().await?;
    let calls: Vec<_> = (0..options.calls)
        .map(|call| {
            let token = format!("basket:{}", call % options.tokens);
            let letter = format!("{}-{call}", options.name);
            tokio::spawn(bring(
                rewake.clone(),
                journal.clone(),
                token,
                letter,
                options.letters,
            ))
        })
        .collect();
    for call in calls {
        call.await??;
    }
    say("done");
    until_the_end(&mut orders).await;
    rewake.shutdown(seconds(5)).await?;
    say("drained");
    Ok(())
}

/// Brings one letter into a run, and notes into which.
async fn bring(
    rewake: Rewake,
    journal: Journal,
    token: String,
    letter: String,
    letters: usize,
) -> anyhow::Result<()> {
    let mut pause = tokio::time::interval(PAUSE);
    loop {
        pause.tick().await;
        let payload = Letter::Say(letter.clone());
        let call = rewake.resume_or_start(&token, &payload, basket(token.clone(), letters));
        match call.idempotency_key(&letter).await {
            Ok(admission) => {
                let (run, started) = (admission.run_id, admission.started);
                return Ok(journal.note(&format!("admitted {token} {letter} {run} {started}"))?);
            }
            Err(error) if error.is_retryable() || error.may_have_happened() => {
                say(&format!("again {letter}: {error}"));
            }
            Err(error) => return Err(error.into()),
        }
    }
}
