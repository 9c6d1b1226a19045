//! Frames: what one append leaves in a log.
//!
//! All events of an append share their time and their writer, and stand at consecutive positions;
//! a store keeps them as one row. This module must not know where rows are kept.

use std::fmt;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::EventKind;
use crate::id::{EventId, HookId};
use crate::time::Timestamp;

/// A place in a run's log: 1, 2, 3, …; 0 stands before the first event.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Encode,
    Decode,
    Serialize,
    Deserialize,
)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct Position(#[n(0)] pub u64);

impl Position {
    /// Before the first event.
    pub const START: Self = Self(0);

    /// The position `n` places further on.
    #[must_use]
    pub const fn plus(self, n: u64) -> Self {
        Self(self.0 + n)
    }

    /// The position that follows.
    #[must_use]
    pub const fn next(self) -> Self {
        self.plus(1)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Who wrote a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Writer {
    /// The run's worker, fenced by the worker position.
    #[n(0)]
    Worker,
    /// Anyone else: a start, a resume, a cancel request, an expiry.
    #[n(1)]
    Outsider,
}

/// How many payloads of a hook the workflow had taken when its worker appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Taken {
    /// The hook.
    #[n(0)]
    pub hook: HookId,
    /// How many, since the hook was made.
    #[n(1)]
    pub count: u64,
    /// Their size in bytes, as encoded.
    #[n(2)]
    pub bytes: u64,
}

/// What one append left in the log.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Frame {
    /// The position of the first event.
    #[n(0)]
    pub first: Position,
    /// When the store took it; never before the frame in front of it.
    #[n(1)]
    pub at: Timestamp,
    /// The id of the first event; those after it count up from it.
    #[n(2)]
    pub id: EventId,
    /// Who wrote it.
    #[n(3)]
    pub writer: Writer,
    /// The events, at least one.
    #[n(4)]
    pub events: Vec<EventKind>,
    /// Counts of payloads taken, for hooks where they changed since the worker's last append.
    #[n(5)]
    pub taken: Vec<Taken>,
}

impl Frame {
    /// The position of the last event.
    pub fn last(&self) -> Position {
        Position(self.first.0 + self.events.len() as u64 - 1)
    }

    /// The events with their positions.
    pub fn iter(&self) -> impl Iterator<Item = EventRef<'_>> {
        self.events
            .iter()
            .enumerate()
            .map(|(place, kind)| EventRef {
                position: self.first.plus(place as u64),
                at: self.at,
                id: self.id.plus(u32::try_from(place).unwrap_or(u32::MAX)),
                writer: self.writer,
                kind,
            })
    }
}

/// One event of a frame.
#[derive(Clone, Copy, Debug)]
pub struct EventRef<'a> {
    /// Its place in the log.
    pub position: Position,
    /// When the store took it.
    pub at: Timestamp,
    /// Its id.
    pub id: EventId,
    /// Who wrote it.
    pub writer: Writer,
    /// What happened.
    pub kind: &'a EventKind,
}

impl EventRef<'_> {
    /// The same event, owned.
    pub fn to_event(self) -> Event {
        Event {
            position: self.position,
            at: self.at,
            id: self.id,
            kind: self.kind.clone(),
        }
    }
}

/// One event, owned: what queries give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its place in the log.
    pub position: Position,
    /// When the store took it.
    pub at: Timestamp,
    /// Its id.
    pub id: EventId,
    /// What happened.
    pub kind: EventKind,
}
