//! The stage of one case: an empty store, a clock that stands until the case moves it, and ids.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use rewake_core::event::{EventKind, Fallback, Frame, Position};
use rewake_core::id::{EventId, HookId, RunId};
use rewake_core::time::Timestamp;

use super::event;
use super::harness::{Harness, Injury};
use super::request::{Admitting, Appending, Creating, Delivering, Posting};
use crate::role::{Store, WakeUp};
use crate::row::{MailRow, RunRow, ScopeId, TokenRow};

const BEGIN: Timestamp = Timestamp::from_millis(1_763_280_000_000);
/// More than any page of a case holds.
pub(super) const ALL: usize = 1_000_000;

pub(super) struct Stage<'h> {
    harness: &'h dyn Harness,
    pub(super) store: Arc<dyn Store>,
    /// Where a case plays unless it says otherwise.
    pub(super) scope: ScopeId,
    /// Another environment of the same project.
    pub(super) elsewhere: ScopeId,
    begin: Timestamp,
    minted: Cell<u128>,
}

impl<'h> Stage<'h> {
    pub(super) async fn new(harness: &'h dyn Harness) -> Self {
        harness.set_now(BEGIN);
        let store = harness.open();
        let scope = scope(&*store, "production").await;
        let elsewhere = self::scope(&*store, "staging").await;
        Self {
            harness,
            store,
            scope,
            elsewhere,
            begin: BEGIN,
            minted: Cell::new(0),
        }
    }

    /// The point `ms` milliseconds after the case began.
    pub(super) fn at(&self, ms: u64) -> Timestamp {
        self.begin.after(Duration::from_millis(ms))
    }

    /// Sets the store's clock to that point.
    pub(super) fn clock(&self, ms: u64) {
        self.harness.set_now(self.at(ms));
    }

    /// Sets the store's clock back to before the case began.
    pub(super) fn clock_back(&self) {
        self.harness.set_now(Timestamp::from_millis(5));
    }

    /// Closes the store and opens it again; false where that cannot be.
    pub(super) async fn reopen(&mut self) -> bool {
        self.store.close().await.expect("the store closes");
        let reopened = self.harness.reopen(Arc::clone(&self.store));
        if let Some(store) = reopened {
            self.store = store;
            return true;
        }
        false
    }

    /// Opens a store again that has failed, and that says so when it is closed.
    pub(super) fn reopen_failed(&mut self) {
        let reopened = self.harness.reopen(Arc::clone(&self.store));
        self.store = reopened.expect("a store that can fail can be opened again");
    }

    /// True where a store that does not know the outcome of a commit serves nothing more.
    pub(super) fn fails_shut(&self) -> bool {
        self.harness.fails_shut()
    }

    /// Injures the store.
    pub(super) fn injure(&self, injury: &Injury) {
        let injured = self.harness.injure(injury);
        assert!(injured, "the harness injures the store or skips the case");
    }

    fn minted(&self) -> u128 {
        self.minted.set(self.minted.get() + 1);
        self.minted.get()
    }

    /// A run that was never created; later ones are newer.
    pub(super) fn run_id(&self) -> RunId {
        RunId::mint(self.begin, self.minted())
    }

    pub(super) fn event_id(&self) -> EventId {
        EventId::mint(self.begin, self.minted() << 32)
    }

