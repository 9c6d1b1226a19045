//! What went out the short way and was not answered yet.
//!
//! A statement of the short way is a transaction of its own, and what it is about is not remembered until it
//! is answered. So another one about other runs may follow it before that: while the server works on one, the
//! next is judged, and lies ready for the server once it has committed.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rewake_store::core::id::RunId;
use tokio_postgres::Error;

use crate::connect::Lane;
use crate::moves::{Moved, Moves};
use crate::request::Request;

/// So many may be on their way: one that the server works on, and one behind it.
pub(crate) const MOST: usize = 2;

/// Requests that were judged by memory, each with its run.
pub(crate) type Sent = Vec<(Box<dyn Request>, RunId)>;

/// One statement on its way, with the requests that it serves.
pub(crate) struct Flight {
    pub(crate) requests: Sent,
    pub(crate) lane: Arc<Lane>,
    answer: BoxFuture<'static, Result<Moved, Error>>,
    /// The answer of a statement that could not be sent.
    early: Option<Result<Moved, Error>>,
}

impl Flight {
    /// Sends the statement behind whatever was sent before.
    pub(crate) fn begin(lane: &Arc<Lane>, moves: Moves, requests: Sent) -> Self {
        let mut answer = moves.make(Arc::clone(lane)).boxed();
        // A statement is sent when it is first asked for its answer.
        let early = (&mut answer).now_or_never();
        Self {
            requests,
            lane: Arc::clone(lane),
            answer,
            early,
        }
    }

    /// Waits for the answer, which comes once. Whoever waits for anything else of the same connection waits
    /// for this first: the connection hands out an answer when those before it are taken.
    ///
    /// # Cancel safety
    ///
    /// Where this is dropped, the answer is still to come.
    pub(crate) async fn answered(&mut self) -> Result<Moved, Error> {
        match self.early.take() {
            Some(answer) => answer,
            None => (&mut self.answer).await,
        }
    }
}
