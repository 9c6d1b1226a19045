//! The mailbox: posting to a token before anybody holds it, and what is kept.

use std::sync::Arc;
use std::time::Duration;

use rewake_core::time::Timestamp;
use rewake_store::{Failed, Post, PostRefusal, StoreError};

use super::{Engine, Hook, Inner, Resume};
use crate::dispatch::Message;
use crate::error::{PostError, QueryError};

/// How many expired payloads one request removes from the mailbox.
const SWEEP: usize = 256;

/// A payload that was posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Posted {
    /// A live hook took it.
    Delivered(Hook),
    /// It is kept for whoever opens the token in time.
    Kept {
        /// Until when.
        until: Timestamp,
    },
}

/// A payload in the mailbox, as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Its place, which is the cursor of what follows.
    pub place: u64,
    /// The token, shortened: nobody can say whether it was drawn, and who knows one can resume.
    pub token: String,
    /// Its length in bytes, as encoded.
    pub len: usize,
    /// Since when it has been there.
    pub posted_at: Timestamp,
    /// Until when it is kept.
    pub until: Timestamp,
}

impl Engine {
    /// Hands a payload to the live hook of a token, or keeps it for whoever opens the token within
    /// `keep_for`. When this returns, the payload is on stable storage.
    ///
    /// # Errors
    ///
    /// [`PostError`]; its `may_have_happened` says whether something may have happened.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves open whether the payload was taken; a key makes a repeat safe.
    pub async fn post(&self, resume: Resume, keep_for: Duration) -> Result<Posted, PostError> {
        let engine = self.clone();
        let posted = async move { engine.post_now(resume, keep_for).await };
        self.inner.see_through(posted).await
    }

    async fn post_now(&self, resume: Resume, keep_for: Duration) -> Result<Posted, PostError> {
        let inner = &self.inner;
        let limit = inner.limits.keep_for;
        if keep_for.is_zero() {
            return Err(PostError::KeptForNoTime);
        }
        if keep_for > limit {
            return Err(PostError::KeptTooLong { limit });
        }
        let token = inner.check_payload(&resume)?;
        let post = Post {
            scope: inner.scope,
            token: token.clone(),
            id: inner.event_id(),
            key: resume.delivery_key(),
            payload: resume.payload,
            keep_for,
            limit: inner.limits.unread,
            most: inner.limits.mailbox,
            repeat: false,
        };
        loop {
            match inner.store.post(post.clone()).await {
                Ok(rewake_store::Posted::Delivered(delivered)) => {
                    let run = delivered.hook.run;
                    if let Some(frame) = delivered.frame {
                        inner.tell(run, Message::Frame(frame));
                    }
                    return Ok(Posted::Delivered(inner.hook(delivered.hook)));
                }
                Ok(rewake_store::Posted::Kept { until }) => return Ok(Posted::Kept { until }),
                Err(Failed::Refused(PostRefusal::HookOverdue { run, hook })) => {
                    inner.expire(run, hook, token.clone()).await?;
                }
                Err(Failed::Refused(refusal)) => return Err(refusal.into()),
                Err(Failed::Store(error)) => return Err(inner.failed(error).into()),
            }
        }
    }

    /// What the mailbox keeps, oldest first, after a place, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`QueryError`] where the store cannot be read.
    pub async fn mailbox(&self, after: Option<u64>, limit: usize) -> Result<Vec<Mail>, QueryError> {
        let inner = &self.inner;
        let mail = inner.store.mail(inner.scope, after, limit).await?;
        let shown = mail.into_iter().map(|(place, mail)| Mail {
            place,
            token: mail.token.shortened(),
            len: mail.payload.len(),
            posted_at: mail.posted_at,
            until: mail.until,
        });
        Ok(shown.collect())
    }
}

/// Removes what the mailbox keeps no longer; posting removes the rest as it goes.
pub(super) async fn sweep(inner: &Arc<Inner>) -> Result<(), StoreError> {
    while inner.store.sweep(inner.scope, SWEEP).await? == SWEEP {}
    Ok(())
}
