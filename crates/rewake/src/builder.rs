//! Opening a handle: the builder, and the store behind a URL.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use rewake_core::event::Failure;
use rewake_runtime::webhook::Secrets;
use rewake_runtime::{Builder, Engine, Host, Limits, Registry, RegistryError, Step, Workflow};
use rewake_store::{Durability, Store};
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;

use crate::call::WorkflowCall;
use crate::definition::{RegisteredStep, RegisteredWorkflow, StepDefinition, WorkflowDefinition};
use crate::handle::Rewake;
use crate::host;
use crate::provided::{Provided, ProvidedType};
use crate::request::{Request, boxed, request_future};
use crate::source::{Opening, StoreSource};

/// A handle that could not be opened. Nothing runs, and nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// No store was named.
    #[error("no store is named; give the builder one with `.store(\"sqlite:my.db\")`")]
    NoStore,
    /// The URL names no kind of store that this build knows.
    #[error(
        "`{url}` names no store that this build knows; use `sqlite:PATH`, `sqlite::memory:` or, with the feature `postgres`, `postgres://…`"
    )]
    UnknownStore {
        /// The URL.
        url: String,
    },
    /// The SQLite file cannot be opened.
    #[error(transparent)]
    Sqlite(#[from] rewake_sqlite::OpenError),
    /// The store in the PostgreSQL database cannot be opened.
    #[cfg(feature = "postgres")]
    #[error(transparent)]
    Postgres(#[from] rewake_postgres::OpenError),
    /// Steps want values that the application does not provide.
    #[error(
        "step `{step}` wants a value of type `{type_name}`; give it to the builder with `.provide(value)`"
    )]
    NotProvided {
        /// The step.
        step: &'static str,
        /// The type.
        type_name: &'static str,
    },
    /// The engine could not be opened.
    #[error(transparent)]
    Engine(#[from] rewake_runtime::OpenError),
    /// There is no tokio runtime here.
    #[error(
        "a handle is opened inside a tokio runtime, which runs the steps; use `#[tokio::main]`"
    )]
    NoTokio,
}

impl From<RegistryError> for OpenError {
    fn from(error: RegistryError) -> Self {
        Self::Engine(error.into())
    }
}

/// A limit that can be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// Bytes of a token.
    Token,
    /// Bytes of a payload as encoded; of arguments, results and webhook bodies too.
    Payload,
    /// Payloads that a hook may hold unread.
    Unread,
    /// Bytes that a hook may hold unread.
    UnreadBytes,
    /// Callers that may wait for a webhook's answer at the same time.
    WaitingCallers,
    /// Payloads that the mailbox may keep.
    Mailbox,
    /// Seconds that the mailbox keeps a payload at most.
    KeepFor,
    /// Live hooks of a run. One that would have more is parked before it has them.
    LiveHooks,
    /// Milliseconds that the caller of a webhook may take to send the body.
    BodyMs,
    /// Milliseconds that a cancelled run may take for its shields, and as many again for its undo
    /// calls. It counts for what is cancelled from then on, and not for the undo calls of a run that
    /// failed.
    CleanUpMs,
    /// Milliseconds that an attempt of a step may go on once nobody waits for its result.
    AbortGraceMs,
}

/// What a handle is opened with.
#[derive(Clone, Debug, Default)]
#[must_use = "a handle is opened by `.build().await`"]
pub struct RewakeBuilder {
    store: Option<StoreSource>,
    durability: Durability,
    wait_for_store: Option<Duration>,
    project: Option<String>,
    environment: Option<String>,
    owner: Option<String>,
    build_id: Option<String>,
    public_url: Option<String>,
    max_steps: Option<usize>,
    memory_budget: Option<usize>,
    verify: Option<bool>,
    limits: Limits,
    secrets: Secrets,
    client_only: bool,
    provided: Provided,
}

impl RewakeBuilder {
    /// Where everything is kept: a URL (`sqlite:PATH`, `sqlite::memory:`, `postgres://…`) or an open
    /// store.
    pub fn store(mut self, store: impl Into<StoreSource>) -> Self {
        self.store = Some(store.into());
        self
    }

    /// How a committed append is kept; [`Durability::Full`] unless said otherwise.
    pub const fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// How long to wait for a file that another process holds, as in a rolling restart, or for a
    /// database that cannot be reached; 10 s.
    pub const fn wait_for_store(mut self, span: Duration) -> Self {
        self.wait_for_store = Some(span);
        self
    }

    /// The project everything is bound to: 1 to 256 bytes without control characters, `default` unless
    /// said.
    pub fn project(mut self, project: impl Into<String>) -> Self {
        self.project = Some(project.into());
        self
    }

    /// The environment everything is bound to, likewise.
    pub fn environment(mut self, environment: impl Into<String>) -> Self {
        self.environment = Some(environment.into());
        self
    }

