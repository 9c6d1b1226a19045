//! Webhooks: hooks with a public URL, whose payload is an HTTP request.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, Stream, StreamExt};
use http::{HeaderMap, HeaderName, Method, Response};
use rewake_core::payload;
use rewake_core::replay::StepOutcome;
use rewake_core::token::Token;
use rewake_runtime::AnswerError;
use rewake_runtime::step::{StepContext, respond};
use rewake_runtime::webhook::{Request, RespondWith, Settings, url};
use rewake_runtime::workflow::{
    Conflict, Context as RunContext, HookSpec, RegisterHook, StepFuture,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{HookConflict, HookError};
use crate::hook::HookReceiver;
use crate::verify::Verify;

/// Begins a webhook: a hook with a public URL and a random token, whose payload is an HTTP request.
///
/// Unless told otherwise its callers get 202 as soon as their request is durable. Awaiting it
/// registers it; when it returns, a call can succeed.
///
/// # Cancel safety
///
/// Dropped before it resolves, the webhook takes nothing.
pub fn create_webhook() -> CreateWebhook {
    let state = match RunContext::current() {
        Ok(context) => {
            let spec = HookSpec {
                is_webhook: true,
                ..HookSpec::default()
            };
            let base = context.info().public_url.map(|url| url.to_string());
            Ok((RegisterHook::new(context, spec), base))
        }
        Err(_) => Err(HookError::NotInWorkflow),
    };
    CreateWebhook {
        state,
        settings: Settings::default(),
    }
}

/// A webhook that is being made.
#[derive(Debug)]
#[must_use = "a webhook is made when this is awaited"]
pub struct CreateWebhook {
    state: Result<(RegisterHook, Option<String>), HookError>,
    settings: Settings,
}

impl CreateWebhook {
    /// Answers every call with this response, as soon as the request is durable.
    pub fn respond_with<B: Into<Bytes>>(mut self, response: Response<B>) -> Self {
        match response.map(Into::into).try_into() {
            Ok(response) => self.settings.respond_with = RespondWith::Static(Box::new(response)),
            Err(error) => self.state = Err(not_encodable(&error)),
        }
        self
    }

    /// Lets the workflow answer, by [`WebhookRequest::respond_with`].
    pub fn manual(mut self) -> Self {
        self.settings.respond_with = RespondWith::Manual;
        self
    }

    /// How long a caller waits for the workflow's answer; 30 s. Then it gets 504, and the run goes on.
    /// No time at all is a [`HookError::InvalidOption`].
    pub fn answer_within(mut self, span: Duration) -> Self {
        self.settings.answer_within = Some(span);
        if span.is_zero() {
            let reason = "a caller that waits for no time gets no answer";
            self.state = Err(invalid("answer_within", reason));
        }
        self
    }

    /// The methods that resume; otherwise POST, PUT, PATCH and DELETE. None at all is a
    /// [`HookError::InvalidOption`].
    pub fn methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        let methods: Vec<Method> = methods.into_iter().collect();
        if methods.is_empty() {
            let reason = "a webhook without a method takes no request; name one at least";
            self.state = Err(invalid("methods", reason));
        }
        self.settings.methods = Some(methods);
        self
    }

    /// The headers to keep; otherwise everything but `authorization` and `cookie`.
    pub fn headers<N>(mut self, names: impl IntoIterator<Item = N>) -> Self
    where
        N: TryInto<HeaderName, Error: Error>,
    {
        match names
            .into_iter()
            .map(TryInto::try_into)
            .collect::<Result<_, _>>()
        {
            Ok(names) => self.settings.headers = Some(names),
            Err(error) => self.state = Err(not_encodable(&error)),
        }
        self
    }

    /// The header in which the sender names a delivery: one that comes again is answered again and
    /// delivered once.
    pub fn dedup<N: TryInto<HeaderName, Error: Error>>(mut self, name: N) -> Self {
        match name.try_into() {
            Ok(name) => self.settings.dedup = Some(name),
            Err(error) => self.state = Err(not_encodable(&error)),
        }
        self
    }

    /// Takes only requests that are signed so; others get 401 and leave no trace. The sender's id of
    /// a delivery tells repetitions from new requests, unless [`dedup`](Self::dedup) says otherwise.
    pub fn verify(mut self, verify: Verify) -> Self {
        match verify.checked {
            Ok(verify) => self.settings.verify = Some(verify),
            Err(error) => self.state = Err(error),
        }
        self
    }

    /// How long the webhook takes requests, from its registration.
    pub fn expires_in(mut self, span: Duration) -> Self {
        if let Ok((register, _)) = &mut self.state {
            register.spec_mut().expires_in = Some(span);
        }
        self
    }
}

