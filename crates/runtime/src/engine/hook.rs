//! A hook, as those outside its workflow see it.

use rewake_core::id::{HookId, RunId};
use rewake_core::payload::Payload;
use rewake_core::time::Timestamp;
use rewake_core::token::Token;
use rewake_store::TokenRow;

use super::Inner;

/// A live hook, as those outside its workflow see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// Its run.
    pub run_id: RunId,
    /// The hook.
    pub hook_id: HookId,
    /// Its address.
    pub token: Token,
    /// Who owns the application.
    pub owner_id: String,
    /// The project.
    pub project_id: String,
    /// The environment.
    pub environment: String,
    /// When it was registered.
    pub created_at: Timestamp,
    /// What the workflow wanted to be known about it.
    pub metadata: Option<Payload>,
    /// True where the public webhook route may reach it.
    pub is_webhook: bool,
    /// The time after which it takes nothing.
    pub expires_at: Option<Timestamp>,
}

impl Inner {
    pub(super) fn hook(&self, row: TokenRow) -> Hook {
        Hook {
            run_id: row.run,
            hook_id: row.hook,
            token: row.token,
            owner_id: self.owner.clone(),
            project_id: self.project.clone(),
            environment: self.environment.clone(),
            created_at: row.created_at,
            metadata: row.metadata,
            is_webhook: row.is_webhook,
            expires_at: row.expires_at,
        }
    }
}