    /// A request for a log that begins with these events.
    pub(super) fn create(&self, events: impl Into<Vec<EventKind>>) -> Creating<'_> {
        Creating::new(self, events.into())
    }

    /// A request for a delivery.
    pub(super) fn deliver(&self, token: &str, payload: &str) -> Delivering<'_> {
        Delivering::new(self, token, payload)
    }

    /// A run to be started if nobody takes a payload, minted anew.
    pub(super) fn fallback(&self, workflow: &str) -> Fallback {
        let n = self.minted();
        Fallback {
            workflow: workflow.to_owned(),
            input: event::payload("input"),
            build: "build-1".to_owned(),
            run: self.run_id(),
            seed: [9; 16],
            flags: 0,
            hook: HookId::mint(self.begin, n),
            event: self.event_id(),
        }
    }

    /// A request that a live hook or a new run takes a payload.
    pub(super) fn admit(&self, token: &str, payload: &str) -> Admitting<'_> {
        Admitting::new(self, token, payload)
    }

    /// A request that a live hook or the mailbox takes a payload.
    pub(super) fn post(&self, token: &str, payload: &str) -> Posting<'_> {
        Posting::new(self, token, payload)
    }

    /// What the mailbox keeps.
    pub(super) async fn mail(&self) -> Vec<MailRow> {
        let mail = self.store.mail(self.scope, None, ALL).await;
        let mail = mail.expect("the mailbox is listed");
        mail.into_iter().map(|(_, mail)| mail).collect()
    }

    /// A run that has been created and started.
    pub(super) async fn started(&self) -> Log<'_> {
        let created = self
            .create([event::run_created(), EventKind::RunStarted])
            .ok()
            .await;
        self.log(created.run)
    }

    /// A started run whose worker has registered hook `n` under a token.
    pub(super) async fn with_hook(&self, n: u8, token: &str) -> Log<'_> {
        let log = self.started().await;
        log.worker([event::hook_created(n, token)]).ok().await;
        log
    }

    pub(super) const fn log(&self, run: RunId) -> Log<'_> {
        Log { stage: self, run }
    }

    pub(super) async fn token(&self, token: &str) -> Option<TokenRow> {
        let answer = self.store.token(self.scope, event::token(token)).await;
        answer.expect("the token is looked up")
    }

    /// All wake-ups that are due by that point.
    pub(super) async fn due(&self, ms: u64) -> Vec<WakeUp> {
        let until = self.at(ms);
        let answer = self.store.due(self.scope, None, until, ALL).await;
        answer.expect("the wake-ups are listed")
    }
}

async fn scope(store: &dyn Store, environment: &str) -> ScopeId {
    let answer = store.scope("shop".to_owned(), environment.to_owned()).await;
    answer.expect("the scope is numbered")
}

/// One run of a stage, with a verb for each kind of writer.
#[derive(Clone, Copy)]
pub(super) struct Log<'s> {
    pub(super) stage: &'s Stage<'s>,
    pub(super) run: RunId,
}

impl<'s> Log<'s> {
    /// An append of the worker that has seen everything in the log, unless more is said.
    pub(super) fn worker(self, events: impl Into<Vec<EventKind>>) -> Appending<'s> {
        Appending::by_worker(self, events.into())
    }

    /// An append of somebody else.
    pub(super) fn outsider(self, events: impl Into<Vec<EventKind>>) -> Appending<'s> {
        Appending::by_outsider(self, events.into())
    }

    pub(super) async fn row(self) -> RunRow {
        let row = self.stage.store.run(self.stage.scope, self.run).await;
        row.expect("the run is looked up").expect("the run exists")
    }

    pub(super) async fn frames(self) -> Vec<Frame> {
        let store = &self.stage.store;
        let frames = store.frames(self.stage.scope, self.run, Position::START, ALL);
        frames.await.expect("the log is read")
    }

    /// The events of the whole log.
    pub(super) async fn events(self) -> Vec<EventKind> {
        let frames = self.frames().await.into_iter();
        frames.flat_map(|frame| frame.events).collect()
    }

    /// When a worker must look at the run, as the wake-up index says.
    pub(super) async fn wake_up(self) -> Option<Timestamp> {
        let store = &self.stage.store;
        let due = store.due(self.stage.scope, None, Timestamp::MAX, ALL).await;
        let due = due.expect("the wake-ups are listed").into_iter();
        let mut due = due.filter(|wake_up| wake_up.run == self.run);
        let found = due.next().map(|wake_up| wake_up.at);
        assert_eq!(due.next(), None, "a run has one wake-up at most");
        assert_eq!(found, self.row().await.wake_at, "row and index agree");
        found
    }
}
