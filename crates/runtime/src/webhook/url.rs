//! Where a webhook is reached.

use std::fmt::Display;

/// Where the public route stands below the application's public URL.
const ROUTE: &str = "/.well-known/workflow/v1/webhook/";

/// The address of the webhook with this token, for an application with this public URL. Tokens of
/// webhooks are letters and digits, so that they stand in a URL as they are.
pub fn url(public_url: &str, token: impl Display) -> String {
    format!("{public_url}{ROUTE}{token}")
}
