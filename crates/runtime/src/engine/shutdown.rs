//! Graceful shutdown, with a deadline.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::{Either, select};
use rewake_store::StoreError;

use super::Engine;
use crate::dispatch::{Message, give_up};

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
        if inner.closed.load(Ordering::Acquire) {
            return Ok(());
        }
        inner.schedule.ring();
        if let Some(member) = &inner.member {
            member.ring();
        }
        inner.residents.tell_all(|| Message::Shutdown);
        let left = inner.residents.all_left();
        give_up(inner).await;
        if let Either::Right(((), left)) = select(left, self.pass(grace)).await {
            inner.aborting.store(true, Ordering::Release);
            inner.residents.tell_all(|| Message::Abort);
            let _all = left.await;
        }
        inner.waiters.call_all();
        let ended = self.say_so().await;
        inner.store.close().await?;
        // Every clone may close the handle; the store is told once.
        inner.closed.store(true, Ordering::Release);
        ended
    }

    /// What the store has to know of a clean end.
    async fn say_so(&self) -> Result<(), StoreError> {
        let inner = &self.inner;
        match &inner.member {
            Some(member) => {
                inner.left.store(true, Ordering::Release);
                inner.store.leave(member.id(), Vec::new()).await
            }
            None if inner.client_only => Ok(()),
            None => inner.store.end_session().await,
        }
    }
}
