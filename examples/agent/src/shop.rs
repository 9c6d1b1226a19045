//! The world outside: a shop, and what can be done in it.

use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};

use rewake::FatalError;
use serde::{Deserialize, Serialize};

/// What the model may ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ToolCall {
    LookUp { order: u32 },
    Refund { order: u32, cents: u32 },
    SendVoucher { order: u32, cents: u32 },
}

impl ToolCall {
    /// True where a person is to be asked first: it costs something, and cannot be taken back.
    pub(crate) const fn is_dangerous(&self) -> bool {
        match self {
            Self::LookUp { .. } => false,
            Self::Refund { .. } | Self::SendVoucher { .. } => true,
        }
    }
}

impl fmt::Display for ToolCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LookUp { order } => write!(f, "look up order {order}"),
            Self::Refund { order, cents } => write!(f, "give {cents} cents back for order {order}"),
            Self::SendVoucher { order, cents } => {
                write!(f, "send a voucher of {cents} cents for order {order}")
            }
        }
    }
}

/// What happened in the world, a line for each thing.
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

    pub(crate) fn write(&self, line: &str) -> std::io::Result<()> {
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path)?;
        writeln!(file, "{line}")
    }

    fn has(&self, line: &str) -> bool {
        let written = std::fs::read_to_string(&self.path).unwrap_or_default();
        written.lines().any(|found| found == line)
    }
}

/// A shop that keeps its books in a journal.
#[derive(Clone, Debug)]
pub(crate) struct Shop {
    pub(crate) journal: Journal,
}

impl Shop {
    /// Does what is asked for, once for each key.
    pub(crate) fn perform(&self, call: &ToolCall, key: &str) -> anyhow::Result<String> {
        if call.is_dangerous() {
            let line = format!("{call} ({key})");
            if !self.journal.has(&line) {
                self.journal.write(&line)?;
            }
        }
        match call {
            // Orders are numbered from 1000.
            ToolCall::LookUp { order } if *order < 1_000 => {
                Err(FatalError::new(format!("there is no order {order}")).into())
            }
            ToolCall::LookUp { .. } => Ok("4990 cents were paid for it".to_owned()),
            ToolCall::Refund { cents, .. } => Ok(format!("{cents} cents are on their way")),
            ToolCall::SendVoucher { cents, .. } => {
                Ok(format!("a voucher of {cents} cents is sent"))
            }
        }
    }
}
