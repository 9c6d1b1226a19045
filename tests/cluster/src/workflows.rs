//! The workflows of the cluster.

use std::sync::atomic::{AtomicBool, Ordering};

use rewake::prelude::*;

use crate::journal::Journal;

/// What is sent to a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Letter {
    /// Something to be noted and remembered.
    Say(String),
    /// The end.
    Enough,
}

/// Whether this process is the new build, whose `order` begins otherwise.
static IS_NEW: AtomicBool = AtomicBool::new(false);

/// Makes this process the new build.
pub fn become_new() {
    IS_NEW.store(true, Ordering::Relaxed);
}

/// The side effect: a line in the journal of the process that runs it.
#[step(max_retries = 1000)]
async fn note(
    token: String,
    letter: String,
    #[provided] journal: Journal,
) -> anyhow::Result<String> {
    journal.note(&format!("did {token} {letter}"))?;
    Ok(letter)
}

/// Notes each letter and gives, in the end, all that it has read, in order.
#[workflow]
pub async fn conversation(token: String) -> anyhow::Result<Vec<String>> {
    let mut letters = create_hook::<Letter>().token(token.clone()).await?;
    let mut read = Vec::new();
    while let Letter::Say(letter) = letters.recv().await? {
        read.push(note(token.clone(), letter).await?);
    }
    Ok(read)
}

/// Reads so many letters (zero: until the end is sent), and gives them back.
#[workflow]
pub async fn basket(token: String, room: usize) -> anyhow::Result<Vec<String>> {
    let mut letters = create_hook::<Letter>().token(token).await?;
    let mut read = Vec::new();
    while room == 0 || read.len() < room {
        match letters.recv().await? {
            Letter::Say(letter) => read.push(letter),
            Letter::Enough => break,
        }
    }
    Ok(read)
}

/// A workflow that was changed between two builds: the new one welcomes first. No log of the one fits
/// the other.
#[workflow]
pub async fn order(token: String) -> anyhow::Result<String> {
    let is_new = IS_NEW.load(Ordering::Relaxed);
    if is_new {
        note(token.clone(), "welcome".into()).await?;
    }
    let mut letters = create_hook::<Letter>().token(token).await?;
    letters.recv().await?;
    Ok(if is_new { "new" } else { "old" }.into())
}
