//! What goes wrong, as data: where, and what.
//!
//! A seed draws it place by place, each place on its own: the nth request of a process, the nth step
//! of the turmoil. All that did go wrong is listed, and a list can be played again, whole or cut.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::prng::{Prng, Stream};
use crate::process::{CHANGED_BUILD, Setup};
use crate::scheduler::ProcessId;
use crate::settings::Settings;

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Fate {
    /// It is carried out and answered.
    Plain,
    /// Its process ends before it is carried out.
    CrashBefore,
    /// Its process ends while it is under way: it is carried out some time later, or never.
    CrashDuring,
    /// It is carried out, and its process ends before it hears of it.
    CrashAfter,
    /// It is carried out, and the answer gets lost.
    AnswerLost,
    /// It gets lost, and the process does not learn that.
    RequestLost,
    /// The process gives up waiting, and it is carried out after all.
    Late,
    /// Its process ended, for other reasons, while it was under way, and it is carried out after all.
    Survives,
    /// It is carried out, repeated, and the repetition is answered.
    Twice,
    /// The store has too much to do.
    Overloaded,
    /// The disk is full.
    DiskFull,
    /// The database says no.
    Refused,
}

impl Fate {
    /// Everything that can go wrong with a request.
    pub(crate) const ALL: [Self; 11] = [
        Self::CrashBefore,
        Self::CrashDuring,
        Self::CrashAfter,
        Self::AnswerLost,
        Self::RequestLost,
        Self::Late,
        Self::Survives,
        Self::Twice,
        Self::Overloaded,
        Self::DiskFull,
        Self::Refused,
    ];

    /// How it is counted.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Plain => "write plain",
            Self::CrashBefore => "write crash-before",
            Self::CrashDuring => "write crash-during",
            Self::CrashAfter => "write crash-after",
            Self::AnswerLost => "write answer-lost",
            Self::RequestLost => "write request-lost",
            Self::Late => "write late",
            Self::Survives => "write survives-its-process",
            Self::Twice => "write twice",
            Self::Overloaded => "write overloaded",
            Self::DiskFull => "write disk-full",
            Self::Refused => "write refused",
        }
    }

    /// True where the process ends with the request.
    pub(crate) const fn is_crash(self) -> bool {
        match self {
            Self::CrashBefore | Self::CrashDuring | Self::CrashAfter => true,
            Self::Plain
            | Self::AnswerLost
            | Self::RequestLost
            | Self::Late
            | Self::Survives
            | Self::Twice
            | Self::Overloaded
            | Self::DiskFull
            | Self::Refused => false,
        }
    }
}

/// What goes wrong besides. Numbers choose among what there is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Trouble {
    /// A process starts.
    Boot(Setup),
    /// A process is shut down, with so many milliseconds of grace.
    ShutDown(u64, u64),
    /// A process ends where it stands.
    Crash(u64),
    /// The store's clock jumps, to so far off.
    StoreClock(i64),
    /// A process's clock jumps, to so far off.
    ProcessClock(u64, i64),
    /// A process hears of a run for nothing: with an old frame, the last one, or none.
    Notice(u64, u64),
    /// A process takes up a run on which another may be at work.
    Steal(u64, u64),
    /// A run's memory is wanted.
    Evict(u64, u64),
    /// A task is polled for nothing.
    PollAgain(u64),
}

impl Trouble {
    /// How each kind is counted.
    pub(crate) const NAMES: [&'static str; 9] = [
        "trouble boot",
        "trouble shut-down",
        "trouble crash",
        "trouble store-clock",
        "trouble process-clock",
        "trouble notice",
        "trouble steal",
        "trouble evict",
        "trouble poll-again",
    ];

    /// How it is counted.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Boot(_) => Self::NAMES[0],
            Self::ShutDown(..) => Self::NAMES[1],
            Self::Crash(_) => Self::NAMES[2],
            Self::StoreClock(_) => Self::NAMES[3],
            Self::ProcessClock(..) => Self::NAMES[4],
            Self::Notice(..) => Self::NAMES[5],
            Self::Steal(..) => Self::NAMES[6],
            Self::Evict(..) => Self::NAMES[7],
            Self::PollAgain(_) => Self::NAMES[8],
        }
    }
}

/// A request, told so that it is the same one where others are cut: by its process, its name, and
/// how many of that name the process made before it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Site {
    pub(crate) process: ProcessId,
    pub(crate) name: Cow<'static, str>,
    pub(crate) nth: u64,
}

impl Site {
    /// What is drawn for it.
    fn prng(&self, seed: u64, stream: Stream) -> Prng {
        let name = self.name.bytes().fold(0, |hash: u64, byte| {
            hash.wrapping_mul(31).wrapping_add(u64::from(byte))
        });
        Prng::at(
            seed,
            stream,
            (u64::from(self.process) ^ (name << 8), self.nth),
        )
    }
}

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Fault {
    /// With a request of a process.
    Request(Site, Fate),
    /// At a step of the turmoil.
    Step(u64, Trouble),
}

impl Fault {
    /// True where it starts a process.
    pub(crate) const fn is_boot(&self) -> bool {
        matches!(self, Self::Step(_, Trouble::Boot(_)))
    }
}

/// Where faults come from.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) enum Plan {
    /// The seed draws them.
    #[default]
    Drawn,
    /// These happen, and no others.
    Listed(Vec<Fault>),
}

/// The faults of one simulation.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    seed: u64,
    listed: Option<Listed>,
    /// All that did go wrong.
    pub(crate) happened: Vec<Fault>,
}

#[derive(Debug, Default)]
struct Listed {
    fates: BTreeMap<Site, Fate>,
    troubles: BTreeMap<u64, Vec<Trouble>>,
}

