//! Programs: what a simulated workflow does, as data that a seed grows.
//!
//! A new operation is a variant here with its name, a number in `op`, and its act in
//! [`workload`](crate::workload).

use serde::{Deserialize, Serialize};

use crate::prng::Prng;

/// Tokens that programs choose from; few, so that they get in each other's way.
const TOKENS: u64 = 4;

/// One thing after the other.
pub(crate) type Program = Vec<Op>;

/// One thing that a workflow does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Op {
    /// Calls a step and awaits it.
    Step(Script),
    /// Writes two calls, and awaits the second first.
    CrossedSteps(Script, Script),
    /// Writes a call and never polls it.
    UnpolledStep(Script),
    /// Polls a step and a sleep, and takes what comes first.
    StepOrSleep(Script, u64),
    /// Calls several steps, and takes their results as they come.
    Unordered(Vec<Script>),
    /// Calls two steps, and gives up at the first that fails.
    TryBoth(Script, Script),
    /// Sleeps for so many milliseconds.
    Sleep(u64),
    /// Sleeps until so many milliseconds after the present.
    SleepUntil(u64),
    /// Opens a hook.
    Hook {
        /// A token of few; drawn where none is given.
        token: Option<u64>,
        /// How long it takes payloads.
        expires_ms: Option<u64>,
    },
    /// Opens a hook of a definition that it shares with others.
    Defined(u64),
    /// Opens a hook, and gives up if that takes longer than the time.
    HookInTime(u64, u64),
    /// Receives so many payloads from the hook opened last.
    Recv(u64),
    /// Receives so many payloads from the hook opened last, as a stream.
    Stream(u64),
    /// Receives one, waiting no longer than the time.
    RecvTimeout(u64),
    /// Receives one, or sleeps so long.
    RecvOrSleep(u64),
    /// Receives one from each of the two hooks opened last.
    RecvBoth,
    /// Receives one from either of the two hooks opened last, or takes the result of a step, or the
    /// end of a sleep.
    Select(Script, u64),
    /// Closes the hook opened last, and reads what is left in it.
    Close,
    /// Drops the hook opened last.
    Drop,
    /// Opens a hook, receives one payload in time and drops the hook, so many times.
    HookLoop(u64, u64),
    /// Opens a webhook, which the workflow answers or not, serves so many requests, and closes it.
    Webhook {
        /// The workflow answers, and the answers differ.
        manual: bool,
        /// A step gives the answer.
        by_step: bool,
        /// So many requests.
        requests: u64,
    },
    /// Does several things at once, and waits for all.
    Join(Vec<Program>),
    /// Does several things at once, and waits for all, no longer than the time.
    JoinInTime(u64, Vec<Program>),
    /// Does two things at once, and drops the slower one.
    Race(Program, Program),
    /// Does something several times.
    Loop(u64, Program),
    /// Calls another workflow.
    Nested(Program),
    /// Calls another workflow, which calls itself so many times.
    Recurse(u64, Program),
    /// Does something that a cancellation does not interrupt.
    Shield(Program),
    /// Keeps the call of a step for when the workflow fails or is cancelled.
    Undo(Script),
    /// Calls a step with a signal, and aborts that if the step takes longer than the time.
    Abort(Script, u64),
    /// Starts a child run and awaits it.
    Child(Program),
    /// Starts so many child runs at once, and waits for all.
    Children(u64, Program),
    /// Polls a child run and a sleep, and takes what comes first.
    ChildOrSleep(Program, u64),
    /// Starts a child run and lets it go.
    Detached(Program),
    /// Asks for time and randomness, and sets attributes of the run to what it was told.
    Ask,
    /// Returns.
    Return,
    /// Returns an error.
    Fail,
    /// Panics, which parks the run.
    Panic,
}

impl Op {
    /// How each kind is counted.
    pub(crate) const NAMES: [&'static str; 38] = [
        "op step",
        "op crossed-steps",
        "op unpolled-step",
        "op step-or-sleep",
        "op unordered",
        "op try-both",
        "op sleep",
        "op sleep-until",
        "op hook",
        "op defined",
        "op hook-in-time",
        "op recv",
        "op stream",
        "op recv-timeout",
        "op recv-or-sleep",
        "op recv-both",
        "op select",
        "op close",
        "op drop",
        "op hook-loop",
        "op webhook",
        "op join",
        "op join-in-time",
        "op race",
        "op loop",
        "op nested",
        "op recurse",
        "op shield",
        "op undo",
        "op abort",
        "op ask",
        "op return",
        "op fail",
        "op panic",
        "op child",
        "op children",
        "op child-or-sleep",
        "op detached",
    ];

