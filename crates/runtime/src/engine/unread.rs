//! What a run accepted and did not read.

use std::collections::BTreeSet;

use rewake_core::entity::Inboxes;
use rewake_core::event::{EventKind, Frame, Position};
use rewake_core::id::{HookId, RunId};
use rewake_core::payload::Payload;
use rewake_core::time::Timestamp;

use super::Engine;
use crate::error::QueryError;

/// A payload that was left unread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadPayload {
    /// The hook that took it.
    pub hook_id: HookId,
    /// The hook's token; a random one is shortened, because who knows it could resume.
    pub token: String,
    /// Where it stands in the run's log.
    pub position: Position,
    /// The payload.
    pub payload: Payload,
    /// When it was taken.
    pub received_at: Timestamp,
}

impl Engine {
    /// What the run accepted and left unread when a receiver was dropped or the run ended, without
    /// what has gone elsewhere: into the run that it started, or back to the mailbox.
    ///
    /// # Errors
    ///
    /// [`QueryError`] where the store cannot be read.
    pub async fn unread(&self, run: RunId) -> Result<Vec<UnreadPayload>, QueryError> {
        let inner = &self.inner;
        let Some(row) = inner.store.run(inner.scope, run).await? else {
            return Ok(Vec::new());
        };
        if row.unread == 0 {
            return Ok(Vec::new());
        }
        let frames = self.frames(run).await?;
        let drawn = drawn_hooks(&frames);
        let inboxes = Inboxes::fold(&frames);
        let unread = inboxes.unread().into_iter().map(|accepted| UnreadPayload {
            hook_id: accepted.hook,
            token: if drawn.contains(&accepted.hook) {
                accepted.token.shortened()
            } else {
                accepted.token.to_string()
            },
            position: accepted.position,
            payload: accepted.payload.clone(),
            received_at: accepted.at,
        });
        Ok(unread.collect())
    }
}

/// The hooks whose tokens were drawn.
fn drawn_hooks(frames: &[Frame]) -> BTreeSet<HookId> {
    let events = frames.iter().flat_map(|frame| &frame.events);
    let drawn = events.filter_map(|kind| match kind {
        EventKind::HookCreated {
            hook,
            chosen: false,
            ..
        } => Some(*hook),
        _ => None,
    });
    drawn.collect()
}
