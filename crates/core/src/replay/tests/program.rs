//! A tiny deterministic workflow language: what workflow code does, without futures.
//!
//! An operation takes its place where it is written, issues its command when first polled, and what
//! loses a race is dropped, as the runtime's futures do.

use std::collections::BTreeMap;
use std::time::Duration;

use super::log::run;
use crate::event::{EventKind, EventRef, Failure, Frame, Position, StepOptions};
use crate::id::{HookId, StepId, WaitId};
use crate::replay::command::Key;
use crate::replay::{Divergence, Fed, HookRequest, Machine, Received, Registration, StepOutcome};
use crate::samples::{payload, token};
use crate::token::Token;

/// One operation of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Op {
    /// Calls a step and waits for it.
    Step(String),
    /// Sleeps for so many milliseconds.
    Sleep(u64),
    /// Registers a hook and keeps the receiver.
    Hook(Slot, Ask),
    /// Waits for the next payload.
    Recv(Slot),
    /// Closes the hook and waits until that is so.
    Close(Slot),
    /// Drops the receiver.
    Drop(Slot),
    /// Draws a random number.
    Draw,
    /// Runs all, side by side, to their ends.
    Join(Vec<Vec<Self>>),
    /// Runs all, side by side, until one has ended; the others are dropped.
    Race(Vec<Vec<Self>>),
    /// Runs it to its end, also where the run is cancelled.
    Shield(Vec<Self>),
    /// Registers the call of a step that runs if the workflow fails or is cancelled.
    Undo(String),
    /// The workflow will return an error.
    Spoil,
}

/// The variable that holds a receiver.
pub(super) type Slot = u8;

/// How a hook is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ask {
    pub(super) token: Option<String>,
    pub(super) is_webhook: bool,
    pub(super) expires_ms: Option<u64>,
}

/// What a program did: where in the log, and what.
pub(super) type Trace = Vec<(Position, String)>;

/// In which order a join polls the calls that it joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joining {
    /// All of them, each time, as they are written.
    AsWritten,
    /// All of them, each time, the last one first.
    Reversed,
    /// One after the other has ended.
    OneByOne,
}

/// A machine with a program that it drives, and all that the program did.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) machine: Machine,
    body: Option<Task>,
    program: Vec<Op>,
    hands: Hands,
    /// Every command, in order of issue, with the position that had been fed.
    pub(super) issued: Vec<(Position, EventKind)>,
}

/// What the program holds, and what it has seen.
#[derive(Debug)]
pub(super) struct Hands {
    receivers: BTreeMap<Slot, HookId>,
    pub(super) trace: Trace,
    /// Another each time the program is replayed: drawn tokens differ, and nothing else may.
    salt: u128,
    joining: Joining,
    /// How many shields the program is inside of.
    shields: usize,
    spoilt: bool,
    /// The names of the undo calls that were registered.
    undos: Vec<String>,
    /// How many shields were in progress when the body was dropped to cancel it.
    lost_shields: usize,
}

impl Worker {
    pub(super) fn new(program: &[Op], salt: u128) -> Self {
        Self {
            machine: Machine::new(run()),
            body: None,
            program: program.to_vec(),
            hands: Hands {
                receivers: BTreeMap::new(),
                trace: Vec::new(),
                salt,
                joining: Joining::AsWritten,
                shields: 0,
                spoilt: false,
                undos: Vec::new(),
                lost_shields: 0,
            },
            issued: Vec::new(),
        }
    }

    /// The same, for code that joins its calls in another manner.
    pub(super) fn joining(mut self, joining: Joining) -> Self {
        self.hands.joining = joining;
        self
    }

    /// Replays frames, and rests.
    pub(super) fn replay(mut self, frames: &[Frame]) -> Result<Self, Divergence> {
        for frame in frames {
            self.feed_frame(frame)?;
        }
        self.machine.rest()?;
        Ok(self)
    }

    pub(super) fn feed_frame(&mut self, frame: &Frame) -> Result<(), Divergence> {
        for event in frame.iter() {
            self.feed(event)?;
        }
        self.machine.feed_taken(frame.first, &frame.taken);
        Ok(())
    }