    /// How it is counted.
    pub(crate) const fn name(&self) -> &'static str {
        Self::NAMES[match self {
            Self::Step(_) => 0,
            Self::CrossedSteps(..) => 1,
            Self::UnpolledStep(_) => 2,
            Self::StepOrSleep(..) => 3,
            Self::Unordered(_) => 4,
            Self::TryBoth(..) => 5,
            Self::Sleep(_) => 6,
            Self::SleepUntil(_) => 7,
            Self::Hook { .. } => 8,
            Self::Defined(_) => 9,
            Self::HookInTime(..) => 10,
            Self::Recv(_) => 11,
            Self::Stream(_) => 12,
            Self::RecvTimeout(_) => 13,
            Self::RecvOrSleep(_) => 14,
            Self::RecvBoth => 15,
            Self::Select(..) => 16,
            Self::Close => 17,
            Self::Drop => 18,
            Self::HookLoop(..) => 19,
            Self::Webhook { .. } => 20,
            Self::Join(_) => 21,
            Self::JoinInTime(..) => 22,
            Self::Race(..) => 23,
            Self::Loop(..) => 24,
            Self::Nested(_) => 25,
            Self::Recurse(..) => 26,
            Self::Shield(_) => 27,
            Self::Undo(_) => 28,
            Self::Abort(..) => 29,
            Self::Ask => 30,
            Self::Return => 31,
            Self::Fail => 32,
            Self::Panic => 33,
            Self::Child(_) => 34,
            Self::Children(..) => 35,
            Self::ChildOrSleep(..) => 36,
            Self::Detached(_) => 37,
        }]
    }

    /// What it is made of.
    pub(crate) fn blocks(&self) -> Vec<&Program> {
        match self {
            Self::Join(branches) | Self::JoinInTime(_, branches) => branches.iter().collect(),
            Self::Race(a, b) => vec![a, b],
            Self::Loop(_, body)
            | Self::Nested(body)
            | Self::Recurse(_, body)
            | Self::Shield(body)
            | Self::Child(body)
            | Self::Children(_, body)
            | Self::ChildOrSleep(body, _)
            | Self::Detached(body) => vec![body],
            Self::Step(_)
            | Self::CrossedSteps(..)
            | Self::UnpolledStep(_)
            | Self::StepOrSleep(..)
            | Self::Unordered(_)
            | Self::TryBoth(..)
            | Self::Sleep(_)
            | Self::SleepUntil(_)
            | Self::Hook { .. }
            | Self::Defined(_)
            | Self::HookInTime(..)
            | Self::Recv(_)
            | Self::Stream(_)
            | Self::RecvTimeout(_)
            | Self::RecvOrSleep(_)
            | Self::RecvBoth
            | Self::Select(..)
            | Self::Close
            | Self::Drop
            | Self::HookLoop(..)
            | Self::Webhook { .. }
            | Self::Undo(_)
            | Self::Abort(..)
            | Self::Ask
            | Self::Return
            | Self::Fail
            | Self::Panic => Vec::new(),
        }
    }
}

impl Op {
    /// What it is made of, to be changed.
    pub(crate) fn blocks_mut(&mut self) -> Vec<&mut Program> {
        match self {
            Self::Join(branches) | Self::JoinInTime(_, branches) => branches.iter_mut().collect(),
            Self::Race(a, b) => vec![a, b],
            Self::Loop(_, body)
            | Self::Nested(body)
            | Self::Recurse(_, body)
            | Self::Shield(body)
            | Self::Child(body)
            | Self::Children(_, body)
            | Self::ChildOrSleep(body, _)
            | Self::Detached(body) => vec![body],
            _ => Vec::new(),
        }
    }
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Script {
    /// So many attempts fail.
    pub(crate) fails: u32,
    /// And they do so by panicking.
    pub(crate) panics: bool,
    /// And they ask for another pause before the next.
    pub(crate) asks_pause: bool,
    /// And then it fails for good.
    pub(crate) fatal: bool,
    /// How long an attempt takes.
    pub(crate) takes_ms: u64,
    /// Attempts after the first.
    pub(crate) max_retries: u32,
    /// The longest that an attempt may take.
    pub(crate) timeout_ms: Option<u64>,
}

impl Script {
    /// Nothing happens.
    pub(crate) const PLAIN: Self = Self {
        fails: 0,
        panics: false,
        asks_pause: false,
        fatal: false,
        takes_ms: 0,
        max_retries: 3,
        timeout_ms: None,
    };
}

/// What decides how programs look.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Taste {
    /// So many things at most.
    pub(crate) size: u64,
    /// Whether a program may panic.
    pub(crate) panics: bool,
    /// Whether it may start child runs. Documents that are older than these say nothing of them.
    #[serde(default)]
    pub(crate) children: bool,
}

/// What a program has room for.
#[derive(Clone, Copy, Debug)]
struct Room {
    /// So many things.
    left: u64,
    /// Child runs.
    children: bool,
}

/// Grows a program.
pub(crate) fn grow(prng: &mut Prng, taste: Taste) -> Program {
    let mut room = Room {
        left: 1 + prng.below(taste.size),
        children: taste.children,
    };
    let mut program = block(prng, &mut room, 0);
    if taste.panics && prng.chance(500) {
        let at = prng.index(program.len() + 1);
        program.insert(at, Op::Panic);
    }
    program
}

/// The token behind a number.
pub(crate) fn token(n: u64) -> String {
    format!("token-{n}")
}

