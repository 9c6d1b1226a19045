//! Signatures of requests, checked on the bytes as they came. Must not know engines or runs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::digest::{CtOutput, Output};
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use rewake_runtime::WebhookError;
use rewake_runtime::core::time::Timestamp;
use rewake_runtime::webhook::{BadSignature, Scheme, Secrets, Unverifiable, Verify};
use serde::Deserialize;
use sha2::{Digest, Sha256};

type HmacSha256 = Hmac<Sha256>;
type Tag = CtOutput<HmacSha256>;

/// How far a sender's clock may be from ours, in either direction.
const TOLERANCE_MS: u64 = 5 * 60 * 1000;
/// What the secrets of Standard Webhooks begin with.
const WHSEC: &str = "whsec_";

/// The request that claims to be signed, and the time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed<'a> {
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a Bytes,
    pub(crate) now: Timestamp,
}

/// What a request says of its signature.
struct Claim<'a> {
    /// What was signed, in pieces.
    content: Vec<&'a [u8]>,
    /// Signatures of it, of which one has to be right.
    tags: Vec<Tag>,
    /// When it was signed, in seconds since 1970, where the scheme says it.
    at: Option<&'a [u8]>,
}

impl Signed<'_> {
    /// Checks the signature, and gives the sender's id of the delivery, where the scheme has one.
    pub(crate) fn check(
        &self,
        verify: &Verify,
        secrets: &Secrets,
    ) -> Result<Option<String>, WebhookError> {
        let keys = keys(verify, secrets)?;
        let claim = self.claim(&verify.scheme);
        let claim = claim.ok_or(WebhookError::NotSigned(BadSignature::Malformed))?;
        if !keys.usable.iter().any(|key| claim.is_signed_with(key)) {
            // It may be signed with the value that cannot be used: that is no fault of the sender's.
            return Err(match keys.unusable {
                Some(unusable) => WebhookError::CannotVerify(unusable),
                None => WebhookError::NotSigned(BadSignature::Wrong),
            });
        }
        if claim.at.is_some_and(|at| is_stale(at, self.now)) {
            return Err(WebhookError::NotSigned(BadSignature::Stale));
        }
        Ok(self.delivery(&verify.scheme, &claim))
    }

    /// None where the headers are not what the scheme says.
    fn claim(&self, scheme: &Scheme) -> Option<Claim<'_>> {
        match scheme {
            Scheme::StandardWebhooks => self.standard_webhooks(),
            Scheme::Stripe => self.stripe(),
            Scheme::Github => {
                let signature = self.only("x-hub-signature-256")?;
                let tag = lower_hex(signature.strip_prefix(b"sha256=")?)?;
                Some(Claim::of(self.body, tag))
            }
            Scheme::Slack => {
                let at = self.only("x-slack-request-timestamp")?;
                let tag = lower_hex(self.only("x-slack-signature")?.strip_prefix(b"v0=")?)?;
                Some(Claim {
                    content: vec![b"v0:", at, b":", self.body],
                    tags: vec![tag],
                    at: Some(at),
                })
            }
            Scheme::HmacSha256 { header } => {
                let signature = self.only(header)?.to_ascii_lowercase();
                let digits = signature.strip_prefix(b"sha256=").unwrap_or(&signature);
                Some(Claim::of(self.body, lower_hex(digits)?))
            }
        }
    }

    fn standard_webhooks(&self) -> Option<Claim<'_>> {
        let id = self.only("webhook-id")?;
        // Full stops separate what is signed, and would let one request be read as another.
        if id.is_empty() || id.contains(&b'.') {
            return None;
        }
        let at = self.only("webhook-timestamp")?;
        let signatures = self.only("webhook-signature")?.split(|byte| *byte == b' ');
        let tags = signatures
            .filter_map(|signature| tag(&STANDARD.decode(signature.strip_prefix(b"v1,")?).ok()?));
        Some(Claim {
            content: vec![id, b".", at, b".", self.body],
            tags: tags.collect(),
            at: Some(at),
        })
    }

    fn stripe(&self) -> Option<Claim<'_>> {
        let items = self.only("stripe-signature")?.split(|byte| *byte == b',');
        let mut times = Vec::new();
        let mut tags = Vec::new();
        for item in items {
            if let Some(at) = item.strip_prefix(b"t=") {
                times.push(at);
            } else if let Some(digits) = item.strip_prefix(b"v1=") {
                tags.extend(lower_hex(digits));
            }
        }
        let [at] = times[..] else { return None };
        Some(Claim {
            content: vec![at, b".", self.body],
            tags,
            at: Some(at),
        })
    }

    /// The sender's id of the delivery. What is signed is asked only after the signature is right.
    fn delivery(&self, scheme: &Scheme, claim: &Claim<'_>) -> Option<String> {
        match scheme {
            Scheme::StandardWebhooks => self.only("webhook-id").map(text),
            // Not signed: who has recorded a request can send it again under another id.
            Scheme::Github => self.only("x-github-delivery").map(text),
            Scheme::Stripe => Some(self.event().id.unwrap_or_else(|| claim.digest())),
            Scheme::Slack => Some(self.event().event_id.unwrap_or_else(|| claim.digest())),
            Scheme::HmacSha256 { .. } => None,
        }
        .filter(|id| !id.is_empty())
    }

    fn event(&self) -> Event {
        let event: Event = serde_json::from_slice(self.body).unwrap_or_default();
        let said = |id: Option<String>| id.filter(|id| !id.is_empty());
        Event {
            id: said(event.id),
            event_id: said(event.event_id),
        }
    }

    /// The value of a header that comes once: of two, nobody knows which one the sender has signed.
    fn only<N: http::header::AsHeaderName>(&self, name: N) -> Option<&[u8]> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?;
        values.next().is_none().then_some(value.as_bytes())
    }
}

