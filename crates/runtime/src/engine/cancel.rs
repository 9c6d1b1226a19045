//! Asking for the end of a run, and ending it at once.

use rewake_core::entity::Entities;
use rewake_core::event::EventKind;
use rewake_core::id::RunId;
use rewake_core::token::Token;
use rewake_store::{Append, AppendRefusal, Failed, Kin, StoreError};

use super::Engine;
use crate::dispatch::{Message, News};

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
    /// run had ended. A parked run keeps the request for a build that lets it go on.
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

    /// Ends a run at once: nothing of its workflow's runs any more. Returns when the end is on stable
    /// storage; false where the run had ended. What it holds unread goes where it belongs.
    ///
    /// # Errors
    ///
    /// [`CancelError`].
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves open whether the run was ended; repeating it is harmless.
    pub async fn terminate(&self, run: RunId, reason: Option<String>) -> Result<bool, CancelError> {
        let engine = self.clone();
        let terminated = async move { engine.terminate_now(run, reason).await };
        self.inner.see_through(terminated).await
    }

    async fn terminate_now(&self, run: RunId, reason: Option<String>) -> Result<bool, CancelError> {
        let inner = &self.inner;
        loop {
            let append = Append {
                scope: inner.scope,
                run,
                id: inner.event_id(),
                conditions: Vec::new(),
                events: vec![EventKind::RunCancelled {
                    reason: reason.clone(),
                    terminated: true,
                }],
                release: self.tokens(run).await?,
                kin: Kin::default(),
                answers: Vec::new(),
                mark: None,
                since: None,
                repeat: false,
            };
            match inner.store.append(append).await {
                Ok(appended) => {
                    inner.begin_all(appended.started);
                    for frame in appended.frames {
                        inner.inform(run, Message::Frame(frame));
                    }
                    inner.waiters.call(run, News::Look);
                    return Ok(true);
                }
                // It has registered another hook meanwhile.
                Err(Failed::Refused(AppendRefusal::TokensLeft { .. })) => {}
                Err(Failed::Refused(AppendRefusal::RunEnded { .. })) => return Ok(false),
                Err(Failed::Refused(AppendRefusal::RunUnknown { run })) => {
                    return Err(CancelError::RunUnknown { run });
                }
                Err(Failed::Refused(refusal)) => {
                    return Err(CancelError::Refused {
                        reason: refusal.to_string(),
                    });
                }
                Err(Failed::Store(error)) => {
                    if error.may_have_happened() {
                        // Its parent and its children are told by whoever finds it ended.
                        inner.tell(run, Message::Look);
                    }
                    return Err(inner.failed(error).into());
                }
            }
        }
    }

    /// The tokens of a run's live hooks, as its log has them.
    async fn tokens(&self, run: RunId) -> Result<Vec<Token>, CancelError> {
        let frames = self.frames(run).await?;
        let entities = Entities::fold(run, &frames);
        let entities = entities.map_err(|error| CancelError::Refused {
            reason: error.to_string(),
        })?;
        let live = entities.live_hooks();
        Ok(live.map(|hook| hook.token.clone()).collect())
    }
}
