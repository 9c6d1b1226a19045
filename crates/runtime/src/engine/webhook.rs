//! The webhook door: a request goes in, and the workflow's answer may come out.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_lock::SemaphoreGuard;
use futures_util::future::{Either, select};
use rewake_core::id::{RunId, StepId, StreamId};
use rewake_core::payload::Payload;
use rewake_core::token::Token;
use rewake_store::{
    Answer, AnswerRefusal, ChunkRow, Deliver, DeliverRefusal, DeliveryKey, Door, Failed,
    UnreadLimit,
};
use sha2::{Digest, Sha256};

use super::{Engine, Hook, Inner};
use crate::dispatch::{Called, Message, News};
use crate::error::{AnswerError, QueryError, WebhookError};

/// A request on its way to a webhook.
#[derive(Clone)]
pub struct WebhookDelivery {
    /// The webhook's token.
    pub token: String,
    /// The request, encoded.
    pub payload: Payload,
    /// The sender's delivery id: a redelivery is answered again and delivered once.
    pub key: Option<String>,
}

/// Shows neither token nor request nor key: the one is a credential, the others are the caller's.
impl fmt::Debug for WebhookDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookDelivery")
            .field("payload_len", &self.payload.len())
            .finish_non_exhaustive()
    }
}

/// A request that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The webhook that took it.
    pub hook: Hook,
    /// False where the same key had delivered it before.
    pub new: bool,
}

/// A webhook, as those who call it find it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Its hook.
    pub hook: Hook,
    /// False where it takes nothing new any more and only answers what was repeated.
    pub is_live: bool,
}

impl Engine {
    /// The webhook of a token, also where all that is left of it are the keys of its requests; none
    /// where there is no such webhook, whatever else has the token.
    ///
    /// # Errors
    ///
    /// [`WebhookError::Store`] where the store cannot be read.
    pub async fn webhook(&self, token: &str) -> Result<Option<Webhook>, WebhookError> {
        let inner = &self.inner;
        let Ok(parsed) = Token::parse(token, inner.limits.token) else {
            return Ok(None);
        };
        match self.hook_by_token(token).await {
            Ok(Some(hook)) if hook.is_webhook => Ok(Some(Webhook {
                hook,
                is_live: true,
            })),
            Ok(Some(_)) => Ok(None),
            Ok(None) => inner.remembered(parsed).await,
            Err(QueryError::Store(error)) => Err(error.into()),
            Err(error) => Err(WebhookError::Refused {
                reason: error.to_string(),
            }),
        }
    }

    /// Hands a request to the live webhook of a token; none where there is no such webhook.
    ///
    /// # Errors
    ///
    /// [`WebhookError`]; its `may_have_happened` says whether something may have happened.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves open whether the request was taken.
    pub async fn deliver_webhook(
        &self,
        delivery: WebhookDelivery,
    ) -> Result<Option<Delivery>, WebhookError> {
        let engine = self.clone();
        let delivered = async move { engine.deliver_webhook_now(delivery).await };
        self.inner.see_through(delivered).await
    }

