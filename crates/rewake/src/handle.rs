//! The handle: what application code outside workflows uses.

use std::fmt;
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use rewake_core::id::RunId;
use rewake_core::payload::{self, EncodeError};
use rewake_runtime::workflow::Context as RunContext;
use rewake_runtime::{Engine, QueryError, Resume, ResumeError, Start, StartError, WebhookError};
use rewake_store::StoreError;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::builder::{Build, RewakeBuilder};
use crate::call::{StepCall, WorkflowCall};
use crate::error::StepError;
use crate::hook::Hook;
use crate::provided::Provided;
use crate::request::{Request, boxed, request_future};
use crate::run::Run;
use crate::testing::World;

/// A handle on a store and the engine that works on it. Clones are the same handle.
///
/// When the last clone goes without [`shutdown`](Self::shutdown), the engine stops at once: what it
/// was doing is taken up by the next one.
#[derive(Clone)]
pub struct Rewake {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    provided: Provided,
    /// In a test, the world whose time passes while somebody waits.
    world: Option<Arc<World>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.engine.stop();
    }
}

impl fmt::Debug for Rewake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rewake").finish_non_exhaustive()
    }
}

impl Rewake {
    pub(crate) fn new(engine: Engine, provided: Provided) -> Self {
        Self {
            inner: Arc::new(Inner {
                engine,
                provided,
                world: None,
            }),
        }
    }

    /// The handle of a test, whose time passes while somebody waits. There are no clones of it yet.
    pub(crate) fn in_world(mut self, world: Arc<World>) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.world = Some(world);
        }
        self
    }

    /// Waits for what takes time; in a test, lets it pass meanwhile.
    pub(crate) async fn passing_time<T>(&self, wait: impl Future<Output = T>) -> T {
        let wait = pin!(wait);
        match &self.inner.world {
            Some(world) => world.passing(wait).await,
            None => wait.await,
        }
    }

    /// Opens a handle on the store behind `url`: `sqlite:PATH` or `sqlite::memory:`.
    pub fn open(url: &str) -> Build {
        Self::builder().store(url).build()
    }

    /// Opens a handle with options.
    pub fn builder() -> RewakeBuilder {
        RewakeBuilder::default()
    }

    /// The engine, for the router, bindings and tests.
    #[doc(hidden)]
    pub fn engine(&self) -> &Engine {
        // What the handle answers is not on record, so a replay could go another way.
        assert!(
            RunContext::current().is_err(),
            "the handle is for code outside workflows; in a workflow use it in a step"
        );
        &self.inner.engine
    }

    /// Starts a run of a workflow. When it returns, the run is durable and will be driven.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves open whether the run was started; an idempotency key makes a repeat safe.
    pub fn start<T>(&self, call: WorkflowCall<T>) -> StartRun<T> {
        let workflow = call.definition().name;
        let start = call.into_input().map(|input| Start::new(workflow, input));
        let args = StartArgs {
            rewake: self.clone(),
            start,
        };
        StartRun {
            request: Request::new(args, |args| boxed(start_run(args))),
            result: PhantomData,
        }
    }

    /// Hands a payload to the live hook of a token.
    ///
    #[doc = include_str!("docs/resume_hook.md")]
    pub fn resume_hook<P: Serialize + ?Sized>(
        &self,
        token: impl Into<String>,
        payload: &P,
    ) -> ResumeHook {
        let resume = match payload::encode(payload) {
            Ok(payload) => Ok(Resume {
                token: token.into(),
                payload,
                key: None,
            }),
            Err(error) => Err(ResumeError::NotEncodable {
                reason: error.to_string(),
            }),
        };
        let args = ResumeArgs {
            rewake: self.clone(),
            resume,
        };
        ResumeHook {
            request: Request::new(args, |args| boxed(resume_hook(args))),
        }
    }

    /// The live hook of a token, without resuming it.
    ///
    /// # Errors
    ///
    /// [`QueryError`] where the token cannot be one, or the store cannot be read.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it changes nothing.
    pub async fn get_hook_by_token(
        &self,
        token: impl AsRef<str>,
    ) -> Result<Option<Hook>, QueryError> {
        Ok(self
            .engine()
            .hook_by_token(token.as_ref())
            .await?
            .map(Hook::from))
    }

    /// Hands an HTTP request to the live webhook of a token, and gives its answer.
    ///
    #[doc = include_str!("docs/resume_webhook.md")]
    pub async fn resume_webhook<B: Into<axum::body::Body>>(
        &self,
        token: impl AsRef<str>,
        request: http::Request<B>,
    ) -> Result<http::Response<Bytes>, WebhookError> {
        rewake_http::resume_webhook(self.engine(), token.as_ref(), request).await
    }

    /// The router of the public webhook endpoint, for an application of any state:
    /// `/.well-known/workflow/v1/webhook/{token}`.
    pub fn router<S: Clone + Send + Sync + 'static>(&self) -> axum::Router<S> {
        rewake_http::router(self.engine().clone())
    }

    /// A handle on a run, whether it exists or not.
    pub fn get_run<T>(&self, id: RunId) -> Run<T> {
        Run::new(self.clone(), id)
    }

    /// Calls a step outside any workflow, with the values that the application provides.
    ///
    /// # Errors
    ///
    /// [`StepError`] as the step's only attempt left it.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the step's body is dropped where it stands.
    pub async fn call<T: DeserializeOwned>(&self, step: StepCall<T>) -> Result<T, StepError> {
        step.run_plain(&self.inner.provided).await
    }

    /// Closes every clone of the handle: takes no more work, lets steps under way end for as long as
    /// `grace`, aborts the rest, and lets the store go. What was not finished is taken up by the next
    /// process.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the store could not be told; it is closed all the same.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the handle stays stopped and the store may stay open; call it again.
    pub async fn shutdown(&self, grace: Duration) -> Result<(), StoreError> {
        let shutdown = self.engine().shutdown(grace);
        self.passing_time(shutdown).await
    }
}

