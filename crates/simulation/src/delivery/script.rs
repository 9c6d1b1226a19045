//! What workflows do with the tokens: a script of a few lines, carried out by one workflow.

use std::time::Duration;

use rewake::prelude::*;
use serde::{Deserialize, Serialize};

use super::schedule::Told;
use crate::ledger::{self, Recording};
use crate::workload::Seen;

/// The name of the workflow.
pub(super) const WORKFLOW: &str = "delivery";

/// A line of a script. Reading is from the hook that was opened last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Line {
    /// Opens a token, for so many milliseconds.
    Open(String, Option<u64>),
    /// Reads one.
    Read,
    /// Reads until a payload says to finish, or nothing more will come.
    ReadUntilTold,
    /// Reads one, unless a sleep ends first.
    ReadOrSleep(u64),
    Sleep(u64),
    /// Closes the hook, and reads what had come.
    Close,
    /// Drops the receiver.
    Drop,
    /// Ends with an error.
    Fail,
}

/// A script.
pub(crate) type Script = Vec<Line>;

/// Carries out the script that came with the act of this number.
#[workflow(name = "delivery")]
pub(crate) async fn follow(serial: u64, script: Script) -> anyhow::Result<u64> {
    let notes = Recording::begin(workflow_metadata().run_id);
    let mut hooks = Vec::new();
    for line in script {
        ledger::count(line.name());
        act(line, &mut hooks, &notes).await?;
    }
    Ok(serial)
}

async fn act(
    line: Line,
    hooks: &mut Vec<HookReceiver<Told>>,
    notes: &Recording,
) -> anyhow::Result<()> {
    match (line, hooks.last_mut()) {
        (Line::Open(token, expires_ms), _) => {
            let opening = create_hook::<Told>().token(token);
            let opening = match expires_ms {
                Some(ms) => opening.expires_in(Duration::from_millis(ms)),
                None => opening,
            };
            // Whoever finds the token taken goes on without.
            hooks.extend(opening.await.ok());
        }
        (Line::Read, Some(hook)) => {
            note(hook.recv().await, hook, notes);
        }
        (Line::ReadUntilTold, Some(hook)) => {
            while note(hook.recv().await, hook, notes).is_some_and(|told| !told.finish) {}
        }
        (Line::ReadOrSleep(ms), Some(hook)) => {
            let received = select! {
                received = hook.recv() => Some(received),
                () = sleep(Duration::from_millis(ms)) => None,
            };
            match received {
                Some(received) => {
                    note(received, hook, notes);
                }
                None => notes.note(&Seen::Woke),
            }
        }
        (Line::Close, Some(hook)) => {
            hook.close().await;
            notes.note(&Seen::Closed(hook.hook_id().to_string()));
            while note(hook.recv().await, hook, notes).is_some() {}
        }
        (Line::Drop, Some(_)) => drop(hooks.pop()),
        (Line::Sleep(ms), _) => sleep(Duration::from_millis(ms)).await,
        (Line::Fail, _) => anyhow::bail!("scripted error"),
        (
            Line::Read | Line::ReadUntilTold | Line::ReadOrSleep(_) | Line::Close | Line::Drop,
            None,
        ) => {}
    }
    Ok(())
}

/// Writes down what came; none where nothing more will.
fn note(
    received: Result<Told, HookError>,
    hook: &HookReceiver<Told>,
    notes: &Recording,
) -> Option<Told> {
    let id = hook.hook_id().to_string();
    match received {
        Ok(told) => {
            notes.note(&Seen::Payload(id, told.number));
            Some(told)
        }
        Err(error) => {
            notes.note(&Seen::Over(id, error.to_string()));
            None
        }
    }
}
