//! An engine on a store in memory, with one webhook, and a clock that only the test moves.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt;
use rewake_runtime::core::event::{EventKind, Failure, StepOptions};
use rewake_runtime::core::id::RunId;
use rewake_runtime::core::payload::{self, Payload};
use rewake_runtime::core::replay::{Received, StepOutcome};
use rewake_runtime::core::time::Timestamp;
use rewake_runtime::step::respond;
use rewake_runtime::webhook::{Request, Response, Secrets, Settings};
use rewake_runtime::workflow::{Context, HookHandle, HookSpec, RegisterHook, StepFuture, Wait};
use rewake_runtime::{
    AnswerError, Builder, Clock, Engine, Entropy, Host, Limits, Registry, RunOutcome, Spawner,
    Start, Step, StepFailure, StepInput, Workflow, WorkflowBody,
};
use rewake_store::memory::MemoryStore;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tower::ServiceExt;

/// Where the webhooks of these tests live.
pub(crate) const PUBLIC_URL: &str = "https://app.example";
pub(crate) const ROUTE: &str = "/.well-known/workflow/v1/webhook";

/// When the tests' time begins, in seconds since 1970.
pub(crate) const START_SECONDS: u64 = 1_763_280_000;

/// What a workflow does with its webhook.
pub(crate) type Script = fn(Desk) -> WorkflowBody;

/// A workflow's end of the webhook.
#[derive(Debug)]
pub(crate) struct Desk {
    context: Arc<Context>,
    hook: HookHandle,
}

impl Desk {
    /// The next request.
    pub(crate) async fn next(&mut self) -> Request {
        match self.hook.receive().await {
            Received::Payload(payload) => payload::decode(&payload).unwrap(),
            ended => panic!("no request: {ended:?}"),
        }
    }

    /// Holds on to the webhook, and reads nothing.
    pub(crate) async fn wait_for_ever(self) {
        let context = Arc::clone(&self.context);
        Wait::length(context, Duration::from_secs(1 << 30)).await;
    }

    /// Answers a request from the workflow itself, by the built-in step.
    pub(crate) async fn answer(
        &self,
        request: &Request,
        status: u16,
        body: &str,
    ) -> Result<(), AnswerError> {
        let answer = payload::encode(&response(status, body)).unwrap();
        self.answer_with(request, &answer).await
    }

    pub(crate) async fn answer_with(
        &self,
        request: &Request,
        answer: &Payload,
    ) -> Result<(), AnswerError> {
        let input = respond::input(request.answer_to.as_deref().unwrap(), answer).unwrap();
        let verdict = self.step(respond::NAME, input).await;
        respond::verdict(&verdict)
    }

    /// Calls a step, and gives its result.
    pub(crate) async fn step(&self, name: &str, input: Payload) -> Payload {
        let context = Arc::clone(&self.context);
        let step = StepFuture::new(context, name, input, StepOptions::default());
        match step.await {
            StepOutcome::Completed(result) => result,
            StepOutcome::Failed { error, .. } => panic!("`{name}` failed: {error:?}"),
        }
    }
}

/// A step that answers the request it is given, fails, and answers it again, otherwise.
fn answer_and_fail() -> Step {
    Step {
        name: "answer_and_fail".to_owned(),
        place: "tests".to_owned(),
        run: Arc::new(|input| {
            let StepInput { payload, context } = input.clone();
            Box::pin(async move {
                let request: Request = payload::decode(&payload).unwrap();
                let stream = request.answer_to.as_deref().unwrap();
                let answer = response(200, &format!("attempt {}", context.attempt));
                let answer = payload::encode(&answer).unwrap();
                respond::from_step(&context, stream, answer).await.unwrap();
                if context.attempt > 1 {
                    return Ok(payload::encode(&()).unwrap());
                }
                Err(StepFailure::Retryable {
                    error: Failure::new("answered, and failed"),
                    after: Some(Duration::ZERO),
                    at: None,
                })
            })
        }),
    }
}

/// Takes two requests, and returns them.
pub(crate) fn take_two(mut desk: Desk) -> WorkflowBody {
    Box::pin(async move {
        let requests = vec![desk.next().await, desk.next().await];
        Ok(payload::encode(&requests).unwrap())
    })
}

/// Takes one request, and returns it.
pub(crate) fn take_one(mut desk: Desk) -> WorkflowBody {
    Box::pin(async move { Ok(payload::encode(&vec![desk.next().await]).unwrap()) })
}

/// Takes whatever comes, and never ends.
pub(crate) fn take_all(mut desk: Desk) -> WorkflowBody {
    Box::pin(async move {
        loop {
            desk.next().await;
        }
    })
}

