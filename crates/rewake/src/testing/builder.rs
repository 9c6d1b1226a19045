//! What a test's handle is opened with.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use futures_util::FutureExt;
use rewake_core::time::Timestamp;
use rewake_runtime::Registry;
use rewake_store::memory::MemoryStore;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;

use super::fuse::Fuse;
use super::handle::TestRewake;
use super::mock::{MockResult, Mocks, StepFunction};
use super::process::Process;
use super::store::ProcessStore;
use super::world::World;
use crate::builder::{self, Limit, OpenError, RewakeBuilder};
use crate::definition::{RegisteredStep, RegisteredWorkflow};
use crate::handle::Rewake;

/// Midnight at the beginning of 2030, in UTC: when a test begins unless it says otherwise.
const BEGINNING: Timestamp = Timestamp::from_millis(1_893_456_000_000);

/// What a [`TestRewake`] is opened with.
#[must_use = "a handle is opened by `.build().await`"]
#[derive(Debug)]
pub struct TestRewakeBuilder {
    rewake: RewakeBuilder,
    mocks: Mocks,
    now: Timestamp,
    seed: u64,
}

impl Default for TestRewakeBuilder {
    fn default() -> Self {
        // Nobody is kept from sending a body by a clock that skips.
        let rewake = RewakeBuilder::default()
            .public_url("http://rewake.test")
            .build_id("test")
            .limit(Limit::BodyMs, u64::MAX);
        Self {
            rewake,
            mocks: Mocks::default(),
            now: BEGINNING,
            seed: 0,
        }
    }
}

impl TestRewakeBuilder {
    /// Gives the steps one of the application's own values. A value that is missing is an error only
    /// of a step that runs without a mock.
    pub fn provide<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.rewake = self.rewake.provide(value);
        self
    }

    /// Lets a function stand in for a step. It is called with the tuple of the step's arguments, once
    /// for each attempt, and may fail as the step may: what it gives is recorded, tried again and
    /// decoded like the step's own.
    ///
    /// # Examples
    ///
    /// ```
    /// use rewake::prelude::*;
    /// use rewake::testing::TestRewake;
    ///
    /// #[step]
    /// async fn charge(card: String, cents: u64) -> anyhow::Result<u64> {
    ///     anyhow::bail!("there is no bank here to take {cents} from {card}")
    /// }
    ///
    /// #[workflow]
    /// async fn buy(card: String) -> anyhow::Result<u64> {
    ///     Ok(charge(card, 250).await?)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> anyhow::Result<()> {
    /// let rewake = TestRewake::builder()
    ///     .mock(charge, |(card, cents)| {
    ///         if card == "stolen" {
    ///             return Err(FatalError::new("declined").into());
    ///         }
    ///         Ok(cents)
    ///     })
    ///     .build()
    ///     .await;
    /// assert_eq!(rewake.start(buy("good".into())).await?.result().await?, 250);
    /// let declined = rewake.start(buy("stolen".into())).await?.result().await;
    /// assert!(declined.unwrap_err().to_string().contains("declined"));
    /// assert_eq!(rewake.calls(charge).len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn mock<S, A, F>(self, step: S, mock: F) -> Self
    where
        S: StepFunction<A>,
        A: DeserializeOwned + 'static,
        F: Fn(A) -> MockResult<S::Output> + Send + Sync + 'static,
    {
        self.mocks
            .put(step, move |args| std::future::ready(mock(args)).boxed());
        self
    }

    /// Lets an asynchronous function stand in for a step; [`mock`](Self::mock) says the rest.
    pub fn mock_async<S, A, F, Fut>(self, step: S, mock: F) -> Self
    where
        S: StepFunction<A>,
        A: DeserializeOwned + 'static,
        F: Fn(A) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = MockResult<S::Output>> + Send + 'static,
    {
        self.mocks.put(step, move |args| mock(args).boxed());
        self
    }

    /// Lets a function stand in for the step of a name, where there is no function to name. The types
    /// are those of the step, and nothing checks that.
    pub fn mock_named<A, T, F>(self, name: impl Into<String>, mock: F) -> Self
    where
        A: DeserializeOwned + 'static,
        T: Serialize + Send + 'static,
        F: Fn(A) -> MockResult<T> + Send + Sync + 'static,
    {
        self.mocks.put_named(name.into(), mock);
        self
    }

    /// When the test begins; the beginning of 2030 unless said.
    pub fn starts_at(mut self, now: SystemTime) -> Self {
        self.now = now.into();
        self
    }

    /// Draws other ids, tokens and random numbers than without it: the same for the same seed.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets any other option of a handle. Its store stays the one in memory.
    ///
    /// # Examples
    ///
    /// ```
    /// use rewake::testing::TestRewake;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let rewake = TestRewake::builder()
    ///     .with(|rewake| rewake.environment("staging").max_steps(2))
    ///     .build()
    ///     .await;
    /// assert_eq!(rewake.runs().await.unwrap().data, []);
    /// # }
    /// ```
    pub fn with(mut self, change: impl FnOnce(RewakeBuilder) -> RewakeBuilder) -> Self {
        self.rewake = change(self.rewake);
        self
    }

    /// Opens the handle.
    ///
    /// # Panics
    ///
    /// Where a handle cannot be opened, with the reason: outside of a tokio runtime, or where two
    /// workflows have one name.
    ///
    /// # Cancel safety
    ///
    /// Dropped, no handle was opened.
    pub async fn build(self) -> TestRewake {
        self.scene(None).begin().await
    }

    /// Everything that outlives a process.
    pub(super) fn scene(self, fuse: Option<Arc<Fuse>>) -> Scene {
        let world = World::new(self.now, self.seed);
        let clock = Arc::clone(&world);
        Scene {
            store: MemoryStore::new(Arc::new(move || clock.time())),
            rewake: self.rewake.provide(Arc::clone(&world)),
            world,
            mocks: self.mocks,
            fuse,
        }
    }
}

