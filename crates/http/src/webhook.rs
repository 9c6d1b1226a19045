//! Resuming a webhook with a request, and answering the caller.

use axum::body::Body;
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, TRAILER, TRANSFER_ENCODING, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, Uri};
use rewake_runtime::core::id::StreamId;
use rewake_runtime::core::payload::{self, Payload};
use rewake_runtime::webhook::{Request, RespondWith, Response, Settings, Unverifiable};
use rewake_runtime::{Caller, Engine, Webhook, WebhookDelivery, WebhookError};

use crate::signature::Signed;
use crate::{body, door};

/// Hands a request to the live webhook of a token, and gives back what its workflow answers.
///
/// In this order, size, token, method, signature and delivery key are checked; then the request is
/// recorded. A
/// HEAD looks up, an OPTIONS asks what is allowed; neither resumes. The workflow gets the URL as
/// this process knows it: the application's public URL, with path and query of the request. What the
/// request says of its host is not trusted.
///
/// # Errors
///
/// [`WebhookError`]; its `may_have_happened` says whether the workflow may have got the request.
///
/// # Cancel safety
///
/// Dropped, it leaves open whether the request was taken. Once it was, a dropped wait for the answer
/// changes nothing.
pub async fn resume_webhook<B: Into<Body>>(
    engine: &Engine,
    token: &str,
    request: http::Request<B>,
) -> Result<http::Response<Bytes>, WebhookError> {
    let (parts, body) = request.into_parts();
    let body = body::read(engine, &parts.headers, body.into()).await?;
    let webhook = engine.webhook(token).await?;
    let webhook = webhook.ok_or(WebhookError::NotFound)?;
    let settings = Settings::read(webhook.hook.metadata.as_ref())?;
    let call = Call {
        engine,
        webhook,
        settings,
    };
    call.take(parts, body).await
}

/// A call of a webhook that was found.
struct Call<'a> {
    engine: &'a Engine,
    webhook: Webhook,
    settings: Settings,
}

/// A place for the caller, and where the answer will be.
struct Waiting<'a> {
    caller: Caller<'a>,
    stream: StreamId,
}

impl Call<'_> {
    async fn take(self, parts: Parts, body: Bytes) -> Result<http::Response<Bytes>, WebhookError> {
        let resumes = door::methods(&self.settings).contains(&parts.method);
        match parts.method {
            _ if resumes => self.resume(parts, body).await,
            _ if !self.webhook.is_live => Err(WebhookError::NotFound),
            Method::HEAD => Ok(door::empty(StatusCode::OK)),
            Method::OPTIONS => Ok(door::options(&self.settings)),
            _ => Err(WebhookError::MethodNotAllowed {
                allow: door::allow(&self.settings),
            }),
        }
    }

    async fn resume(
        self,
        parts: Parts,
        body: Bytes,
    ) -> Result<http::Response<Bytes>, WebhookError> {
        let signed = self.verified(&parts.headers, &body)?;
        let key = door::delivery_key(&self.settings, &parts.headers, signed);
        if !self.webhook.is_live && key.is_none() {
            return Err(WebhookError::NotFound);
        }
        let waiting = self.waiting(key.as_deref())?;
        let request = Request {
            url: full_url(self.engine, &parts.uri),
            headers: door::kept(&self.settings, &parts.headers),
            method: parts.method,
            body,
            answer_to: waiting.as_ref().map(|waiting| waiting.stream.to_string()),
        };
        let delivery = WebhookDelivery {
            token: self.webhook.hook.token.to_string(),
            payload: encode(&request)?,
            key,
        };
        // Before anybody can answer.
        let found = self.webhook.hook.run_id;
        let listening = waiting.as_ref().map(|waiting| waiting.caller.listen(found));
        let delivered = self.engine.deliver_webhook(delivery).await?;
        let delivered = delivered.ok_or(WebhookError::NotFound)?;
        let run = delivered.hook.run_id;
        let Some(Waiting { caller, stream }) = &waiting else {
            return Ok(self.immediate());
        };
        let since = listening.filter(|_| delivered.new);
        let within = self.settings.answer_within;
        let within = within.unwrap_or(Settings::ANSWER_WITHIN);
        decode(&caller.answer(run, *stream, within, since).await?)
    }

    /// Checks the signature, where the webhook wants one; the delivery's id, where the signature
    /// comes with one.
    fn verified(&self, headers: &HeaderMap, body: &Bytes) -> Result<Option<String>, WebhookError> {
        if self.settings.is_beyond_verification() {
            // Taking it unverified would be worse than not taking it.
            return Err(WebhookError::CannotVerify(Unverifiable::UnknownScheme));
        }
        let Some(verify) = &self.settings.verify else {
            return Ok(None);
        };
        let now = self.engine.now();
        let signed = Signed { headers, body, now };
        match signed.check(verify, self.engine.secrets()) {
            // Of a webhook that has gone only redeliveries are answered; this is none.
            Err(WebhookError::NotSigned(_)) if !self.webhook.is_live => Err(WebhookError::NotFound),
            Err(WebhookError::NotSigned(reason)) => {
                let (run, scheme) = (self.webhook.hook.run_id, verify.scheme.name());
                tracing::info!(%run, scheme, %reason, "a webhook's request was refused");
                Err(WebhookError::NotSigned(reason))
            }
            checked => checked,
        }
    }

    /// In manual mode the caller waits, and has its place before its request is handed over.
    fn waiting(&self, key: Option<&str>) -> Result<Option<Waiting<'_>>, WebhookError> {
        match self.settings.respond_with {
            RespondWith::Accepted | RespondWith::Static(_) => Ok(None),
            RespondWith::Manual => {
                let token = self.webhook.hook.token.as_str();
                let caller = self.engine.caller()?;
                let stream = self.engine.answer_stream(token, key);
                Ok(Some(Waiting { caller, stream }))
            }
        }
    }

    fn immediate(&self) -> http::Response<Bytes> {
        match &self.settings.respond_with {
            RespondWith::Accepted | RespondWith::Manual => door::empty(StatusCode::ACCEPTED),
            RespondWith::Static(response) => outgoing((**response).clone()),
        }
    }
}

fn full_url(engine: &Engine, uri: &Uri) -> String {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    format!("{}{path}", engine.public_url().unwrap_or_default())
}

fn encode(request: &Request) -> Result<Payload, WebhookError> {
    payload::encode(request).map_err(|error| WebhookError::Refused {
        reason: error.to_string(),
    })
}

fn decode(answer: &Payload) -> Result<http::Response<Bytes>, WebhookError> {
    payload::decode(answer)
        .map(outgoing)
        .map_err(|error| WebhookError::UnreadableAnswer {
            reason: error.to_string(),
        })
}

/// What the workflow answers, without what is between this process and the caller alone.
fn outgoing(response: Response) -> http::Response<Bytes> {
    let mut response = http::Response::from(response);
    for name in [
        CONNECTION,
        CONTENT_LENGTH,
        TRAILER,
        TRANSFER_ENCODING,
        UPGRADE,
    ] {
        response.headers_mut().remove(name);
    }
    if matches!(response.status().as_u16(), 204 | 205 | 304) {
        response.body_mut().clear();
    }
    response
}