    /// Who owns the application; shown with its hooks.
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.owner = Some(owner.into());
        self
    }

    /// What this build is called; a digest of the executable unless given.
    pub fn build_id(mut self, build: impl Into<String>) -> Self {
        self.build_id = Some(build.into());
        self
    }

    /// Where the router is reachable from outside; webhooks need it. It has `http` or `https`, a host,
    /// perhaps a path, and no query.
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.public_url = Some(url.into());
        self
    }

    /// How many attempts of steps may be under way at the same time; 1,000. The others wait for a place,
    /// and have not begun meanwhile. Zero is refused at opening.
    pub const fn max_steps(mut self, steps: usize) -> Self {
        self.max_steps = Some(steps);
        self
    }

    /// How many bytes resting runs may hold in memory before they are evicted; 256 MiB. Zero evicts
    /// every run whenever it rests.
    pub const fn memory_budget(mut self, bytes: usize) -> Self {
        self.memory_budget = Some(bytes);
        self
    }

    /// Whether each rest of a run is checked by a full second replay; on in debug builds.
    pub const fn verify(mut self, verify: bool) -> Self {
        self.verify = Some(verify);
        self
    }

    /// Sets a limit. Zero is refused at opening where nothing could be done with it: for tokens, payloads,
    /// what a hook holds unread, and live hooks.
    pub fn limit(mut self, limit: Limit, n: u64) -> Self {
        let size = usize::try_from(n).unwrap_or(usize::MAX);
        match limit {
            Limit::Token => self.limits.token = size,
            Limit::Payload => self.limits.payload = size,
            Limit::Unread => self.limits.unread.count = n,
            Limit::UnreadBytes => self.limits.unread.bytes = n,
            Limit::WaitingCallers => self.limits.waiting_callers = size,
            Limit::Mailbox => self.limits.mailbox = n,
            Limit::KeepFor => self.limits.keep_for = Duration::from_secs(n),
            Limit::LiveHooks => self.limits.live_hooks = u32::try_from(n).unwrap_or(u32::MAX),
            Limit::BodyMs => self.limits.body_time = Duration::from_millis(n),
            Limit::CleanUpMs => self.limits.clean_up = Duration::from_millis(n),
            Limit::AbortGraceMs => self.limits.abort_grace = Duration::from_millis(n),
        }
        self
    }

    /// Gives the handle the value of a secret that senders sign the requests of webhooks with; the
    /// name is what [`Verify`](crate::Verify) names.
    ///
    /// Given again under one name, both values are good: so a secret is changed while senders go
    /// over to the new one. Values are in memory alone: never on record, in traces or in errors. An
    /// empty one is refused at opening.
    ///
    /// # Examples
    ///
    /// ```
    /// use rewake::Rewake;
    ///
    /// let builder = Rewake::builder().secret("stripe", "whsec_old").secret("stripe", "whsec_new");
    /// assert!(!format!("{builder:?}").contains("whsec"));
    /// ```
    pub fn secret(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.secrets.add(name, value);
        self
    }

    /// Starts, resumes and asks, and runs nothing.
    pub const fn client_only(mut self) -> Self {
        self.client_only = true;
        self
    }

    /// Gives the steps one of the application's own values: pools, clients, configuration.
    pub fn provide<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.provided.put(value);
        self
    }

    /// Names a workflow. Every workflow linked into the program registers itself; this keeps the
    /// linker from dropping one in a library that nothing else calls.
    pub fn workflow<F: WorkflowFunction<A>, A>(self, workflow: F) -> Self {
        workflow.keep();
        self
    }

    /// Opens the handle, and takes up what earlier processes left.
    pub fn build(self) -> Build {
        Build {
            request: Request::new(self, |builder| boxed(builder.open())),
        }
    }

    async fn open(self) -> Result<Rewake, OpenError> {
        let tokio = Handle::try_current().map_err(|_| OpenError::NoTokio)?;
        let registry = self.registry()?;
        let source = self.store.clone().ok_or(OpenError::NoStore)?;
        let opening = Opening {
            durability: self.durability,
            wait: self.wait_for_store,
            client_only: self.client_only,
        };
        let store = source.open(opening).await?;
        self.open_in(host::host(&tokio), store, registry).await
    }

    /// Opens the handle in a world of the caller's.
    pub(crate) async fn open_in(
        self,
        host: Host,
        store: Arc<dyn Store>,
        registry: Registry,
    ) -> Result<Rewake, OpenError> {
        let build_id = match self.build_id.clone() {
            Some(build_id) => build_id,
            None => executable_digest().await,
        };
        let mut builder = Builder::new(host, store, registry)
            .build_id(build_id)
            .limits(self.limits)
            .secrets(self.secrets)
            .client_only(self.client_only);
        if let Some(project) = self.project {
            builder = builder.project(project);
        }
        if let Some(environment) = self.environment {
            builder = builder.environment(environment);
        }
        if let Some(owner) = self.owner {
            builder = builder.owner(owner);
        }
        if let Some(url) = self.public_url {
            builder = builder.public_url(url);
        }
        if let Some(steps) = self.max_steps {
            builder = builder.max_steps(steps);
        }
        if let Some(bytes) = self.memory_budget {
            builder = builder.memory_budget(bytes);
        }
        if let Some(verify) = self.verify {
            builder = builder.verify(verify);
        }
        let engine: Engine = builder.open().await?;
        Ok(Rewake::new(engine, self.provided))
    }

    /// The workflows and steps that are linked into the program, with the values given so far: for
    /// simulation, which opens engines in a world of its own.
    ///
    /// # Errors
    ///
    /// [`OpenError`] where two have one name, or a step wants a value that was not given.
    #[doc(hidden)]
    pub fn registry(&self) -> Result<Registry, OpenError> {
        registry(&self.provided, self.client_only)
    }

    pub(crate) const fn provided(&self) -> &Provided {
        &self.provided
    }
}

