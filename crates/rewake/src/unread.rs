//! A payload that nobody read.

use std::time::SystemTime;

use rewake_core::id::HookId;
use rewake_core::payload::{self, DecodeError, Payload};
use rewake_runtime::UnreadPayload;
use serde::de::DeserializeOwned;

/// A payload that a run accepted and left unread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The hook that took it.
    pub hook_id: HookId,
    /// The hook's token; a random one is shortened.
    pub token: String,
    /// Where it stands in the run's log.
    pub position: u64,
    /// When it was taken.
    pub received_at: SystemTime,
    payload: Payload,
}

impl Unread {
    /// The payload.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] where it is not a `T`.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        payload::decode(&self.payload)
    }

    /// The payload as it was stored.
    pub fn as_bytes(&self) -> &[u8] {
        self.payload.as_bytes()
    }
}

impl From<UnreadPayload> for Unread {
    fn from(unread: UnreadPayload) -> Self {
        Self {
            hook_id: unread.hook_id,
            token: unread.token,
            position: unread.position.0,
            received_at: unread.received_at.into(),
            payload: unread.payload,
        }
    }
}
