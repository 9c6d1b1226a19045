//! A handle on one run.

use std::fmt;
use std::marker::PhantomData;

use rewake_core::id::{RunId, WaitId};
use rewake_core::payload;
use rewake_runtime::{CancelError, QueryError, RunOutcome, RunView, WakeUpError, Why};
use serde::de::DeserializeOwned;

use crate::error::RunError;
use crate::handle::Rewake;
use crate::request::{Request, boxed, request_future};
use crate::unread::Unread;

pub use rewake_core::entity::RunStatus;

/// A handle on a run whose workflow returns a `T`. It may not exist.
pub struct Run<T> {
    rewake: Rewake,
    id: RunId,
    result: PhantomData<fn() -> T>,
}

impl<T> Run<T> {
    pub(crate) const fn new(rewake: Rewake, id: RunId) -> Self {
        Self {
            rewake,
            id,
            result: PhantomData,
        }
    }

    /// The run's id.
    pub const fn id(&self) -> RunId {
        self.id
    }

    /// How far the run has come. A parked run is `Running`; [`snapshot`](Self::snapshot) tells.
    ///
    /// # Errors
    ///
    /// [`RunError::Unknown`] where there is no such run, [`RunError::Query`] where the store cannot be
    /// read.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it changes nothing.
    pub async fn status(&self) -> Result<RunStatus, RunError> {
        Ok(self.snapshot().await?.status)
    }

    /// True where there is such a run.
    ///
    /// # Errors
    ///
    /// [`QueryError`] where the store cannot be read.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it changes nothing.
    pub async fn exists(&self) -> Result<bool, QueryError> {
        Ok(self.rewake.engine().run(self.id).await?.is_some())
    }

    /// The run as it is: workflow, status, times, and why it is parked if it is.
    ///
    /// # Errors
    ///
    /// [`RunError::Unknown`] where there is no such run, [`RunError::Query`] where the store cannot be
    /// read.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it changes nothing.
    pub async fn snapshot(&self) -> Result<RunView, RunError> {
        let view = self.rewake.engine().run(self.id).await?;
        view.ok_or(RunError::Unknown { run_id: self.id })
    }

    /// What the run waits for, since when, and what would wake it. Random tokens are shortened in
    /// it; [`AwaitedHook::exact_call`](crate::AwaitedHook::exact_call) has them whole.
    ///
    /// # Errors
    ///
    /// [`RunError::Unknown`] where there is no such run, [`RunError::Query`] where the store cannot be
    /// read.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it changes nothing.
    pub async fn why(&self) -> Result<Why, RunError> {
        let why = self.rewake.engine().why(self.id).await?;
        why.ok_or(RunError::Unknown { run_id: self.id })
    }

    /// Asks for the run to be cancelled. Returns when the request is durable: then its
    /// [shields](crate::shield) in progress finish, the workflow's body is dropped where it waits, the
    /// calls kept by [`undo`](crate::undo) run, and the run ends as cancelled. `Ok(false)` if it had
    /// ended; a workflow that has failed and is undoing what it did ends as failed all the same.
    ///
    /// A parked run keeps the request: its shields and undo calls need the code, so it is carried out
    /// when a build that fits lets the run go on. Until then [`why`](Self::why) shows it.
    /// [`terminate`](Self::terminate) ends a parked run at once, without any of that.
    ///
    /// # Errors
    ///
    /// [`CancelError`].
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves open whether the request was recorded; repeating it is harmless.
    pub async fn cancel(&self, reason: impl Into<String>) -> Result<bool, CancelError> {
        self.rewake
            .engine()
            .cancel(self.id, Some(reason.into()))
            .await
    }
}

