//! Questions about runs.

use std::collections::BTreeMap;

use rewake_core::entity::{Entities, RunStatus};
use rewake_core::event::{Event, EventKind, EventRef, Failure, Frame, Parent, Position};
use rewake_core::id::RunId;
use rewake_core::payload::Payload;
use rewake_core::time::Timestamp;
use rewake_store::{Parked, RunFilter, RunRow, StoreError};

use super::Engine;
use crate::dispatch::News;
use crate::error::QueryError;

const PAGE: usize = 1 << 20;

/// A run, as those outside see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunView {
    /// The run.
    pub run: RunId,
    /// Its workflow.
    pub workflow: String,
    /// How far it has come.
    pub status: RunStatus,
    /// Why nothing is done for it, where it is parked.
    pub parked: Option<Parked>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How many payloads it accepted and left unread.
    pub unread: u64,
    /// Key-values that it can be looked up by.
    pub attributes: BTreeMap<String, String>,
    /// The run and step that it belongs to, for a child run.
    pub parent: Option<Parent>,
    /// How many attached child runs it waits for, or leaves behind for a moment where it has ended.
    pub children: u32,
}

impl RunView {
    fn new(run: RunId, row: RunRow) -> Self {
        Self {
            run,
            workflow: row.workflow,
            status: row.status,
            parked: row.parked,
            created_at: row.created_at,
            ended_at: row.ended_at,
            unread: row.unread,
            attributes: row.attributes,
            parent: row.parent,
            children: row.children,
        }
    }
}

/// A page of runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunViews {
    /// The runs, newest first.
    pub runs: Vec<RunView>,
    /// Where the next page begins; none at the end.
    pub next: Option<RunId>,
}

/// A place in a log, between two events. Stores read whole frames, so it names the frame too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogPlace {
    /// The end of the last frame that was read to its end.
    pub frame: Position,
    /// The last event that was read.
    pub event: Position,
}

/// How a run ended, or why it will not go on by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunOutcome {
    /// Its workflow returned a value.
    Completed(Payload),
    /// Its workflow returned an error.
    Failed(Failure),
    /// It was cancelled or terminated.
    Cancelled {
        /// Why, in the words of whoever asked.
        reason: Option<String>,
        /// True where it was terminated.
        terminated: bool,
    },
    /// It went on in another run.
    Continued(RunId),
    /// It is parked.
    Parked(Parked),
    /// There is no such run.
    Unknown,
}

impl RunOutcome {
    /// How an event ends its run; none where it does not.
    pub(crate) fn of(event: &EventKind) -> Option<Self> {
        match event {
            EventKind::RunCompleted { output } => Some(Self::Completed(output.clone())),
            EventKind::RunFailed { error } => Some(Self::Failed(error.clone())),
            EventKind::RunCancelled { reason, terminated } => Some(Self::Cancelled {
                reason: reason.clone(),
                terminated: *terminated,
            }),
            EventKind::RunContinued { successor } => Some(Self::Continued(*successor)),
            _ => None,
        }
    }
}

impl Engine {
    /// A run as it is; none where there is no such run.
    ///
    /// # Errors
    ///
    /// [`QueryError`] where the store cannot be read.
    pub async fn run(&self, run: RunId) -> Result<Option<RunView>, QueryError> {
        let row = self.inner.store.run(self.inner.scope, run).await?;
        Ok(row.map(|row| RunView::new(run, row)))
    }

