//! Programs: what a simulated workflow does, as data that a seed grows.

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
    /// Sleeps for so many milliseconds.
    Sleep(u64),
    /// Opens a hook.
    Hook {
        /// A token of few; drawn where none is given.
        token: Option<u64>,
        /// How long it takes payloads.
        expires_ms: Option<u64>,
    },
    /// Opens a hook, and gives up if that takes longer than the time.
    HookInTime(u64, u64),
    /// Receives so many payloads from the hook opened last.
    Recv(u64),
    /// Receives one, waiting no longer than the time.
    RecvTimeout(u64),
    /// Receives one, or sleeps so long.
    RecvOrSleep(u64),
    /// Closes the hook opened last, and reads what is left in it.
    Close,
    /// Drops the hook opened last.
    Drop,
    /// Does several things at once, and waits for all.
    Join(Vec<Program>),
    /// Does two things at once, and drops the slower one.
    Race(Program, Program),
    /// Does something several times.
    Loop(u64, Program),
    /// Calls another workflow.
    Nested(Program),
    /// Asks for time and randomness.
    Ask,
    /// Returns.
    Return,
    /// Returns an error.
    Fail,
    /// Panics, which parks the run.
    Panic,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Script {
    /// So many attempts fail.
    pub(crate) fails: u32,
    /// And they do so by panicking.
    pub(crate) panics: bool,
    /// And then it fails for good.
    pub(crate) fatal: bool,
    /// How long an attempt takes.
    pub(crate) takes_ms: u64,
    /// Attempts after the first.
    pub(crate) max_retries: u32,
    /// The longest that an attempt may take.
    pub(crate) timeout_ms: Option<u64>,
}

/// What decides how programs look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taste {
    /// So many things at most.
    pub(crate) size: u64,
    /// Whether a program may panic.
    pub(crate) panics: bool,
}

/// Grows a program.
pub(crate) fn grow(prng: &mut Prng, taste: Taste) -> Program {
    let mut left = 1 + prng.below(taste.size);
    let mut program = block(prng, &mut left, 0);
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
        wanted(op)
            || match op {
                Op::Join(branches) => branches.iter().any(|branch| contains(branch, wanted)),
                Op::Race(a, b) => contains(a, wanted) || contains(b, wanted),
                Op::Loop(_, body) | Op::Nested(body) => contains(body, wanted),
                _ => false,
            }
    })
}

fn block(prng: &mut Prng, left: &mut u64, depth: u32) -> Program {
    let mut program = Program::new();
    let wanted = 1 + prng.below(if depth == 0 { 12 } else { 4 });
    while *left > 0 && (program.len() as u64) < wanted {
        *left -= 1;
        program.push(op(prng, left, depth));
    }
    program
}

fn op(prng: &mut Prng, left: &mut u64, depth: u32) -> Op {
    let nests = depth < 3 && *left > 0;
    match prng.below(if nests { 30 } else { 24 }) {
        0..=3 => Op::Step(script(prng)),
        4 => Op::CrossedSteps(script(prng), script(prng)),
        5 => Op::UnpolledStep(script(prng)),
        6 => Op::StepOrSleep(script(prng), span(prng)),
        7..=8 => Op::Sleep(span(prng)),
        9..=11 => hook(prng),
        12 => Op::HookInTime(prng.below(TOKENS), prng.below(2) * 50),
        13..=15 => Op::Recv(1 + prng.below(3)),
        16 => Op::RecvTimeout(span(prng)),
        17 => Op::RecvOrSleep(span(prng)),
        18 => Op::Close,
        19..=20 => Op::Drop,
        22 if prng.chance(3_000) => Op::Return,
        23 if prng.chance(3_000) => Op::Fail,
        21..=23 => Op::Ask,
        24..=25 => {
            let branches = 2 + prng.below(2);
            Op::Join(
                (0..branches)
                    .map(|_| block(prng, left, depth + 1))
                    .collect(),
            )
        }
        26..=27 => Op::Race(block(prng, left, depth + 1), block(prng, left, depth + 1)),
        28 => Op::Loop(2 + prng.below(2), block(prng, left, depth + 1)),
        _ => Op::Nested(block(prng, left, depth + 1)),
    }
}

fn hook(prng: &mut Prng) -> Op {
    let token = prng.chance(7_000).then(|| prng.below(TOKENS));
    let expires_ms = prng.chance(3_000).then(|| span(prng));
    Op::Hook { token, expires_ms }
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
        fatal: prng.chance(1_000),
        takes_ms: prng.pick(&[0, 0, 0, 5, 50, 3_000]),
        max_retries: prng.pick(&[0, 1, 3, 3]),
        timeout_ms: prng.chance(1_500).then(|| prng.pick(&[10, 1_000])),
    }
}

fn span(prng: &mut Prng) -> u64 {
    prng.pick(&[0, 1, 10, 30, 100, 1_000, 20_000, 3_600_000])
}
