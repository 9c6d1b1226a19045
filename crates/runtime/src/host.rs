//! What the engine needs of the world around it: time, threads, randomness.
//!
//! Programs hand in the real ones; simulation hands in its own.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use rewake_core::time::Timestamp;

/// Tells the time, and waits for it.
pub trait Clock: Send + Sync + 'static {
    /// The present.
    fn now(&self) -> Timestamp;

    /// Resolves at `at`, or at once if that has passed. The future may be polled on any thread.
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()>;

    /// Resolves at `at`, or before that where nothing else is going on: for what is put off only so
    /// that it can go along with something else. A clock that cannot know sleeps.
    fn lull_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        self.sleep_until(at)
    }
}

/// Starts tasks.
pub trait Spawner: Send + Sync + 'static {
    /// Runs the driver of a run, or another task of the engine's, which polls workflow code: on
    /// threads that belong to no async runtime.
    fn spawn_driver(&self, task: BoxFuture<'static, ()>);

    /// Runs a step, which may do any I/O: where the application's async runtime is.
    fn spawn_step(&self, task: BoxFuture<'static, ()>);

    /// Called on a thread that runs drivers, which lets others have the processor first.
    fn give_way(&self) {
        std::thread::yield_now();
    }
}

/// Draws random numbers that cannot be guessed.
pub trait Entropy: Send + Sync + 'static {
    /// 128 random bits.
    fn draw(&self) -> u128;
}

/// The world around the engine.
#[derive(Clone)]
pub struct Host {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The spawner.
    pub spawner: Arc<dyn Spawner>,
    /// The entropy.
    pub entropy: Arc<dyn Entropy>,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").finish_non_exhaustive()
    }
}
