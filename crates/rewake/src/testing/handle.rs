//! The handle of a test.

use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rewake_core::entity::RunStatus;
use rewake_core::id::{RunId, WaitId};
use rewake_core::time::Timestamp;
use rewake_runtime::Reason;

use super::builder::{Scene, TestRewakeBuilder};
use super::mock::StepFunction;
use super::process::Process;
use super::world::Passed;
use crate::handle::Rewake;
use crate::hook::Hook;

/// A handle for tests: on a store in memory, with a public URL and a clock of its own.
///
/// It is a [`Rewake`], with everything that one can do. Its clock stands still, except while somebody
/// awaits [`Run::result`](crate::Run::result), [`wait_for_hook`](Self::wait_for_hook),
/// [`wait_for_sleep`](Self::wait_for_sleep) or [`advance`](Self::advance): then, whenever every run
/// rests, it skips to the next thing due (the end of a sleep, the expiry of a hook, a retry, a delayed
/// start, a webhook's time to answer). A run that waits for somebody outside and for nothing else keeps
/// waiting.
///
/// A run rests when its workflow waits, everything is on record, and none of its steps is under way.
/// A step is waited for however long it really takes; [`never`](super::never) and
/// [`takes`](super::takes) are for those that shall not be.
///
/// Ids, random tokens and what workflows draw are the same in every run of a test.
#[derive(Debug)]
pub struct TestRewake {
    rewake: Rewake,
    scene: Scene,
    process: Arc<Process>,
}

/// A run that rests in a sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sleeping {
    /// The run.
    pub run_id: RunId,
    /// The sleep, or the one inside a `timeout`.
    pub wait_id: WaitId,
    /// When it ends.
    pub until: SystemTime,
}

impl TestRewake {
    /// A handle with no values, mocks or options.
    ///
    /// # Panics
    ///
    /// Where it cannot be opened, as [`TestRewakeBuilder::build`] says.
    ///
    /// # Cancel safety
    ///
    /// Dropped, no handle was opened.
    pub async fn new() -> Self {
        Self::builder().build().await
    }

    /// A handle with values, mocks and options.
    pub fn builder() -> TestRewakeBuilder {
        TestRewakeBuilder::default()
    }

    pub(super) const fn from_parts(rewake: Rewake, scene: Scene, process: Arc<Process>) -> Self {
        Self {
            rewake,
            scene,
            process,
        }
    }

    /// The test's time.
    pub fn now(&self) -> SystemTime {
        self.scene.world.time().into()
    }

    /// Resolves when every run rests. No time passes.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it changes nothing.
    pub async fn settle(&self) {
        self.scene.world.watch(false).rest().await;
    }

    /// Lets a span of time pass, from one thing due to the next, and every run come to rest after each.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the time that has passed has passed.
    pub async fn advance(&self, span: Duration) {
        let watch = self.scene.world.watch(false);
        let mut rest = watch.rest().await;
        let until = self.scene.world.time().after(span);
        while watch.skip(rest, until).await == Passed::Something {
            rest = watch.rest().await;
        }
        watch.rest().await;
    }

    /// Resolves with the live hook of a token as soon as there is one. Time passes meanwhile, but not
    /// a moment longer than it takes.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the time that has passed has passed.
    ///
    /// # Panics
    ///
    /// Where the token cannot be one.
    pub async fn wait_for_hook(&self, token: impl AsRef<str>) -> Hook {
        let token = token.as_ref();
        let look = async || match self.rewake.get_hook_by_token(token).await {
            Ok(hook) => hook,
            Err(error) => panic!("no hook can have this token: {error}"),
        };
        self.wait_for(look).await
    }

    /// Resolves as soon as a run rests in a sleep, with the one that ends first: a `sleep`, or a
    /// `timeout` that has not run out. Time passes meanwhile, but not a moment longer than it takes.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the time that has passed has passed.
    ///
    /// # Panics
    ///
    /// Where a log is damaged.
    pub async fn wait_for_sleep(&self) -> Sleeping {
        self.wait_for(async || self.first_sleep().await).await
    }

