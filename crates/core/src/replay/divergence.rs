//! The report of a workflow that no longer matches its log.

use std::fmt;

use crate::entity::Hook;
use crate::event::{
    Child, Disposal, EventKind, HookEvent, Position, RunEvent, StepEvent, Subject, WaitEvent,
};
use crate::transition::IllegalTransition;

/// Where workflow and log part, and how.
///
/// Nothing is appended on behalf of a run that has parted from its log. A build whose code matches
/// the log, or a person, can let it go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Divergence {
    /// The log holds a record that the workflow's code did not leave this time. What usually causes
    /// it: the code was changed while the run was under way; or the code asked a clock, a random
    /// source or an unordered map which way to go.
    #[error("at event {position} the log has {expected}, but the workflow {found}")]
    Parted {
        /// The position of the record.
        position: Position,
        /// What the log holds.
        expected: Expected,
        /// What the code did instead.
        found: Found,
    },
    /// The log holds an event that must not follow those before it: it was not written by Rewake, or
    /// is damaged.
    #[error("event {position} of the log is illegal")]
    Illegal {
        /// The position of the event.
        position: Position,
        /// Why.
        #[source]
        reason: IllegalTransition,
    },
    /// Events were fed out of order: a fault of the driver's.
    #[error("event {found} was fed where event {expected} was due")]
    Gap {
        /// The position that was due.
        expected: Position,
        /// The position that was fed.
        found: Position,
    },
}

impl Divergence {
    /// The report of a record that the code did not leave this time.
    pub(super) fn parted(position: Position, expected: Expected, found: Found) -> Self {
        Self::Parted {
            position,
            found: found.told_from(&expected),
            expected,
        }
    }

    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Parted { .. } => "REPLAY_PARTED",
            Self::Illegal { .. } => "REPLAY_ILLEGAL_EVENT",
            Self::Gap { .. } => "REPLAY_GAP",
        }
    }

    /// The position in the log that the report is about.
    pub const fn position(&self) -> Position {
        match self {
            Self::Parted { position, .. } | Self::Illegal { position, .. } => *position,
            Self::Gap { found, .. } => *found,
        }
    }
}

impl Divergence {
    /// What usually causes it and what a person can do about it, in words. Where the build at hand
    /// began the run itself, its code has hardly been changed since.
    pub const fn remedy(&self, begun_by_this_build: bool) -> &'static str {
        match self {
            Self::Parted { .. } if begun_by_this_build => {
                "this very build began the run, so most likely it is not the code that has changed: a \
                 clock, a random number, an unordered map or global state decided which way to go; use \
                 `rewake::now`, `rewake::random` and ordered maps, and ask everything else in a step"
            }
            Self::Parted { .. } => {
                "most likely the code was changed while the run was under way: let the code that wrote \
                 the log take the run, or write the calls that are on record as they were and in the \
                 same order, with new ones after them; if it was not changed, a clock, a random number, \
                 an unordered map or global state decided which way to go"
            }
            Self::Illegal { .. } => {
                "the log is damaged, or was not written by Rewake: restore it from a backup"
            }
            Self::Gap { .. } => "this is a fault of Rewake's: please report it",
        }
    }
}

/// What the log holds at the place of divergence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected(String);

impl Expected {
    pub(super) fn new(record: &EventKind) -> Self {
        Self(describe(record))
    }

    /// So many payloads read of a hook, which is named as the code names it.
    pub(super) fn read(count: u64, hook: Option<&Hook>) -> Self {
        let of = match hook {
            Some(hook) if hook.chosen => format!("the hook with token `{}`", hook.token),
            Some(hook) if hook.is_webhook => "a webhook".to_owned(),
            Some(_) | None => "a hook".to_owned(),
        };
        Self(format!("payload {count} of {of} read"))
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the code did at the place of divergence.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Found {
    /// It asked for something else.
    Command(String),
    /// It asked for what the log has, and a call written before that has shifted it: calls are told
    /// apart by the order in which they are written.
    Shifted,
    /// It came to its end.
    Finished,
    /// It waits without having asked for this.
    Nothing,
}

impl Found {
    /// What a command is that leaves this record.
    pub fn new(command: &EventKind) -> Self {
        if command.is_terminal() {
            Self::Finished
        } else {
            Self::Command(describe(command))
        }
    }

    /// What was found at the very place of `record`: where both are ends, which end it was.
    pub(super) fn instead_of(command: &EventKind, record: &EventKind) -> Self {
        if record.is_terminal() {
            Self::Command(describe(command))
        } else {
            Self::new(command)
        }
    }

    /// Two things that read the same and are not the same differ in their place.
    fn told_from(self, expected: &Expected) -> Self {
        match self {
            Self::Command(what) if what == expected.0 => Self::Shifted,
            found => found,
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(what) => write!(f, "asked for {what}"),
            Self::Shifted => f.write_str(
                "asked for the same in another place: a call before it was put in or taken out",
            ),
            Self::Finished => f.write_str("came to its end"),
            Self::Nothing => f.write_str("waits without having asked for it"),
        }
    }
}

/// The event in words, with the name a reader knows it by. A drawn token is a credential and does
/// not appear.
fn describe(kind: &EventKind) -> String {
    match kind.subject() {
        Subject::Step(_, StepEvent::Created { name, child, .. }) => match child {
            None => format!("step `{name}`"),
            Some(Child { detached: true, .. }) => format!("detached child run `{name}`"),
            Some(_) => format!("child run `{name}`"),
        },
        Subject::Hook(_, event) => hook(event).unwrap_or_else(|| plain(kind)),
        Subject::Wait(_, WaitEvent::Created { .. }) => "a sleep".to_owned(),
        Subject::Wait(_, WaitEvent::Cancelled) => "a sleep given up".to_owned(),
        Subject::Run(RunEvent::PatchMarked { patch }) => format!("patch `{patch}`"),
        Subject::Run(RunEvent::AttrSet { .. }) => "attributes being set".to_owned(),
        Subject::Run(
            RunEvent::Created(_)
            | RunEvent::Started
            | RunEvent::Completed { .. }
            | RunEvent::Failed { .. }
            | RunEvent::Cancelled { .. }
            | RunEvent::CancelRequested { .. }
            | RunEvent::Continued,
        )
        | Subject::Step(
            _,
            StepEvent::Started { .. }
            | StepEvent::Completed { .. }
            | StepEvent::Failed { .. }
            | StepEvent::Retrying { .. },
        )
        | Subject::Wait(_, WaitEvent::Completed) => plain(kind),
    }
}

fn hook(event: HookEvent<'_>) -> Option<String> {
    match event {
        HookEvent::Created {
            token,
            chosen: true,
            ..
        } => Some(format!("a hook with token `{token}`")),
        HookEvent::Created {
            is_webhook: true, ..
        } => Some("a webhook".to_owned()),
        HookEvent::Created { .. } => Some("a hook with a random token".to_owned()),
        HookEvent::Conflict { token, .. } => {
            Some(format!("a hook in conflict over token `{token}`"))
        }
        HookEvent::Disposed {
            by: Disposal::Closed,
        } => Some("a hook closed".to_owned()),
        HookEvent::Disposed {
            by: Disposal::Dropped,
        } => Some("a hook dropped".to_owned()),
        HookEvent::Received { .. } | HookEvent::Expired => None,
    }
}

fn plain(kind: &EventKind) -> String {
    format!("`{}`", kind.name())
}
