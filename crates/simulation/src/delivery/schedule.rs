//! A schedule: what is done to a few tokens from outside, what workflows do with them, and what goes
//! wrong; data that a seed grows and that shrinking cuts.

use serde::{Deserialize, Serialize};

use super::script::{Line, Script};
use crate::fault::Plan;
use crate::prng::{Prng, Stream};
use crate::scenario::{Disk, Scenario};
use crate::settings::Settings;

/// Everybody shares these.
const TOKENS: [&str; 3] = ["token-a", "token-b", "token-c"];
/// One schedule of so many is played on the embedded store, which takes longer to open than the
/// schedule to play.
const ON_SQLITE: u64 = 200;
/// So many steps a schedule may take before nothing goes wrong any more; most are over sooner.
const TURMOIL: u64 = 2_000;

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

/// What is done from outside. Numbers choose among the runs there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Start { script: Script, key: bool },
    Send(Letter),
    Cancel(u64),
    Terminate(u64),
    LookUp(&'static str),
    Evict(u64),
    Await(u64),
}

impl Deed {
    /// How each kind is counted.
    pub(crate) const NAMES: [&'static str; 12] = [
        "do start",
        "do resume",
        "do resume-with-key",
        "do resume-or-start",
        "do resume-or-start-with-key",
        "do post",
        "do post-with-key",
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
            Self::Cancel(_) => 7,
            Self::Terminate(_) => 8,
            Self::LookUp(_) => 9,
            Self::Evict(_) => 10,
            Self::Await(_) => 11,
        };
        Self::NAMES[place]
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

impl Schedule {
    /// The schedule of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        let mut prng = Prng::new(seed, Stream::Delivery);
        let settings = settings(&mut prng);
        let count = 3 + prng.below(10);
        let span = prng.pick(&[1, 40, 400]);
        let acts = (0..count).map(|serial| Act {
            serial,
            after_ms: prng.below(span),
            deed: deed(&mut prng, serial),
        });
        let acts = acts.collect();
        let disk = if seed % ON_SQLITE == ON_SQLITE / 2 {
            Disk::Sqlite
        } else {
            Disk::Memory
        };
        Self {
            acts,
            scenario: Scenario {
                disk,
                plan: Plan::Drawn,
                ..Scenario::bare(seed, settings)
            },
        }
    }
}

fn settings(prng: &mut Prng) -> Settings {
    let level = prng.below(3);
    let mut chance = |most: u64| {
        if level == 0 || prng.chance(4_000) {
            0
        } else {
            prng.below(most * level)
        }
    };
    Settings {
        crash: chance(200),
        unknown: chance(400),
        refused: chance(200),
        twice: chance(400),
        shutdown: chance(30),
        overlap: chance(30),
        spurious: chance(100),
        skew: chance(2) * 10_000,
        late: chance(2) * 20,
        spread: prng.pick(&[1, 4, 16]),
        turmoil: TURMOIL,
        ..Settings::calm()
    }
}

fn token(prng: &mut Prng) -> &'static str {
    // Most meet at one.
    prng.pick(&[TOKENS[0], TOKENS[0], TOKENS[0], TOKENS[1], TOKENS[2]])
}

fn deed(prng: &mut Prng, serial: u64) -> Deed {
    if serial == 0 && prng.chance(7_000) {
        return start(prng);
    }
    match prng.below(32) {
        0..=4 => start(prng),
        5..=24 => Deed::Send(letter(prng)),
        25..=26 => Deed::Terminate(prng.below(16)),
        27..=28 => Deed::Cancel(prng.below(16)),
        29 => Deed::LookUp(token(prng)),
        30 => Deed::Await(prng.below(16)),
        _ => Deed::Evict(prng.below(16)),
    }
}

fn start(prng: &mut Prng) -> Deed {
    let opened = token(prng);
    Deed::Start {
        script: script(prng, opened),
        key: prng.chance(5_000),
    }
}

fn letter(prng: &mut Prng) -> Letter {
    let token = token(prng);
    let door = match prng.below(10) {
        0..=3 => Door::Resume,
        4..=6 => Door::ResumeOrStart(script(prng, token)),
        _ => Door::Post(prng.pick(&[10, 300, 60_000, 80 * 24 * 3_600_000])),
    };
    Letter {
        token,
        door,
        key: prng.chance(5_000).then(|| prng.pick(&[0, 0, 1, 2])),
        finish: prng.chance(2_500),
        gives_up_ms: prng.chance(1_000).then(|| prng.pick(&[0, 1, 20])),
    }
}

/// Opens a token and reads from it, in one of many ways.
fn script(prng: &mut Prng, opened: &str) -> Script {
    let expires_ms = prng.chance(2_500).then(|| prng.pick(&[20, 150, 5_000]));
    let mut lines = vec![Line::Open(opened.to_owned(), expires_ms)];
    if prng.chance(2_000) {
        lines.insert(0, Line::Sleep(prng.below(200)));
    }
    for _ in 0..=prng.below(3) {
        let more = match prng.below(16) {
            0..=3 => Line::Read,
            4..=6 => Line::ReadUntilTold,
            7..=9 => Line::ReadOrSleep(prng.pick(&[5, 50, 500])),
            10 => Line::Sleep(prng.pick(&[5, 50, 500])),
            11..=12 => Line::Close,
            13..=14 => Line::Drop,
            _ => Line::Open(token(prng).to_owned(), None),
        };
        lines.push(more);
    }
    if prng.chance(1_500) {
        lines.push(Line::Fail);
    }
    lines
}

impl Line {
    /// How each kind is counted.
    pub(crate) const NAMES: [&'static str; 8] = [
        "line open",
        "line read",
        "line read-until-told",
        "line read-or-sleep",
        "line sleep",
        "line close",
        "line drop",
        "line fail",
    ];

    pub(crate) const fn name(&self) -> &'static str {
        let place = match self {
            Self::Open(..) => 0,
            Self::Read => 1,
            Self::ReadUntilTold => 2,
            Self::ReadOrSleep(_) => 3,
            Self::Sleep(_) => 4,
            Self::Close => 5,
            Self::Drop => 6,
            Self::Fail => 7,
        };
        Self::NAMES[place]
    }
}

/// What a payload carries: its number, and whether it tells workflows to finish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    pub(crate) number: u64,
    pub(crate) finish: bool,
}
