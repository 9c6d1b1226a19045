//! A simulated store and everybody who writes to it, around one worker.
//!
//! Moves say who acts next. Whatever does not apply is skipped, so that any list of moves is a
//! history. Every frame is folded as it is written: an illegal log fails at the append.

use std::collections::{BTreeMap, BTreeSet};

use super::log::{Log, run};
use super::program::{Op, Worker};
use crate::entity::{Entities, Step};
use crate::event::{Correlation, EventKind, Failure, FailureKind, Frame, Position, Writer};
use crate::id::{HookId, StepId, WaitId};
use crate::samples::{self, at, payload};
use crate::time::Timestamp;

/// Who acts next. Numbers choose among what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// The worker is handed the next events.
    Feed(usize),
    /// The worker appends its records.
    Append,
    /// The worker appends its records with everything that is due.
    AppendDue,
    /// The worker is gone; another one replays the log.
    Crash,
    /// A step's attempt begins, completes, fails, or fails for good.
    Start(usize),
    Complete(usize),
    Retry(usize),
    Fail(usize),
    /// Outsiders resume a hook, notice that one has expired, or wake a sleeping run.
    Resume(usize),
    Expire(usize),
    Wake(usize),
    /// Another run takes a token, or lets it go.
    Occupy(usize),
    /// Somebody asks for the run to be cancelled, or ends it at once.
    Cancel,
    Terminate,
}

/// A program, and what happens while it runs.
#[derive(Clone, Debug)]
pub(super) struct History {
    pub(super) program: Vec<Op>,
    /// True where the log begins with a hook that waits for the program.
    pub(super) waiting: bool,
    pub(super) moves: Vec<Move>,
}

impl History {
    /// Lets it happen; the worker is at rest at the end of the log.
    pub(super) fn happen(&self) -> World {
        self.happen_with(|_| {})
    }

    /// Lets it happen, and something else after each move.
    pub(super) fn happen_with(&self, mut meanwhile: impl FnMut(&mut World)) -> World {
        let mut world = World::new(&self.program, self.waiting);
        for next in &self.moves {
            world.act(*next);
            meanwhile(&mut world);
        }
        world.come_to_rest();
        world
    }
}

/// The tokens that programs choose.
pub(super) const TOKENS: [&str; 3] = ["red", "green", "blue"];

#[derive(Debug)]
pub(super) struct World {
    pub(super) program: Vec<Op>,
    pub(super) log: Log,
    pub(super) worker: Worker,
    view: Entities,
    occupied: BTreeSet<usize>,
    payloads: u32,
    lives: u128,
    /// How far the worker had been fed when it appended the frame that begins at a position.
    composed: BTreeMap<Position, Position>,
}

impl World {
    pub(super) fn new(program: &[Op], waiting: bool) -> Self {
        let mut world = Self {
            program: program.to_vec(),
            log: Log::default(),
            worker: Worker::new(program, 1),
            view: Entities::new(run()),
            occupied: BTreeSet::new(),
            payloads: 0,
            lives: 1,
            composed: BTreeMap::new(),
        };
        world.write(Writer::Outsider, world_begins(waiting));
        world.write(Writer::Worker, vec![EventKind::RunStarted]);
        world
    }

    pub(super) fn act(&mut self, next: Move) {
        match next {
            Move::Feed(count) => self.feed(count),
            Move::Append => self.append(false),
            Move::AppendDue => self.append(true),
            Move::Crash => self.crash(),
            Move::Start(n) => self.step(n, |step| EventKind::StepStarted {
                step: step.id,
                attempt: step.attempt + 1,
            }),
            Move::Complete(n) => self.running_step(n, |step| EventKind::StepCompleted {
                step,
                result: payload("ok"),
            }),
            Move::Retry(n) => self.running_step(n, |step| EventKind::StepRetrying {
                step,
                error: Failure::new("not yet"),
                retry_at: at(9),
            }),
            Move::Fail(n) => self.running_step(n, |step| EventKind::StepFailed {
                step,
                error: Failure::new("no"),
                kind: FailureKind::RetriesExhausted,
            }),
            Move::Resume(n) => self.resume(n),
            Move::Expire(n) => self.expire(n),
            Move::Wake(n) => self.wake(n),
            Move::Occupy(n) => {
                if !self.occupied.insert(n % TOKENS.len()) {
                    self.occupied.remove(&(n % TOKENS.len()));
                }
            }
            Move::Cancel => self.outsider(EventKind::RunCancelRequested {
                reason: Some("enough".to_owned()),
            }),
            Move::Terminate => self.outsider(EventKind::RunCancelled {
                reason: None,
                terminated: true,
            }),
        }
    }

