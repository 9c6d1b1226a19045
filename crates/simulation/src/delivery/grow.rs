//! The schedule that a seed grows.

use super::schedule::{Act, Call, Deed, Door, Letter, Schedule};
use super::script::{Answerer, Answers, Line, Script, Tells, Webhook};
use crate::fault::Plan;
use crate::prng::{Prng, Stream};
use crate::scenario::{Disk, Scenario};
use crate::settings::Settings;

/// Everybody shares these.
const TOKENS: [&str; 3] = ["token-a", "token-b", "token-c"];
/// One schedule of so many is played on the embedded store in memory, which takes longer to open than
/// the schedule to play, and one on a file, which takes longer still.
const ON_SQLITE: u64 = 200;
/// So many steps a schedule may take before nothing goes wrong any more; most are over sooner.
const TURMOIL: u64 = 2_000;

impl Schedule {
    /// The schedule of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        let mut prng = Prng::new(seed, Stream::Delivery);
        let disk = disk(seed);
        let settings = settings(&mut prng, disk);
        let count = 3 + prng.below(10);
        let span = prng.pick(&[1, 40, 400]);
        let acts = (0..count).map(|serial| Act {
            serial,
            after_ms: prng.below(span),
            deed: deed(&mut prng, serial),
        });
        Self {
            acts: acts.collect(),
            scenario: Scenario {
                disk,
                plan: Plan::Drawn,
                ..Scenario::bare(seed, settings)
            },
        }
    }
}

const fn disk(seed: u64) -> Disk {
    match seed % ON_SQLITE {
        50 => Disk::File,
        100 => Disk::Sqlite,
        _ => Disk::Memory,
    }
}

fn settings(prng: &mut Prng, disk: Disk) -> Settings {
    let level = prng.below(3);
    let mut chance = |most: u64| {
        if level == 0 || prng.chance(4_000) {
            0
        } else {
            prng.below(most * level)
        }
    };
    let settings = Settings {
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
    };
    match disk {
        // A file has one process, and it is there to be opened again.
        Disk::File => Settings {
            crash: settings.crash.max(400),
            shutdown: settings.shutdown.max(20),
            overlap: 0,
            ..settings
        },
        Disk::Followed | Disk::Memory | Disk::Sqlite | Disk::Shared => settings,
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
    match prng.below(40) {
        0..=5 => start(prng),
        6..=24 => Deed::Send(letter(prng)),
        25..=31 => Deed::Call(call(prng)),
        32..=33 => Deed::Terminate(prng.below(16)),
        34..=35 => Deed::Cancel(prng.below(16)),
        36 => Deed::LookUp(token(prng)),
        37 => Deed::Await(prng.below(16)),
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

fn call(prng: &mut Prng) -> Call {
    let delivery = prng.chance(7_000).then(|| prng.pick(&[0, 1, 1, 2]));
    Call {
        webhook: prng.pick(&[0, 0, 0, 1, 2]),
        delivery,
        at_once: delivery.is_some_and(|again| again > 0) && prng.chance(4_000),
        forged: prng.chance(1_000),
        finish: prng.chance(2_500),
        hangs_up_ms: prng.chance(1_500).then(|| prng.pick(&[0, 1, 20, 200])),
    }
}

/// Opens a token or a webhook and reads from it, in one of many ways.
fn script(prng: &mut Prng, token: &str) -> Script {
    let mut lines = Vec::new();
    if prng.chance(2_000) {
        lines.push(Line::Sleep(prng.below(200)));
    }
    if prng.chance(3_500) {
        lines.push(Line::Webhook(webhook(prng)));
        lines.push(serve(prng));
    } else {
        lines.push(open(prng, token));
    }
    for _ in 0..=prng.below(3) {
        lines.push(line(prng));
    }
    if prng.chance(1_500) {
        lines.push(Line::Fail);
    }
    lines
}

fn open(prng: &mut Prng, token: &str) -> Line {
    let expires_ms = prng.chance(2_500).then(|| prng.pick(&[20, 150, 5_000]));
    Line::Open(token.to_owned(), expires_ms)
}

fn webhook(prng: &mut Prng) -> Webhook {
    Webhook {
        answers: match prng.below(4) {
            0 => Answers::Accepted,
            1 => Answers::Fixed,
            _ => Answers::Manual(prng.pick(&[10, 150, 30_000])),
        },
        tells: prng.pick(&[
            Tells::Nothing,
            Tells::Header,
            Tells::Header,
            Tells::Signature,
        ]),
        expires_ms: prng.chance(1_500).then(|| prng.pick(&[20, 150])),
    }
}

fn serve(prng: &mut Prng) -> Line {
    let all = [
        Answerer::Workflow,
        Answerer::Workflow,
        Answerer::Step,
        Answerer::Both,
        Answerer::Nobody,
    ];
    Line::Serve(1 + prng.below(3), prng.pick(&all))
}

fn line(prng: &mut Prng) -> Line {
    let ms = prng.pick(&[5, 50, 500]);
    match prng.below(25) {
        0..=3 => Line::Read,
        4..=6 => Line::ReadUntilTold,
        7..=8 => Line::ReadOrSleep(ms),
        9 => Line::ReadInTime(ms),
        10 => Line::ReadStream(1 + prng.below(2)),
        11 => Line::ReadBothOrSleep(ms),
        12..=13 => serve(prng),
        14 => Line::Sleep(ms),
        15..=16 => Line::Close,
        17..=18 => Line::Dispose,
        19 => Line::OpenInRace(token(prng).to_owned(), ms),
        20 => {
            let opened = token(prng);
            open(prng, opened)
        }
        21 => Line::Webhook(webhook(prng)),
        22 => Line::Abandon,
        _ => body(prng),
    }
}

/// What stands in loops: a wait that may be over first, or a hook that is made anew each time.
fn body(prng: &mut Prng) -> Line {
    let ms = prng.pick(&[5, 50, 500]);
    let times = 2 + prng.below(2);
    let body = if prng.chance(5_000) {
        vec![Line::ReadOrSleep(ms)]
    } else {
        let opened = token(prng);
        vec![open(prng, opened), Line::ReadOrSleep(ms), Line::Dispose]
    };
    Line::Loop(times, body)
}