    pub(super) fn feed(&mut self, event: EventRef<'_>) -> Result<(), Divergence> {
        match self.machine.feed(event)? {
            Fed::Nothing => {}
            Fed::Poll(_) | Fed::Cancel => self.react(),
        }
        self.note_issued();
        self.machine.divergence().cloned().map_or(Ok(()), Err)
    }

    /// The names of the undo calls that were registered, in that order.
    pub(super) fn undos(&self) -> &[String] {
        &self.hands.undos
    }

    /// How many shields were in progress when the body was dropped to cancel it.
    pub(super) const fn lost_shields(&self) -> usize {
        self.hands.lost_shields
    }

    pub(super) fn trace(&self) -> &Trace {
        &self.hands.trace
    }

    /// True while the program has the receiver of a hook.
    pub(super) fn holds(&self, hook: HookId) -> bool {
        self.hands.receivers.values().any(|held| *held == hook)
    }

    fn react(&mut self) {
        if self.machine.is_running() {
            return self.poll();
        }
        if self.machine.is_shielding()
            && let Some(body) = &mut self.body
        {
            body.poll_shields(&mut self.machine, &mut self.hands);
        }
        if !self.machine.is_shielding() {
            self.cancel();
        }
    }

    fn poll(&mut self) {
        let mut body = self.body.take();
        let program = &self.program;
        let task = body.get_or_insert_with(|| Task::sequence(program.clone(), &mut self.machine));
        if task.poll(&mut self.machine, &mut self.hands) {
            self.hands.let_go(&mut self.machine);
            self.machine.finish(if self.hands.spoilt {
                Err(Failure::new("spoilt"))
            } else {
                Ok(payload("done"))
            });
        } else {
            self.body = body;
        }
    }

    fn cancel(&mut self) {
        if let Some(body) = self.body.take() {
            self.hands.lost_shields = body.shields();
            body.let_go(&mut self.machine);
        }
        self.hands.let_go(&mut self.machine);
        self.machine.finish_cancelled();
    }

    /// The machine issues commands of its own where undo calls follow one another.
    fn note_issued(&mut self) {
        let at = self.machine.fed();
        for record in self.machine.records() {
            let key = Key::of(record);
            if self.issued.iter().all(|(_, known)| Key::of(known) != key) {
                self.issued.push((at, record.clone()));
            }
        }
    }
}

impl Hands {
    fn say(&mut self, machine: &Machine, what: impl Into<String>) {
        self.trace.push((machine.fed(), what.into()));
    }

    fn put(&mut self, machine: &mut Machine, slot: Slot, hook: HookId) {
        if let Some(old) = self.receivers.insert(slot, hook) {
            machine.dispose_hook(old);
        }
    }

    fn drop_receiver(&mut self, machine: &mut Machine, slot: Slot) {
        if let Some(hook) = self.receivers.remove(&slot) {
            machine.dispose_hook(hook);
        }
    }

    fn let_go(&mut self, machine: &mut Machine) {
        for (_, hook) in std::mem::take(&mut self.receivers) {
            machine.dispose_hook(hook);
        }
    }
}

/// A part of a program under way.
#[derive(Debug)]
enum Task {
    Sequence {
        rest: std::vec::IntoIter<Op>,
        current: Option<Box<Self>>,
    },
    Step {
        id: StepId,
        name: String,
        called: bool,
    },
    Sleep {
        id: WaitId,
        ms: u64,
        begun: bool,
    },
    Hook {
        id: HookId,
        slot: Slot,
        ask: Ask,
        asked: bool,
    },
    Recv(Slot),
    Close {
        slot: Slot,
        asked: bool,
    },
    Drop(Slot),
    Draw,
    Join(Vec<Option<Self>>),
    Race(Vec<Self>),
    Shield {
        body: Box<Self>,
        /// In progress, and inside no other.
        entered: bool,
        ended: bool,
    },
    Undo {
        id: StepId,
        name: String,
    },
    Spoil,
}

