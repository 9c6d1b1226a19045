//! Resuming a hook, and looking one up.

use std::fmt;

use rewake_core::key::{self, InvalidKey};
use rewake_core::payload::{self, Payload};
use rewake_core::token::{InvalidToken, Token};
use rewake_store::{Deliver, DeliverRefusal, DeliveryKey, Door, Failed};
use sha2::{Digest, Sha256};

use super::{Engine, Hook, Inner};
use crate::dispatch::Message;
use crate::error::{QueryError, ResumeError};

/// What is to be delivered, and how.
#[derive(Clone)]
pub struct Resume {
    /// The hook's token.
    pub token: String,
    /// The payload.
    pub payload: Payload,
    /// The same key again delivers nothing and gives the same answer.
    pub key: Option<String>,
}

impl Resume {
    /// The key, with what a second use of it is compared by.
    pub(super) fn delivery_key(&self) -> Option<DeliveryKey> {
        let mut digest = [0; 32];
        digest.copy_from_slice(&Sha256::digest(self.payload.as_bytes()));
        self.key.clone().map(|key| DeliveryKey {
            key,
            digest: Some(digest),
        })
    }
}

/// A payload that cannot be delivered, whoever has the token.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Undeliverable {
    Null,
    TooLarge { len: usize, limit: usize },
    Token(InvalidToken),
    Key(InvalidKey),
}

impl Inner {
    /// What can be said of a payload without the store.
    pub(super) fn check_payload(&self, resume: &Resume) -> Result<Token, Undeliverable> {
        if payload::is_null(&resume.payload) {
            return Err(Undeliverable::Null);
        }
        let (len, limit) = (resume.payload.len(), self.limits.payload);
        if len > limit {
            return Err(Undeliverable::TooLarge { len, limit });
        }
        let checked = resume.key.as_deref().map_or(Ok(()), key::check);
        checked.map_err(Undeliverable::Key)?;
        Token::parse(&resume.token, self.limits.token).map_err(Undeliverable::Token)
    }
}

/// Shows neither token nor payload nor key: the one is a credential, the others are the caller's.
impl fmt::Debug for Resume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resume")
            .field("payload_len", &self.payload.len())
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// Hands a payload to the live hook of a token. When this returns a hook, the payload is on
    /// stable storage and will be read once; none where no live hook has the token.
    ///
    /// # Errors
    ///
    /// [`ResumeError`]; its `may_have_happened` says whether something may have happened.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves open whether the payload was taken; a key makes a repeat safe.
    pub async fn resume(&self, resume: Resume) -> Result<Option<Hook>, ResumeError> {
        let engine = self.clone();
        let resumed = async move { engine.resume_now(resume).await };
        self.inner.see_through(resumed).await
    }

    async fn resume_now(&self, resume: Resume) -> Result<Option<Hook>, ResumeError> {
        let inner = &self.inner;
        let token = inner.check_payload(&resume)?;
        let deliver = Deliver {
            scope: inner.scope,
            token: token.clone(),
            id: inner.event_id(),
            key: resume.delivery_key(),
            payload: resume.payload,
            fallback: None,
            door: Door::Hook,
            limit: inner.limits.unread,
            repeat: false,
        };
        match inner.store.deliver(deliver).await {
            Ok(delivered) => {
                let run = delivered.hook.run;
                if let Some(frame) = delivered.frame {
                    inner.tell(run, Message::Frame(frame));
                }
                Ok(Some(inner.hook(delivered.hook)))
            }
            Err(Failed::Refused(DeliverRefusal::NoHook)) => Ok(None),
            Err(Failed::Refused(DeliverRefusal::HookOverdue { run, hook })) => {
                inner.expire(run, hook, token).await?;
                Ok(None)
            }
            Err(Failed::Refused(DeliverRefusal::WrongDoor)) => Err(ResumeError::NotAHook),
            Err(Failed::Refused(DeliverRefusal::KeyReused)) => Err(ResumeError::KeyReused),
            Err(Failed::Refused(DeliverRefusal::Full { count, bytes })) => {
                Err(ResumeError::Full { count, bytes })
            }
            Err(Failed::Refused(refusal)) => Err(ResumeError::Refused {
                reason: refusal.to_string(),
            }),
            Err(Failed::Store(error)) => Err(inner.failed(error).into()),
        }
    }

    /// The live hook of a token, without resuming it.
    ///
    /// # Errors
    ///
    /// [`QueryError`] where the token cannot be one, or the store cannot be read.
    pub async fn hook_by_token(&self, token: &str) -> Result<Option<Hook>, QueryError> {
        let inner = &self.inner;
        let token = Token::parse(token, inner.limits.token)?;
        let Some(row) = inner.store.token(inner.scope, token.clone()).await? else {
            return Ok(None);
        };
        if row
            .expires_at
            .is_some_and(|expiry| expiry <= inner.host.clock.now())
        {
            if !inner.client_only {
                inner.expire(row.run, row.hook, token).await?;
            }
            return Ok(None);
        }
        Ok(Some(inner.hook(row)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_token_nor_payload_nor_key_is_printed() {
        let resume = Resume {
            token: "token-7".to_owned(),
            payload: Payload::from_bytes(*b"devl[\"payload-7\"]"),
            key: Some("key-7".to_owned()),
        };
        assert_eq!(format!("{resume:?}"), "Resume { payload_len: 17, .. }");
    }
}
