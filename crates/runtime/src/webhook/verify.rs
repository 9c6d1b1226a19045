//! How a webhook wants its requests signed. Must not know how a signature is checked.

use http::HeaderName;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

/// How a webhook wants its requests signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verify {
    /// Who signs, and how.
    pub scheme: Scheme,
    /// The name of the secret. Its values are in the handle, and never on record.
    pub secret: String,
}

/// How a request is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// <https://www.standardwebhooks.com>: `webhook-id`, `webhook-timestamp`, `webhook-signature`.
    StandardWebhooks,
    /// Stripe's `Stripe-Signature`.
    Stripe,
    /// GitHub's `X-Hub-Signature-256`.
    Github,
    /// Slack's `X-Slack-Signature` and `X-Slack-Request-Timestamp`.
    Slack,
    /// HMAC-SHA256 of the body in hexadecimal digits, in a header of the sender's choice.
    HmacSha256 {
        /// The header.
        header: HeaderName,
    },
}

impl Scheme {
    /// The scheme's name, as it is on record.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::StandardWebhooks => "standard_webhooks",
            Self::Stripe => "stripe",
            Self::Github => "github",
            Self::Slack => "slack",
            Self::HmacSha256 { .. } => "hmac_sha256",
        }
    }
}

/// A request whose signature is not valid. It was not handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSignature {
    /// A header that the scheme wants is missing, comes twice or is not what the scheme says.
    #[error("a header of the signature is missing, repeated or malformed")]
    Malformed,
    /// It was not signed with any value of the secret, or was changed since.
    #[error("the signature is not that of the request")]
    Wrong,
    /// It was signed too long ago, or by a clock that runs ahead.
    #[error("the signature's time is more than five minutes off")]
    Stale,
}

impl BadSignature {
    /// A stable name for programs, the same for all: which part is wrong would help who guesses.
    pub const fn code(&self) -> &'static str {
        "NOT_SIGNED"
    }
}

/// Why this process cannot tell whether a request is signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unverifiable {
    /// A later build has made the webhook, with a scheme that this one does not know.
    #[error("this build does not know the webhook's scheme of signatures")]
    UnknownScheme,
    /// The handle has no value under the name.
    #[error("the handle has no secret `{name}`; give it to the builder with `.secret(…)`")]
    NoSecret {
        /// The name.
        name: String,
    },
    /// A value under the name is not what the scheme takes.
    #[error("a value of the secret `{name}` is not what its scheme takes: base64 after `whsec_`")]
    UnusableSecret {
        /// The name.
        name: String,
    },
}

impl Unverifiable {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        "CANNOT_VERIFY"
    }
}

#[derive(Serialize)]
struct Written<'a> {
    scheme: &'a str,
    secret: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<&'a str>,
}

/// A key that this build does not know may ask for more than it checks, so there must be none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    scheme: String,
    secret: String,
    header: Option<String>,
}

impl Serialize for Verify {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let header = match &self.scheme {
            Scheme::HmacSha256 { header } => Some(header.as_str()),
            Scheme::StandardWebhooks | Scheme::Stripe | Scheme::Github | Scheme::Slack => None,
        };
        Written {
            scheme: self.scheme.name(),
            secret: &self.secret,
            header,
        }
        .serialize(serializer)
    }
}

impl Verify {
    /// What a record says; none where this build does not know how to check it.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let read = Read::deserialize(value).ok()?;
        let scheme = match (read.scheme.as_str(), read.header) {
            ("standard_webhooks", None) => Scheme::StandardWebhooks,
            ("stripe", None) => Scheme::Stripe,
            ("github", None) => Scheme::Github,
            ("slack", None) => Scheme::Slack,
            ("hmac_sha256", Some(header)) => Scheme::HmacSha256 {
                header: header.parse().ok()?,
            },
            _ => return None,
        };
        Some(Self {
            scheme,
            secret: read.secret,
        })
    }
}
