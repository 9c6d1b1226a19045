//! The world: tasks on one thread, and a clock that moves when the test says so.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use rewake_core::event::Event;
use rewake_core::id::RunId;
use rewake_core::payload::{self, Payload};
use rewake_core::time::Timestamp;
use rewake_runtime::workflow::Context as RunContext;
use rewake_runtime::{
    Builder, Clock, Engine, Entropy, Host, Registry, Spawner, Start, Step, Workflow, WorkflowBody,
};
use rewake_store::Store;
use rewake_store::memory::{MemoryStore, Now};

use crate::store::TestStore;

/// One thread, one clock, one store.
#[derive(Clone)]
pub(crate) struct World {
    shared: Arc<Shared>,
    pub(crate) store: TestStore,
}

struct Shared {
    now: AtomicU64,
    drawn: AtomicU64,
    turn: AtomicU64,
    gave_way: AtomicUsize,
    sleepers: Mutex<BTreeMap<(Timestamp, u64), Waker>>,
    spawned: Mutex<Vec<BoxFuture<'static, ()>>>,
    tasks: Mutex<FuturesUnordered<BoxFuture<'static, ()>>>,
}

impl World {
    pub(crate) fn new() -> Self {
        let shared = Arc::new(Shared {
            now: AtomicU64::new(1_000_000),
            drawn: AtomicU64::new(1),
            turn: AtomicU64::new(0),
            gave_way: AtomicUsize::new(0),
            sleepers: Mutex::default(),
            spawned: Mutex::default(),
            tasks: Mutex::default(),
        });
        let clock = Arc::clone(&shared);
        let store = TestStore::new(Arc::new(move || clock.now()));
        Self { shared, store }
    }

    /// A builder of an engine whose only workflow is `main`.
    pub(crate) fn builder<F>(
        &self,
        main: impl Fn(Arc<RunContext>) -> F + Send + Sync + 'static,
    ) -> Builder
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.builder_of(main, Registry::default())
    }

    /// A builder of an engine that is a node of a store which others share.
    pub(crate) fn builder_on<F>(
        &self,
        store: &MemoryStore,
        main: impl Fn(Arc<RunContext>) -> F + Send + Sync + 'static,
        steps: Vec<Step>,
    ) -> Builder
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut registry = Registry::default();
        for step in steps {
            registry.add_step(step).unwrap();
        }
        self.builder_in(Arc::new(store.clone()), main, registry)
    }

    fn builder_of<F>(
        &self,
        main: impl Fn(Arc<RunContext>) -> F + Send + Sync + 'static,
        registry: Registry,
    ) -> Builder
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.builder_in(Arc::new(self.store.clone()), main, registry)
    }

    fn builder_in<F>(
        &self,
        store: Arc<dyn Store>,
        main: impl Fn(Arc<RunContext>) -> F + Send + Sync + 'static,
        mut registry: Registry,
    ) -> Builder
    where
        F: Future<Output = ()> + Send + 'static,
    {
        registry
            .add_workflow(Workflow {
                name: "main".to_owned(),
                aliases: Vec::new(),
                place: "here".to_owned(),
                run: Arc::new(move |_| {
                    let body = main(RunContext::current().unwrap());
                    let body: WorkflowBody =
                        Box::pin(body.map(|()| Ok(payload::encode(&()).unwrap())));
                    Ok(body)
                }),
            })
            .unwrap();
        let host = Host {
            clock: Arc::clone(&self.shared) as Arc<dyn Clock>,
            spawner: Arc::clone(&self.shared) as Arc<dyn Spawner>,
            entropy: Arc::clone(&self.shared) as Arc<dyn Entropy>,
        };
        Builder::new(host, store, registry).verify(false)
    }

    /// The same, with steps that it may call.
    pub(crate) fn builder_with<F>(
        &self,
        main: impl Fn(Arc<RunContext>) -> F + Send + Sync + 'static,
        steps: Vec<Step>,
    ) -> Builder
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut registry = Registry::default();
        for step in steps {
            registry.add_step(step).unwrap();
        }
        self.builder_of(main, registry)
    }

    /// An engine that is open and has gone through what was left.
    pub(crate) fn open(&self, builder: Builder) -> Engine {
        let engine = self.until(builder.open()).unwrap();
        self.settle();
        engine
    }

    /// Starts a run and lets it come to rest.
    pub(crate) fn start(&self, engine: &Engine) -> RunId {
        let started = engine.start(Start::new("main", text("[]")));
        let run = self.until(started).unwrap().run;
        self.settle();
        run
    }

    /// Ends the process at once, and what it was doing with it.
    pub(crate) fn crash(&self) {
        self.shared.tasks.lock().unwrap().clear();
        self.shared.spawned.lock().unwrap().clear();
        self.shared.sleepers.lock().unwrap().clear();
    }

    /// The time of this world, for a store that others share.
    pub(crate) fn time(&self) -> Now {
        let clock = Arc::clone(&self.shared);
        Arc::new(move || clock.now())
    }

    /// How often a driver gave way to others.
    pub(crate) fn gave_way(&self) -> usize {
        self.shared.gave_way.load(Ordering::SeqCst)
    }

    /// The names of a run's events.
    pub(crate) fn events(&self, engine: &Engine, run: RunId) -> Vec<&'static str> {
        let events: Vec<Event> = self.until(engine.events(run)).unwrap();
        events.iter().map(|event| event.kind.name()).collect()
    }

    /// What a future gives; a panic where it waits for what nobody does.
    pub(crate) fn until<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        loop {
            if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return value;
            }
            self.settle();
            assert!(woken.take(), "it waits for what nobody does");
        }
    }

    /// Lets every task run until all of them wait.
    pub(crate) fn settle(&self) {
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        loop {
            let spawned = std::mem::take(&mut *self.shared.spawned.lock().unwrap());
            let is_idle = spawned.is_empty();
            let mut tasks = self.shared.tasks.lock().unwrap();
            tasks.extend(spawned);
            let polled = tasks.poll_next_unpin(&mut Context::from_waker(&waker));
            let has_ended = matches!(polled, Poll::Ready(Some(())));
            if is_idle
                && !has_ended
                && !woken.take()
                && self.shared.spawned.lock().unwrap().is_empty()
            {
                return;
            }
        }
    }

    /// Lets time pass while something holds the thread.
    pub(crate) fn hold(&self, span: Duration) {
        let later = self.shared.now().after(span);
        self.shared.now.store(later.as_millis(), Ordering::SeqCst);
    }

    /// Lets time pass, from each time that is waited for to the next.
    pub(crate) fn pass(&self, span: Duration) {
        let until = self.shared.now().after(span);
        self.settle();
        loop {
            let mut sleepers = self.shared.sleepers.lock().unwrap();
            let Some(first) = sleepers
                .first_entry()
                .filter(|first| first.key().0 <= until)
            else {
                break;
            };
            let ((at, _), waker) = first.remove_entry();
            drop(sleepers);
            let at = at.max(self.shared.now());
            self.shared.now.store(at.as_millis(), Ordering::SeqCst);
            waker.wake();
            self.settle();
        }
        self.shared.now.store(until.as_millis(), Ordering::SeqCst);
        self.settle();
    }
}