pub(crate) fn response(status: u16, body: &str) -> Response {
    let response = http::Response::builder().status(status);
    let response = response.body(Bytes::copy_from_slice(body.as_bytes()));
    Response::try_from(response.unwrap()).unwrap()
}

/// How an engine with one webhook is set up.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) metadata: Option<Payload>,
    pub(crate) is_webhook: bool,
    pub(crate) expires_in: Option<Duration>,
    pub(crate) limits: Limits,
    pub(crate) secrets: Secrets,
}

impl From<Settings> for Setup {
    fn from(settings: Settings) -> Self {
        Self {
            metadata: Some(payload::encode(&settings).unwrap()),
            is_webhook: true,
            expires_in: None,
            limits: Limits::default(),
            secrets: Secrets::default(),
        }
    }
}

/// An engine with one run that has registered its webhook.
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) run: RunId,
    pub(crate) token: String,
    pub(crate) router: Router,
}

impl World {
    pub(crate) async fn open(setup: impl Into<Setup>, script: Script) -> Self {
        let setup = setup.into();
        let clock = Arc::new(ManualClock::default());
        let host = Host {
            clock: Arc::<ManualClock>::clone(&clock),
            spawner: Arc::new(TokioSpawner),
            entropy: Arc::new(Counter::default()),
        };
        let store_clock = Arc::clone(&clock);
        let store = MemoryStore::new(Arc::new(move || store_clock.now()));
        let (tokens, mut token) = watch::channel(None);
        let mut registry = Registry::default();
        let (limits, secrets) = (setup.limits, setup.secrets.clone());
        registry
            .add_workflow(workflow(setup, script, tokens))
            .unwrap();
        registry.add_step(answer_and_fail()).unwrap();
        let engine = Builder::new(host, Arc::new(store), registry)
            .public_url(PUBLIC_URL)
            .limits(limits)
            .secrets(secrets)
            .open()
            .await
            .unwrap();
        let input = payload::encode(&()).unwrap();
        let run = engine.start(Start::new("desk", input)).await.unwrap().run;
        let token = token.wait_for(Option::is_some).await.unwrap().clone();
        Self {
            router: rewake_http::router(engine.clone()),
            engine,
            clock,
            run,
            token: token.unwrap(),
        }
    }

    /// The path of the webhook.
    pub(crate) fn path(&self) -> String {
        format!("{ROUTE}/{}", self.token)
    }

    /// Calls the router.
    pub(crate) async fn call(&self, request: http::Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes(),
        }
    }

    /// A call under way, so that the test can do something meanwhile.
    pub(crate) fn calling(&self, request: http::Request<Body>) -> BoxFuture<'static, Answer> {
        self.router_call(request).map(Result::unwrap).boxed()
    }

    /// A call under way that can be given up.
    pub(crate) fn router_call(&self, request: http::Request<Body>) -> JoinHandle<Answer> {
        let world = Self {
            engine: self.engine.clone(),
            clock: Arc::clone(&self.clock),
            run: self.run,
            token: self.token.clone(),
            router: self.router.clone(),
        };
        tokio::spawn(async move { world.call(request).await })
    }

    /// Posts a body to the webhook.
    pub(crate) async fn post(&self, body: impl Into<Body>) -> Answer {
        self.call(self.request(Method::POST, body)).await
    }

    /// A request to the webhook.
    pub(crate) fn request(&self, method: Method, body: impl Into<Body>) -> http::Request<Body> {
        let request = http::Request::builder().method(method).uri(self.path());
        request.body(body.into()).unwrap()
    }

    /// A post with a delivery id.
    pub(crate) fn keyed(&self, key: &str, body: &'static str) -> http::Request<Body> {
        let mut request = self.request(Method::POST, body);
        request.headers_mut().insert("x-id", key.parse().unwrap());
        request
    }

    /// How many requests are on record.
    pub(crate) async fn received(&self) -> usize {
        let events = self.engine.events(self.run).await.unwrap();
        let received = |kind: &EventKind| matches!(kind, EventKind::HookReceived { .. });
        events.iter().filter(|event| received(&event.kind)).count()
    }

    /// The requests that the workflow returned.
    pub(crate) async fn returned(&self) -> Vec<Request> {
        match self.engine.outcome(self.run).await.unwrap() {
            RunOutcome::Completed(output) => payload::decode(&output).unwrap(),
            outcome => panic!("not completed: {outcome:?}"),
        }
    }
}