    /// Waits for the end of a run. A run that is parked or unknown is reported at once.
    ///
    /// # Errors
    ///
    /// [`QueryError`] where the store cannot be read.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it changes nothing.
    pub async fn outcome(&self, run: RunId) -> Result<RunOutcome, QueryError> {
        let inner = &self.inner;
        loop {
            // Registered before looking, so that nothing falls in between.
            let called = inner.waiters.wait(run);
            // The driver of a run that is in memory tells when it leaves: no need to look before.
            if inner.residents.has(run) && !inner.is_stopping() {
                match inner.called_or_later(called).await {
                    News::Ended(outcome) => return Ok(outcome),
                    News::Look | News::Answered { .. } => continue,
                }
            }
            let Some(row) = inner.store.run(inner.scope, run).await? else {
                return Ok(RunOutcome::Unknown);
            };
            if let Some(parked) = row.parked {
                return Ok(RunOutcome::Parked(parked));
            }
            if row.status.is_terminal() {
                let before = Position(row.tail.0 - 1);
                let frames = inner.store.frames(inner.scope, run, before, PAGE).await?;
                return Ok(end(&frames).unwrap_or(RunOutcome::Unknown));
            }
            if inner.is_stopping() {
                return Err(QueryError::ShuttingDown);
            }
            if let News::Ended(outcome) = inner.called_or_later(called).await {
                return Ok(outcome);
            }
        }
    }

    /// Everything that happened to a run, oldest first.
    ///
    /// # Errors
    ///
    /// [`QueryError`] where the store cannot be read.
    pub async fn events(&self, run: RunId) -> Result<Vec<Event>, QueryError> {
        let frames = self.frames(run).await?;
        Ok(frames
            .iter()
            .flat_map(Frame::iter)
            .map(EventRef::to_event)
            .collect())
    }

    /// What happened to a run after a place, oldest first, at most `limit`, and the place after it.
    /// Empty at the end, and where there is no such run.
    ///
    /// # Errors
    ///
    /// [`QueryError`] where the store cannot be read.
    pub async fn events_after(
        &self,
        run: RunId,
        mut place: LogPlace,
        limit: usize,
    ) -> Result<(Vec<Event>, LogPlace), QueryError> {
        let (store, scope) = (&self.inner.store, self.inner.scope);
        let mut events = Vec::new();
        loop {
            let frames = store.frames(scope, run, place.frame, PAGE).await?;
            if frames.is_empty() {
                return Ok((events, place));
            }
            for frame in frames {
                let seen = place.event;
                for event in frame.iter().filter(|event| event.position > seen) {
                    if events.len() == limit {
                        return Ok((events, place));
                    }
                    place.event = event.position;
                    events.push(event.to_event());
                }
                place.frame = frame.last();
            }
        }
    }

    /// The run with its steps, hooks and waits, folded from its log.
    ///
    /// # Errors
    ///
    /// [`QueryError`] where the store cannot be read, or the log is not legal.
    pub async fn entities(&self, run: RunId) -> Result<Entities, QueryError> {
        let frames = self.frames(run).await?;
        Entities::fold(run, &frames).map_err(|source| QueryError::IllegalLog { run, source })
    }

    /// Runs, newest first.
    ///
    /// # Errors
    ///
    /// [`QueryError`] where the store cannot be read.
    pub async fn runs(
        &self,
        filter: RunFilter,
        before: Option<RunId>,
        limit: usize,
    ) -> Result<RunViews, QueryError> {
        let page = self
            .inner
            .store
            .runs(self.inner.scope, filter, before, limit)
            .await?;
        let runs = page
            .runs
            .into_iter()
            .map(|(run, row)| RunView::new(run, row))
            .collect();
        Ok(RunViews {
            runs,
            next: page.next,
        })
    }

    pub(super) async fn frames(&self, run: RunId) -> Result<Vec<Frame>, StoreError> {
        let mut frames: Vec<Frame> = Vec::new();
        loop {
            let after = frames.last().map_or(Position::START, Frame::last);
            let page = self
                .inner
                .store
                .frames(self.inner.scope, run, after, PAGE)
                .await?;
            if page.is_empty() {
                return Ok(frames);
            }
            frames.extend(page);
        }
    }
}

fn end(frames: &[Frame]) -> Option<RunOutcome> {
    let mut events = frames.iter().flat_map(|frame| &frame.events);
    events.find_map(RunOutcome::of)
}
