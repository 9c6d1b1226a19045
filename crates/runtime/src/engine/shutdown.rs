//! Graceful shutdown, with a deadline.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::{Either, select};
use rewake_store::StoreError;

use super::Engine;
use crate::dispatch::Message;

impl Engine {
    /// Stops at once, in the background: for a handle that nobody holds any more.
    pub fn stop(&self) {
        if self.inner.is_stopping() {
            return;
        }
        let engine = self.clone();
        self.inner.host.spawner.spawn_driver(Box::pin(async move {
            if let Err(error) = engine.shutdown(Duration::ZERO).await {
                tracing::warn!(%error, "the engine was stopped, and its store did not close cleanly");
            }
        }));
    }

    /// Stops taking work, lets attempts that are under way end for as long as `grace`, aborts the
    /// rest, and lets the store go. What was not finished is taken up by the next process.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the store could not be told; it is closed all the same.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the engine stays stopped and the store may stay open; call it again.
    pub async fn shutdown(&self, grace: Duration) -> Result<(), StoreError> {
        let inner = &self.inner;
        inner.stopping.store(true, Ordering::Release);
        inner.schedule.ring();
        inner.residents.tell_all(|| Message::Shutdown);
        let left = inner.residents.all_left();
        if let Either::Right(((), left)) = select(left, self.pass(grace)).await {
            inner.aborting.store(true, Ordering::Release);
            inner.residents.tell_all(|| Message::Abort);
            let _all = left.await;
        }
        inner.waiters.call_all();
        let ended = if inner.client_only {
            Ok(())
        } else {
            inner.store.end_session().await
        };
        inner.store.close().await?;
        ended
    }
}