struct StartArgs {
    rewake: Rewake,
    start: Result<Start, EncodeError>,
}

/// A run that is being started.
#[derive(Debug)]
#[must_use = "a run is started when this is awaited"]
pub struct StartRun<T> {
    request: Request<StartArgs, Result<(Rewake, RunId), StartError>>,
    result: PhantomData<fn() -> T>,
}

impl<T> StartRun<T> {
    /// The same key gives the run already started; other arguments under it are an error. A key has 1
    /// to 512 bytes and no control characters.
    pub fn idempotency_key(self, key: impl Into<String>) -> Self {
        self.with(|start| start.key = Some(key.into()))
    }

    /// A searchable key-value on the run: what [`set_attributes`](crate::set_attributes) says of keys
    /// and values holds here too.
    pub fn attribute(self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.with(|start| {
            start.attributes.insert(key.into(), value.into());
        })
    }

    /// How long the workflow must not begin.
    pub fn delay(self, delay: Duration) -> Self {
        self.with(|start| start.delay = Some(delay))
    }

    /// The run's id; one that exists is an error.
    pub fn run_id(self, run: RunId) -> Self {
        self.with(|start| start.run = Some(run))
    }

    fn with(self, change: impl FnOnce(&mut Start)) -> Self {
        let change = |args: &mut StartArgs| {
            if let Ok(start) = &mut args.start {
                change(start);
            }
        };
        Self {
            request: self.request.with(change),
            result: PhantomData,
        }
    }
}

impl<T> Future for StartRun<T> {
    type Output = Result<Run<T>, StartError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let started = self.get_mut().request.poll(cx);
        started.map(|started| started.map(|(rewake, run)| Run::new(rewake, run)))
    }
}

async fn start_run(args: StartArgs) -> Result<(Rewake, RunId), StartError> {
    let start = args.start.map_err(|error| StartError::NotEncodable {
        reason: error.to_string(),
    })?;
    let started = args.rewake.engine().start(start).await?;
    Ok((args.rewake, started.run))
}

struct ResumeArgs {
    rewake: Rewake,
    resume: Result<Resume, ResumeError>,
}

/// A payload on its way to a hook.
#[derive(Debug)]
#[must_use = "a hook is resumed when this is awaited"]
pub struct ResumeHook {
    request: Request<ResumeArgs, Result<Option<Hook>, ResumeError>>,
}

impl ResumeHook {
    /// Refused before it was asked for.
    pub(crate) fn refuse(self, error: ResumeError) -> Self {
        Self {
            request: self.request.with(|args| args.resume = Err(error)),
        }
    }

    /// The same key again delivers nothing and gives the same answer; another payload under it is
    /// refused. A key has 1 to 512 bytes and no control characters.
    pub fn idempotency_key(self, key: impl Into<String>) -> Self {
        let change = |args: &mut ResumeArgs| {
            if let Ok(resume) = &mut args.resume {
                resume.key = Some(key.into());
            }
        };
        Self {
            request: self.request.with(change),
        }
    }
}

request_future!(ResumeHook, Result<Option<Hook>, ResumeError>);

async fn resume_hook(args: ResumeArgs) -> Result<Option<Hook>, ResumeError> {
    Ok(args
        .rewake
        .engine()
        .resume(args.resume?)
        .await?
        .map(Hook::from))
}
