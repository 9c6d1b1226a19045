//! Shields: parts of a workflow that a cancelled run still finishes.
//!
//! A shield's future lives in a cell of its own, and the context of the run knows the cells of those
//! in progress. So the executor can poll them, and them alone, once the run is cancelled: nothing else
//! of the workflow's code makes a move. The alternative, polling the whole body with all other calls
//! held back, would let code between the calls go on, and would wait for a shield that the body keeps
//! and does not poll. The price is that what is shielded owns what it uses.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{self, Poll};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::context::Context;

/// A part of a workflow that is finished even where the run is cancelled meanwhile.
///
/// It is in progress from its first poll until it has ended, or the workflow drops it.
pub struct Shield<T> {
    context: Arc<Context>,
    cell: Arc<Cell<T>>,
    /// In progress, and inside no other shield.
    turn: Option<u64>,
}

impl<T> Shield<T> {
    /// Puts a future into a shield.
    pub fn new(context: Arc<Context>, future: BoxFuture<'static, T>) -> Self {
        let progress = Mutex::new(Progress::Under(future));
        let cell = Arc::new(Cell { progress });
        Self {
            context,
            cell,
            turn: None,
        }
    }
}

impl<T: Send + 'static> Future for Shield<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<T> {
        let this = self.get_mut();
        this.context.expect_current("a shield");
        if this.turn.is_none() {
            let cell: Weak<Cell<T>> = Arc::downgrade(&this.cell);
            this.turn = this.context.enter_shield(cell);
        }
        if !this.context.in_shield(|| this.cell.poll(cx)) {
            return Poll::Pending;
        }
        if let Some(turn) = this.turn.take() {
            this.context.leave_shield(turn);
        }
        match this.cell.take() {
            Some(output) => Poll::Ready(output),
            None => panic!("a shield was polled after it had ended"),
        }
    }
}

impl<T> Drop for Shield<T> {
    fn drop(&mut self) {
        if let Some(turn) = self.turn {
            self.context.leave_shield(turn);
        }
    }
}

impl<T> fmt::Debug for Shield<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shield").finish_non_exhaustive()
    }
}

/// A shield's future, as the executor sees it.
pub(super) trait Shielded: Send + Sync {
    /// Polls it; true once it has ended.
    fn poll(&self, cx: &mut task::Context<'_>) -> bool;
}

struct Cell<T> {
    progress: Mutex<Progress<T>>,
}

enum Progress<T> {
    Under(BoxFuture<'static, T>),
    Ended(T),
    Taken,
}

impl<T> Cell<T> {
    fn take(&self) -> Option<T> {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *progress, Progress::Taken) {
            Progress::Ended(output) => Some(output),
            Progress::Under(_) | Progress::Taken => None,
        }
    }
}

impl<T: Send> Shielded for Cell<T> {
    fn poll(&self, cx: &mut task::Context<'_>) -> bool {
        // What ended is dropped where it was polled: what it lets go of is the workflow's own act.
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        if let Progress::Under(future) = &mut *progress
            && let Poll::Ready(output) = future.poll_unpin(cx)
        {
            *progress = Progress::Ended(output);
        }
        !matches!(*progress, Progress::Under(_))
    }
}