/// A payload, written as in JSON.
pub(crate) fn text(json: &str) -> Payload {
    let value: serde_json::Value = serde_json::from_str(json).unwrap();
    payload::encode(&value).unwrap()
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Woken {
    fn take(&self) -> bool {
        self.0.swap(false, Ordering::SeqCst)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Shared {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::SeqCst))
    }
}

impl Clock for Shared {
    fn now(&self) -> Timestamp {
        self.now()
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        // Registered at once; a task that no longer waits is woken for nothing.
        let turn = self.turn.fetch_add(1, Ordering::SeqCst);
        let (sender, receiver) = futures_channel::oneshot::channel();
        if at <= self.now() {
            return futures_util::future::ready(()).boxed();
        }
        let waker = Waker::from(Arc::new(Alarm(Mutex::new(Some(sender)))));
        self.sleepers.lock().unwrap().insert((at, turn), waker);
        receiver.map(|_| ()).boxed()
    }
}

struct Alarm(Mutex<Option<futures_channel::oneshot::Sender<()>>>);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        if let Some(sender) = self.0.lock().unwrap().take() {
            let _nobody_waits = sender.send(());
        }
    }
}

impl Spawner for Shared {
    fn spawn_driver(&self, task: BoxFuture<'static, ()>) {
        self.spawned.lock().unwrap().push(task);
    }

    fn spawn_step(&self, task: BoxFuture<'static, ()>) {
        self.spawned.lock().unwrap().push(task);
    }

    fn give_way(&self) {
        self.gave_way.fetch_add(1, Ordering::SeqCst);
    }
}

impl Entropy for Shared {
    fn draw(&self) -> u128 {
        u128::from(self.drawn.fetch_add(1, Ordering::SeqCst)) << 64 | 7
    }
}