impl Task {
    fn sequence(ops: Vec<Op>, machine: &mut Machine) -> Self {
        let mut rest = ops.into_iter();
        let current = rest.next().map(|op| Box::new(Self::write(op, machine)));
        Self::Sequence { rest, current }
    }

    /// Writes an operation: here it takes its place.
    fn write(op: Op, machine: &mut Machine) -> Self {
        match op {
            Op::Step(name) => {
                let id = StepId::derive(run(), machine.place(), &name);
                let called = false;
                Self::Step { id, name, called }
            }
            Op::Sleep(ms) => {
                let id = WaitId::derive(run(), machine.place());
                let begun = false;
                Self::Sleep { id, ms, begun }
            }
            Op::Hook(slot, ask) => {
                let token = ask.token.as_deref().unwrap_or_default();
                let id = HookId::derive(run(), machine.place(), token);
                let asked = false;
                Self::Hook {
                    id,
                    slot,
                    ask,
                    asked,
                }
            }
            Op::Recv(slot) => Self::Recv(slot),
            Op::Close(slot) => Self::Close { slot, asked: false },
            Op::Drop(slot) => Self::Drop(slot),
            Op::Draw => Self::Draw,
            Op::Join(all) => {
                let tasks = all.into_iter().map(|ops| Self::sequence(ops, machine));
                Self::Join(tasks.map(Some).collect())
            }
            Op::Race(all) => {
                let tasks = all.into_iter().map(|ops| Self::sequence(ops, machine));
                Self::Race(tasks.collect())
            }
            Op::Shield(ops) => Self::Shield {
                body: Box::new(Self::sequence(ops, machine)),
                entered: false,
                ended: false,
            },
            Op::Undo(name) => {
                let id = StepId::derive(run(), machine.place(), &name);
                Self::Undo { id, name }
            }
            Op::Spoil => Self::Spoil,
        }
    }

    /// True where it has ended.
    fn poll(&mut self, machine: &mut Machine, hands: &mut Hands) -> bool {
        match self {
            Self::Sequence { rest, current } => poll_sequence(rest, current, machine, hands),
            Self::Step { id, name, called } => {
                if !std::mem::replace(called, true) {
                    hands.say(machine, format!("calls {name}"));
                    let options = StepOptions::default();
                    machine.create_step(*id, name.clone(), payload("[]"), options);
                }
                let Some(outcome) = machine.take_step(*id) else {
                    if hands.shields > 0 {
                        machine.shield_step(*id);
                    }
                    return false;
                };
                hands.say(machine, format!("{name}: {}", outcome_text(&outcome)));
                true
            }
            Self::Sleep { id, ms, begun } => {
                if !std::mem::replace(begun, true) {
                    hands.say(machine, format!("sleeps {ms}"));
                    let resume_at = machine.now().after(Duration::from_millis(*ms));
                    machine.create_wait(*id, resume_at);
                }
                let over = machine.take_wait(*id);
                if over {
                    hands.say(machine, format!("slept {ms}"));
                }
                over
            }
            Self::Hook {
                id,
                slot,
                ask,
                asked,
            } => {
                if !std::mem::replace(asked, true) {
                    hands.say(machine, format!("asks for hook {slot}"));
                    // No two tokens that are drawn are the same.
                    hands.salt += 1 << 64;
                    machine.create_hook(*id, request(ask, hands.salt));
                }
                poll_registration(*id, *slot, ask, machine, hands)
            }
            Self::Recv(slot) => poll_receive(*slot, machine, hands),
            Self::Close { slot, asked } => poll_close(*slot, asked, machine, hands),
            Self::Drop(slot) => {
                hands.say(machine, format!("drops {slot}"));
                hands.drop_receiver(machine, *slot);
                true
            }
            Self::Draw => {
                let drawn: [u8; 4] = machine.entropy().bytes();
                hands.say(machine, format!("draws {drawn:?}"));
                true
            }
            Self::Join(tasks) => poll_join(tasks, machine, hands),
            Self::Race(tasks) => poll_race(tasks, machine, hands),
            Self::Shield {
                body,
                entered,
                ended,
            } => poll_shield(body, entered, ended, machine, hands),
            Self::Undo { id, name } => {
                let options = StepOptions::default();
                machine.undo_step(*id, name.clone(), payload("[]"), options);
                hands.undos.push(name.clone());
                true
            }
            Self::Spoil => {
                hands.spoilt = true;
                true
            }
        }
    }