    /// Lets the worker react to all there is, until it has nothing to append.
    pub(super) fn come_to_rest(&mut self) {
        for _ in 0..1_000 {
            self.feed(usize::MAX);
            if self.worker.machine.records_len() == 0 {
                return;
            }
            self.append(false);
        }
        panic!("the worker never rests");
    }

    /// Lets everything that is open end, until the workflow returns.
    pub(super) fn complete_everything(&mut self) {
        for _ in 0..1_000 {
            if !self.view.is_live() {
                self.feed(usize::MAX);
                return;
            }
            self.come_to_rest();
            self.act(Move::Start(0));
            self.act(Move::Complete(0));
            self.act(Move::Wake(0));
        }
        panic!("the workflow never returns");
    }

    /// Lets what can end do so, and cancels the run where it then still waits.
    pub(super) fn bring_to_its_end(&mut self) {
        for turn in 0..1_000 {
            self.come_to_rest();
            if !self.view.is_live() {
                self.feed(usize::MAX);
                return;
            }
            for next in [Move::Start(0), Move::Complete(0), Move::Resume(turn)] {
                self.act(next);
            }
            match turn {
                60 => self.act(Move::Cancel),
                turn if turn % 3 == 0 => self.act(Move::Wake(turn)),
                _ => {}
            }
        }
        panic!("the run never ends");
    }

    /// True where somebody ended the run at once.
    pub(super) fn is_terminated(&self) -> bool {
        self.log.frames().iter().any(|frame| {
            let ends = |kind: &EventKind| {
                matches!(
                    kind,
                    EventKind::RunCancelled {
                        terminated: true,
                        ..
                    }
                )
            };
            frame.events.iter().any(ends)
        })
    }

    /// All positions of the log, from before its first event.
    pub(super) fn prefixes(&self) -> impl Iterator<Item = Position> {
        (0..=self.log.head().0).map(Position)
    }

    fn feed(&mut self, count: usize) {
        let unfed = self.worker.machine.fed();
        let mut left = count;
        for frame in self.log.frames() {
            for event in frame.iter().filter(|event| event.position > unfed) {
                if left == 0 {
                    return;
                }
                left -= 1;
                self.worker.feed(event).expect("a valid run does not part");
            }
            if frame.last() > unfed {
                self.worker.machine.feed_taken(frame.first, &frame.taken);
            }
        }
    }

    fn append(&mut self, with_due: bool) {
        // One append at a time: the next one waits until this one's records have come back.
        if self.worker.machine.worker_position() < self.last_worker_frame() {
            return;
        }
        let mut events: Vec<_> = self.worker.machine.records().cloned().collect();
        // A wait is completed by whoever has seen the whole log; no condition guards it.
        if with_due && self.worker.machine.fed() == self.log.head() {
            let due: Vec<_> = self.worker.machine.due(Timestamp::MAX).collect();
            let ends = events.iter().any(EventKind::is_terminal);
            events.extend(due.into_iter().filter(|_| !ends).map(come_due));
        }
        if events.is_empty() {
            return;
        }
        let taken = self.worker.machine.taken();
        let (fed, head) = (self.worker.machine.fed(), self.log.head());
        self.write(Writer::Worker, events);
        self.log.last_mut().taken = taken;
        if self.log.head() > head {
            self.composed.insert(head.next(), fed);
        }
    }

    /// The worker's memory is wanted: another one is fed as far as this one was.
    pub(super) fn evict(&mut self) {
        let fed = self.worker.machine.fed();
        self.lives += 1;
        let mut next = Worker::new(&self.program, self.lives);
        for frame in self.log.frames() {
            for event in frame.iter().filter(|event| event.position <= fed) {
                next.feed(event).expect("a valid run does not part");
            }
            if frame.last() <= fed {
                next.machine.feed_taken(frame.first, &frame.taken);
            }
        }
        self.worker = next;
    }

    /// The frames that the worker appended, each with where the facts may fall that it did not know:
    /// behind what it had been fed, and before the frame.
    pub(super) fn windows(&self) -> impl Iterator<Item = (usize, Position)> {
        let frames = self.log.frames().iter().enumerate();
        frames.filter_map(|(nth, frame)| Some((nth, *self.composed.get(&frame.first)?)))
    }

    fn last_worker_frame(&self) -> Position {
        let mut own = self.log.frames().iter().rev();
        own.find(|frame| frame.writer == Writer::Worker)
            .map_or(Position::START, Frame::last)
    }

    fn crash(&mut self) {
        self.lives += 1;
        let next = Worker::new(&self.program, self.lives).replay(self.log.frames());
        let next = next.expect("a valid run does not part");
        let seen = self.worker.machine.fed();
        let again: Vec<_> = next
            .trace()
            .iter()
            .filter(|(at, _)| *at <= seen)
            .cloned()
            .collect();
        assert_eq!(&again, self.worker.trace(), "a replay decides as before");
        self.worker = next;
    }

