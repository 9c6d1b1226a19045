//! What a script reads from: a hook or a webhook, which is the same to it until a request wants an
//! answer.

use std::time::Duration;

use futures_util::StreamExt;
use http::Response;
use rewake::prelude::*;

use super::script::{Answers, Tells, Told, Webhook};

/// The header by which a webhook tells redeliveries.
pub(super) const DELIVERY: &str = "x-delivery";
/// The name of the secret, and its value.
pub(crate) const SECRET: (&str, &str) = ("delivery", "only the sender knows");
/// What a webhook answers by itself.
pub(super) const FIXED: &str = "always the same";

/// A hook or a webhook.
#[derive(Debug)]
pub(super) enum Receiver {
    Hook(HookReceiver<Told>),
    Webhook(WebhookReceiver),
}

/// What was read: what it tells, and the request that brought it.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub(super) told: Told,
    pub(super) request: Option<WebhookRequest>,
}

impl Received {
    pub(super) fn payload(told: Told) -> Self {
        Self {
            told,
            request: None,
        }
    }

    pub(super) fn request(request: WebhookRequest) -> Self {
        // Whoever may call sends nothing else; a number that nobody sent is found.
        let nothing = Told {
            number: u64::MAX,
            finish: true,
        };
        Self {
            told: request.json().unwrap_or(nothing),
            request: Some(request),
        }
    }
}

impl Receiver {
    pub(super) async fn recv(&mut self) -> Result<Received, HookError> {
        match self {
            Self::Hook(hook) => hook.recv().await.map(Received::payload),
            Self::Webhook(webhook) => webhook.recv().await.map(Received::request),
        }
    }

    /// The same, read as a stream.
    pub(super) async fn next(&mut self) -> Option<Result<Received, HookError>> {
        match self {
            Self::Hook(hook) => Some(hook.next().await?.map(Received::payload)),
            Self::Webhook(webhook) => Some(webhook.next().await?.map(Received::request)),
        }
    }

    pub(super) async fn close(&mut self) {
        match self {
            Self::Hook(hook) => hook.close().await,
            Self::Webhook(webhook) => webhook.close().await,
        }
    }

    pub(super) fn token(&self) -> String {
        match self {
            Self::Hook(hook) => hook.token().to_string(),
            Self::Webhook(webhook) => webhook.token().to_string(),
        }
    }
}

/// Opens a token.
pub(super) async fn open(token: String, expires_ms: Option<u64>) -> Option<Receiver> {
    let opening = create_hook::<Told>().token(token);
    let opening = match expires_ms {
        Some(ms) => opening.expires_in(Duration::from_millis(ms)),
        None => opening,
    };
    // Whoever finds the token taken goes on without.
    opening.await.ok().map(Receiver::Hook)
}

/// Opens a webhook.
pub(super) async fn open_webhook(webhook: Webhook) -> Option<Receiver> {
    let opening = create_webhook();
    let opening = match webhook.answers {
        Answers::Accepted => opening,
        Answers::Fixed => opening.respond_with(Response::new(FIXED)),
        Answers::Manual(within_ms) => opening
            .manual()
            .answer_within(Duration::from_millis(within_ms)),
    };
    let opening = match webhook.tells {
        Tells::Nothing => opening,
        Tells::Header => opening.dedup(DELIVERY),
        Tells::Signature => opening.verify(Verify::github(SECRET.0)),
    };
    let opening = match webhook.expires_ms {
        Some(ms) => opening.expires_in(Duration::from_millis(ms)),
        None => opening,
    };
    opening.await.ok().map(Receiver::Webhook)
}

/// One from each of the two, or none from either.
pub(super) async fn recv_both(
    a: &mut Receiver,
    b: &mut Receiver,
) -> Result<(Received, Received), HookError> {
    let (payload, request) = (Received::payload, Received::request);
    match (a, b) {
        (Receiver::Hook(a), Receiver::Hook(b)) => {
            let (a, b) = recv_all((a, b)).await?;
            Ok((payload(a), payload(b)))
        }
        (Receiver::Hook(a), Receiver::Webhook(b)) => {
            let (a, b) = recv_all((a, b)).await?;
            Ok((payload(a), request(b)))
        }
        (Receiver::Webhook(a), Receiver::Hook(b)) => {
            let (a, b) = recv_all((a, b)).await?;
            Ok((request(a), payload(b)))
        }
        (Receiver::Webhook(a), Receiver::Webhook(b)) => {
            let (a, b) = recv_all((a, b)).await?;
            Ok((request(a), request(b)))
        }
    }
}