impl Faults {
    pub(crate) fn new(seed: u64, plan: &Plan) -> Self {
        let listed = match plan {
            Plan::Drawn => None,
            Plan::Listed(faults) => Some(Listed::new(faults)),
        };
        Self {
            seed,
            listed,
            happened: Vec::new(),
        }
    }

    /// What becomes of a request.
    pub(crate) fn fate(&mut self, settings: &Settings, site: &Site, writes: bool) -> Fate {
        let fate = if let Some(listed) = &self.listed {
            let fate = listed.fates.get(site).copied();
            fate.filter(|fate| *fate != Fate::Survives)
                .unwrap_or(Fate::Plain)
        } else {
            draw_fate(settings, site.prng(self.seed, Stream::Request), writes)
        };
        if fate != Fate::Plain {
            self.happened.push(Fault::Request(site.clone(), fate));
        }
        fate
    }

    /// Whether a request that was under way when its process ended is carried out all the same.
    pub(crate) fn survives(&mut self, site: &Site) -> bool {
        let survives = if let Some(listed) = &self.listed {
            listed.fates.get(site) == Some(&Fate::Survives)
        } else {
            site.prng(self.seed, Stream::Survival).chance(2_000)
        };
        if survives {
            self.happened
                .push(Fault::Request(site.clone(), Fate::Survives));
        }
        survives
    }

    /// What goes wrong at a step of the turmoil, with so many processes alive.
    pub(crate) fn at_step(&mut self, settings: &Settings, step: u64, alive: usize) -> Vec<Trouble> {
        let troubles = match &self.listed {
            Some(listed) => listed.troubles.get(&step).cloned().unwrap_or_default(),
            None => draw_troubles(
                settings,
                &mut Prng::at(self.seed, Stream::Step, (step, 0)),
                alive,
            ),
        };
        let faults = troubles.iter().cloned();
        self.happened
            .extend(faults.map(|trouble| Fault::Step(step, trouble)));
        troubles
    }
}

impl Listed {
    fn new(faults: &[Fault]) -> Self {
        let mut listed = Self::default();
        for fault in faults {
            match fault {
                Fault::Request(site, fate) => {
                    listed.fates.insert(site.clone(), *fate);
                }
                Fault::Step(step, trouble) => {
                    let at_step = listed.troubles.entry(*step).or_default();
                    at_step.push(trouble.clone());
                }
            }
        }
        listed
    }
}

fn draw_fate(settings: &Settings, mut prng: Prng, writes: bool) -> Fate {
    if !writes {
        let refused = prng.chance(settings.refused / 4);
        return if refused { Fate::Refused } else { Fate::Plain };
    }
    if prng.chance(settings.crash) {
        return prng.pick(&[Fate::CrashBefore, Fate::CrashDuring, Fate::CrashAfter]);
    }
    if prng.chance(settings.unknown) {
        return prng.pick(&[
            Fate::AnswerLost,
            Fate::AnswerLost,
            Fate::RequestLost,
            Fate::Late,
        ]);
    }
    if prng.chance(settings.refused) {
        return prng.pick(&[Fate::Overloaded, Fate::DiskFull, Fate::Refused]);
    }
    if prng.chance(settings.twice) {
        return Fate::Twice;
    }
    Fate::Plain
}

fn draw_troubles(settings: &Settings, prng: &mut Prng, alive: usize) -> Vec<Trouble> {
    let mut troubles = Vec::new();
    let boots = if alive == 0 {
        prng.chance(2_000)
    } else {
        alive < 3 && prng.chance(settings.overlap)
    };
    if boots {
        troubles.push(Trouble::Boot(draw_setup(settings, prng)));
    }
    if alive == 0 {
        return troubles;
    }
    if prng.chance(settings.shutdown) {
        let grace_ms = prng.pick(&[0, 10, 60_000]);
        troubles.push(Trouble::ShutDown(prng.below(100), grace_ms));
    }
    if prng.chance(settings.crash / 10) {
        troubles.push(Trouble::Crash(prng.below(100)));
    }
    if prng.chance(settings.jump) {
        let off = off(settings.skew, prng);
        troubles.push(if prng.chance(5_000) {
            Trouble::StoreClock(off)
        } else {
            Trouble::ProcessClock(prng.below(100), off)
        });
    }
    let mut one_of = |chance: u64, make: fn(u64, u64) -> Trouble| {
        if prng.chance(chance) {
            troubles.push(make(prng.below(1_000), prng.below(1_000)));
        }
    };
    one_of(settings.notice, Trouble::Notice);
    one_of(settings.steal, Trouble::Steal);
    one_of(settings.evict, Trouble::Evict);
    one_of(settings.spurious, |which, _| Trouble::PollAgain(which));
    troubles
}

/// How a process is set up that starts in the turmoil.
pub(crate) fn draw_setup(settings: &Settings, prng: &mut Prng) -> Setup {
    let n = prng.below(2);
    let changed = settings.changed && prng.chance(3_000);
    Setup {
        build: if changed {
            CHANGED_BUILD.to_owned()
        } else {
            format!("build-{n}")
        },
        offset: off(settings.skew, prng),
        memory: prng.pick(&[0, 0, 6_000, usize::MAX]),
        verify: !prng.chance(3_000),
        changed,
    }
}

/// How far a clock is off: into the past or the future.
fn off(skew: u64, prng: &mut Prng) -> i64 {
    let far = i64::try_from(skew).unwrap_or_default();
    let off = i64::try_from(prng.below(2 * skew + 1)).unwrap_or_default();
    off - far
}
