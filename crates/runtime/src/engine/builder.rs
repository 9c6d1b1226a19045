//! Opening an engine: everything is checked before anything runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};

use async_lock::Semaphore;
use rewake_store::{Join, ScopeId, Store};

use super::clock::SharedClock;
use super::post::sweep;
use super::settings::{check_limits, check_name, check_public_url};
use super::{Engine, Inner, Limits};
use crate::dispatch::{
    Budget, Marks, Member, Outsiders, Recovery, Residents, Schedule, Waiters, after, beat, claim,
    listen, recover, retry_crowded,
};
use crate::error::OpenError;
use crate::host::Host;
use crate::mint::Mint;
use crate::panic;
use crate::registry::Registry;
use crate::step::{abort, respond};
use crate::webhook::Secrets;

/// So many runs are loaded at the same time.
const LOADS: usize = 64;
/// What resting runs may hold in memory, unless the application says otherwise: 256 MiB.
const MEMORY: usize = 256 << 20;

/// What an engine is opened with.
#[derive(Debug)]
pub struct Builder {
    host: Host,
    store: Arc<dyn Store>,
    registry: Registry,
    project: String,
    environment: String,
    owner: String,
    build: String,
    public_url: Option<String>,
    max_steps: usize,
    memory: usize,
    limits: Limits,
    secrets: Secrets,
    client_only: bool,
    verify: bool,
    node: String,
}

impl Builder {
    /// An engine on `store`, in the world of `host`, with the workflows and steps of `registry`.
    pub fn new(host: Host, store: Arc<dyn Store>, registry: Registry) -> Self {
        Self {
            host,
            store,
            registry,
            project: "default".to_owned(),
            environment: "default".to_owned(),
            owner: String::new(),
            build: "unknown".to_owned(),
            public_url: None,
            max_steps: 1_000,
            memory: MEMORY,
            limits: Limits::default(),
            secrets: Secrets::default(),
            client_only: false,
            verify: cfg!(debug_assertions),
            node: "node".to_owned(),
        }
    }

    /// The project everything is bound to.
    #[must_use]
    pub fn project(mut self, project: impl Into<String>) -> Self {
        self.project = project.into();
        self
    }

    /// The environment everything is bound to.
    #[must_use]
    pub fn environment(mut self, environment: impl Into<String>) -> Self {
        self.environment = environment.into();
        self
    }

    /// Who owns the application; shown with its hooks.
    #[must_use]
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.owner = owner.into();
        self
    }

    /// What this build is called: a run parked by one build may be taken up by another.
    #[must_use]
    pub fn build_id(mut self, build: impl Into<String>) -> Self {
        self.build = build.into();
        self
    }

    /// What people call this process where several share the store.
    #[must_use]
    pub fn node(mut self, name: impl Into<String>) -> Self {
        self.node = name.into();
        self
    }

    /// Where the application's router is reachable from outside; webhooks need it.
    #[must_use]
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.public_url = Some(url.into());
        self
    }

    /// How many attempts of steps may be under way at the same time.
    #[must_use]
    pub const fn max_steps(mut self, steps: usize) -> Self {
        self.max_steps = steps;
        self
    }

    /// How many bytes resting runs may hold in memory before they are evicted. Zero evicts every run
    /// whenever it rests.
    #[must_use]
    pub const fn memory_budget(mut self, bytes: usize) -> Self {
        self.memory = bytes;
        self
    }

    /// What may be asked for at most.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What the requests of webhooks are signed with.
    #[must_use]
    pub fn secrets(mut self, secrets: Secrets) -> Self {
        self.secrets = secrets;
        self
    }

    /// Starts, resumes and asks, and runs nothing.
    #[must_use]
    pub const fn client_only(mut self, client_only: bool) -> Self {
        self.client_only = client_only;
        self
    }

    /// Checks each rest of a run by a full replay; on in debug builds.
    #[must_use]
    pub const fn verify(mut self, verify: bool) -> Self {
        self.verify = verify;
        self
    }

    /// Opens the engine, and takes up what earlier processes left.
    ///
    /// # Errors
    ///
    /// [`OpenError`]; nothing runs then.
    pub async fn open(mut self) -> Result<Engine, OpenError> {
        self.check()?;
        panic::watch();
        self.registry.add_step(respond::definition())?;
        self.registry.add_step(abort::definition())?;
        let scope = self
            .store
            .scope(self.project.clone(), self.environment.clone())
            .await?;
        if self.store.is_shared() {
            let own = Arc::clone(&self.host.clock);
            self.host.clock = Arc::new(SharedClock::new(Arc::clone(&self.store), own));
        }
        let entropy = self.host.entropy.draw();
        let member = self.join(scope).await?;
        let inner = Arc::new(Inner {
            scope,
            residents: Residents::default(),
            schedule: Schedule::new(),
            waiters: Waiters::default(),
            budget: Budget::new(self.memory),
            marks: Marks::default(),
            steps: Arc::new(Semaphore::new(self.max_steps)),
            loads: Semaphore::new(LOADS),
            callers: Semaphore::new(self.limits.waiting_callers),
            stopping: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            aborting: AtomicBool::new(false),
            recovery: Recovery::new(),
            outsiders: Outsiders::default(),
            member,
            mint: Arc::new(Mint::new(&self.host)),
            driver_bytes: AtomicUsize::new(0),
            left: AtomicBool::new(false),
            jitter: AtomicU64::new(
                u64::try_from(entropy & u128::from(u64::MAX)).unwrap_or_default(),
            ),
            host: self.host,
            store: self.store,
            project: self.project,
            environment: self.environment,
            owner: self.owner,
            build: self.build,
            public_url: self
                .public_url
                .map(|url| Arc::from(url.trim_end_matches('/'))),
            registry: self.registry,
            limits: self.limits,
            secrets: self.secrets,
            client_only: self.client_only,
            verify: self.verify,
        });
        if inner.member.is_some() {
            begin_together(&inner);
        } else if !inner.client_only {
            begin(&inner).await?;
        }
        Ok(Engine { inner })
    }

    async fn join(&self, scope: ScopeId) -> Result<Option<Member>, OpenError> {
        if self.client_only || !self.store.is_shared() {
            return Ok(None);
        }
        let names = self.registry.workflow_names().map(str::to_owned);
        let join = Join {
            scope,
            name: self.node.clone(),
            build: self.build.clone(),
            workflows: names.collect(),
        };
        Ok(Some(Member::join(&*self.store, join).await?))
    }
}

