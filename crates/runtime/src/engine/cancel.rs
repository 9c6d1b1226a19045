//! Asking for the end of a run.

use rewake_core::event::EventKind;
use rewake_core::id::RunId;
use rewake_store::{Append, AppendRefusal, Failed, StoreError};

use super::Engine;
use crate::dispatch::Message;

/// A run that could not be asked to end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CancelError {
    /// There is no such run.
    #[error("there is no run `{run}`")]
    RunUnknown {
        /// The run.
        run: RunId,
    },
    /// The store refused.
    #[error("the request was refused: {reason}")]
    Refused {
        /// What it said.
        reason: String,
    },
    /// The store could not serve.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Asks for a run to be cancelled. Returns when the request is on stable storage; false where the
    /// run had ended.
    ///
    /// # Errors
    ///
    /// [`CancelError`].
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves open whether the request was recorded; repeating it is harmless.
    pub async fn cancel(&self, run: RunId, reason: Option<String>) -> Result<bool, CancelError> {
        let engine = self.clone();
        let cancelled = async move { engine.cancel_now(run, reason).await };
        self.inner.see_through(cancelled).await
    }

    async fn cancel_now(&self, run: RunId, reason: Option<String>) -> Result<bool, CancelError> {
        let inner = &self.inner;
        let append = Append {
            scope: inner.scope,
            run,
            id: inner.event_id(),
            conditions: Vec::new(),
            events: vec![EventKind::RunCancelRequested { reason }],
            release: Vec::new(),
            mark: None,
            since: None,
            repeat: false,
        };
        match inner.store.append(append).await {
            Ok(appended) => {
                for frame in appended.frames {
                    inner.tell(run, Message::Frame(frame));
                }
                Ok(true)
            }
            Err(Failed::Refused(AppendRefusal::RunEnded { .. })) => Ok(false),
            Err(Failed::Refused(AppendRefusal::RunUnknown { run })) => {
                Err(CancelError::RunUnknown { run })
            }
            Err(Failed::Refused(refusal)) => Err(CancelError::Refused {
                reason: refusal.to_string(),
            }),
            Err(Failed::Store(error)) => Err(inner.failed(error).into()),
        }
    }
}