    async fn deliver_webhook_now(
        &self,
        delivery: WebhookDelivery,
    ) -> Result<Option<Delivery>, WebhookError> {
        let inner = &self.inner;
        let Ok(token) = Token::parse(&delivery.token, inner.limits.token) else {
            return Ok(None);
        };
        if delivery.payload.len() > inner.limits.payload {
            let limit = inner.limits.payload;
            return Err(WebhookError::TooLarge { limit });
        }
        let deliver = Deliver {
            scope: inner.scope,
            token: token.clone(),
            id: inner.event_id(),
            payload: delivery.payload,
            key: delivery.key.map(|key| DeliveryKey { key, digest: None }),
            fallback: None,
            door: Door::Webhook,
            limit: inner.limits.unread,
            repeat: false,
        };
        match inner.store.deliver(deliver).await {
            Ok(delivered) => {
                let run = delivered.hook.run;
                let new = delivered.frame.is_some();
                if let Some(frame) = delivered.frame {
                    inner.inform(run, Message::Frame(frame));
                }
                Ok(Some(Delivery {
                    hook: inner.hook(delivered.hook),
                    new,
                }))
            }
            Err(Failed::Refused(DeliverRefusal::NoHook | DeliverRefusal::WrongDoor)) => Ok(None),
            Err(Failed::Refused(DeliverRefusal::HookOverdue { run, hook })) => {
                inner.expire(run, hook, token).await?;
                Ok(None)
            }
            Err(Failed::Refused(DeliverRefusal::Full { .. })) => Err(WebhookError::Full),
            Err(Failed::Refused(refusal)) => Err(WebhookError::Refused {
                reason: refusal.to_string(),
            }),
            Err(Failed::Store(error)) => Err(inner.failed(error).into()),
        }
    }

    /// A place among those who wait for answers: taken before a request is handed over, so that
    /// nobody is turned away whose request was taken.
    ///
    /// # Errors
    ///
    /// [`WebhookError::TooManyCallers`] where too many wait already.
    pub fn caller(&self) -> Result<Caller<'_>, WebhookError> {
        let place = self.inner.callers.try_acquire();
        Ok(Caller {
            engine: self,
            _place: place.ok_or(WebhookError::TooManyCallers)?,
        })
    }

    /// The stream that takes the answer to a request. A request without a key has one of its own;
    /// one with a key shares it with its repetitions, so that they wait for the same answer.
    pub fn answer_stream(&self, token: &str, key: Option<&str>) -> StreamId {
        let Some(key) = key else {
            let host = &self.inner.host;
            return StreamId::mint(host.clock.now(), host.entropy.draw());
        };
        let digest = Sha256::new()
            .chain_update(token.len().to_be_bytes())
            .chain_update(token)
            .chain_update(key)
            .finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        StreamId::from_bytes(bytes)
    }
}

/// A place among those who wait for answers.
#[derive(Debug)]
pub struct Caller<'a> {
    engine: &'a Engine,
    _place: SemaphoreGuard<'a>,
}

/// Hears what is said of a run since it was made.
#[derive(Debug)]
pub struct Listening<'a> {
    run: RunId,
    called: Called<'a>,
}

impl Caller<'_> {
    /// Hears what is said of `run` from now on: made before a request is handed over, it misses no
    /// answer to it.
    pub fn listen(&self, run: RunId) -> Listening<'_> {
        Listening {
            run,
            called: self.engine.inner.waiters.wait(run),
        }
    }

    /// Waits for the answer that the workflow gives on `stream`, at most `within`. Who has listened
    /// since before the request was handed over, and knows that it was new, need not look whether the
    /// answer stands already.
    ///
    /// # Errors
    ///
    /// [`WebhookError::RunEnded`] where the run ended without answering, [`WebhookError::NoAnswer`]
    /// where the time ran out, [`WebhookError::AnswerLost`] where the store cannot say.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it changes nothing: the run goes on, and its answer stands.
    pub async fn answer(
        &self,
        run: RunId,
        stream: StreamId,
        within: Duration,
        since: Option<Listening<'_>>,
    ) -> Result<Payload, WebhookError> {
        let inner = &self.engine.inner;
        let mut deadline = self.engine.pass(within);
        let since = since.filter(|since| since.run == run);
        let mut since = since.map(|since| since.called);
        loop {
            let called = if let Some(called) = since.take() {
                called
            } else {
                // Registered before looking, so that nothing falls in between.
                let called = inner.waiters.wait(run);
                if let Some(answer) = self.find(run, &stream).await? {
                    return Ok(answer);
                }
                called
            };
            match select(pin!(inner.called_or_later(called)), deadline).await {
                Either::Left((News::Answered { stream: on, answer }, _))
                    if on == stream.as_str() =>
                {
                    return Ok(answer);
                }
                Either::Left((_, rest)) => deadline = rest,
                Either::Right(((), _)) => {
                    // Who answers in another process calls nobody here: what stands is the answer.
                    let answer = self.find(run, &stream).await?;
                    return answer.ok_or(WebhookError::NoAnswer);
                }
            }
        }
    }

    /// The answer, if it stands; an error where there will be none.
    async fn find(&self, run: RunId, stream: &StreamId) -> Result<Option<Payload>, WebhookError> {
        if let Some(answer) = self.look(run, stream).await? {
            return Ok(Some(answer));
        }
        let inner = &self.engine.inner;
        let row = inner.store.run(inner.scope, run).await;
        let row = row.map_err(WebhookError::AnswerLost)?;
        if row.is_some_and(|row| !row.status.is_terminal()) {
            return Ok(None);
        }
        // The answer may have come between the two looks.
        let answer = self.look(run, stream).await?;
        answer.map(Some).ok_or(WebhookError::RunEnded)
    }

    async fn look(&self, run: RunId, stream: &StreamId) -> Result<Option<Payload>, WebhookError> {
        let inner = &self.engine.inner;
        let stream = stream.as_str().to_owned();
        let chunk = inner.store.first_chunk(inner.scope, run, stream).await;
        let chunk = chunk.map_err(WebhookError::AnswerLost)?;
        Ok(chunk.map(|chunk| chunk.payload))
    }
}