/// What a caller gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The code of a problem document, after a check of everything else in it.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.headers["content-type"], "application/problem+json");
        self.is_not_stored();
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem["status"], self.status.as_u16());
        assert_eq!(problem["type"], "about:blank");
        assert_eq!(problem["title"], self.status.canonical_reason().unwrap());
        assert!(!problem["detail"].as_str().unwrap().is_empty());
        problem["code"].as_str().unwrap().to_owned()
    }

    pub(crate) fn is_not_stored(&self) {
        assert_eq!(self.headers["cache-control"], "no-store");
    }

    /// The only answer there is where no webhook is.
    pub(crate) fn is_not_found(&self) {
        assert_eq!(self.status, StatusCode::NOT_FOUND);
        assert_eq!(self.problem(), "WEBHOOK_NOT_FOUND");
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem["detail"], "no live webhook has the token");
    }
}

fn workflow(setup: Setup, script: Script, tokens: watch::Sender<Option<String>>) -> Workflow {
    let setup = Arc::new(setup);
    Workflow {
        name: "desk".to_owned(),
        aliases: Vec::new(),
        place: "tests".to_owned(),
        run: Arc::new(move |_| {
            let (setup, tokens) = (Arc::clone(&setup), tokens.clone());
            let context = Context::current().map_err(|error| Failure::new(error.to_string()))?;
            Ok(Box::pin(async move {
                let spec = HookSpec {
                    token: None,
                    metadata: setup.metadata.clone(),
                    is_webhook: setup.is_webhook,
                    expires_in: setup.expires_in,
                };
                let hook = RegisterHook::new(Arc::clone(&context), spec).await.unwrap();
                tokens.send_replace(Some(hook.token().to_string()));
                script(Desk { context, hook }).await
            }))
        }),
    }
}

/// Time that stands still until the test moves it.
#[derive(Debug)]
pub(crate) struct ManualClock {
    now: AtomicU64,
    sleepers: Mutex<Vec<(Timestamp, oneshot::Sender<()>)>>,
    due: watch::Sender<Vec<Timestamp>>,
}

impl Default for ManualClock {
    fn default() -> Self {
        Self {
            now: AtomicU64::new(START_SECONDS * 1000),
            sleepers: Mutex::default(),
            due: watch::Sender::default(),
        }
    }
}

impl ManualClock {
    /// Waits until somebody sleeps for `span` from now on.
    pub(crate) async fn until_somebody_sleeps(&self, span: Duration) {
        let at = self.now().after(span);
        let mut due = self.due.subscribe();
        due.wait_for(|due| due.contains(&at)).await.unwrap();
    }

    /// Waits until somebody sleeps for `span` from now on, and lets it pass.
    pub(crate) async fn pass(&self, span: Duration) {
        self.until_somebody_sleeps(span).await;
        self.advance(span);
    }

    /// Sets the time to so many seconds since 1970.
    pub(crate) fn set_seconds(&self, seconds: u64) {
        self.now.store(seconds * 1000, Ordering::SeqCst);
    }

    /// Moves the time.
    pub(crate) fn advance(&self, span: Duration) {
        let span = u64::try_from(span.as_millis()).unwrap();
        self.now.fetch_add(span, Ordering::SeqCst);
        let now = self.now();
        let mut sleepers = self.sleepers.lock().unwrap();
        let (due, rest) = std::mem::take(&mut *sleepers)
            .into_iter()
            .partition(|(at, _)| *at <= now);
        *sleepers = rest;
        drop(sleepers);
        let due: Vec<(Timestamp, oneshot::Sender<()>)> = due;
        for (_, sleeper) in due {
            let _gone = sleeper.send(());
        }
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::SeqCst))
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        if at <= self.now() {
            return std::future::ready(()).boxed();
        }
        let (sender, receiver) = oneshot::channel();
        self.sleepers.lock().unwrap().push((at, sender));
        self.due.send_modify(|due| due.push(at));
        receiver.map(|_woken| ()).boxed()
    }
}

#[derive(Debug)]
struct TokioSpawner;

impl Spawner for TokioSpawner {
    fn spawn_driver(&self, task: BoxFuture<'static, ()>) {
        tokio::spawn(task);
    }

    fn spawn_step(&self, task: BoxFuture<'static, ()>) {
        tokio::spawn(task);
    }
}

#[derive(Debug, Default)]
struct Counter(AtomicU64);

impl Entropy for Counter {
    fn draw(&self) -> u128 {
        // Spread over all bits, so that nothing that is cut from it is always the same.
        u128::from(self.0.fetch_add(1, Ordering::SeqCst) + 1)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)
    }
}
