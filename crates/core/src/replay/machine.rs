//! The machine: one run's log and one run's workflow, kept in step.
//!
//! Methods come in four kinds. `feed` and `rest` are the driver's: what the log says. `records`,
//! `taken`, `next_due`, `open_steps` are what the driver must do. The plain verbs (`create_step`,
//! `close_hook`, …) are the workflow's commands. `take_*` hands completions to the workflow.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::command::{Command, HookRequest, Key, StepOutcome, agree, disposed};
use super::divergence::{Divergence, Expected, Found};
use super::entropy::Entropy;
use super::inbox::{End, Inbox, Received};
use crate::entity::{Entities, Step, StepStatus};
use crate::event::{
    Correlation, Disposal, EventKind, EventRef, Failure, Position, Role, StepOptions, Taken, Writer,
};
use crate::id::{HookId, Place, RunId, StepId, WaitId};
use crate::payload::Payload;
use crate::time::Timestamp;
use crate::token::Token;

/// What the driver must do after an event was fed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Fed {
    /// Nothing: the workflow has no part in the event.
    Nothing,
    /// Wake the call named, if somebody waits for it, and poll the workflow exactly once.
    Poll(Option<Correlation>),
    /// Drop the workflow's body, and then call [`Machine::finish_cancelled`].
    Cancel,
}

/// How the registration of a hook ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registration {
    /// The hook takes payloads under this token.
    Registered {
        /// Its id; another than asked for where a waiting hook was adopted.
        hook: HookId,
        /// Its address.
        token: Token,
    },
    /// Another live hook holds the token.
    Conflict {
        /// The token both wanted.
        token: Token,
        /// The run that holds it.
        owner: RunId,
    },
}

/// A step that has not ended: what the driver needs to run it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenStep {
    /// Its id.
    pub id: StepId,
    /// The name of its function.
    pub name: String,
    /// Its arguments.
    pub input: Payload,
    /// How it is tried.
    pub options: StepOptions,
    /// How many attempts have begun, as the log says.
    pub attempt: u32,
    /// True where the last of them has neither ended nor failed in the log.
    pub under_way: bool,
    /// When the next attempt may begin, where the log names a time.
    pub retry_at: Option<Timestamp>,
    /// True where the log knows the step.
    pub recorded: bool,
}

impl OpenStep {
    fn recorded(step: &Step) -> Self {
        Self {
            id: step.id,
            name: step.name.clone(),
            input: step.input.clone(),
            options: step.options,
            attempt: step.attempt,
            under_way: step.status == StepStatus::Running,
            retry_at: step.retry_at,
            recorded: true,
        }
    }