    /// How many shields are in progress, without those inside others.
    fn shields(&self) -> usize {
        match self {
            Self::Shield { entered, .. } => usize::from(*entered),
            Self::Sequence { current, .. } => current.as_ref().map_or(0, |task| task.shields()),
            Self::Join(tasks) => tasks.iter().flatten().map(Self::shields).sum(),
            Self::Race(tasks) => tasks.iter().map(Self::shields).sum(),
            Self::Step { .. }
            | Self::Sleep { .. }
            | Self::Hook { .. }
            | Self::Recv(_)
            | Self::Close { .. }
            | Self::Drop(_)
            | Self::Draw
            | Self::Undo { .. }
            | Self::Spoil => 0,
        }
    }

    /// Polls the outermost shields in progress, and nothing else.
    fn poll_shields(&mut self, machine: &mut Machine, hands: &mut Hands) {
        match self {
            Self::Shield { entered: true, .. } => {
                self.poll(machine, hands);
            }
            Self::Sequence { current, .. } => {
                if let Some(current) = current {
                    current.poll_shields(machine, hands);
                }
            }
            Self::Join(tasks) => {
                for task in tasks.iter_mut().flatten() {
                    task.poll_shields(machine, hands);
                }
            }
            Self::Race(tasks) => {
                for task in tasks {
                    task.poll_shields(machine, hands);
                }
            }
            Self::Shield { .. }
            | Self::Step { .. }
            | Self::Sleep { .. }
            | Self::Hook { .. }
            | Self::Recv(_)
            | Self::Close { .. }
            | Self::Drop(_)
            | Self::Draw
            | Self::Undo { .. }
            | Self::Spoil => {}
        }
    }

    /// Drops it, as the workflow's own act.
    fn let_go(self, machine: &mut Machine) {
        match self {
            Self::Sequence { current, .. } => {
                if let Some(current) = current {
                    current.let_go(machine);
                }
            }
            Self::Step { id, called, .. } => {
                if called {
                    machine.abandon_step(id);
                }
            }
            Self::Sleep { id, begun, .. } => {
                if begun {
                    machine.cancel_wait(id);
                }
            }
            Self::Hook { id, asked, .. } => {
                if asked {
                    machine.abandon_hook(id);
                }
            }
            Self::Recv(_)
            | Self::Close { .. }
            | Self::Drop(_)
            | Self::Draw
            | Self::Undo { .. }
            | Self::Spoil => {}
            Self::Shield {
                body,
                entered,
                ended,
            } => {
                if entered {
                    machine.leave_shield();
                }
                if !ended {
                    body.let_go(machine);
                }
            }
            Self::Join(tasks) => {
                for task in tasks.into_iter().flatten() {
                    task.let_go(machine);
                }
            }
            Self::Race(tasks) => {
                for task in tasks {
                    task.let_go(machine);
                }
            }
        }
    }
}

fn poll_race(tasks: &mut Vec<Task>, machine: &mut Machine, hands: &mut Hands) -> bool {
    let Some(won) = tasks.iter_mut().position(|task| task.poll(machine, hands)) else {
        return false;
    };
    hands.say(machine, format!("branch {won} wins"));
    for (branch, task) in std::mem::take(tasks).into_iter().enumerate() {
        if branch != won {
            task.let_go(machine);
        }
    }
    true
}

fn poll_shield(
    body: &mut Task,
    entered: &mut bool,
    ended: &mut bool,
    machine: &mut Machine,
    hands: &mut Hands,
) -> bool {
    if hands.shields == 0 && !std::mem::replace(entered, true) {
        machine.enter_shield();
    }
    hands.shields += 1;
    *ended = body.poll(machine, hands);
    hands.shields -= 1;
    if *ended && std::mem::replace(entered, false) {
        machine.leave_shield();
    }
    *ended
}

