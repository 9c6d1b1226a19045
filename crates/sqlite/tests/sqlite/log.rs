//! Requests with as little to say as these tests need.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::executor::block_on;
use rewake_sqlite::{Durability, Options, SqliteStore};
use rewake_store::core::event::{CreatedBy, EventKind, Frame, Position, StepOptions};
use rewake_store::core::id::{EventId, HookId, Place, RunId, StepId};
use rewake_store::core::payload::Payload;
use rewake_store::core::time::Timestamp;
use rewake_store::core::token::Token;
use rewake_store::{
    Append, AppendRefusal, Appended, Condition, Create, Deliver, DeliverRefusal, Delivered, Door,
    Failed, Kin, Log, Mark, Queries, RunRow, ScopeId, Sessions, StoreFuture, UnreadLimit,
};
use tempfile::TempDir;

use super::clock;

/// More than any page of a test holds.
pub(crate) const ALL: usize = usize::MAX;

/// A store in a directory of its own.
pub(crate) struct Stage {
    pub(crate) store: SqliteStore,
    pub(crate) scope: ScopeId,
    directory: Arc<TempDir>,
}

impl Stage {
    /// Answers do not wait for the disk: for tests that are about something else.
    pub(crate) fn relaxed() -> Self {
        Self::with(|path| Options::new(path, clock::ticking()).durability(Durability::Relaxed))
    }

    pub(crate) fn with(options: impl FnOnce(PathBuf) -> Options) -> Self {
        Self::open(Arc::new(tempfile::tempdir().unwrap()), options)
    }

    fn open(directory: Arc<TempDir>, options: impl FnOnce(PathBuf) -> Options) -> Self {
        let store = SqliteStore::open(options(path_in(&directory))).unwrap();
        let scope = scope(&store);
        Self {
            store,
            scope,
            directory,
        }
    }

    /// Closes the store and opens it again.
    pub(crate) fn reopen(self) -> Self {
        let directory = self.close();
        Self::open(directory, |path| Options::new(path, clock::ticking()))
    }

    /// Closes the store, and leaves its files.
    pub(crate) fn close(self) -> Arc<TempDir> {
        block_on(self.store.close()).unwrap();
        self.directory
    }

    pub(crate) fn path(&self) -> PathBuf {
        path_in(&self.directory)
    }

    /// A run that has been created, with a live hook under a token of its own.
    pub(crate) fn run(&self) -> Run<'_> {
        let id = run_id();
        let run = Run {
            store: &self.store,
            scope: self.scope,
            id,
        };
        let create = self.store.create(run.creation());
        block_on(create).unwrap();
        run
    }
}

pub(crate) fn path_in(directory: &TempDir) -> PathBuf {
    directory.path().join("rewake.db")
}

pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

pub(crate) fn scope(store: &SqliteStore) -> ScopeId {
    block_on(store.scope("shop".to_owned(), "production".to_owned())).unwrap()
}

/// A run of a store.
#[derive(Clone, Copy)]
pub(crate) struct Run<'s> {
    pub(crate) store: &'s SqliteStore,
    pub(crate) scope: ScopeId,
    pub(crate) id: RunId,
}

impl Run<'_> {
    pub(crate) fn hook(self) -> HookId {
        HookId::from_bytes(self.id.to_bytes())
    }

    pub(crate) fn token(self) -> Token {
        Token::parse(self.id.as_str(), Token::MAX_LEN).unwrap()
    }

    /// The request for its log.
    pub(crate) fn creation(self) -> Create {
        Create {
            scope: self.scope,
            run: self.id,
            id: event_id(),
            events: vec![run_created(), self.hook_created()],
            key: None,
            node: None,
        }
    }

    fn hook_created(self) -> EventKind {
        EventKind::HookCreated {
            hook: self.hook(),
            token: self.token(),
            chosen: true,
            metadata: None,
            is_webhook: false,
            expires_at: None,
        }
    }

    pub(crate) fn row(self) -> RunRow {
        block_on(self.store.run(self.scope, self.id))
            .unwrap()
            .unwrap()
    }

    pub(crate) fn frames(self) -> Vec<Frame> {
        let frames = self.store.frames(self.scope, self.id, Position::START, ALL);
        block_on(frames).unwrap()
    }

    /// The append that a worker makes when a step has ended: its result, and the next step.
    pub(crate) fn step(self, payload: &Payload) -> Append {
        let row = self.row();
        let step = StepId::derive(self.id, Place(row.head.0), "charge");
        Append {
            scope: self.scope,
            run: self.id,
            id: event_id(),
            conditions: vec![Condition::WorkerPosition(row.worker)],
            events: Self::step_events(step, payload),
            release: Vec::new(),
            kin: Kin::default(),
            answers: Vec::new(),
            mark: Some(Mark {
                reacted: row.head,
                wake_at: Some(Timestamp::ZERO),
                ..Mark::default()
            }),
            since: None,
            repeat: false,
        }
    }

    /// A step that is made, begins and ends at once.
    pub(crate) fn step_events(step: StepId, payload: &Payload) -> Vec<EventKind> {
        vec![
            EventKind::StepCreated {
                step,
                name: "charge".to_owned(),
                input: payload.clone(),
                options: StepOptions::default(),
                child: None,
            },
            EventKind::StepStarted { step, attempt: 1 },
            EventKind::StepCompleted {
                step,
                result: payload.clone(),
            },
        ]
    }

    pub(crate) fn append(self, request: Append) -> StoreFuture<Appended, Failed<AppendRefusal>> {
        self.store.append(request)
    }

    /// An outsider's wish, which has no payload.
    pub(crate) fn cancel_request(self) -> Append {
        Append {
            scope: self.scope,
            run: self.id,
            id: event_id(),
            conditions: Vec::new(),
            events: vec![EventKind::RunCancelRequested { reason: None }],
            release: Vec::new(),
            kin: Kin::default(),
            answers: Vec::new(),
            mark: None,
            since: None,
            repeat: false,
        }
    }

    pub(crate) fn delivery(self, payload: &Payload) -> Deliver {
        Deliver {
            scope: self.scope,
            token: self.token(),
            id: event_id(),
            payload: payload.clone(),
            key: None,
            fallback: None,
            door: Door::Hook,
            limit: UnreadLimit {
                count: u64::MAX,
                bytes: u64::MAX,
            },
            repeat: false,
        }
    }

    pub(crate) fn deliver(
        self,
        payload: &Payload,
    ) -> StoreFuture<Delivered, Failed<DeliverRefusal>> {
        self.store.deliver(self.delivery(payload))
    }
}

pub(crate) fn payload(bytes: usize) -> Payload {
    Payload::from_bytes(vec![b'x'; bytes])
}

fn run_created() -> EventKind {
    EventKind::RunCreated {
        workflow: "order".to_owned(),
        input: payload(10),
        build: "build-1".to_owned(),
        seed: [7; 16],
        flags: 0,
        parent: None,
        not_before: None,
        continued_from: None,
        attributes: BTreeMap::new(),
        created_by: CreatedBy::Start,
    }
}

pub(crate) fn run_id() -> RunId {
    RunId::mint(Timestamp::from_millis(1_763_280_000_000), minted())
}

pub(crate) fn event_id() -> EventId {
    EventId::mint(Timestamp::from_millis(1_763_280_000_000), minted() << 16)
}

fn minted() -> u128 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    // Processes that a test starts mint other ids than it does.
    let process = u128::from(std::process::id()) << 32;
    process | u128::from(LAST.fetch_add(1, Ordering::Relaxed))
}