    fn issued(record: &EventKind) -> Option<Self> {
        let EventKind::StepCreated {
            step,
            name,
            input,
            options,
        } = record
        else {
            return None;
        };
        Some(Self {
            id: *step,
            name: name.clone(),
            input: input.clone(),
            options: *options,
            attempt: 0,
            under_way: false,
            retry_at: None,
            recorded: false,
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The workflow has not begun.
    Pending,
    /// It runs or waits.
    Running,
    /// Its body is to be dropped, or was.
    Cancelling,
    /// It has come to its end; the record may still be on its way.
    Finished,
    /// The log holds the end.
    Ended,
}

#[derive(Clone, Debug)]
struct Unclaimed {
    position: Position,
    record: EventKind,
}

/// The machine. See the [module](super) for how it is driven.
#[derive(Debug)]
pub struct Machine {
    run: RunId,
    entities: Entities,
    fed: Position,
    worker: Position,
    now: Timestamp,
    phase: Phase,
    places: u64,
    entropy: Entropy,
    commands: VecDeque<Command>,
    unclaimed: BTreeMap<Key, Unclaimed>,
    steps: BTreeMap<StepId, StepOutcome>,
    fresh_steps: Vec<OpenStep>,
    registrations: BTreeMap<HookId, Registration>,
    inboxes: BTreeMap<HookId, Inbox>,
    adoptable: BTreeMap<Token, HookId>,
    closed: BTreeSet<HookId>,
    waits: BTreeSet<WaitId>,
    attributes: BTreeSet<StepId>,
    due: BTreeSet<(Timestamp, Correlation)>,
    divergence: Option<Divergence>,
}

impl Machine {
    /// A machine for `run`, before the first event of its log.
    pub fn new(run: RunId) -> Self {
        Self {
            run,
            entities: Entities::new(run),
            fed: Position::START,
            worker: Position::START,
            now: Timestamp::ZERO,
            phase: Phase::Pending,
            places: 0,
            entropy: Entropy::new([0; 16]),
            commands: VecDeque::new(),
            unclaimed: BTreeMap::new(),
            steps: BTreeMap::new(),
            fresh_steps: Vec::new(),
            registrations: BTreeMap::new(),
            inboxes: BTreeMap::new(),
            adoptable: BTreeMap::new(),
            closed: BTreeSet::new(),
            waits: BTreeSet::new(),
            attributes: BTreeSet::new(),
            due: BTreeSet::new(),
            divergence: None,
        }
    }

    // ---- The driver's side: what the log says. ----

    /// Takes the next event of the log.
    ///
    /// # Errors
    ///
    /// [`Divergence`] where the log is out of order or illegal, or where a record does not agree
    /// with the command it meets. The first error stands: from then on every call gives it again.
    pub fn feed(&mut self, event: EventRef<'_>) -> Result<Fed, Divergence> {
        if let Some(divergence) = &self.divergence {
            return Err(divergence.clone());
        }
        let fed = self.take_in(event);
        if let Err(divergence) = &fed {
            self.divergence = Some(divergence.clone());
        }
        fed
    }

    /// Notes what a frame of the log says about payloads taken.
    pub fn feed_taken(&mut self, taken: &[Taken]) {
        for entry in taken {
            if let Some(inbox) = self.inboxes.get_mut(&entry.hook) {
                inbox.record(entry.count);
            }
        }
        self.inboxes.retain(|_, inbox| !inbox.is_spent());
    }

    /// Checks, with the workflow at rest at the end of its log, that every record was claimed.
    ///
    /// # Errors
    ///
    /// [`Divergence::Parted`] where a record was not; it stands like an error of [`Self::feed`].
    pub fn rest(&mut self) -> Result<(), Divergence> {
        if let Some(divergence) = &self.divergence {
            return Err(divergence.clone());
        }
        if self.phase == Phase::Ended {
            return Ok(());
        }
        let Some(first) = self
            .unclaimed
            .values()
            .min_by_key(|unclaimed| unclaimed.position)
        else {
            return Ok(());
        };
        let divergence = Divergence::Parted {
            position: first.position,
            expected: Expected::new(&first.record),
            found: self
                .commands
                .front()
                .map_or(Found::Nothing, |command| Found::new(&command.record)),
        };
        self.divergence = Some(divergence.clone());
        Err(divergence)
    }

    fn take_in(&mut self, event: EventRef<'_>) -> Result<Fed, Divergence> {
        if event.position != self.fed.next() {
            return Err(Divergence::Gap {
                expected: self.fed.next(),
                found: event.position,
            });
        }
        self.entities
            .apply(event)
            .map_err(|reason| Divergence::Illegal {
                position: event.position,
                reason,
            })?;
        self.fed = event.position;
        if event.writer == Writer::Worker {
            self.worker = event.position;
        }
        self.track_due(event.kind);
        let fed = match event.kind.role() {
            Role::Note => self.note(event)?,
            Role::Record => {
                self.claim(event)?;
                Fed::Nothing
            }
            Role::AwaitedRecord => self.feed_record(event)?,
            Role::Fact => self.feed_fact(event),
        };
        if let Some(id) = event.kind.correlation_id()
            && !self.is_asked_about(id)
        {
            self.entities.forget_ended(id);
        }
        if event.kind.is_terminal() {
            self.end();
        }
        if matches!(fed, Fed::Poll(_)) {
            self.now = event.at;
        }
        Ok(fed)
    }

    fn note(&mut self, event: EventRef<'_>) -> Result<Fed, Divergence> {
        if let EventKind::RunCreated { seed, .. } = event.kind {
            self.entropy = Entropy::new(*seed);
            self.now = event.at;
        }
        if let EventKind::RunCancelled { .. } = event.kind {
            self.claim(event)?;
        }
        Ok(Fed::Nothing)
    }

    fn feed_fact(&mut self, event: EventRef<'_>) -> Fed {
        let id = event.kind.correlation_id();
        match event.kind {
            EventKind::RunStarted if self.phase == Phase::Pending => {
                self.phase = Phase::Running;
                return Fed::Poll(None);
            }
            EventKind::RunCancelRequested { .. } => return self.cancel(),
            EventKind::StepCompleted { step, result } => {
                self.steps
                    .insert(*step, StepOutcome::Completed(result.clone()));
            }
            EventKind::StepFailed { step, error, kind } => {
                let attempts = self
                    .entities
                    .steps()
                    .get(step)
                    .map_or(0, |step| step.attempt);
                let failed = StepOutcome::Failed {
                    error: error.clone(),
                    kind: *kind,
                    attempts,
                };
                self.steps.insert(*step, failed);
            }
            EventKind::HookReceived { hook, payload, .. } => {
                if let Some(inbox) = self.inboxes.get_mut(hook) {
                    inbox.put(payload.clone());
                }
            }
            EventKind::HookExpired { hook } => {
                if let Some(inbox) = self.inboxes.get_mut(hook) {
                    inbox.end(End::Expired);
                }
            }
            EventKind::WaitCompleted { wait } => {
                self.waits.insert(*wait);
            }
            _ => {}
        }
        if self.phase == Phase::Running {
            Fed::Poll(id)
        } else {
            Fed::Nothing
        }
    }

    fn cancel(&mut self) -> Fed {
        match self.phase {
            Phase::Pending | Phase::Running => {
                self.phase = Phase::Cancelling;
                Fed::Cancel
            }
            Phase::Cancelling | Phase::Finished | Phase::Ended => Fed::Nothing,
        }
    }

    fn feed_record(&mut self, event: EventRef<'_>) -> Result<Fed, Divergence> {
        match event.kind {
            EventKind::HookCreated { hook, token, .. } => {
                self.inboxes.insert(*hook, Inbox::new());
                if event.writer == Writer::Outsider {
                    self.adoptable.insert(token.clone(), *hook);
                    return Ok(Fed::Nothing);
                }
                if self
                    .commands
                    .iter()
                    .any(|command| command.key == Key::Disposal(*hook))
                    && let Some(inbox) = self.inboxes.get_mut(hook)
                {
                    inbox.end(End::Dropped);
                }
                let registered = Registration::Registered {
                    hook: *hook,
                    token: token.clone(),
                };
                self.registrations.insert(*hook, registered);
            }
            EventKind::HookConflict { hook, token, owner } => {
                let conflict = Registration::Conflict {
                    token: token.clone(),
                    owner: *owner,
                };
                self.registrations.insert(*hook, conflict);
            }
            EventKind::HookDisposed { hook, .. } => {
                self.closed.insert(*hook);
                if let Some(inbox) = self.inboxes.get_mut(hook) {
                    inbox.end(End::Closed);
                }
            }
            EventKind::AttrSet { call, .. } => {
                self.attributes.insert(*call);
            }
            _ => {}
        }
        self.claim(event)?;
        let polled = self.phase == Phase::Running;
        Ok(if polled {
            Fed::Poll(event.kind.correlation_id())
        } else {
            Fed::Nothing
        })
    }

    /// Matches a record with the command that was issued for it, or leaves it for one to come: a
    /// call takes its place where it is written, and may be polled later than it was the first time.
    fn claim(&mut self, event: EventRef<'_>) -> Result<(), Divergence> {
        let Some(key) = Key::of(event.kind) else {
            return Ok(());
        };
        let Some(place) = self.commands.iter().position(|command| command.key == key) else {
            let left = Unclaimed {
                position: event.position,
                record: event.kind.clone(),
            };
            self.unclaimed.insert(key, left);
            return Ok(());
        };
        let command = self.commands.remove(place).expect("found at this place");
        matched(&command.record, event.kind, event.position)
    }

    /// True while a command about `id` has no record. Something may have ended from outside, or with
    /// an event of the same append, just when the workflow ended it too; the view must stay until
    /// the workflow's record has come by.
    fn is_asked_about(&self, id: Correlation) -> bool {
        self.commands
            .iter()
            .any(|command| command.record.correlation_id() == Some(id))
    }

    fn end(&mut self) {
        self.phase = Phase::Ended;
        self.commands.clear();
        self.fresh_steps.clear();
    }

    fn track_due(&mut self, kind: &EventKind) {
        match kind {
            EventKind::WaitCreated { wait, resume_at } => {
                self.due.insert((*resume_at, Correlation::Wait(*wait)));
            }
            EventKind::HookCreated {
                hook,
                expires_at: Some(at),
                ..
            } => {
                self.due.insert((*at, Correlation::Hook(*hook)));
            }
            EventKind::WaitCompleted { wait } | EventKind::WaitCancelled { wait } => {
                if let Some(ended) = self.entities.waits().get(wait) {
                    self.due
                        .remove(&(ended.resume_at, Correlation::Wait(*wait)));
                }
            }
            EventKind::HookDisposed { hook, .. } | EventKind::HookExpired { hook } => {
                let expiry = self
                    .entities
                    .hooks()
                    .get(hook)
                    .and_then(|hook| hook.expires_at);
                if let Some(at) = expiry {
                    self.due.remove(&(at, Correlation::Hook(*hook)));
                }
            }
            _ => {}
        }
    }

    // ---- The driver's side: what it must do. ----

    /// The last event that was fed.
    pub const fn fed(&self) -> Position {
        self.fed
    }

    /// The last event that a worker wrote: what the next append builds on.
    pub const fn worker_position(&self) -> Position {
        self.worker
    }

    /// What the log folds into, without what has come to its end.
    pub const fn entities(&self) -> &Entities {
        &self.entities
    }

    /// The error that stands, if any.
    pub const fn divergence(&self) -> Option<&Divergence> {
        self.divergence.as_ref()
    }

    /// The records to append: one for each command that the log does not know, in order of issue.
    pub fn records(&self) -> impl ExactSizeIterator<Item = &EventKind> {
        self.commands.iter().map(|command| &command.record)
    }

    /// Counts of payloads taken that no append of the worker has recorded.
    pub fn taken(&self) -> Vec<Taken> {
        self.inboxes
            .iter()
            .filter_map(|(hook, inbox)| inbox.unrecorded(*hook))
            .collect()
    }

    /// What falls due by itself at or before `now`: waits to complete, hooks to expire.
    pub fn due(&self, now: Timestamp) -> impl Iterator<Item = Correlation> {
        self.due
            .iter()
            .take_while(move |(at, _)| *at <= now)
            .map(|(_, id)| *id)
    }

    /// The earliest time at which something falls due by itself.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// The steps called since the last time this was asked.
    pub fn take_fresh_steps(&mut self) -> Vec<OpenStep> {
        std::mem::take(&mut self.fresh_steps)
    }

    /// Every step that has not ended: what a worker that takes the run over must see to.
    pub fn open_steps(&mut self) -> Vec<OpenStep> {
        let recorded = self.entities.open_steps().map(OpenStep::recorded);
        let issued = self
            .commands
            .iter()
            .filter_map(|command| OpenStep::issued(&command.record));
        let open = recorded.chain(issued).collect();
        self.fresh_steps.clear();
        open
    }

    /// True once the log holds the run's end.
    pub fn has_ended(&self) -> bool {
        self.phase == Phase::Ended
    }

    /// True once the workflow's body is done: it returned, or was dropped to cancel it.
    pub fn is_finished(&self) -> bool {
        matches!(self.phase, Phase::Finished | Phase::Ended)
    }

    /// True while the workflow's body may be polled.
    pub fn is_running(&self) -> bool {
        self.phase == Phase::Running
    }

    /// True while the run has at least one reason to go on some day: an open step, a live hook, a
    /// pending wait, or a command whose record is on its way.
    pub fn has_open_reason(&self) -> bool {
        !self.commands.is_empty()
            || self.entities.open_steps().next().is_some()
            || self.entities.live_hooks().next().is_some()
            || self.entities.pending_waits().next().is_some()
    }

    /// Roughly what the machine holds in memory, in bytes.
    pub fn weight(&self) -> usize {
        let commands = self.commands.len() * 256;
        let inboxes: usize = self.inboxes.values().map(Inbox::weight).sum();
        let open = self.entities.steps().len() + self.entities.hooks().len() + self.due.len();
        commands + inboxes + open * 256 + 1_024
    }

    // ---- The workflow's side: commands. ----

    /// The place of the next call, for the call that is being written.
    pub const fn place(&mut self) -> Place {
        let place = Place(self.places);
        self.places += 1;
        place
    }

    /// The run.
    pub const fn run(&self) -> RunId {
        self.run
    }

    /// The time of the last event that was fed: what `now()` gives.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// What `random()` and `uuid()` draw from.
    pub const fn entropy(&mut self) -> &mut Entropy {
        &mut self.entropy
    }

    /// Calls a step.
    pub fn create_step(
        &mut self,
        step: StepId,
        name: String,
        input: Payload,
        options: StepOptions,
    ) {
        let record = EventKind::StepCreated {
            step,
            name,
            input,
            options,
        };
        let fresh = OpenStep::issued(&record);
        if self.issue(Key::Step(step), record) {
            self.fresh_steps.extend(fresh);
        }
    }

    /// Takes how a step ended, if it has.
    pub fn take_step(&mut self, step: StepId) -> Option<StepOutcome> {
        self.steps.remove(&step)
    }

    /// Asks for a hook. A hook that stood in the log before the workflow began, and whose token is
    /// asked for here, is adopted and leaves no record.
    pub fn create_hook(&mut self, hook: HookId, request: HookRequest) {
        if let Some(waiting) = self.adoptable.remove(&request.token) {
            let token = request.token;
            self.registrations.insert(
                hook,
                Registration::Registered {
                    hook: waiting,
                    token,
                },
            );
            return;
        }
        self.issue(Key::Hook(hook), request.record(hook, self.now));
    }

    /// Takes how the registration of a hook ended, if it has.
    pub fn take_registration(&mut self, hook: HookId) -> Option<Registration> {
        self.registrations.remove(&hook)
    }

    /// Gives up a hook whose registration nobody waits for any more.
    pub fn abandon_hook(&mut self, hook: HookId) {
        match self.registrations.remove(&hook) {
            Some(Registration::Registered { hook, .. }) => self.dispose_hook(hook),
            Some(Registration::Conflict { .. }) => {}
            None => {
                self.issue(Key::Disposal(hook), disposed(hook, Disposal::Dropped));
            }
        }
    }

    /// Takes the next payload of a hook, or learns that there will be none.
    pub fn take_payload(&mut self, hook: HookId) -> Option<Received> {
        self.inboxes.get_mut(&hook)?.take()
    }

    /// True where a payload of the hook waits to be taken.
    pub fn has_payload(&self, hook: HookId) -> bool {
        self.inboxes.get(&hook).is_some_and(Inbox::has_payload)
    }

    /// Closes a hook: no payload is accepted once the record stands; what has arrived stays.
    pub fn close_hook(&mut self, hook: HookId) {
        let ended = self.inboxes.get(&hook).is_none_or(Inbox::has_ended);
        if ended {
            self.closed.insert(hook);
        } else {
            self.issue(Key::Disposal(hook), disposed(hook, Disposal::Closed));
        }
    }

    /// Takes the news that a hook is closed, if it is.
    pub fn take_closed(&mut self, hook: HookId) -> bool {
        self.closed.remove(&hook)
    }

    /// Disposes of a hook whose receiver was dropped: what it holds is left unread.
    pub fn dispose_hook(&mut self, hook: HookId) {
        let closing = Key::Disposal(hook);
        let under_way = self.commands.iter().any(|command| command.key == closing);
        let Some(inbox) = self.inboxes.get_mut(&hook) else {
            return;
        };
        let ended = inbox.has_ended() || under_way;
        inbox.end(End::Dropped);
        if !ended {
            self.issue(closing, disposed(hook, Disposal::Dropped));
        }
    }

    /// Begins a wait.
    pub fn create_wait(&mut self, wait: WaitId, resume_at: Timestamp) {
        self.issue(Key::Wait(wait), EventKind::WaitCreated { wait, resume_at });
    }

    /// Takes the news that a wait has ended, if it has.
    pub fn take_wait(&mut self, wait: WaitId) -> bool {
        self.waits.remove(&wait)
    }

    /// Gives up a wait that was begun and whose end has not been taken.
    pub fn cancel_wait(&mut self, wait: WaitId) {
        if !self.waits.remove(&wait) {
            self.issue(Key::GiveUp(wait), EventKind::WaitCancelled { wait });
        }
    }

    /// Ends the run with what the workflow returned.
    pub fn finish(&mut self, result: Result<Payload, Failure>) {
        self.phase = Phase::Finished;
        let record = match result {
            Ok(output) => EventKind::RunCompleted { output },
            Err(error) => EventKind::RunFailed { error },
        };
        self.issue(Key::End, record);
    }

    /// Ends the run as cancelled, once its body was dropped.
    pub fn finish_cancelled(&mut self) {
        self.phase = Phase::Finished;
        let reason = self
            .entities
            .run()
            .and_then(|run| run.cancel_reason.clone());
        self.issue(
            Key::End,
            EventKind::RunCancelled {
                reason,
                terminated: false,
            },
        );
    }

    /// Issues a command; true where the log does not know it.
    fn issue(&mut self, key: Key, record: EventKind) -> bool {
        let Some(left) = self.unclaimed.remove(&key) else {
            self.commands.push_back(Command { key, record });
            return true;
        };
        if let Err(divergence) = matched(&record, &left.record, left.position) {
            self.divergence.get_or_insert(divergence);
        }
        false
    }
}

fn matched(command: &EventKind, record: &EventKind, position: Position) -> Result<(), Divergence> {
    if agree(command, record) {
        return Ok(());
    }
    Err(Divergence::Parted {
        position,
        expected: Expected::new(record),
        found: Found::new(command),
    })
}
