//! What is known at the end: what was sent and answered, what runs saw, what the queries show.

use rewake_core::event::Event;
use rewake_core::id::{HookId, RunId};
use rewake_core::time::Timestamp;

use crate::delivery::script::Webhook;

/// What somebody was told who sent a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// This hook has it.
    Taken {
        run: RunId,
        hook: HookId,
        started: bool,
    },
    /// The mailbox has it.
    Kept(Timestamp),
    /// The webhook has it, and this is its answer.
    Replied(Reply),
    /// No live hook has the token.
    Nobody,
    /// It was refused.
    Refused,
    /// It was refused for its signature.
    Unsigned,
    /// It may have been taken.
    Unknown,
}

/// What the caller of a webhook got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) said: Said,
    /// When the call was made, and when it was answered.
    pub(crate) asked: Timestamp,
    pub(crate) at: Timestamp,
}

/// The classes of answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// 202.
    Accepted,
    /// The response that the webhook gives to all.
    Fixed,
    /// What the workflow answered.
    Workflow(String),
    /// The time to answer ran out.
    TooLate,
    /// The run ended without answering.
    Ended,
    /// The store could not say.
    Lost,
}

/// By which door a payload was sent, and so where it may go when it is left unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// It stays.
    Resume,
    /// It goes into the run that it starts, or that another one starts.
    Admission,
    /// It goes back to the mailbox, until a time between these.
    Mail {
        earliest: Timestamp,
        latest: Timestamp,
    },
    /// It is a request, and stays.
    Request(Request),
}

/// A request to a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// How the webhook was opened.
    pub(crate) webhook: Webhook,
    /// It is not signed as the webhook wants it.
    pub(crate) forged: bool,
}

/// A payload that was sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) number: u64,
    pub(crate) token: String,
    pub(crate) way: Way,
    /// One for each time, in the order in which they came.
    pub(crate) answers: Vec<Answer>,
}

/// A run, as the public queries show it, and what its workflow saw.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) run: RunId,
    /// The act whose script it follows.
    pub(crate) serial: u64,
    pub(crate) events: Vec<Event>,
    /// What is listed as unread.
    pub(crate) unread: Vec<(HookId, u64)>,
    /// What the workflow read, in order.
    pub(crate) read: Vec<(HookId, u64)>,
    /// What the workflow let go of.
    pub(crate) dropped: Vec<HookId>,
    /// What it answered to requests, in order.
    pub(crate) given: Vec<Given>,
}

/// An answer that a workflow gave to a request, or tried to.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) number: u64,
    pub(crate) stands: Stands,
    /// It stood at this time at the latest.
    pub(crate) by: Timestamp,
}

/// What who answered was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stands {
    /// The answer stands.
    Yes,
    /// Somebody else had answered before.
    Second,
    /// The answer came to nothing, or its writer could not learn what became of it.
    Unsure,
}

/// All that is known at the end.
#[derive(Clone, Debug)]
pub(crate) struct History {
    pub(crate) now: Timestamp,
    pub(crate) sent: Vec<Sent>,
    pub(crate) runs: Vec<Seen>,
    /// What the mailbox keeps: token, number, until when.
    pub(crate) mail: Vec<(String, u64, Timestamp)>,
    /// The live hooks that are listed.
    pub(crate) live: Vec<(String, HookId)>,
}

impl Seen {
    /// When the run ended.
    pub(crate) fn end(&self) -> Option<Timestamp> {
        let last = self.events.last()?;
        last.kind.is_terminal().then_some(last.at)
    }
}

impl Answer {
    /// True where it says that the payload was taken.
    pub(crate) const fn is_done(&self) -> bool {
        match self {
            Self::Taken { .. } | Self::Kept(_) | Self::Replied(_) => true,
            Self::Nobody | Self::Refused | Self::Unsigned | Self::Unknown => false,
        }
    }
}

impl Sent {
    /// What its callers got from a webhook.
    pub(crate) fn replies(&self) -> impl Iterator<Item = &Reply> + Clone {
        self.answers.iter().filter_map(|answer| match answer {
            Answer::Replied(reply) => Some(reply),
            Answer::Taken { .. }
            | Answer::Kept(_)
            | Answer::Nobody
            | Answer::Refused
            | Answer::Unsigned
            | Answer::Unknown => None,
        })
    }
}

impl Said {
    /// How each is counted.
    pub(crate) const NAMES: [&'static str; 6] = [
        "reply accepted",
        "reply static",
        "reply workflow",
        "reply too-late",
        "reply ended",
        "reply lost",
    ];

    pub(crate) const fn name(&self) -> &'static str {
        let place = match self {
            Self::Accepted => 0,
            Self::Fixed => 1,
            Self::Workflow(_) => 2,
            Self::TooLate => 3,
            Self::Ended => 4,
            Self::Lost => 5,
        };
        Self::NAMES[place]
    }
}
