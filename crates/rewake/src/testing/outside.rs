//! Those outside of a process that may be killed: they notice nothing but that they have to ask again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::future::{Either, select};
use futures_util::lock::Mutex;
use rewake_core::id::RunId;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::builder::Scene;
use super::fuse::Fuse;
use super::handle::TestRewake;
use crate::call::WorkflowCall;
use crate::error::RunError;

/// Those outside, in [`crash_everywhere`](super::crash_everywhere): they act on whatever process is
/// alive, and act again where it is killed before they have their answer.
#[derive(Debug)]
pub struct Outside {
    rewake: Mutex<Arc<TestRewake>>,
    acts: AtomicU32,
}

impl Outside {
    pub(super) async fn new(scene: Scene) -> Self {
        Self {
            rewake: Mutex::new(Arc::new(scene.begin().await)),
            acts: AtomicU32::new(0),
        }
    }

    /// Does something with the handle of the process that is alive. If it is killed meanwhile, does
    /// it again with the next one's: so it must be something that may be done twice, with a key where
    /// it changes anything.
    ///
    /// # Panics
    ///
    /// Where a run is parked and nothing else is due, with the reason: what it waits for may never come.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves open what was done.
    pub async fn act<T>(&self, act: impl AsyncFn(&TestRewake) -> T) -> T {
        loop {
            let rewake = Arc::clone(&*self.rewake.lock().await);
            let process = Arc::clone(rewake.process());
            let done = {
                let death = std::pin::pin!(process.death());
                let act = std::pin::pin!(act(&rewake));
                let parked = std::pin::pin!(rewake.parked());
                match select(death, select(act, parked)).await {
                    Either::Left(((), _)) => None,
                    Either::Right((Either::Left((done, _)), _)) => Some(done),
                    Either::Right((Either::Right((parked, _)), _)) => {
                        let killed = process.fuse().and_then(Fuse::burnt);
                        let killed = killed.map_or_else(String::new, |at| format!("killed {at}\n"));
                        panic!("{killed}what was to be done from outside never will be: {parked}");
                    }
                }
            };
            match done.filter(|_| !process.is_dead()) {
                Some(done) => return done,
                None => self.next(rewake).await,
            }
        }
    }

    /// Starts a run, once.
    ///
    /// # Panics
    ///
    /// Where it cannot be started.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves open whether the run was started.
    pub async fn start<T>(&self, call: impl Fn() -> WorkflowCall<T>) -> RunId {
        let key = self.key();
        let started = self
            .act(async |rewake| rewake.start(call()).idempotency_key(&*key).await)
            .await;
        match started {
            Ok(run) => run.id(),
            Err(error) => panic!("the run cannot be started: {error}"),
        }
    }

    /// Waits for the hook of a token, and hands it a payload, once.
    ///
    /// # Panics
    ///
    /// Where the payload is refused.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves open whether the payload was taken.
    pub async fn resume<P: Serialize + ?Sized>(&self, token: &str, payload: &P) {
        let key = self.key();
        let resumed = self
            .act(async |rewake| {
                loop {
                    // What was taken before a crash is answered again, though its hook may be gone.
                    let resume = rewake.resume_hook(token, payload);
                    if resume.idempotency_key(&*key).await?.is_some() {
                        return Ok::<_, rewake_runtime::ResumeError>(());
                    }
                    rewake.wait_for_hook(token).await;
                }
            })
            .await;
        if let Err(error) = resumed {
            panic!("the hook cannot be resumed: {error}");
        }
    }

    /// Waits for the end of a run: what its workflow returned, or the text of the error.
    ///
    /// # Errors
    ///
    /// The text of the [`RunError`].
    ///
    /// # Cancel safety
    ///
    /// Dropped, it changes nothing.
    pub async fn result<T: DeserializeOwned>(&self, run: RunId) -> Result<T, String> {
        let result: Result<T, RunError> = self
            .act(async |rewake| rewake.get_run(run).result().await)
            .await;
        result.map_err(|error| error.to_string())
    }

    fn key(&self) -> String {
        format!("act {}", self.acts.fetch_add(1, Ordering::Relaxed))
    }

    /// Starts the next process, unless another act has.
    async fn next(&self, dead: Arc<TestRewake>) {
        let mut rewake = self.rewake.lock().await;
        if Arc::ptr_eq(&dead, &rewake) {
            *rewake = Arc::new(dead.scene().clone().begin().await);
        }
    }
}
