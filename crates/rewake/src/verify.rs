//! How the requests of a webhook are signed.

use std::error::Error;

use http::HeaderName;
use rewake_runtime::webhook::{self, Scheme};

use crate::error::HookError;
use crate::webhook::not_encodable;

/// How the requests of a webhook are signed: what [`create_webhook().verify(…)`] takes.
///
/// The secret is a *name*, which is kept with the hook; its values are given to the handle by
/// [`RewakeBuilder::secret`]. The signature is checked on the bytes as they came, before anything is
/// recorded. A wrong one gets 401, as does one whose time is more than five minutes off. A process
/// whose handle lacks the value answers 503, so that senders try again.
///
/// [`create_webhook().verify(…)`]: crate::CreateWebhook::verify
/// [`RewakeBuilder::secret`]: crate::RewakeBuilder::secret
///
/// # Examples
///
/// ```
/// use rewake::prelude::*;
///
/// #[workflow]
/// async fn payment(order: String) -> anyhow::Result<String> {
///     let mut events = create_webhook().verify(Verify::stripe("stripe")).await?;
///     let event: serde_json::Value = events.recv().await?.json()?;
///     Ok(format!("{order}: {}", event["type"]))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Verify {
    pub(crate) checked: Result<webhook::Verify, HookError>,
}

impl Verify {
    /// As <https://www.standardwebhooks.com> says: `webhook-id`, `webhook-timestamp` and
    /// `webhook-signature`, with secrets in base64 after `whsec_`. A delivery's id is its
    /// `webhook-id`.
    pub fn standard_webhooks(secret: impl Into<String>) -> Self {
        Self::of(Scheme::StandardWebhooks, secret)
    }

    /// Stripe's `Stripe-Signature`. A delivery's id is the event's `id`; where it has none, time and
    /// content together.
    pub fn stripe(secret: impl Into<String>) -> Self {
        Self::of(Scheme::Stripe, secret)
    }

    /// GitHub's `X-Hub-Signature-256`. A delivery's id is its `X-GitHub-Delivery`, which GitHub does
    /// not sign, nor any time: who has recorded a request can send it again as another delivery.
    pub fn github(secret: impl Into<String>) -> Self {
        Self::of(Scheme::Github, secret)
    }

    /// Slack's `X-Slack-Signature` and `X-Slack-Request-Timestamp`. A delivery's id is the event's
    /// `event_id`; for commands, which have none, time and content together.
    pub fn slack(secret: impl Into<String>) -> Self {
        Self::of(Scheme::Slack, secret)
    }

    /// HMAC-SHA256 of the body in a header: hexadecimal digits, with or without `sha256=` before
    /// them. It has no ids of deliveries; where the sender has, name their header to
    /// [`dedup`](crate::CreateWebhook::dedup).
    pub fn hmac_sha256<N: TryInto<HeaderName, Error: Error>>(
        header: N,
        secret: impl Into<String>,
    ) -> Self {
        match header.try_into() {
            Ok(header) => Self::of(Scheme::HmacSha256 { header }, secret),
            Err(error) => Self {
                checked: Err(not_encodable(&error)),
            },
        }
    }

    fn of(scheme: Scheme, secret: impl Into<String>) -> Self {
        let secret = secret.into();
        Self {
            checked: Ok(webhook::Verify { scheme, secret }),
        }
    }
}
