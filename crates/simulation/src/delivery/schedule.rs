//! A schedule: what is done to a few tokens and webhooks from outside, what workflows do with them, and
//! what goes wrong; data that `grow` makes from a seed and that shrinking cuts.

use super::script::Script;
use crate::scenario::Scenario;

/// How a payload is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// To a live hook.
    Resume,
    /// To a live hook, or to a run that is started with this script.
    ResumeOrStart(Script),
    /// To a live hook, or to the mailbox for so many milliseconds.
    Post(u64),
}

/// A payload that somebody sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(crate) token: &'static str,
    pub(crate) door: Door,
    /// With an idempotency key: it is sent until it is answered, and then so many times more.
    pub(crate) key: Option<u8>,
    /// Workflows that read until they are told to finish do so.
    pub(crate) finish: bool,
    /// Waits no longer for the answer, the first time.
    pub(crate) gives_up_ms: Option<u64>,
}

/// A request that somebody makes to a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// Chooses among the webhooks there are; the caller waits a while for the first one.
    pub(crate) webhook: u64,
    /// With a delivery id: it is sent until it is answered, and then so many times more.
    pub(crate) delivery: Option<u8>,
    /// The redelivery does not wait until the first is answered.
    pub(crate) at_once: bool,
    /// Signed by somebody who does not know the secret.
    pub(crate) forged: bool,
    pub(crate) finish: bool,
    /// Hangs up after so long, the first time.
    pub(crate) hangs_up_ms: Option<u64>,
}

/// What is done from outside. Numbers choose among the runs there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Start { script: Script, key: bool },
    Send(Letter),
    Call(Call),
    Cancel(u64),
    Terminate(u64),
    LookUp(&'static str),
    Evict(u64),
    Await(u64),
}

impl Deed {
    /// How each kind is counted.
    pub(crate) const NAMES: [&'static str; 16] = [
        "do start",
        "do resume",
        "do resume-with-key",
        "do resume-or-start",
        "do resume-or-start-with-key",
        "do post",
        "do post-with-key",
        "do call",
        "do call-again",
        "do call-at-once",
        "do call-forged",
        "do cancel",
        "do terminate",
        "do look-up",
        "do evict",
        "do await",
    ];

    pub(crate) const fn name(&self) -> &'static str {
        let place = match self {
            Self::Start { .. } => 0,
            Self::Send(Letter { door, key, .. }) => match (door, key) {
                (Door::Resume, None) => 1,
                (Door::Resume, Some(_)) => 2,
                (Door::ResumeOrStart(_), None) => 3,
                (Door::ResumeOrStart(_), Some(_)) => 4,
                (Door::Post(_), None) => 5,
                (Door::Post(_), Some(_)) => 6,
            },
            Self::Call(call) => match (call.forged, call.delivery, call.at_once) {
                (true, _, _) => 10,
                (false, None, _) => 7,
                (false, Some(_), false) => 8,
                (false, Some(_), true) => 9,
            },
            Self::Cancel(_) => 11,
            Self::Terminate(_) => 12,
            Self::LookUp(_) => 13,
            Self::Evict(_) => 14,
            Self::Await(_) => 15,
        };
        Self::NAMES[place]
    }

    /// The script that it brings.
    pub(crate) const fn script_mut(&mut self) -> Option<&mut Script> {
        match self {
            Self::Start { script, .. }
            | Self::Send(Letter {
                door: Door::ResumeOrStart(script),
                ..
            }) => Some(script),
            Self::Send(_)
            | Self::Call(_)
            | Self::Cancel(_)
            | Self::Terminate(_)
            | Self::LookUp(_)
            | Self::Evict(_)
            | Self::Await(_) => None,
        }
    }
}

/// What is done from outside, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Act {
    /// Unique: the number that is sent, or that a script is told by.
    pub(crate) serial: u64,
    pub(crate) after_ms: u64,
    pub(crate) deed: Deed,
}

/// A schedule.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    pub(crate) acts: Vec<Act>,
    /// The world in which it is played, and what goes wrong there.
    pub(crate) scenario: Scenario,
}
