//! What workflows are told to do: a script of a few lines, which comes with the act of a run.

use serde::{Deserialize, Serialize};

/// The name of the workflow.
pub(crate) const WORKFLOW: &str = "delivery";

/// A line of a script. Reading is from the hook or webhook that was opened last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Line {
    /// Opens a token, for so many milliseconds.
    Open(String, Option<u64>),
    /// Opens a webhook.
    Webhook(Webhook),
    /// Reads one.
    Read,
    /// Reads until a payload says to finish, or nothing more will come.
    ReadUntilTold,
    /// Reads one, unless a sleep ends first.
    ReadOrSleep(u64),
    /// Reads one, unless it takes so many milliseconds.
    ReadInTime(u64),
    /// Reads so many as a stream.
    ReadStream(u64),
    /// Reads one from each of the two that were opened last, unless a sleep ends before both have one.
    ReadBothOrSleep(u64),
    /// Reads so many, and answers each.
    Serve(u64, Answerer),
    Sleep(u64),
    /// Closes the hook, and reads what had come.
    Close,
    /// Lets go of the receiver.
    Dispose,
    /// Closes the hook, and lets go of the receiver with what had come.
    Abandon,
    /// Opens a token and reads, and is dropped with its hook when a sleep ends first.
    OpenInRace(String, u64),
    /// Does these lines so many times.
    Loop(u64, Script),
    /// Ends with an error.
    Fail,
}

/// A script.
pub(crate) type Script = Vec<Line>;

/// How a webhook is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Webhook {
    pub(crate) answers: Answers,
    pub(crate) tells: Tells,
    /// It takes requests for so many milliseconds.
    pub(crate) expires_ms: Option<u64>,
}

/// What the callers of a webhook get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Answers {
    /// 202.
    Accepted,
    /// Always the same.
    Fixed,
    /// What the workflow answers within so many milliseconds.
    Manual(u64),
}

/// By what a webhook tells a redelivery from a new request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Tells {
    /// It cannot.
    Nothing,
    /// By a header.
    Header,
    /// By the id that comes with a signature.
    Signature,
}

/// Who answers a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Answerer {
    /// The workflow itself.
    Workflow,
    /// A step.
    Step,
    /// A step, and then the workflow itself, whose answer comes too late.
    Both,
    /// Nobody.
    Nobody,
}

/// What a payload carries, or the body of a request: its number, and whether it tells workflows to
/// finish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    pub(crate) number: u64,
    pub(crate) finish: bool,
}

/// What is answered to a request, by the nth who answers it.
pub(crate) fn answer_text(number: u64, nth: usize) -> String {
    format!("answer {nth} to {number}")
}

impl Line {
    /// How each kind is counted.
    pub(crate) const NAMES: [&'static str; 21] = [
        "line open",
        "line webhook-accepted",
        "line webhook-static",
        "line webhook-manual",
        "line read",
        "line read-until-told",
        "line read-or-sleep",
        "line read-in-time",
        "line read-stream",
        "line read-both-or-sleep",
        "line serve-by-workflow",
        "line serve-by-step",
        "line serve-by-both",
        "line serve-by-nobody",
        "line sleep",
        "line close",
        "line dispose",
        "line drop-in-race",
        "line loop",
        "line fail",
        "line abandon",
    ];

    pub(crate) const fn name(&self) -> &'static str {
        let place = match self {
            Self::Open(..) => 0,
            Self::Webhook(webhook) => match webhook.answers {
                Answers::Accepted => 1,
                Answers::Fixed => 2,
                Answers::Manual(_) => 3,
            },
            Self::Read => 4,
            Self::ReadUntilTold => 5,
            Self::ReadOrSleep(_) => 6,
            Self::ReadInTime(_) => 7,
            Self::ReadStream(_) => 8,
            Self::ReadBothOrSleep(_) => 9,
            Self::Serve(_, answerer) => 10 + *answerer as usize,
            Self::Sleep(_) => 14,
            Self::Close => 15,
            Self::Dispose => 16,
            Self::OpenInRace(..) => 17,
            Self::Loop(..) => 18,
            Self::Fail => 19,
            Self::Abandon => 20,
        };
        Self::NAMES[place]
    }
}