/// The workflows and steps that are linked into the program.
pub(crate) fn registry(provided: &Provided, client_only: bool) -> Result<Registry, OpenError> {
    let mut registry = Registry::default();
    for RegisteredWorkflow(definition) in inventory::iter::<RegisteredWorkflow> {
        registry.add_workflow(workflow(definition))?;
    }
    let mut lacks_values = Vec::new();
    for RegisteredStep(definition) in inventory::iter::<RegisteredStep> {
        lacks_values.extend(check_provided(definition, provided).err());
        registry.add_step(step(definition, provided))?;
    }
    // The linker orders the steps; which of several is named must not depend on it.
    if let Some((step, type_name)) = lacks_values.into_iter().min().filter(|_| !client_only) {
        return Err(OpenError::NotProvided { step, type_name });
    }
    let values = provided.clone();
    registry.wrap_inline(move |_, begin| values.around(begin()));
    Ok(registry)
}

/// Names the step and the type of the first value that it wants in vain.
fn check_provided(
    definition: &'static StepDefinition,
    provided: &Provided,
) -> Result<(), (&'static str, &'static str)> {
    let wanted = definition.provided.iter().map(|wanted| wanted());
    let missing = wanted
        .into_iter()
        .find(|wanted: &ProvidedType| !provided.has(*wanted));
    missing.map_or(Ok(()), |missing| Err((definition.name, missing.name())))
}

pub(crate) fn workflow(definition: &'static WorkflowDefinition) -> Workflow {
    Workflow {
        name: definition.name.to_owned(),
        aliases: definition
            .aliases
            .iter()
            .map(|&alias| alias.to_owned())
            .collect(),
        place: format!("{}:{}", definition.file, definition.line),
        run: Arc::new(|input| -> Result<BoxFuture<'static, _>, Failure> {
            (definition.run)(input)
        }),
    }
}

pub(crate) fn step(definition: &'static StepDefinition, provided: &Provided) -> Step {
    let provided = provided.clone();
    Step {
        name: definition.name.to_owned(),
        place: format!("{}:{}", definition.file, definition.line),
        run: Arc::new(move |input| provided.around((definition.run)(&input.payload, &provided))),
    }
}

/// A function that `#[workflow]` made.
pub trait WorkflowFunction<A> {
    /// Keeps the linker from dropping the function, and with it what registers it.
    fn keep(self);
}

macro_rules! workflow_functions {
    ($($arg:ident)*) => {
        impl<Function, T, $($arg),*> WorkflowFunction<($($arg,)*)> for Function
        where
            Function: Fn($($arg),*) -> WorkflowCall<T>,
        {
            fn keep(self) {
                let call: &dyn Fn($($arg),*) -> WorkflowCall<T> = &self;
                std::hint::black_box(call);
            }
        }
    };
}

workflow_functions!();
workflow_functions!(A1);
workflow_functions!(A1 A2);
workflow_functions!(A1 A2 A3);
workflow_functions!(A1 A2 A3 A4);
workflow_functions!(A1 A2 A3 A4 A5);
workflow_functions!(A1 A2 A3 A4 A5 A6);
workflow_functions!(A1 A2 A3 A4 A5 A6 A7);
workflow_functions!(A1 A2 A3 A4 A5 A6 A7 A8);

/// A handle that is being opened.
#[derive(Debug)]
#[must_use = "a handle is opened when this is awaited"]
pub struct Build {
    request: Request<RewakeBuilder, Result<Rewake, OpenError>>,
}

request_future!(Build, Result<Rewake, OpenError>);

/// A digest of the executable: two builds are two builds when their programs differ.
async fn executable_digest() -> String {
    let read = || std::env::current_exe().and_then(std::fs::read).ok();
    let program = tokio::task::spawn_blocking(read)
        .await
        .ok()
        .flatten()
        .unwrap_or_default();
    let mut head = [0; 8];
    head.copy_from_slice(&Sha256::digest(&program)[..8]);
    format!("{:016x}", u64::from_be_bytes(head))
}