/// What nobody has is claimed from now on, what others have is theirs: there is nothing to recover.
fn begin_together(inner: &Arc<Inner>) {
    inner.schedule.read_again();
    let spawn = |task| inner.host.spawner.spawn_driver(task);
    spawn(Box::pin(Schedule::work(Arc::clone(inner))));
    spawn(Box::pin(beat(Arc::clone(inner))));
    spawn(Box::pin(listen(Arc::clone(inner))));
    spawn(Box::pin(claim(Arc::clone(inner))));
    let engine = Arc::clone(inner);
    spawn(Box::pin(async move {
        if let Err(error) = retry_crowded(&engine).await {
            tracing::warn!(%error, "runs with many hooks could not be tried again");
        }
        if let Err(error) = sweep(&engine).await {
            tracing::warn!(%error, "what is kept no longer could not be removed");
        }
    }));
}

impl Builder {
    fn check(&self) -> Result<(), OpenError> {
        check_name("project", &self.project)?;
        check_name("environment", &self.environment)?;
        check_name("build", &self.build)?;
        if !self.owner.is_empty() {
            check_name("owner", &self.owner)?;
        }
        self.public_url
            .as_deref()
            .map_or(Ok(()), check_public_url)?;
        check_limits(&self.limits)?;
        if let Some(name) = self.secrets.empty() {
            let name = name.to_owned();
            return Err(OpenError::EmptySecret { name });
        }
        if self.max_steps == 0 && !self.client_only {
            return Err(OpenError::NoSteps);
        }
        Ok(())
    }
}

/// Recovery goes on in the background: the first resume need not wait for it.
async fn begin(inner: &Arc<Inner>) -> Result<(), OpenError> {
    let unclean_starts = inner.store.begin_session().await?;
    let until = inner.host.clock.now();
    inner.recovery.begin(unclean_starts);
    // What falls due meanwhile does not wait until all that was left is taken up.
    inner.schedule.begin_after(after(until));
    let schedule = Schedule::work(Arc::clone(inner));
    inner.host.spawner.spawn_driver(Box::pin(schedule));
    let engine = Arc::clone(inner);
    inner.host.spawner.spawn_driver(Box::pin(async move {
        match recover(&engine, unclean_starts, until).await {
            Ok(found) => tracing::info!(found, unclean_starts, "took up what was left"),
            Err(error) => tracing::error!(%error, "what was left could not be taken up"),
        }
        engine.recovery.end();
        if let Err(error) = sweep(&engine).await {
            tracing::warn!(%error, "what is kept no longer could not be removed");
        }
    }));
    Ok(())
}