impl Inner {
    /// The webhook that once had the token, as long as keys of its requests are remembered.
    async fn remembered(self: &Arc<Self>, token: Token) -> Result<Option<Webhook>, WebhookError> {
        let deliver = Deliver {
            scope: self.scope,
            token,
            id: self.event_id(),
            payload: Payload::from_bytes([]),
            key: Some(DeliveryKey {
                key: DeliveryKey::FIRST.to_owned(),
                digest: None,
            }),
            fallback: None,
            door: Door::Webhook,
            // Nothing is to be delivered, whoever may have the token by now.
            limit: UnreadLimit { count: 0, bytes: 0 },
            repeat: false,
        };
        match self.store.deliver(deliver).await {
            Ok(delivered) => Ok(Some(Webhook {
                hook: self.hook(delivered.hook),
                is_live: false,
            })),
            Err(Failed::Refused(_)) => Ok(None),
            Err(Failed::Store(error)) => Err(error.into()),
        }
    }

    /// Puts the answer to a request of a webhook; the first stands, its writer may repeat it.
    pub(crate) async fn answer(
        self: &Arc<Self>,
        run: RunId,
        stream: String,
        writer: StepId,
        payload: Payload,
    ) -> Result<(), AnswerError> {
        let chunk = ChunkRow {
            writer: Some(writer),
            payload: payload.clone(),
        };
        let answer = Answer {
            scope: self.scope,
            run,
            stream: stream.clone(),
            chunk,
        };
        match self.store.answer(answer).await {
            Ok(answered) => {
                let news = News::Answered {
                    stream,
                    answer: payload,
                };
                // What was answered before may read otherwise.
                let news = if answered.first { news } else { News::Look };
                self.waiters.call(run, news);
                Ok(())
            }
            Err(Failed::Refused(AnswerRefusal::AlreadyAnswered)) => {
                // Of an answer that has stood since before a caller came, nobody else tells it.
                self.waiters.call(run, News::Look);
                Err(AnswerError::AlreadyAnswered)
            }
            Err(Failed::Refused(_)) => Err(AnswerError::RunEnded),
            Err(Failed::Store(error)) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_token_nor_request_nor_key_is_printed() {
        let delivery = WebhookDelivery {
            token: "token-7".to_owned(),
            payload: Payload::from_bytes(*b"devl[\"payload-7\"]"),
            key: Some("key-7".to_owned()),
        };
        let printed = format!("{delivery:?}");
        assert_eq!(printed, "WebhookDelivery { payload_len: 17, .. }");
    }
}