/// What a body says about itself, where it is JSON.
#[derive(Default, Deserialize)]
struct Event {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    event_id: Option<String>,
}

impl<'a> Claim<'a> {
    /// The body alone is signed, at no time.
    fn of(body: &'a Bytes, tag: Tag) -> Self {
        Self {
            content: vec![body],
            tags: vec![tag],
            at: None,
        }
    }

    fn is_signed_with(&self, key: &[u8]) -> bool {
        let mac = HmacSha256::new_from_slice(key).expect("a key may have any length");
        let mac = self.content.iter().fold(mac, Mac::chain_update);
        let right = mac.finalize();
        // Compared in constant time, each of them.
        self.tags.iter().filter(|tag| **tag == right).count() > 0
    }

    /// Names what was signed, time and all: the same signature and time are the same delivery.
    fn digest(&self) -> String {
        let digest = Sha256::new();
        let digest = self.content.iter().fold(digest, Digest::chain_update);
        base16ct::lower::encode_string(&digest.finalize())
    }
}

/// The values of a secret, as the scheme takes them.
struct Keys {
    usable: Vec<Vec<u8>>,
    unusable: Option<Unverifiable>,
}

fn keys(verify: &Verify, secrets: &Secrets) -> Result<Keys, WebhookError> {
    let name = || verify.secret.clone();
    let mut keys = Keys {
        usable: Vec::new(),
        unusable: None,
    };
    for value in secrets.values(&verify.secret) {
        match key(&verify.scheme, value) {
            Some(key) => keys.usable.push(key),
            None => keys.unusable = Some(Unverifiable::UnusableSecret { name: name() }),
        }
    }
    if keys.usable.is_empty() {
        let missing = Unverifiable::NoSecret { name: name() };
        return Err(WebhookError::CannotVerify(keys.unusable.unwrap_or(missing)));
    }
    Ok(keys)
}

fn key(scheme: &Scheme, value: &[u8]) -> Option<Vec<u8>> {
    match scheme {
        Scheme::StandardWebhooks => {
            let digits = value.strip_prefix(WHSEC.as_bytes()).unwrap_or(value);
            STANDARD.decode(digits).ok().filter(|key| !key.is_empty())
        }
        Scheme::Stripe | Scheme::Github | Scheme::Slack | Scheme::HmacSha256 { .. } => {
            Some(value.to_vec())
        }
    }
}

/// What is no number of seconds was never a time.
fn is_stale(at: &[u8], now: Timestamp) -> bool {
    let digits = std::str::from_utf8(at).ok();
    let digits = digits.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let seconds: Option<u64> = digits.and_then(|digits| digits.parse().ok());
    let ms = seconds.and_then(|seconds| seconds.checked_mul(1000));
    ms.is_none_or(|ms| ms.abs_diff(now.as_millis()) > TOLERANCE_MS)
}

fn lower_hex(digits: &[u8]) -> Option<Tag> {
    let mut bytes = [0; 32];
    tag(base16ct::lower::decode(digits, &mut bytes).ok()?)
}

fn tag(bytes: &[u8]) -> Option<Tag> {
    Output::<HmacSha256>::try_from(bytes).ok().map(Tag::new)
}

/// Each byte as the character of its number, as headers are recorded.
pub(crate) fn text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}
