//! Requests with as little to say as a case needs, and the two ways they end.

use std::fmt::Debug;
use std::time::Duration;

use rewake_core::event::{EventKind, Fallback, Position, Taken};
use rewake_core::id::RunId;
use rewake_core::time::Timestamp;

use super::event;
use super::observe;
use super::stage::{Log, Stage};
use crate::admission::{Admit, AdmitRefusal, Admitted, Post, PostRefusal, Posted};
use crate::error::Failed;
use crate::lineage::{ChildBegins, Kin};
use crate::request::{
    Answer, AnswerRefusal, Answered, Answering, Append, AppendRefusal, Appended, Condition, Create,
    CreateRefusal, Created, Deliver, DeliverRefusal, Delivered, DeliveryKey, Door, Mark, StartKey,
    UnreadLimit,
};
use crate::role::StoreFuture;
use crate::row::{NodeId, Parked, ScopeId};

/// The answer of a request that must succeed.
async fn answered<A: Debug, R: std::error::Error + 'static>(
    answer: StoreFuture<A, Failed<R>>,
) -> A {
    answer.await.expect("the request succeeds")
}

/// The refusal of a request that must leave nothing.
async fn refused<A: Debug, R: std::error::Error + 'static>(
    stage: &Stage<'_>,
    ask: impl FnOnce() -> StoreFuture<A, Failed<R>>,
) -> R {
    let before = observe::everything(stage).await;
    let refusal = match ask().await {
        Err(Failed::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    };
    let after = observe::everything(stage).await;
    assert_eq!(after, before, "a refused request leaves nothing");
    refusal
}

/// A request for a new log.
pub(super) struct Creating<'s> {
    stage: &'s Stage<'s>,
    pub(super) request: Create,
}

impl<'s> Creating<'s> {
    pub(super) fn new(stage: &'s Stage<'s>, events: Vec<EventKind>) -> Self {
        let request = Create {
            scope: stage.scope,
            run: stage.run_id(),
            id: stage.event_id(),
            events,
            key: None,
            node: None,
        };
        Self { stage, request }
    }

    pub(super) const fn within(mut self, scope: ScopeId) -> Self {
        self.request.scope = scope;
        self
    }

    /// A node asks, which will drive the run.
    pub(super) const fn at(mut self, node: NodeId) -> Self {
        self.request.node = Some(node);
        self
    }

    pub(super) fn key(mut self, key: &str, digest: u8) -> Self {
        self.request.key = Some(StartKey {
            key: key.to_owned(),
            digest: [digest; 32],
        });
        self
    }

    pub(super) async fn ok(self) -> Created {
        answered(self.stage.store.create(self.request)).await
    }

    pub(super) async fn refused(self) -> CreateRefusal {
        refused(self.stage, || self.stage.store.create(self.request)).await
    }
}

/// A request to add to a log.
pub(super) struct Appending<'s> {
    log: Log<'s>,
    request: Append,
    /// What the worker says, where one appends.
    mark: Option<Mark>,
    reacted: Option<Position>,
    builds_on: Option<Position>,
}

impl<'s> Appending<'s> {
    pub(super) fn by_worker(log: Log<'s>, events: Vec<EventKind>) -> Self {
        let mark = Some(Mark::default());
        Self {
            mark,
            ..Self::by_outsider(log, events)
        }
    }

    pub(super) fn by_outsider(log: Log<'s>, events: Vec<EventKind>) -> Self {
        let request = Append {
            scope: log.stage.scope,
            run: log.run,
            id: log.stage.event_id(),
            conditions: Vec::new(),
            events,
            release: Vec::new(),
            kin: Kin::default(),
            answers: Vec::new(),
            mark: None,
            since: None,
            repeat: false,
        };
        Self {
            log,
            request,
            mark: None,
            reacted: None,
            builds_on: None,
        }
    }

    pub(super) const fn within(mut self, scope: ScopeId) -> Self {
        self.request.scope = scope;
        self
    }

    pub(super) fn releasing(mut self, tokens: &[&str]) -> Self {
        self.request.release = tokens.iter().map(|token| event::token(token)).collect();
        self
    }

