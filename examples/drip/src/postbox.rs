//! Where letters are posted. It is pretended: they end in a file.

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rewake::step_metadata;
use tokio::sync::mpsc::UnboundedSender;

/// A letter that was posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// To whom.
    pub to: String,
    /// What it says.
    pub text: String,
}

/// A mail service. Like a real one it takes an idempotency key, and posts nothing twice under one.
#[derive(Clone, Debug)]
pub struct Postbox {
    outbox: Arc<Mutex<PathBuf>>,
    hears: UnboundedSender<Posted>,
}

impl Postbox {
    /// The postbox that belongs to a database, in a file beside it. Somebody hears of each letter.
    pub fn beside(db: &Path, hears: UnboundedSender<Posted>) -> Self {
        Self {
            outbox: Arc::new(Mutex::new(db.with_extension("outbox"))),
            hears,
        }
    }

    /// Posts a letter, unless the step that asks has posted it in an earlier attempt.
    pub(crate) fn post(&self, to: &str, text: &str) -> anyhow::Result<()> {
        let key = step_metadata().step_id.to_string();
        // One at a time, or two would both find that nothing was posted.
        let path = self.outbox.lock().unwrap_or_else(PoisonError::into_inner);
        let mut options = OpenOptions::new();
        let mut outbox = options.create(true).append(true).read(true).open(&*path)?;
        let mut posted = String::new();
        outbox.read_to_string(&mut posted)?;
        if posted.contains(&key) {
            return Ok(());
        }
        writeln!(outbox, "to {to}: {text} (under {key})")?;
        let (to, text) = (to.to_owned(), text.to_owned());
        let _nobody_listens = self.hears.send(Posted { to, text });
        Ok(())
    }
}
