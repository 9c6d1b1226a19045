//! Whether every log is whole: runs and frames pass by in the same order, and are held side by side.

use std::collections::VecDeque;

use rewake_core::event::{Frame, Position};
use rewake_core::id::RunId;

use crate::error::StoreError;
use crate::wire::Corrupt;

/// The runs that have passed and whose logs have not ended, with the ends that their rows speak of.
#[derive(Debug, Default)]
pub(super) struct Logs {
    runs: VecDeque<(RunId, Position)>,
    /// The last position that has passed of the first run.
    at: Position,
}

impl Logs {
    /// A run whose log ends at `head`.
    pub(super) fn expect(&mut self, run: RunId, head: Position) {
        self.runs.push_back((run, head));
    }

    /// Takes in the next frame; false where its run may be among those that have not passed yet.
    pub(super) fn take(&mut self, run: RunId, frame: &Frame) -> Result<bool, StoreError> {
        while let Some((first, _)) = self.runs.front() {
            if *first == run {
                return self.go_on(run, frame).map(|()| true);
            }
            if *first > run {
                return Err(without_row(run));
            }
            self.end_first()?;
        }
        Ok(false)
    }

    /// All frames have passed.
    pub(super) fn end(&mut self) -> Result<(), StoreError> {
        while !self.runs.is_empty() {
            self.end_first()?;
        }
        Ok(())
    }

    fn go_on(&mut self, run: RunId, frame: &Frame) -> Result<(), StoreError> {
        if frame.first != self.at.next() || frame.events.is_empty() {
            let detail = format!("its log has a hole before position {}", frame.first);
            return Err(damaged(run, detail));
        }
        self.at = frame.last();
        Ok(())
    }

    fn end_first(&mut self) -> Result<(), StoreError> {
        let Some((run, head)) = self.runs.pop_front() else {
            return Ok(());
        };
        let at = std::mem::replace(&mut self.at, Position::START);
        if at == head {
            return Ok(());
        }
        Err(damaged(
            run,
            format!("its log ends at position {at}, and its row says {head}"),
        ))
    }
}

/// A run that has a log and no row.
pub(super) fn without_row(run: RunId) -> StoreError {
    damaged(run, "it has a log and no row".to_owned())
}

fn damaged(run: RunId, detail: String) -> StoreError {
    StoreError::corrupt_run(run, Corrupt::Content { detail })
}