const fn invalid(option: &'static str, reason: &'static str) -> HookError {
    HookError::InvalidOption { option, reason }
}

pub(crate) fn not_encodable(error: &dyn Error) -> HookError {
    HookError::NotEncodable {
        reason: error.to_string(),
    }
}

impl Future for CreateWebhook {
    type Output = Result<WebhookReceiver, HookError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let (register, base) = match &mut this.state {
            Ok((_, None)) => return Poll::Ready(Err(HookError::NoPublicUrl)),
            Ok((register, Some(base))) => (register, &*base),
            Err(error) => return Poll::Ready(Err(error.clone())),
        };
        match payload::encode(&this.settings) {
            Ok(settings) => register.spec_mut().metadata = Some(settings),
            Err(error) => return Poll::Ready(Err(not_encodable(&error))),
        }
        register.poll_unpin(cx).map(|registered| match registered {
            Ok(handle) => {
                let url = url(base, handle.token());
                Ok(WebhookReceiver {
                    url,
                    hook: HookReceiver::new(handle),
                })
            }
            Err(Conflict { token, owner }) => Err(HookConflict {
                token,
                run_id: owner,
            }
            .into()),
        })
    }
}

/// The receiving end of a webhook. Dropped by the workflow's code the webhook is disposed of.
pub struct WebhookReceiver {
    url: String,
    hook: HookReceiver<WebhookRequest>,
}

/// Without the URL: who knows it can call.
impl fmt::Debug for WebhookReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookReceiver")
            .field("hook", &self.hook)
            .finish_non_exhaustive()
    }
}

impl WebhookReceiver {
    pub(crate) const fn hook_mut(&mut self) -> &mut HookReceiver<WebhookRequest> {
        &mut self.hook
    }

    /// The public URL. Who knows it can call.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The token: the last part of the URL.
    pub const fn token(&self) -> &Token {
        self.hook.token()
    }

    /// The next request, in the order of arrival.
    ///
    /// # Errors
    ///
    /// As of [`HookReceiver::recv`].
    ///
    /// # Cancel safety
    ///
    /// Dropped in a lost race, it takes nothing with it.
    pub async fn recv(&mut self) -> Result<WebhookRequest, HookError> {
        self.hook.recv().await
    }

    /// Closes the webhook. When it returns no call succeeds any more; what had arrived is still read.
    ///
    /// # Cancel safety
    ///
    /// Dropped after its first poll, the webhook is closed all the same.
    pub async fn close(&mut self) {
        self.hook.close().await;
    }
}

impl Stream for WebhookReceiver {
    type Item = Result<WebhookRequest, HookError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().hook.poll_next_unpin(cx)
    }
}

/// A request to a webhook. It can be handed to steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WebhookRequest {
    request: Request,
}

/// A request whose body is not what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request's body is not {expected}: {reason}")]
pub struct BodyError {
    /// What was asked for.
    pub expected: &'static str,
    /// What stands in the way.
    pub reason: String,
}

impl BodyError {
    fn new(expected: &'static str, reason: &dyn Error) -> Self {
        Self {
            expected,
            reason: reason.to_string(),
        }
    }
}