    /// Says how a child begins that the events record.
    pub(super) fn beginning(mut self, begins: ChildBegins) -> Self {
        self.request.kin.begin.push(begins);
        self
    }

    /// The events record the ends of these children.
    pub(super) fn settling(mut self, children: &[RunId]) -> Self {
        self.request.kin.settled.extend_from_slice(children);
        self
    }

    /// Step `n` answers on a stream.
    pub(super) fn answering(mut self, n: u8, stream: &str, text: &str) -> Self {
        self.request.answers.push(Answering {
            stream: stream.to_owned(),
            step: event::step(n),
            payload: event::payload(text),
        });
        self
    }

    pub(super) fn when(mut self, condition: Condition) -> Self {
        self.request.conditions.push(condition);
        self
    }

    pub(super) const fn since(mut self, since: u64) -> Self {
        self.request.since = Some(Position(since));
        self
    }

    /// The worker has seen the log up to here only.
    pub(super) const fn reacted(mut self, reacted: u64) -> Self {
        self.reacted = Some(Position(reacted));
        self
    }

    /// The worker builds on this position, whatever the row says.
    pub(super) const fn building_on(mut self, position: u64) -> Self {
        self.builds_on = Some(Position(position));
        self
    }

    pub(super) fn waking_at(self, at: Timestamp) -> Self {
        self.marking(|mark| mark.wake_at = Some(at))
    }

    pub(super) fn taking(self, n: u8, count: u64, bytes: u64) -> Self {
        let hook = event::hook(n);
        self.marking(|mark| mark.taken.push(Taken { hook, count, bytes }))
    }

    pub(super) fn rested(self) -> Self {
        self.marking(|mark| mark.rested = true)
    }

    pub(super) fn parking(self, parked: Parked) -> Self {
        self.marking(|mark| mark.parked = Some(parked))
    }

    /// The worker belongs to a node.
    pub(super) fn at(self, node: NodeId) -> Self {
        self.marking(|mark| mark.node = Some(node))
    }

    fn marking(mut self, set: impl FnOnce(&mut Mark)) -> Self {
        set(self.mark.as_mut().expect("only a worker marks"));
        self
    }

    /// The request, built on what the run's row says now.
    pub(super) async fn request(mut self) -> Append {
        if let Some(mut mark) = self.mark {
            let row = self.log.row().await;
            mark.reacted = self.reacted.unwrap_or(row.head);
            let builds_on = self.builds_on.unwrap_or(row.worker);
            let condition = Condition::WorkerPosition(builds_on);
            self.request.conditions.push(condition);
            self.request.mark = Some(mark);
        }
        self.request
    }

    pub(super) async fn ok(self) -> Appended {
        let stage = self.log.stage;
        answered(stage.store.append(self.request().await)).await
    }

    pub(super) async fn refused(self) -> AppendRefusal {
        let stage = self.log.stage;
        let request = self.request().await;
        refused(stage, || stage.store.append(request)).await
    }
}

/// A request to deliver a payload.
pub(super) struct Delivering<'s> {
    stage: &'s Stage<'s>,
    pub(super) request: Deliver,
}

impl<'s> Delivering<'s> {
    pub(super) fn new(stage: &'s Stage<'s>, token: &str, payload: &str) -> Self {
        let request = Deliver {
            scope: stage.scope,
            token: event::token(token),
            id: stage.event_id(),
            payload: event::payload(payload),
            key: None,
            fallback: None,
            door: Door::Hook,
            limit: UnreadLimit::default(),
            repeat: false,
        };
        Self { stage, request }
    }

    pub(super) const fn within(mut self, scope: ScopeId) -> Self {
        self.request.scope = scope;
        self
    }

    pub(super) const fn through(mut self, door: Door) -> Self {
        self.request.door = door;
        self
    }

    /// Under a key, with a digest of the payload.
    pub(super) fn key(mut self, key: &str, digest: u8) -> Self {
        self.request.key = Some(event::delivery_key(key, digest));
        self
    }

    /// Under a key whose payload is not compared.
    pub(super) fn key_alone(mut self, key: &str) -> Self {
        self.request.key = Some(DeliveryKey {
            key: key.to_owned(),
            digest: None,
        });
        self
    }