/// Everything that outlives a process of the test.
#[derive(Clone)]
pub(super) struct Scene {
    pub(super) world: Arc<World>,
    pub(super) store: MemoryStore,
    pub(super) mocks: Mocks,
    rewake: RewakeBuilder,
    fuse: Option<Arc<Fuse>>,
}

impl Scene {
    /// Starts a process.
    ///
    /// # Panics
    ///
    /// Where its handle cannot be opened.
    pub(super) async fn begin(self) -> TestRewake {
        match self.open().await {
            Ok(rewake) => rewake,
            Err(error) => panic!("the test's handle cannot be opened: {error}"),
        }
    }

    async fn open(self) -> Result<TestRewake, OpenError> {
        let tokio = Handle::try_current().map_err(|_| OpenError::NoTokio)?;
        let process = Process::new(self.fuse.clone());
        let host = process.host(&self.world, &tokio);
        let store = ProcessStore::new(
            self.store.clone(),
            Arc::clone(&process),
            Arc::clone(&self.world),
        );
        let registry = self.registry()?;
        let builder = self.rewake.clone();
        let rewake: Rewake = builder
            .open_in(host, Arc::new(store), registry)
            .await?
            .in_world(Arc::clone(&self.world));
        Ok(TestRewake::from_parts(rewake, self, process))
    }

    /// The program's workflows, and its steps behind their mocks.
    fn registry(&self) -> Result<Registry, OpenError> {
        let mut registry = Registry::default();
        for RegisteredWorkflow(definition) in inventory::iter::<RegisteredWorkflow> {
            registry.add_workflow(builder::workflow(definition))?;
        }
        for RegisteredStep(definition) in inventory::iter::<RegisteredStep> {
            let provided = self.rewake.provided();
            let mut step = builder::step(definition, provided);
            let (real, provided) = (Arc::clone(&step.run), provided.clone());
            let mocks = self.mocks.clone();
            // By the name of its function, whatever the call is named.
            let name = definition.name;
            step.run = Arc::new(move |input| match mocks.body(name, &input.payload) {
                Some(mock) => provided.around(mock),
                None => real(input),
            });
            registry.add_step(step)?;
        }
        let (mocks, provided) = (self.mocks.clone(), self.rewake.provided().clone());
        registry.wrap_inline(move |input, begin| {
            let mock = mocks.body(&input.context.name, &input.payload);
            provided.around(mock.unwrap_or_else(begin))
        });
        Ok(registry)
    }
}

impl fmt::Debug for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scene").finish_non_exhaustive()
    }
}