impl WebhookRequest {
    /// The method.
    pub const fn method(&self) -> &Method {
        &self.request.method
    }

    /// The URL in full, with its query.
    pub fn url(&self) -> &str {
        &self.request.url
    }

    /// The headers that were kept.
    pub const fn headers(&self) -> &HeaderMap {
        &self.request.headers
    }

    /// The body.
    pub const fn bytes(&self) -> &Bytes {
        &self.request.body
    }

    /// The body as text.
    ///
    /// # Errors
    ///
    /// [`BodyError`] where it is not UTF-8.
    pub fn text(&self) -> Result<&str, BodyError> {
        std::str::from_utf8(self.bytes()).map_err(|error| BodyError::new("text", &error))
    }

    /// The body as JSON.
    ///
    /// # Errors
    ///
    /// [`BodyError`] where it is not a `T` in JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, BodyError> {
        serde_json::from_slice(self.bytes())
            .map_err(|error| BodyError::new("JSON of this type", &error))
    }

    /// The body as a form (`application/x-www-form-urlencoded`).
    ///
    /// # Errors
    ///
    /// [`BodyError`] where it is not a `T` as a form.
    pub fn form<T: DeserializeOwned>(&self) -> Result<T, BodyError> {
        serde_urlencoded::from_bytes(self.bytes())
            .map_err(|error| BodyError::new("a form of this type", &error))
    }

    /// Answers the caller, in manual mode: from a step, or from the workflow itself. The first answer
    /// stands; the same step may repeat it.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves open whether the answer stands.
    pub fn respond_with<B: Into<Bytes>>(&self, response: Response<B>) -> Respond {
        let state = self
            .answer(response.map(Into::into))
            .unwrap_or_else(State::Failed);
        Respond { state }
    }

    fn answer(&self, response: Response<Bytes>) -> Result<State, AnswerError> {
        let stream = self
            .request
            .answer_to
            .as_deref()
            .ok_or(AnswerError::NotManual)?;
        let refuse = |error: &dyn Error| AnswerError::NotEncodable {
            reason: error.to_string(),
        };
        let response: rewake_runtime::webhook::Response =
            response.try_into().map_err(|error| refuse(&error))?;
        let answer = payload::encode(&response).map_err(|error| refuse(&error))?;
        if let Ok(run) = RunContext::current() {
            let input = respond::input(stream, &answer)?;
            return Ok(State::Durable(StepFuture::new(
                run,
                respond::NAME,
                input,
                respond::OPTIONS,
            )));
        }
        let step = StepContext::current().ok_or(AnswerError::NotInRun)?;
        let stream = stream.to_owned();
        Ok(State::Direct(
            async move { respond::from_step(&step, &stream, answer).await }.boxed(),
        ))
    }
}

/// An answer on its way to the caller of a webhook.
#[must_use = "the caller is answered when this is awaited"]
pub struct Respond {
    state: State,
}

enum State {
    Failed(AnswerError),
    /// From workflow code: a built-in step.
    Durable(StepFuture),
    /// From a step.
    Direct(BoxFuture<'static, Result<(), AnswerError>>),
}

impl fmt::Debug for Respond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Respond").finish_non_exhaustive()
    }
}

impl Future for Respond {
    type Output = Result<(), AnswerError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.get_mut().state {
            State::Failed(error) => Poll::Ready(Err(error.clone())),
            State::Durable(step) => step.poll_unpin(cx).map(|outcome| settle(&outcome)),
            State::Direct(answer) => answer.poll_unpin(cx),
        }
    }
}

fn settle(outcome: &StepOutcome) -> Result<(), AnswerError> {
    match outcome {
        StepOutcome::Completed(verdict) => respond::verdict(verdict),
        StepOutcome::Failed { error, .. } => Err(AnswerError::NotEncodable {
            reason: error.message.clone(),
        }),
    }
}
