//! Signing as the senders do it. An application never does this: it only names the scheme.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Secrets that everybody can read here are none: for this example only.
pub(crate) const GITHUB: &str = "the secret that GitHub and this program share";
pub(crate) const STRIPE: &str = "whsec_that_stripe_and_this_program_share";
pub(crate) const SLACK: &str = "the secret that Slack and this program share";

/// A request that is signed.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

/// As GitHub signs, with the id of the delivery beside it.
pub(crate) fn github(secret: &str, delivery: &str, body: String) -> Signed {
    let signature = format!("sha256={}", mac(secret, &body));
    Signed {
        headers: vec![
            ("content-type", "application/json".to_owned()),
            ("x-github-delivery", delivery.to_owned()),
            ("x-hub-signature-256", signature),
        ],
        body,
    }
}

/// As Stripe signs, at a time in seconds since 1970.
pub(crate) fn stripe(secret: &str, at: u64, body: String) -> Signed {
    let signature = format!("t={at},v1={}", mac(secret, &format!("{at}.{body}")));
    Signed {
        headers: vec![
            ("content-type", "application/json".to_owned()),
            ("stripe-signature", signature),
        ],
        body,
    }
}

/// As Slack signs, at a time in seconds since 1970.
pub(crate) fn slack(secret: &str, at: u64, body: String) -> Signed {
    let signature = format!("v0={}", mac(secret, &format!("v0:{at}:{body}")));
    let kind = "application/x-www-form-urlencoded";
    Signed {
        headers: vec![
            ("content-type", kind.to_owned()),
            ("x-slack-request-timestamp", at.to_string()),
            ("x-slack-signature", signature),
        ],
        body,
    }
}

fn mac(secret: &str, content: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length");
    let mac = mac.chain_update(content).finalize();
    base16ct::lower::encode_string(&mac.into_bytes())
}
