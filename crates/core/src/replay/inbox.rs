//! The inbox of one hook: what has arrived and not been taken.

use std::collections::VecDeque;

use super::hooks::Overread;
use crate::event::{Position, Taken};
use crate::id::HookId;
use crate::payload::Payload;

/// What a receiver finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// The next payload; it is taken now.
    Payload(Payload),
    /// Nothing is left, and nothing will come: the workflow closed the hook.
    Closed,
    /// Nothing is left, and nothing will come: the hook's time ran out.
    Expired,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Closed,
    Expired,
    Dropped,
}

#[derive(Clone, Debug)]
pub(super) struct Inbox {
    waiting: VecDeque<Payload>,
    waiting_bytes: usize,
    end: Option<End>,
    taken: u64,
    taken_bytes: u64,
    /// What of `taken` the worker's appends have recorded.
    recorded: u64,
    recorded_at: Position,
}

impl Inbox {
    pub(super) const fn new() -> Self {
        Self {
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            end: None,
            taken: 0,
            taken_bytes: 0,
            recorded: 0,
            recorded_at: Position::START,
        }
    }

    pub(super) fn put(&mut self, payload: Payload) {
        if self.end != Some(End::Dropped) {
            self.waiting_bytes += payload.len();
            self.waiting.push_back(payload);
        }
    }

    pub(super) fn take(&mut self) -> Option<Received> {
        let received = self.peek();
        if let Some(payload) = self.waiting.pop_front() {
            self.waiting_bytes -= payload.len();
            self.taken += 1;
            self.taken_bytes += payload.len() as u64;
        }
        received
    }

    /// What the next take gives.
    pub(super) fn peek(&self) -> Option<Received> {
        if let Some(payload) = self.waiting.front() {
            return Some(Received::Payload(payload.clone()));
        }
        match self.end {
            Some(End::Closed) => Some(Received::Closed),
            Some(End::Expired) => Some(Received::Expired),
            Some(End::Dropped) | None => None,
        }
    }

    /// The first end stands, but a drop after it also lets go of what was left.
    pub(super) fn end(&mut self, end: End) {
        if end == End::Dropped {
            self.waiting = VecDeque::new();
            self.waiting_bytes = 0;
            self.end = Some(end);
        }
        self.end = self.end.or(Some(end));
    }

    pub(super) const fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    /// True where nothing waits to be taken.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// True while somebody may ask for it.
    pub(super) fn is_held(&self) -> bool {
        self.end != Some(End::Dropped)
    }

    /// What the worker's next append must record; nothing where the log knows as much or more.
    pub(super) fn unrecorded(&self, hook: HookId) -> Option<Taken> {
        (self.taken > self.recorded).then_some(Taken {
            hook,
            count: self.taken,
            bytes: self.taken_bytes,
        })
    }

    pub(super) fn record(&mut self, count: u64, position: Position) {
        if count > self.recorded {
            self.recorded = count;
            self.recorded_at = position;
        }
    }

    pub(super) fn overread(&self, hook: HookId) -> Option<Overread> {
        (self.recorded > self.taken).then_some(Overread {
            hook,
            count: self.recorded,
            position: self.recorded_at,
        })
    }

    /// True where the log knows exactly how many payloads were taken.
    pub(super) const fn is_even(&self) -> bool {
        self.taken == self.recorded
    }

    /// True where nobody will ask for it again and its counts are recorded.
    pub(super) fn is_spent(&self) -> bool {
        !self.is_held() && self.is_even()
    }

    /// Roughly what its payloads hold in memory, in bytes.
    pub(super) fn weight(&self) -> usize {
        self.waiting_bytes + self.waiting.len() * 32
    }
}