/// Any of the tokens that programs choose.
pub(crate) fn any_token(prng: &mut Prng) -> String {
    token(prng.below(TOKENS))
}

/// True where the program has such a thing somewhere.
pub(crate) fn contains(program: &[Op], wanted: &impl Fn(&Op) -> bool) -> bool {
    program.iter().any(|op| {
        let blocks = op.blocks();
        wanted(op) || blocks.into_iter().any(|block| contains(block, wanted))
    })
}

fn block(prng: &mut Prng, room: &mut Room, depth: u32) -> Program {
    let mut program = Program::new();
    let wanted = 1 + prng.below(if depth == 0 { 12 } else { 4 });
    while room.left > 0 && (program.len() as u64) < wanted {
        room.left -= 1;
        program.push(op(prng, room, depth));
    }
    program
}

fn op(prng: &mut Prng, room: &mut Room, depth: u32) -> Op {
    let nests = depth < 3 && room.left > 0;
    let kinds = match (nests, room.children) {
        (false, _) => 38,
        (true, false) => 54,
        (true, true) => 62,
    };
    match prng.below(kinds) {
        4 => Op::CrossedSteps(script(prng), script(prng)),
        5 => Op::UnpolledStep(script(prng)),
        6 => Op::StepOrSleep(script(prng), span(prng)),
        7 => Op::Unordered((0..2 + prng.below(3)).map(|_| script(prng)).collect()),
        8 => Op::TryBoth(script(prng), script(prng)),
        9..=10 => Op::Sleep(span(prng)),
        11 => Op::SleepUntil(span(prng)),
        12..=14 => hook(prng),
        15 => Op::Defined(prng.below(TOKENS)),
        16 => Op::HookInTime(prng.below(TOKENS), prng.below(2) * 50),
        17..=18 => Op::Recv(1 + prng.below(3)),
        19 => Op::Stream(1 + prng.below(3)),
        20 => Op::RecvTimeout(span(prng)),
        21 => Op::RecvOrSleep(span(prng)),
        22 => Op::RecvBoth,
        23 => Op::Select(script(prng), span(prng)),
        24 => Op::Close,
        25..=26 => Op::Drop,
        27 => Op::HookLoop(1 + prng.below(3), span(prng)),
        28..=29 => webhook(prng),
        30..=31 => Op::Ask,
        32 if prng.chance(3_000) => Op::Return,
        33 if prng.chance(6_000) => Op::Fail,
        0..=3 | 32..=34 => Op::Step(script(prng)),
        35..=36 => Op::Undo(script(prng)),
        37 => Op::Abort(script(prng), span(prng)),
        38..=39 => Op::Join(branches(prng, room, depth)),
        40 => Op::JoinInTime(span(prng), branches(prng, room, depth)),
        41..=42 => Op::Race(block(prng, room, depth + 1), block(prng, room, depth + 1)),
        43..=44 => Op::Loop(2 + prng.below(2), block(prng, room, depth + 1)),
        45 => Op::Recurse(1 + prng.below(2), block(prng, room, depth + 1)),
        46..=52 => Op::Shield(block(prng, room, depth + 1)),
        54..=56 => Op::Child(block(prng, room, depth + 1)),
        57 => Op::Children(2 + prng.below(2), block(prng, room, depth + 1)),
        58..=59 => Op::ChildOrSleep(block(prng, room, depth + 1), span(prng)),
        60..=61 => Op::Detached(block(prng, room, depth + 1)),
        _ => Op::Nested(block(prng, room, depth + 1)),
    }
}

fn branches(prng: &mut Prng, room: &mut Room, depth: u32) -> Vec<Program> {
    let branches = 2 + prng.below(2);
    (0..branches)
        .map(|_| block(prng, room, depth + 1))
        .collect()
}

fn hook(prng: &mut Prng) -> Op {
    let token = prng.chance(7_000).then(|| prng.below(TOKENS));
    let expires_ms = prng.chance(3_000).then(|| span(prng));
    Op::Hook { token, expires_ms }
}

fn webhook(prng: &mut Prng) -> Op {
    Op::Webhook {
        manual: prng.chance(6_000),
        by_step: prng.chance(5_000),
        requests: 1 + prng.below(2),
    }
}

fn script(prng: &mut Prng) -> Script {
    let fails = if prng.chance(3_000) {
        1 + u32::try_from(prng.below(3)).unwrap_or_default()
    } else {
        0
    };
    Script {
        fails,
        panics: prng.chance(2_000),
        asks_pause: prng.chance(2_000),
        fatal: prng.chance(1_000),
        takes_ms: prng.pick(&[0, 0, 0, 5, 50, 3_000]),
        max_retries: prng.pick(&[0, 1, 3, 3]),
        timeout_ms: prng.chance(1_500).then(|| prng.pick(&[10, 1_000])),
    }
}

fn span(prng: &mut Prng) -> u64 {
    prng.pick(&[0, 1, 10, 30, 100, 1_000, 20_000, 3_600_000])
}
