//! What travels between a webhook's caller and its workflow: requests, responses, and the settings
//! that say how the one becomes the other.
//!
//! Each has the layout of the workflow SDK in both directions. This module must not know how a
//! request arrives, nor who answers it.

mod body;
mod headers;
mod request;
mod response;
mod secrets;
mod settings;
mod url;
mod verify;

#[cfg(test)]
mod tests;

pub use request::Request;
pub use response::{Response, UnusableStatus};
pub use secrets::Secrets;
pub use settings::{InvalidSettings, RespondWith, Settings};
pub use url::url;
pub use verify::{BadSignature, Scheme, Unverifiable, Verify};