    pub(super) fn or_start(mut self, fallback: Box<Fallback>) -> Self {
        self.request.fallback = Some(fallback);
        self
    }

    pub(super) const fn limit(mut self, count: u64, bytes: u64) -> Self {
        self.request.limit = UnreadLimit { count, bytes };
        self
    }

    pub(super) async fn ok(self) -> Delivered {
        answered(self.stage.store.deliver(self.request)).await
    }

    pub(super) async fn refused(self) -> DeliverRefusal {
        refused(self.stage, || self.stage.store.deliver(self.request)).await
    }
}

/// A request to admit a payload.
pub(super) struct Admitting<'s> {
    stage: &'s Stage<'s>,
    pub(super) request: Admit,
}

impl<'s> Admitting<'s> {
    pub(super) fn new(stage: &'s Stage<'s>, token: &str, payload: &str) -> Self {
        let request = Admit {
            scope: stage.scope,
            token: event::token(token),
            id: stage.event_id(),
            payload: event::payload(payload),
            key: None,
            fallback: stage.fallback("fulfil"),
            begins: true,
            node: None,
            limit: UnreadLimit::default(),
            repeat: false,
        };
        Self { stage, request }
    }

    pub(super) const fn within(mut self, scope: ScopeId) -> Self {
        self.request.scope = scope;
        self
    }

    pub(super) fn key(mut self, key: &str, digest: u8) -> Self {
        self.request.key = Some(event::delivery_key(key, digest));
        self
    }

    pub(super) const fn limit(mut self, count: u64, bytes: u64) -> Self {
        self.request.limit = UnreadLimit { count, bytes };
        self
    }

    /// A node asks, which will drive the run.
    pub(super) const fn at(mut self, node: NodeId) -> Self {
        self.request.node = Some(node);
        self
    }

    pub(super) const fn run(&self) -> RunId {
        self.request.fallback.run
    }

    pub(super) async fn ok(self) -> Admitted {
        answered(self.stage.store.admit(self.request)).await
    }

    pub(super) async fn refused(self) -> AdmitRefusal {
        refused(self.stage, || self.stage.store.admit(self.request)).await
    }
}

/// A request to post a payload, to be kept for a second unless more is said.
pub(super) struct Posting<'s> {
    stage: &'s Stage<'s>,
    pub(super) request: Post,
}

impl<'s> Posting<'s> {
    pub(super) fn new(stage: &'s Stage<'s>, token: &str, payload: &str) -> Self {
        let request = Post {
            scope: stage.scope,
            token: event::token(token),
            id: stage.event_id(),
            payload: event::payload(payload),
            key: None,
            keep_for: Duration::from_secs(1),
            limit: UnreadLimit::default(),
            most: 10_000,
            repeat: false,
        };
        Self { stage, request }
    }

    pub(super) const fn within(mut self, scope: ScopeId) -> Self {
        self.request.scope = scope;
        self
    }

    pub(super) fn key(mut self, key: &str, digest: u8) -> Self {
        self.request.key = Some(event::delivery_key(key, digest));
        self
    }

    pub(super) const fn keep_for(mut self, ms: u64) -> Self {
        self.request.keep_for = Duration::from_millis(ms);
        self
    }

    pub(super) const fn limit(mut self, count: u64, bytes: u64) -> Self {
        self.request.limit = UnreadLimit { count, bytes };
        self
    }

    pub(super) const fn most(mut self, most: u64) -> Self {
        self.request.most = most;
        self
    }

    pub(super) async fn ok(self) -> Posted {
        answered(self.stage.store.post(self.request)).await
    }

    pub(super) async fn refused(self) -> PostRefusal {
        refused(self.stage, || self.stage.store.post(self.request)).await
    }
}

/// Puts an answer that must be taken.
pub(super) async fn answer(stage: &Stage<'_>, request: Answer) -> Answered {
    answered(stage.store.answer(request)).await
}

/// Puts an answer that must be refused.
pub(super) async fn answer_refused(stage: &Stage<'_>, request: Answer) -> AnswerRefusal {
    refused(stage, || stage.store.answer(request)).await
}