fn poll_join(tasks: &mut [Option<Task>], machine: &mut Machine, hands: &mut Hands) -> bool {
    let last = tasks.len().saturating_sub(1);
    for turn in 0..tasks.len() {
        let place = match hands.joining {
            Joining::AsWritten | Joining::OneByOne => turn,
            Joining::Reversed => last - turn,
        };
        let Some(task) = &mut tasks[place] else {
            continue;
        };
        if task.poll(machine, hands) {
            tasks[place] = None;
        } else if hands.joining == Joining::OneByOne {
            return false;
        }
    }
    tasks.iter().all(Option::is_none)
}

fn poll_sequence(
    rest: &mut std::vec::IntoIter<Op>,
    current: &mut Option<Box<Task>>,
    machine: &mut Machine,
    hands: &mut Hands,
) -> bool {
    loop {
        if current.is_none() {
            let Some(op) = rest.next() else { return true };
            *current = Some(Box::new(Task::write(op, machine)));
        }
        let task = current.as_mut().expect("there is a current operation");
        if !task.poll(machine, hands) {
            return false;
        }
        *current = None;
    }
}

fn request(ask: &Ask, salt: u128) -> HookRequest {
    HookRequest {
        token: ask
            .token
            .as_deref()
            .map_or_else(|| Token::random(salt), token),
        chosen: ask.token.is_some(),
        metadata: None,
        is_webhook: ask.is_webhook,
        expires_in: ask.expires_ms.map(Duration::from_millis),
    }
}

fn poll_registration(
    id: HookId,
    slot: Slot,
    ask: &Ask,
    machine: &mut Machine,
    hands: &mut Hands,
) -> bool {
    match machine.take_registration(id) {
        None => false,
        Some(Registration::Registered { hook, token }) => {
            if let Some(chosen) = &ask.token {
                assert_eq!(token.as_str(), chosen);
            }
            hands.say(machine, format!("hook {slot} is {hook} at {token}"));
            hands.put(machine, slot, hook);
            true
        }
        Some(Registration::Conflict { owner, .. }) => {
            hands.say(machine, format!("hook {slot} belongs to {owner}"));
            true
        }
    }
}

fn poll_receive(slot: Slot, machine: &mut Machine, hands: &mut Hands) -> bool {
    let Some(hook) = hands.receivers.get(&slot).copied() else {
        hands.say(machine, format!("has no hook {slot}"));
        return true;
    };
    let Some(received) = machine.take_payload(hook) else {
        return false;
    };
    let text = match received {
        Received::Payload(payload) => String::from_utf8_lossy(payload.as_bytes()).into_owned(),
        Received::Closed => "closed".to_owned(),
        Received::Expired => "expired".to_owned(),
    };
    hands.say(machine, format!("{slot} gives {text}"));
    true
}

fn poll_close(slot: Slot, asked: &mut bool, machine: &mut Machine, hands: &mut Hands) -> bool {
    let Some(hook) = hands.receivers.get(&slot).copied() else {
        hands.say(machine, format!("has no hook {slot}"));
        return true;
    };
    if !std::mem::replace(asked, true) {
        hands.say(machine, format!("closes {slot}"));
        machine.close_hook(hook);
    }
    let closed = machine.take_closed(hook);
    if closed {
        hands.say(machine, format!("{slot} is closed"));
    }
    closed
}

fn outcome_text(outcome: &StepOutcome) -> String {
    match outcome {
        StepOutcome::Completed(result) => String::from_utf8_lossy(result.as_bytes()).into_owned(),
        StepOutcome::Failed { kind, attempts, .. } => format!("{kind:?} after {attempts}"),
    }
}

/// The record without what a replay may do differently: tokens that are drawn.
pub(super) fn without_draws(record: &EventKind) -> EventKind {
    match record {
        EventKind::HookCreated {
            hook,
            chosen: false,
            metadata,
            is_webhook,
            expires_at,
            ..
        } => EventKind::HookCreated {
            hook: *hook,
            token: token("drawn"),
            chosen: false,
            metadata: metadata.clone(),
            is_webhook: *is_webhook,
            expires_at: *expires_at,
        },
        record => record.clone(),
    }
}
