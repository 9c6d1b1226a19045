//! The workflows that are measured: each as little as can be said, so that what is measured is the
//! engine.

use std::convert::Infallible;
use std::time::{Duration, UNIX_EPOCH};

use rewake::prelude::*;

use crate::counts::mark_of_counts;
use crate::notes::{WAITS, note};

/// A step that does nothing.
#[step]
pub(crate) async fn trivial(n: u64) -> Result<u64, Infallible> {
    Ok(n)
}

/// A step that says that it ran.
#[step]
pub(crate) async fn touch(n: u64) -> Result<u64, Infallible> {
    note(n);
    Ok(n)
}

/// So many steps, one after the other.
#[workflow]
pub(crate) async fn steps(count: u64) -> Result<u64, StepError> {
    for n in 0..count {
        trivial(n).await?;
    }
    Ok(count)
}

/// The same, and notes when each is behind it.
#[workflow]
pub(crate) async fn noted_steps(count: u64) -> Result<u64, StepError> {
    for n in 0..count {
        trivial(n).await?;
        note(n);
    }
    Ok(count)
}

/// Waits for one payload on a token of its own, and notes that it waits and its next line.
#[workflow]
pub(crate) async fn waits(n: u64) -> Result<u64, HookError> {
    let mut hook = create_hook::<u64>().token(token(n)).await?;
    note(WAITS + n);
    let got = hook.recv().await?;
    note(n);
    Ok(got)
}

/// The token of a run of [`waits`].
pub(crate) fn token(n: u64) -> String {
    format!("bench:{n}")
}

/// Takes so many payloads from one hook, and notes that it waits and each of them.
#[workflow]
pub(crate) async fn collects(count: u64) -> Result<u64, HookError> {
    let mut hook = create_hook::<u64>().token("collects").await?;
    note(WAITS);
    for n in 0..count {
        hook.recv().await?;
        note(n);
    }
    Ok(count)
}

/// The same, of texts.
#[workflow]
pub(crate) async fn collects_text(count: u64) -> Result<u64, HookError> {
    let mut hook = create_hook::<String>().token("collects_text").await?;
    note(WAITS);
    for n in 0..count {
        hook.recv().await?;
        note(n);
    }
    Ok(count)
}

/// Sleeps until a time of day, and notes its next line.
#[workflow]
pub(crate) async fn sleeps(n: u64, until_ms: u64) -> Result<u64, Infallible> {
    sleep_until(UNIX_EPOCH + Duration::from_millis(until_ms)).await;
    note(n);
    Ok(n)
}

/// Takes step after step, for ever.
#[workflow]
pub(crate) async fn churns(n: u64) -> Result<u64, StepError> {
    loop {
        touch(n).await?;
    }
}

/// Answers so many requests of one webhook itself.
#[workflow]
pub(crate) async fn answers(count: u64) -> anyhow::Result<u64> {
    let mut webhook = create_webhook().manual().await?;
    for _ in 0..count {
        let request = webhook.recv().await?;
        request
            .respond_with(http::Response::new(request.bytes().to_vec()))
            .await?;
    }
    Ok(count)
}

/// So many steps, with marks round the second hundred and round the last.
#[workflow]
pub(crate) async fn marked_steps(count: u64) -> Result<u64, StepError> {
    for n in 0..count {
        if matches!(n, 100 | 200) || n == count - 100 {
            mark_of_counts();
        }
        trivial(n).await?;
    }
    mark_of_counts();
    Ok(count)
}
