//! Requests with as little to say as these tests need.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::executor::block_on;
use rewake_postgres::private_server::Database;
use rewake_postgres::{Durability, Options, PostgresStore};
use rewake_store::core::event::{CreatedBy, EventKind, Position};
use rewake_store::core::id::{EventId, HookId, RunId};
use rewake_store::core::payload::{Payload, encode};
use rewake_store::core::time::Timestamp;
use rewake_store::core::token::Token;
use rewake_store::{
    Append, AppendRefusal, Appended, Condition, Create, Deliver, DeliverRefusal, Delivered,
    DeliveryKey, Door, Failed, Kin, Log, Mark, Queries, ScopeId, Sessions, UnreadLimit,
};

/// A store in a database of its own.
pub(crate) struct Stage {
    pub(crate) store: PostgresStore,
    pub(crate) scope: ScopeId,
    /// Dropped last: nobody uses it any more.
    pub(crate) database: Arc<Database>,
}

/// One of its runs, with a live hook.
#[derive(Clone, Copy)]
pub(crate) struct Run<'s> {
    pub(crate) stage: &'s Stage,
    pub(crate) id: RunId,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::on(Database::new().unwrap(), |options| options)
    }

    pub(crate) fn on(database: Database, set: impl FnOnce(Options) -> Options) -> Self {
        Self::open(Arc::new(database), set)
    }

    fn open(database: Arc<Database>, set: impl FnOnce(Options) -> Options) -> Self {
        let url = database.url();
        Self::at(&url, database, set)
    }

    /// A store that is reached by a connection string of the test's own.
    pub(crate) fn at(
        url: &str,
        database: Arc<Database>,
        set: impl FnOnce(Options) -> Options,
    ) -> Self {
        let options = Options::new(url).durability(Durability::Relaxed);
        let store = PostgresStore::open(set(options)).unwrap();
        let scope = store.scope("shop".to_owned(), "production".to_owned());
        let scope = block_on(scope).unwrap();
        Self {
            store,
            scope,
            database,
        }
    }

    /// Another process's store in the same database.
    pub(crate) fn on_the_same(other: &Self) -> Self {
        Self::beside(other, |options| options)
    }

    pub(crate) fn beside(other: &Self, set: impl FnOnce(Options) -> Options) -> Self {
        Self::open(Arc::clone(&other.database), set)
    }

    pub(crate) fn creation(&self) -> Create {
        let run = RunId::mint(Timestamp::from_millis(1), minted());
        Create {
            scope: self.scope,
            run,
            id: event_id(),
            events: vec![run_created(), EventKind::RunStarted, hook_created(run)],
            key: None,
            node: None,
        }
    }

    pub(crate) fn run(&self) -> Run<'_> {
        let created = block_on(self.store.create(self.creation())).unwrap();
        Run {
            stage: self,
            id: created.run,
        }
    }
}

impl Run<'_> {
    /// Its id, as SQL has it.
    pub(crate) fn uuid(self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.id.to_bytes()))
    }

    /// The statement that locks its row.
    pub(crate) fn lock(self) -> String {
        let id = self.uuid();
        format!("SELECT FROM rewake.runs WHERE run = '{id}' FOR UPDATE")
    }

    /// The ids of its frames, in the order of its log. There is no gap, and nothing twice.
    pub(crate) fn log(self) -> Vec<EventId> {
        let frames =
            self.stage
                .store
                .frames(self.stage.scope, self.id, Position::START, usize::MAX);
        let frames = block_on(frames).unwrap();
        let mut next = 1;
        let ids = frames.iter().map(|frame| {
            assert_eq!(frame.first.0, next, "a gap in the log");
            next = frame.last().0 + 1;
            frame.id
        });
        let ids: Vec<_> = ids.collect();
        let once: BTreeSet<_> = ids.iter().collect();
        assert_eq!(once.len(), ids.len(), "a frame twice in the log");
        ids
    }

    /// A worker's append of a record, on the position that a worker wrote last.
    pub(crate) fn record(self, building_on: u64) -> Append {
        Append {
            scope: self.stage.scope,
            run: self.id,
            id: event_id(),
            conditions: vec![Condition::WorkerPosition(Position(building_on))],
            events: vec![EventKind::PatchMarked {
                patch: "tidier".to_owned(),
            }],
            release: Vec::new(),
            kin: Kin::default(),
            answers: Vec::new(),
            mark: Some(Mark {
                reacted: Position(building_on.max(3)),
                ..Mark::default()
            }),
            since: None,
            repeat: false,
        }
    }

    pub(crate) fn append(self, request: Append) -> Result<Appended, Failed<AppendRefusal>> {
        block_on(self.stage.store.append(request))
    }

    pub(crate) fn delivery(self) -> Deliver {
        Deliver {
            scope: self.stage.scope,
            token: token(self.id),
            id: event_id(),
            payload: nothing(),
            key: None,
            fallback: None,
            door: Door::Hook,
            limit: UnreadLimit::default(),
            repeat: false,
        }
    }

    pub(crate) fn deliver(self) -> Result<Delivered, Failed<DeliverRefusal>> {
        block_on(self.stage.store.deliver(self.delivery()))
    }

    /// The end of its log.
    pub(crate) fn head(self) -> u64 {
        let row = block_on(self.stage.store.run(self.stage.scope, self.id));
        row.unwrap().unwrap().head.0
    }
}

/// A delivery key that fits any payload.
pub(crate) fn key(key: &str) -> DeliveryKey {
    DeliveryKey {
        key: key.to_owned(),
        digest: None,
    }
}

/// Looks until the database answers yes. Each look is a program that starts and ends, so this is no
/// busy waiting.
pub(crate) fn wait_until(database: &Database, question: &str) {
    for _ in 0..LOOKS {
        if database.query(question).unwrap() == "t" {
            return;
        }
    }
    panic!("in vain: {question}");
}

/// Whether so many sessions of stores wait for locks.
pub(crate) fn waiting(many: usize) -> String {
    format!(
        "SELECT count(*) >= {many} FROM pg_stat_activity WHERE wait_event_type = 'Lock'
         AND application_name = 'rewake' AND datname = current_database()"
    )
}

const LOOKS: usize = 3_000;

fn minted() -> u128 {
    static MINTED: AtomicU64 = AtomicU64::new(1);
    u128::from(MINTED.fetch_add(1, Ordering::Relaxed))
}

fn event_id() -> EventId {
    EventId::mint(Timestamp::from_millis(1), minted() << 40)
}

fn token(run: RunId) -> Token {
    Token::parse(run.as_str(), Token::MAX_LEN).unwrap()
}

fn run_created() -> EventKind {
    EventKind::RunCreated {
        workflow: "order".to_owned(),
        input: nothing(),
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

fn hook_created(run: RunId) -> EventKind {
    EventKind::HookCreated {
        hook: HookId::from_bytes(run.to_bytes()),
        token: token(run),
        chosen: true,
        metadata: None,
        is_webhook: false,
        expires_at: None,
    }
}

fn nothing() -> Payload {
    encode(&()).unwrap()
}
