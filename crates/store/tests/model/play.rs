//! Plays requests on store and model alike, and compares what they hold.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_executor::block_on;
use rewake_store::core::entity::Entities;
use rewake_store::core::event::{CreatedBy, EventKind, Frame, Position};
use rewake_store::core::id::EventId;
use rewake_store::core::time::Timestamp;
use rewake_store::memory::MemoryStore;
use rewake_store::{
    Append, AppendRefusal, Appended, Condition, Create, CreateRefusal, Deliver, DeliverRefusal,
    DeliveryKey, Door, Failed, Kin, Log, Mark, Queries, ScopeId, UnreadLimit, WakeUps,
};

use crate::model::{self, Model, Run, run_id, token};
use crate::{Act, Delivery, Request, TOKENS, Work};

const SCOPE: ScopeId = ScopeId(0);
const ALL: usize = 1_000_000;

pub(crate) struct Play {
    store: MemoryStore,
    model: Model,
    now: Arc<AtomicU64>,
}

impl Play {
    pub(crate) fn new() -> Self {
        let now = Arc::new(AtomicU64::new(1_000));
        let clock = Arc::clone(&now);
        let clock = move || Timestamp::from_millis(clock.load(Ordering::Relaxed));
        Self {
            store: MemoryStore::new(Arc::new(clock)),
            model: Model::default(),
            now,
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::Relaxed))
    }

    fn event_id(&self) -> EventId {
        EventId::mint(self.now(), 0)
    }

    pub(crate) fn ask(&mut self, request: Request) {
        self.now.fetch_add(1, Ordering::Relaxed);
        match request {
            Request::Start { run } => self.start(run),
            Request::Work(work) => self.work(&work),
            Request::WorkOnStalePosition { run } => self.work_on_stale_position(run),
            Request::Cancel { run } => {
                let kind = EventKind::RunCancelRequested { reason: None };
                self.by_outsider(run, kind, Vec::new());
            }
            Request::Terminate { run } => {
                let kind = EventKind::RunCancelled {
                    reason: None,
                    terminated: true,
                };
                self.by_outsider(run, kind, Vec::new());
            }
            Request::Expire { token } => self.expire(token),
            Request::Deliver(delivery) => self.deliver(delivery),
        }
    }

    fn start(&mut self, run: usize) {
        let events = vec![run_created(), EventKind::RunStarted];
        let answer = block_on(self.store.create(Create {
            scope: SCOPE,
            run: run_id(run),
            id: self.event_id(),
            events: events.clone(),
            key: None,
            node: None,
        }));
        if self.model.runs.contains_key(&run) {
            let run = run_id(run);
            let refusal = CreateRefusal::RunExists { run };
            assert_eq!(answer, Err(Failed::Refused(refusal)));
            return;
        }
        assert_eq!(
            answer
                .expect("the model says so")
                .frame
                .expect("the model says so")
                .events,
            events
        );
        let started = Run {
            events,
            wake_at: Some(self.now()),
            ..Run::default()
        };
        self.model.runs.insert(run, started);
    }

    fn append(&self, run: usize, append: Append) -> Option<Appended> {
        let answer = block_on(self.store.append(append));
        let run_id = run_id(run);
        let refusal = match self.model.runs.get(&run) {
            None => AppendRefusal::RunUnknown { run: run_id },
            Some(log) if log.has_ended() => AppendRefusal::RunEnded {
                run: run_id,
                status: self.entities(run).run().expect("the model says so").status,
            },
            Some(_) => return Some(answer.expect("the model says so")),
        };
        assert_eq!(answer, Err(Failed::Refused(refusal)));
        None
    }

    fn entities(&self, run: usize) -> Entities {
        Entities::fold(run_id(run), &self.frames(run)).expect("the model says so")
    }

    fn frames(&self, run: usize) -> Vec<Frame> {
        let frames = self.store.frames(SCOPE, run_id(run), Position::START, ALL);
        block_on(frames).expect("the model says so")
    }

    fn work(&mut self, work: &Work) {
        let Some(log) = self.model.runs.get(&work.run) else {
            let append = self.bare(work.run, Vec::new());
            assert_eq!(self.append(work.run, append), None);
            return;
        };
        let (head, worker) = (log.head(), log.worker);
        let said = if work.aware { head } else { log.seen };
        let mut given_out = log.given_out.clone();
        let events = self.events_of(work, &mut given_out);
        let wake_at = work
            .wake_in
            .map(|ms| Timestamp::from_millis(1_000_000 + ms));
        let append = Append {
            conditions: vec![Condition::WorkerPosition(Position(worker))],
            mark: Some(Mark {
                reacted: Position(said),
                wake_at,
                ..Mark::default()
            }),
            ..self.bare(work.run, events.clone())
        };
        let Some(appended) = self.append(work.run, append) else {
            return;
        };
        let mut stored = Vec::new();
        for kind in events {
            stored.push(self.model.take(work.run, kind));
        }
        let answered = appended.frames.into_iter().flat_map(|frame| frame.events);
        assert_eq!(answered.collect::<Vec<_>>(), stored);

        let log = self
            .model
            .runs
            .get_mut(&work.run)
            .expect("the model says so");
        log.said = said;
        log.seen = if said == head { log.head() } else { said };
        log.wake_at = wake_at;
        log.given_out = given_out;
        if !stored.is_empty() {
            log.worker = log.head();
        }
    }

    fn events_of(
        &mut self,
        work: &Work,
        given_out: &mut Vec<(rewake_store::core::id::HookId, usize)>,
    ) -> Vec<EventKind> {
        let mut events = Vec::new();
        for act in &work.acts {
            match *act {
                Act::Register { token } => {
                    let hook = self.model.new_hook();
                    given_out.push((hook, token));
                    events.push(model::hook_created(hook, token));
                }
                Act::GiveUp { nth } if nth < given_out.len() => {
                    let (hook, _) = given_out.remove(nth);
                    events.push(model::hook_dropped(hook));
                }
                Act::GiveUp { .. } => {}
            }
        }
        if work.ends {
            events.push(EventKind::RunCompleted {
                output: model::payload(0),
            });
        }
        events
    }

    /// An append that names every token, whether it ends one of their hooks or not.
    fn bare(&self, run: usize, events: Vec<EventKind>) -> Append {
        Append {
            scope: SCOPE,
            run: run_id(run),
            id: self.event_id(),
            conditions: Vec::new(),
            events,
            release: (0..TOKENS).map(token).collect(),
            kin: Kin::default(),
            answers: Vec::new(),
            mark: None,
            since: None,
            repeat: false,
        }
    }

    fn work_on_stale_position(&self, run: usize) {
        let Some(log) = self.model.runs.get(&run).filter(|log| !log.has_ended()) else {
            return;
        };
        let expected = Position(log.worker + 1);
        let kind = EventKind::PatchMarked {
            patch: "stale".to_owned(),
        };
        let answer = block_on(self.store.append(Append {
            conditions: vec![Condition::WorkerPosition(expected)],
            mark: Some(Mark::default()),
            ..self.bare(run, vec![kind])
        }));
        let refusal = AppendRefusal::WorkerMoved {
            run: run_id(run),
            expected,
            actual: Position(log.worker),
        };
        assert_eq!(answer, Err(Failed::Refused(refusal)));
    }

    fn by_outsider(&mut self, run: usize, kind: EventKind, conditions: Vec<Condition>) {
        let append = Append {
            conditions,
            ..self.bare(run, vec![kind.clone()])
        };
        if self.append(run, append).is_some() {
            self.model.take(run, kind);
        }
    }

    fn expire(&mut self, number: usize) {
        if let Some((run, hook)) = self.model.live.get(&number).copied() {
            let token = token(number);
            let condition = Condition::HookLive { hook, token };
            self.by_outsider(run, EventKind::HookExpired { hook }, vec![condition]);
        }
    }

    fn deliver(&mut self, delivery: Delivery) {
        let Delivery {
            token: number,
            payload,
            key,
        } = delivery;
        let digest = Some([payload; 32]);
        let answer = block_on(self.store.deliver(Deliver {
            scope: SCOPE,
            token: token(number),
            id: self.event_id(),
            payload: model::payload(payload),
            key: key.map(|key| DeliveryKey {
                key: key.to_string(),
                digest,
            }),
            fallback: None,
            door: Door::Hook,
            limit: UnreadLimit::default(),
            repeat: false,
        }));
        let before = key.and_then(|key| self.model.keys.get(&(number, key)).copied());
        if let Some((first, run, position)) = before {
            if first != payload {
                assert_eq!(answer, Err(Failed::Refused(DeliverRefusal::KeyReused)));
                return;
            }
            let delivered = answer.expect("the model says so");
            let found = (delivered.hook.run, delivered.position.0);
            assert_eq!(found, (run_id(run), position));
            return;
        }
        let Some((run, hook)) = self.model.live.get(&number).copied() else {
            assert_eq!(answer, Err(Failed::Refused(DeliverRefusal::NoHook)));
            return;
        };
        let kind = EventKind::HookReceived {
            hook,
            payload: model::payload(payload),
            key: key.map(|key| key.to_string()),
            fallback: None,
            kept_until: None,
        };
        self.model.take(run, kind);
        let position = self.model.runs[&run].head();
        assert_eq!(answer.expect("the model says so").position.0, position);
        if let Some(key) = key {
            let answer = (payload, run, position);
            self.model.keys.insert((number, key), answer);
        }
    }

    /// Holds the store against the model.
    pub(crate) fn compare(&self) {
        for number in 0..TOKENS {
            let held = block_on(self.store.token(SCOPE, token(number))).expect("the model says so");
            let held = held.map(|row| (row.run, row.hook));
            let live = self.model.live.get(&number);
            assert_eq!(held, live.map(|(run, hook)| (run_id(*run), *hook)));
        }
        let due = self.store.due(SCOPE, None, Timestamp::MAX, ALL);
        let due: BTreeMap<_, _> = block_on(due)
            .expect("the model says so")
            .into_iter()
            .map(|due| (due.run, due.at))
            .collect();
        for (run, log) in &self.model.runs {
            self.compare_log(*run, log);
            self.compare_wake_up(log, due.get(&run_id(*run)).copied());
        }
    }

    fn compare_log(&self, run: usize, log: &Run) {
        let frames = self.frames(run);
        let mut head = Position::START;
        for frame in &frames {
            assert_eq!(frame.first, head.next(), "positions are contiguous");
            head = frame.last();
        }
        let events: Vec<_> = frames.into_iter().flat_map(|frame| frame.events).collect();
        assert_eq!(events, log.events);

        let entities = self.entities(run);
        let row = block_on(self.store.run(SCOPE, run_id(run)))
            .expect("the model says so")
            .expect("the model says so");
        assert_eq!(row.head, head);
        assert_eq!(
            row.status,
            entities.run().expect("the model says so").status
        );
        let held = self
            .model
            .live
            .values()
            .filter(|(holder, _)| *holder == run);
        assert_eq!(row.live_hooks as usize, held.count());
        if !log.has_ended() {
            assert_eq!(entities.live_hooks().count(), row.live_hooks as usize);
        }
    }

    fn compare_wake_up(&self, log: &Run, due: Option<Timestamp>) {
        if log.has_ended() {
            assert_eq!(due, None);
        } else if log.is_ready() {
            assert!(due.is_some_and(|at| at <= self.now()), "{due:?}");
        } else if let Some(at) = log.wake_at.filter(|at| *at <= self.now()) {
            // It may have been due before, and keeps its place.
            assert!(due.is_some_and(|due| due <= at), "{due:?}");
        } else {
            assert_eq!(due, log.wake_at);
        }
    }
}

fn run_created() -> EventKind {
    EventKind::RunCreated {
        workflow: "order".to_owned(),
        input: model::payload(0),
        build: "build-1".to_owned(),
        seed: [0; 16],
        flags: 0,
        parent: None,
        not_before: None,
        continued_from: None,
        attributes: BTreeMap::new(),
        created_by: CreatedBy::Start,
    }
}
