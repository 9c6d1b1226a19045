//! Waking a run up: sleeps end before their time.

use rewake_core::entity::{Entities, WaitStatus};
use rewake_core::event::{EventKind, Frame, Position};
use rewake_core::id::{RunId, WaitId};
use rewake_store::{Append, AppendRefusal, Condition, Failed, Kin, StoreError};

use super::Engine;
use crate::dispatch::Message;

/// A run that could not be woken up. Nothing was recorded, unless the store does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WakeUpError {
    /// There is no such run.
    #[error("there is no run `{run}`")]
    RunUnknown {
        /// The run.
        run: RunId,
    },
    /// The run has ended, and sleeps no more.
    #[error("run `{run}` has ended")]
    RunEnded {
        /// The run.
        run: RunId,
    },
    /// The store refused.
    #[error("the request was refused: {reason}")]
    Refused {
        /// What it said.
        reason: String,
    },
    /// The store could not serve; its `may_have_happened` says whether the run may have been woken.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Ends the sleeps of a run now, or the one that is named, and says how many: one that has ended
    /// or is given up is not among them. Returns when that is on stable storage.
    ///
    /// # Errors
    ///
    /// [`WakeUpError`].
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves open whether the run was woken; repeating it is harmless.
    pub async fn wake_up(&self, run: RunId, only: Option<WaitId>) -> Result<usize, WakeUpError> {
        let engine = self.clone();
        let woken = async move { engine.wake_up_now(run, only).await };
        self.inner.see_through(woken).await
    }

    async fn wake_up_now(&self, run: RunId, only: Option<WaitId>) -> Result<usize, WakeUpError> {
        let inner = &self.inner;
        loop {
            let frames = self.frames(run).await?;
            let waits = open_waits(run, &frames, only)?;
            if waits.is_empty() {
                return Ok(0);
            }
            let since = frames.last().map_or(Position::START, Frame::last);
            let open = |wait: &WaitId| Condition::WaitOpen { wait: *wait, since };
            let append = Append {
                scope: inner.scope,
                run,
                id: inner.event_id(),
                conditions: waits.iter().map(open).collect(),
                events: waits
                    .iter()
                    .map(|wait| EventKind::WaitCompleted { wait: *wait })
                    .collect(),
                release: Vec::new(),
                kin: Kin::default(),
                answers: Vec::new(),
                mark: None,
                since: None,
                repeat: false,
            };
            match inner.store.append(append).await {
                Ok(appended) => {
                    for frame in appended.frames {
                        inner.inform(run, Message::Frame(frame));
                    }
                    return Ok(waits.len());
                }
                // One of them has ended meanwhile: the log says which.
                Err(Failed::Refused(AppendRefusal::WaitClosed { .. })) => {}
                Err(Failed::Refused(AppendRefusal::RunEnded { .. })) => {
                    return Err(WakeUpError::RunEnded { run });
                }
                Err(Failed::Refused(AppendRefusal::RunUnknown { run })) => {
                    return Err(WakeUpError::RunUnknown { run });
                }
                Err(Failed::Refused(refusal)) => {
                    return Err(WakeUpError::Refused {
                        reason: refusal.to_string(),
                    });
                }
                Err(Failed::Store(error)) => return Err(inner.failed(error).into()),
            }
        }
    }
}

fn open_waits(
    run: RunId,
    frames: &[Frame],
    only: Option<WaitId>,
) -> Result<Vec<WaitId>, WakeUpError> {
    let entities = Entities::fold(run, frames).map_err(|error| WakeUpError::Refused {
        reason: error.to_string(),
    })?;
    if entities.run().is_none() {
        return Err(WakeUpError::RunUnknown { run });
    }
    if !entities.is_live() {
        return Err(WakeUpError::RunEnded { run });
    }
    let open = entities.waits().values().filter(|wait| match wait.status {
        WaitStatus::Waiting => only.is_none_or(|only| only == wait.id),
        WaitStatus::Completed | WaitStatus::Cancelled => false,
    });
    Ok(open.map(|wait| wait.id).collect())
}