impl<T> Run<T> {
    /// Ends the run's sleeps now, whatever time they were to end at: all of them, or with
    /// [`wait`](WakeUp::wait) one. Gives how many: a sleep that has ended or was given up is not among
    /// them, and of two who wake one sleep, one does. When it returns, that is durable.
    ///
    /// # Errors
    ///
    /// [`WakeUpError`](crate::WakeUpError), also where there is no such run, and where it has ended.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves open whether the run was woken; repeating it is harmless.
    ///
    /// # Examples
    ///
    /// ```
    /// use rewake::prelude::*;
    /// use rewake::testing::TestRewake;
    ///
    /// #[workflow]
    /// async fn remind(who: String) -> anyhow::Result<String> {
    ///     sleep(days(30)).await;
    ///     Ok(format!("dear {who}"))
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> anyhow::Result<()> {
    /// let rewake = TestRewake::new().await;
    /// let began = rewake.now();
    /// let run = rewake.start(remind("Ada".into())).await?;
    /// rewake.wait_for_sleep().await;
    /// assert_eq!(run.wake_up().await?, 1);
    /// assert_eq!(run.result().await?, "dear Ada");
    /// assert_eq!(rewake.now(), began);
    /// # Ok(())
    /// # }
    /// ```
    pub fn wake_up(&self) -> WakeUp {
        let args = WakeUpArgs {
            rewake: self.rewake.clone(),
            run: self.id,
            only: None,
        };
        WakeUp {
            request: Request::new(args, |args| boxed(wake_up(args))),
        }
    }

    /// Ends the run at once: nothing of its workflow's runs any more, no shield and no undo call
    /// either. Returns when the end is durable, `Ok(false)` if the run had ended before. A parked run
    /// is ended like any other.
    ///
    /// # Errors
    ///
    /// [`CancelError`].
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves open whether the run was ended; repeating it is harmless.
    pub async fn terminate(&self, reason: impl Into<String>) -> Result<bool, CancelError> {
        let reason = Some(reason.into());
        self.rewake.engine().terminate(self.id, reason).await
    }

    /// What the run accepted and left unread when a receiver was dropped or the run ended, oldest
    /// first. What has gone elsewhere is not among it: a payload of
    /// [`resume_or_start`](Rewake::resume_or_start) into the run that it started, one of
    /// [`post`](Rewake::post) back to the mailbox.
    ///
    /// # Errors
    ///
    /// [`QueryError`] where the store cannot be read.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it changes nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use rewake::prelude::*;
    ///
    /// #[workflow]
    /// async fn first_bid(lot: String) -> anyhow::Result<u64> {
    ///     let mut bids = create_hook::<u64>().token(format!("bids:{lot}")).await?;
    ///     let mut closing = create_hook::<bool>().token(format!("close:{lot}")).await?;
    ///     closing.recv().await?;
    ///     Ok(bids.recv().await?)
    /// }
    ///
    /// # fn main() -> anyhow::Result<()> {
    /// # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
    /// let rewake = Rewake::open("sqlite::memory:").await?;
    /// let run = rewake.start(first_bid("7".into())).await?;
    /// while rewake.get_hook_by_token("close:7").await?.is_none() {
    ///     tokio::task::yield_now().await;
    /// }
    /// rewake.resume_hook("bids:7", &100).await?;
    /// rewake.resume_hook("bids:7", &120).await?;
    /// rewake.resume_hook("close:7", &true).await?;
    /// assert_eq!(run.result().await?, 100);
    /// let unread = run.unread().await?;
    /// assert_eq!(unread.len(), 1);
    /// assert_eq!(unread[0].decode::<u64>()?, 120);
    /// # rewake.shutdown(seconds(1)).await?;
    /// # anyhow::Ok(())
    /// # })
    /// # }
    /// ```
    pub async fn unread(&self) -> Result<Vec<Unread>, QueryError> {
        let unread = self.rewake.engine().unread(self.id).await?;
        Ok(unread.into_iter().map(Unread::from).collect())
    }
}

impl<T: DeserializeOwned> Run<T> {
    /// Waits for the run's end, and gives what its workflow returned. A run that is parked or unknown
    /// is reported at once.
    ///
    /// # Errors
    ///
    /// [`RunError`], which tells failed, cancelled, parked and unknown apart.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it changes nothing.
    pub async fn result(&self) -> Result<T, RunError> {
        let mut run = self.id;
        loop {
            let outcome = self.rewake.engine().outcome(run);
            match self.rewake.passing_time(outcome).await? {
                RunOutcome::Completed(output) => {
                    return payload::decode(&output).map_err(|error| RunError::Decode {
                        reason: error.to_string(),
                    });
                }
                RunOutcome::Failed(failure) => return Err(failure.into()),
                RunOutcome::Cancelled { reason, terminated } => {
                    return Err(RunError::Cancelled {
                        child: None,
                        reason,
                        terminated,
                    });
                }
                RunOutcome::Parked(parked) => {
                    return Err(RunError::Parked {
                        code: parked.code,
                        reason: parked.reason,
                    });
                }
                RunOutcome::Unknown => return Err(RunError::Unknown { run_id: run }),
                RunOutcome::Continued(successor) => run = successor,
            }
        }
    }
}

struct WakeUpArgs {
    rewake: Rewake,
    run: RunId,
    only: Option<WaitId>,
}

/// A run that is being woken up.
#[derive(Debug)]
#[must_use = "a run is woken up when this is awaited"]
pub struct WakeUp {
    request: Request<WakeUpArgs, Result<usize, WakeUpError>>,
}

impl WakeUp {
    /// Only this sleep. [`Run::why`] names those that are open.
    pub fn wait(self, wait: WaitId) -> Self {
        Self {
            request: self.request.with(|args| args.only = Some(wait)),
        }
    }
}

request_future!(WakeUp, Result<usize, WakeUpError>);

async fn wake_up(args: WakeUpArgs) -> Result<usize, WakeUpError> {
    args.rewake.engine().wake_up(args.run, args.only).await
}

impl<T> Clone for Run<T> {
    fn clone(&self) -> Self {
        Self::new(self.rewake.clone(), self.id)
    }
}

impl<T> fmt::Debug for Run<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