    async fn wait_for<T>(&self, look: impl AsyncFn() -> Option<T>) -> T {
        let watch = self.scene.world.watch(true);
        loop {
            let rest = watch.rest().await;
            if let Some(found) = look().await {
                return found;
            }
            if watch.skip(rest, Timestamp::MAX).await == Passed::Nothing {
                watch.stir().await;
            }
        }
    }

    /// Resolves when everything rests, nothing is due and a run is parked: says which, and why.
    pub(super) async fn parked(&self) -> String {
        let watch = self.scene.world.watch(false);
        loop {
            watch.rest().await;
            if self.timers() == 0
                && let Some(parked) = self.first_parked().await
            {
                return parked;
            }
            watch.stir().await;
        }
    }

    /// Of a process that was killed meanwhile there is nothing to say.
    async fn first_parked(&self) -> Option<String> {
        let mut page = self.rewake.runs().await.ok()?;
        loop {
            for view in page.data {
                if let Some(parked) = view.parked {
                    let (run, code, reason) = (view.run, parked.code, parked.reason);
                    return Some(format!("run `{run}` is parked ({code}): {reason}"));
                }
            }
            page = self.rewake.runs().cursor(page.cursor?).await.ok()?;
        }
    }

    async fn first_sleep(&self) -> Option<Sleeping> {
        let mut sleeps = Vec::new();
        let mut runs = self.rewake.runs().status(RunStatus::Running);
        loop {
            let page = runs.await.expect("the store in memory answers");
            for view in page.data {
                let why = self.rewake.engine().why(view.run).await;
                let why = why.expect("the store in memory keeps logs as they are");
                let reasons = why.map(|why| why.reasons).unwrap_or_default();
                sleeps.extend(reasons.iter().filter_map(|reason| {
                    let Reason::Sleep { wait_id, until, .. } = reason else {
                        return None;
                    };
                    Some((*until, view.run, *wait_id))
                }));
            }
            let Some(cursor) = page.cursor else { break };
            runs = self.rewake.runs().status(RunStatus::Running).cursor(cursor);
        }
        let (until, run_id, wait_id) = sleeps.into_iter().min()?;
        Some(Sleeping {
            run_id,
            wait_id,
            until: until.into(),
        })
    }

    /// How many waits for a time are under way, of runs that are in memory and of callers: what was
    /// given up is not among them.
    pub fn timers(&self) -> usize {
        self.scene.world.timers()
    }

    /// The arguments of every attempt of a step so far, mocked or not, in order.
    pub fn calls<S: StepFunction<A>, A>(&self, step: S) -> Vec<A> {
        self.scene.mocks.calls(step)
    }

    /// How many attempts were made so far of the step of a name.
    pub fn calls_named(&self, name: &str) -> usize {
        self.scene.mocks.calls_named(name)
    }

    /// Ends the process as `kill -9` would, at once and wherever it stands, and starts another on the
    /// same store. Steps that were under way are begun again; what was not on record has not happened.
    ///
    /// The old handle, its clones and its [`Run`](crate::Run)s are of no use any more.
    ///
    /// # Panics
    ///
    /// Where the next process cannot be opened.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the process is dead and no other is there.
    pub async fn crash(self) -> Self {
        self.process.kill();
        let Self { rewake, scene, .. } = self;
        drop(rewake);
        // What is dropped where it stands is gone before the next process begins.
        scene.world.watch(false).rest().await;
        scene.begin().await
    }

    pub(super) const fn process(&self) -> &Arc<Process> {
        &self.process
    }

    pub(super) const fn scene(&self) -> &Scene {
        &self.scene
    }
}

impl Deref for TestRewake {
    type Target = Rewake;

    fn deref(&self) -> &Rewake {
        &self.rewake
    }
}
