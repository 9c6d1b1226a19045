//! The webhook door: a request goes in, and the workflow's answer may come out.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use rewake_core::id::{RunId, StepId};
use rewake_core::payload::Payload;
use rewake_core::token::Token;
use rewake_store::{
    Answer, AnswerRefusal, ChunkRow, Deliver, DeliverRefusal, DeliveryKey, Door, Failed,
};

use super::{Engine, Hook, Inner};
use crate::dispatch::Message;
use crate::error::{AnswerError, WebhookError};

/// A request on its way to a webhook.
#[derive(Clone, Debug)]
pub struct WebhookDelivery {
    /// The webhook's token.
    pub token: String,
    /// The request, encoded.
    pub payload: Payload,
    /// The sender's delivery id: a redelivery is answered again and delivered once.
    pub key: Option<String>,
}

/// A request that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The webhook that took it.
    pub hook: Hook,
    /// False where the same key had delivered it before.
    pub new: bool,
}

impl Engine {
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
        let inner = &self.inner;
        let Ok(token) = Token::parse(&delivery.token, inner.limits.token) else {
            return Ok(None);
        };
        if delivery.payload.len() > inner.limits.payload {
            let (len, limit) = (delivery.payload.len(), inner.limits.payload);
            return Err(WebhookError::TooLarge { len, limit });
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
                    inner.tell(run, Message::Frame(frame));
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
            Err(Failed::Store(error)) => Err(error.into()),
        }
    }

    /// Waits for the answer that the workflow gives on `stream`, at most `within`.
    ///
    /// # Errors
    ///
    /// [`WebhookError::RunEnded`] where the run ended without answering, [`WebhookError::NoAnswer`]
    /// where the time ran out, [`WebhookError::TooManyCallers`] where too many wait already.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it changes nothing: the run goes on, and its answer stands.
    pub async fn await_answer(
        &self,
        run: RunId,
        stream: &str,
        within: Duration,
    ) -> Result<Payload, WebhookError> {
        let inner = &self.inner;
        let _place = inner
            .callers
            .try_acquire()
            .ok_or(WebhookError::TooManyCallers)?;
        let mut deadline = self.wait_until(within);
        loop {
            // Registered before looking, so that nothing falls in between.
            let called = inner.waiters.wait(run);
            let chunk = inner
                .store
                .first_chunk(inner.scope, run, stream.to_owned())
                .await?;
            if let Some(chunk) = chunk {
                return Ok(chunk.payload);
            }
            let row = inner.store.run(inner.scope, run).await?;
            if row.is_none_or(|row| row.status.is_terminal()) {
                // The answer may have come between the two looks.
                let chunk = inner
                    .store
                    .first_chunk(inner.scope, run, stream.to_owned())
                    .await?;
                return chunk
                    .map(|chunk| chunk.payload)
                    .ok_or(WebhookError::RunEnded);
            }
            match select(called, deadline).await {
                Either::Left((_, rest)) => deadline = rest,
                Either::Right(((), _)) => return Err(WebhookError::NoAnswer),
            }
        }
    }
}

impl Inner {
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
            payload,
        };
        let answer = Answer {
            scope: self.scope,
            run,
            stream,
            chunk,
        };
        match self.store.answer(answer).await {
            Ok(_) => {
                self.waiters.call(run);
                Ok(())
            }
            Err(Failed::Refused(AnswerRefusal::AlreadyAnswered)) => {
                Err(AnswerError::AlreadyAnswered)
            }
            Err(Failed::Refused(_)) => Err(AnswerError::RunEnded),
            Err(Failed::Store(error)) => Err(error.into()),
        }
    }
}