    fn step(&mut self, n: usize, event: impl FnOnce(&Step) -> EventKind) {
        if !self.view.is_live() {
            return;
        }
        let open: Vec<_> = self.view.open_steps().collect();
        let Some(step) = choose(&open, n) else { return };
        let event = event(step);
        self.write(Writer::Worker, vec![event]);
    }

    fn running_step(&mut self, n: usize, event: impl FnOnce(StepId) -> EventKind) {
        let running = |step: &&Step| step.status == crate::entity::StepStatus::Running;
        let running: Vec<_> = self.view.open_steps().filter(running).collect();
        let Some(step) = choose(&running, n).map(|step| step.id) else {
            return;
        };
        if self.view.is_live() {
            self.write(Writer::Worker, vec![event(step)]);
        }
    }

    fn resume(&mut self, n: usize) {
        let live: Vec<HookId> = self.view.live_hooks().map(|hook| hook.id).collect();
        let Some(hook) = choose(&live, n).copied() else {
            return;
        };
        self.payloads += 1;
        let payload = payload(&format!("payload {}", self.payloads));
        self.outsider(EventKind::HookReceived {
            hook,
            payload,
            key: None,
            fallback: None,
            kept_until: None,
        });
    }

    fn expire(&mut self, n: usize) {
        let expiring = self
            .view
            .live_hooks()
            .filter(|hook| hook.expires_at.is_some());
        let expiring: Vec<HookId> = expiring.map(|hook| hook.id).collect();
        if let Some(hook) = choose(&expiring, n).copied() {
            self.outsider(EventKind::HookExpired { hook });
        }
    }

    fn wake(&mut self, n: usize) {
        let pending: Vec<WaitId> = self.view.pending_waits().map(|wait| wait.id).collect();
        if let Some(wait) = choose(&pending, n).copied() {
            self.outsider(EventKind::WaitCompleted { wait });
        }
    }

    fn outsider(&mut self, kind: EventKind) {
        if self.view.is_live() {
            self.write(Writer::Outsider, vec![kind]);
        }
    }

    /// What the store does: tokens that are held make conflicts, and the rest is appended as it is.
    fn write(&mut self, writer: Writer, events: Vec<EventKind>) {
        if self.log.head() > Position::START && !self.view.is_live() {
            return;
        }
        let first = self.log.head();
        let mut stored: Vec<EventKind> = Vec::new();
        let mut view = self.view.clone();
        for kind in events {
            let kind = self.judge(&view, kind);
            let event = samples::event(&kind, 1);
            view.apply(event).expect("a log folds");
            stored.push(kind);
        }
        let frame = self.log.push(writer, stored).clone();
        assert_eq!(frame.first, first.next());
        self.view.apply_frame(&frame).expect("a log folds");
    }

    fn judge(&self, view: &Entities, kind: EventKind) -> EventKind {
        let EventKind::HookCreated { hook, token, .. } = &kind else {
            return kind;
        };
        let own = view.live_hooks().any(|live| live.token == *token);
        let foreign = self.occupied.iter().any(|n| TOKENS[*n] == token.as_str());
        if !own && !foreign {
            return kind;
        }
        EventKind::HookConflict {
            hook: *hook,
            token: token.clone(),
            owner: if own { run() } else { samples::other_run() },
        }
    }
}

/// The hook that the log may begin with.
pub(super) fn waiting_hook() -> HookId {
    HookId::mint(at(1), 77)
}

/// What the log begins with: perhaps a hook that waits with a payload.
fn world_begins(waiting: bool) -> Vec<EventKind> {
    let created = samples::run_created();
    if !waiting {
        return vec![created];
    }
    let hook = waiting_hook();
    let token = samples::token(TOKENS[0]);
    vec![
        created,
        EventKind::HookCreated {
            hook,
            token,
            chosen: true,
            metadata: None,
            is_webhook: false,
            expires_at: Some(at(50_000)),
        },
        EventKind::HookReceived {
            hook,
            payload: payload("first"),
            key: None,
            fallback: None,
            kept_until: None,
        },
    ]
}

fn come_due(id: Correlation) -> EventKind {
    match id {
        Correlation::Wait(wait) => EventKind::WaitCompleted { wait },
        Correlation::Hook(hook) => EventKind::HookExpired { hook },
        Correlation::Step(step) => panic!("step `{step}` never falls due"),
    }
}

fn choose<T>(from: &[T], n: usize) -> Option<&T> {
    from.get(n % from.len().max(1))
}
