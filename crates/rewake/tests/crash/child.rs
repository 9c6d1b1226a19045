//! What a child process does: it opens the store, runs what it finds there, and carries out commands.

use std::convert::Infallible;
use std::fs::OpenOptions;
use std::io::{BufRead, Write};
use std::path::PathBuf;

use rewake::prelude::*;
use rewake::{RunId, StepErrorKind};

use crate::file::journal;

pub(crate) const STORE: &str = "REWAKE_CRASH_STORE";
pub(crate) const BUILD: &str = "REWAKE_CRASH_BUILD";

/// Does nothing unless it was started by another test.
#[test]
fn a_process_serves() {
    let (Some(store), Some(build)) = (std::env::var_os(STORE), std::env::var_os(BUILD)) else {
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let url = format!("sqlite:{}", PathBuf::from(store).display());
    let build = build.into_string().unwrap();
    runtime.block_on(serve(&url, build));
}

async fn serve(url: &str, build: String) {
    let rewake = Rewake::builder().store(url).build_id(build).build().await;
    let rewake = rewake.unwrap();
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        let answer = match *words {
            ["start", name, token] => start(&rewake, name, token.to_owned()).await.to_string(),
            ["resume", token, n] => {
                let n: u64 = n.parse().unwrap();
                while rewake.resume_hook(token, &n).await.unwrap().is_none() {
                    tokio::task::yield_now().await;
                }
                "resumed".to_owned()
            }
            ["cancel", run] => {
                let run = rewake.get_run::<String>(run.parse().unwrap());
                run.cancel("not wanted").await.unwrap().to_string()
            }
            ["result", run] => result(&rewake, run.parse().unwrap()).await,
            _ => panic!("there is no command `{line}`"),
        };
        let mut out = std::io::stdout().lock();
        writeln!(out, "\nanswer {answer}").unwrap();
        out.flush().unwrap();
    }
}

async fn start(rewake: &Rewake, name: &str, token: String) -> RunId {
    let call = match name {
        "adds" => adds(token),
        "panics" => panics(token),
        "aborts" => aborts(token),
        "aborts_in_the_new_build" => aborts_in_the_new_build(token),
        "is_aborted" => is_aborted(token),
        "tries_once" => tries_once(token),
        "is_changed" => is_changed(token),
        "is_cancelled" => is_cancelled(token),
        _ => panic!("there is no workflow `{name}`"),
    };
    rewake.start(call).await.unwrap().id()
}

/// What came of a run, or why nothing does.
async fn result(rewake: &Rewake, run: RunId) -> String {
    match rewake.get_run::<String>(run).result().await {
        Ok(result) => result,
        Err(RunError::Parked { code, .. }) => format!("parked {code}"),
        Err(error) => error.to_string(),
    }
}

/// The name of the build that this process is.
fn build() -> String {
    std::env::var_os(BUILD).unwrap().into_string().unwrap()
}

/// A side effect.
fn write(line: &str) {
    let path = journal(&PathBuf::from(std::env::var_os(STORE).unwrap()));
    let mut journal = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    // One write, so that a line is there whole or not at all.
    journal.write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// The innocent: it waits for two payloads.
#[workflow]
async fn adds(token: String) -> anyhow::Result<String> {
    let mut hook = create_hook::<u64>().token(token).await?;
    let (a, b) = (hook.recv().await?, hook.recv().await?);
    Ok((a + b).to_string())
}

#[workflow]
async fn panics(token: String) -> anyhow::Result<String> {
    let n = create_hook::<u64>().token(token).await?.recv().await?;
    assert!(build() == "mended" || n != 13, "{n} brings bad luck");
    Ok(format!("survived {n}"))
}

/// A run that takes its process with it whenever it is replayed beyond its payload.
#[workflow]
async fn aborts(token: String) -> anyhow::Result<String> {
    let n = create_hook::<u64>().token(token).await?.recv().await?;
    if build() != "mended" {
        write("workflow aborts");
        std::process::abort();
    }
    Ok(format!("survived {n}"))
}

/// Nothing has happened to it when it takes its process with it; it is only taken up.
#[workflow]
async fn aborts_in_the_new_build(_token: String) -> anyhow::Result<String> {
    if build() == "new" {
        write("workflow aborts");
        std::process::abort();
    }
    Ok(hangs("held".to_owned()).await?.to_string())
}

#[step(backoff = "1ms")]
async fn takes_the_process_with_it() -> Result<u64, Infallible> {
    let metadata = step_metadata();
    write(&format!(
        "attempt {} of {}",
        metadata.attempt, metadata.step_id
    ));
    std::process::abort();
}

#[workflow]
async fn is_aborted(_token: String) -> anyhow::Result<String> {
    let error = takes_the_process_with_it().max_retries(2).await;
    let error = error.expect_err("it never ends");
    anyhow::ensure!(error.kind == StepErrorKind::RetriesExhausted, "{error:?}");
    Ok(format!("{} attempts: {}", error.attempts, error.message))
}

/// A step that has had its effect, and does not come to its end in this process.
#[step]
async fn hangs(name: String) -> Result<u64, Infallible> {
    write(&format!("{name} {}", step_metadata().step_id));
    std::future::pending().await
}

#[step]
async fn hangs_too(name: String) -> Result<u64, Infallible> {
    write(&format!("{name} {}", step_metadata().step_id));
    Ok(1)
}

#[workflow]
async fn tries_once(_token: String) -> anyhow::Result<String> {
    let error = hangs("effect".to_owned()).max_retries(0).await;
    let error = error.expect_err("it does not end");
    Ok(format!("{} attempts: {}", error.attempts, error.message))
}

/// Calls another step in the same place, if the build is another.
#[workflow]
async fn is_changed(_token: String) -> anyhow::Result<String> {
    let result = if build() == "old" {
        hangs("old".to_owned()).await?
    } else {
        hangs_too("new".to_owned()).await?
    };
    Ok(result.to_string())
}

/// Has its effect in every process, and comes to its end in the one that bears its name, or is the last.
#[step(backoff = "1ms", max_retries = 9)]
async fn ends_in(name: String) -> Result<(), Infallible> {
    write(&format!("{name} in {}", build()));
    if build() != name && build() != "last" {
        std::future::pending::<()>().await;
    }
    Ok(())
}

#[workflow]
async fn is_cancelled(_token: String) -> anyhow::Result<String> {
    undo(ends_in("undo-a".to_owned()));
    undo(ends_in("undo-b".to_owned()));
    shield(async {
        ends_in("shield-a".to_owned()).await?;
        ends_in("shield-b".to_owned()).await
    })
    .await?;
    ends_in("never".to_owned()).await?;
    Ok("not cancelled".to_owned())
}
