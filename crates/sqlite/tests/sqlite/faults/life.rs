//! A life: a process that opens the store, asks of it what a seed picks, says what it was told, and
//! opens it again when it shuts. The disk below it ends it, or it ends in order.

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::executor::block_on;
use rewake_sqlite::{Durability, Now, OpenError, Options, SqliteStore};
use rewake_store::core::id::RunId;
use rewake_store::{Failed, Queries, RunFilter, ScopeId, Sessions, StoreError};

use super::super::child::say;
use super::super::clock;
use super::super::log::{event_id, run_id};
use super::ask::{Act, Ask, Trouble, shuts};

/// Where a life is told how to go.
pub(crate) const LIFE: &str = "REWAKE_TEST_LIFE";

/// How a life goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Course {
    pub(crate) seed: u64,
    pub(crate) rounds: u32,
    pub(crate) durability: Durability,
    /// The bound of the write-ahead log.
    pub(crate) wal_bytes: u64,
}

impl Course {
    pub(crate) fn write(&self) -> String {
        let relaxed = u8::from(self.durability == Durability::Relaxed);
        format!("{} {} {relaxed} {}", self.seed, self.rounds, self.wal_bytes)
    }

    fn read(text: &str) -> Self {
        let mut numbers = text.split(' ').map(|word| word.parse().unwrap());
        let mut number = || -> u64 { numbers.next().unwrap() };
        Self {
            seed: number(),
            rounds: u32::try_from(number()).unwrap(),
            durability: if number() == 1 {
                Durability::Relaxed
            } else {
                Durability::Full
            },
            wal_bytes: number(),
        }
    }
}

/// A source of numbers that a seed makes the same again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.roll(from.len() as u64)).unwrap()]
    }
}

/// Does nothing unless it was started by another test.
#[test]
fn a_process_lives() {
    let (Some(path), Some(course)) = (
        std::env::var_os(super::super::child::STORE),
        std::env::var_os(LIFE),
    ) else {
        return;
    };
    let course = Course::read(course.to_str().unwrap());
    let mut life = Life {
        path: PathBuf::from(path),
        course,
        dice: Dice(course.seed),
        now: clock::ticking(),
        runs: Vec::new(),
        left_open: Vec::new(),
    };
    // A disk that fails for a while keeps it from opening more than once.
    for _ in 0..12 {
        let store = match open(&life.path, &life.now, course) {
            Ok(store) => store,
            // Another process must let go first.
            Err(OpenError::Stale { .. }) => return,
            Err(_) => continue,
        };
        if life.serve(&store).is_ok() {
            say("ended");
            return;
        }
        shut(&store);
    }
    panic!("the store does not open");
}

struct Life {
    path: PathBuf,
    course: Course,
    dice: Dice,
    now: Now,
    runs: Vec<RunId>,
    /// Nobody knows whether they happened.
    left_open: Vec<Ask>,
}

/// The store serves nothing until it is opened again.
struct Shut;

fn open(path: &Path, now: &Now, course: Course) -> Result<SqliteStore, OpenError> {
    let options = Options::new(path, Now::clone(now))
        .durability(course.durability)
        .wal_bytes(course.wal_bytes)
        .wait_for_store(Duration::ZERO);
    match SqliteStore::open(options) {
        Ok(store) => {
            say("opened");
            Ok(store)
        }
        Err(error) => {
            say(&format!("unopened {} {error}", error.code()));
            Err(error)
        }
    }
}

/// Whoever asks now is told that the store is closed, whatever is asked.
fn shut(store: &SqliteStore) {
    let run = run_id();
    let scope = ScopeId(0);
    let ask = Ask {
        run,
        id: event_id(),
        act: Act::Create,
        size: 1,
    };
    let answers = [
        block_on(ask.send((store, scope), false)).map(drop),
        block_on(store.run(scope, run))
            .map(drop)
            .map_err(Failed::Store),
        block_on(store.begin_session())
            .map(drop)
            .map_err(Failed::Store),
    ];
    for answer in answers {
        let closed = matches!(&answer, Err(Failed::Store(StoreError::Closed { .. })));
        assert!(closed, "{answer:?}");
    }
    say("shut");
}

impl Life {
    fn serve(&mut self, store: &SqliteStore) -> Result<(), Shut> {
        let scope =
            until_room(|| block_on(store.scope("shop".to_owned(), "production".to_owned())))?;
        let on = (store, scope);
        until_room(|| {
            say("begin");
            block_on(store.begin_session())
        })?;
        say("begun");
        if self.runs.is_empty() {
            let runs = store.runs(scope, RunFilter::default(), None, 6);
            let runs = seen(block_on(runs))?.unwrap_or_default().runs;
            self.runs = runs.into_iter().map(|(run, _)| run).collect();
        }
        let again = std::mem::take(&mut self.left_open);
        self.ask(on, again, true)?;
        while self.course.rounds > 0 {
            self.course.rounds -= 1;
            let mut asks = Vec::new();
            for _ in 0..=self.dice.roll(4) {
                asks.push(self.choose(on)?);
            }
            self.ask(on, asks, false)?;
        }
        block_on(store.close()).map_err(|_| Shut)
    }

    fn choose(&mut self, (store, scope): (&SqliteStore, ScopeId)) -> Result<Ask, Shut> {
        let id = event_id();
        if self.runs.len() < 2 || self.dice.roll(10) == 0 {
            let run = run_id();
            self.runs.push(run);
            let (act, size) = (Act::Create, 1);
            return Ok(Ask { run, id, act, size });
        }
        let run = self.dice.pick(&self.runs);
        let large = self.dice.roll(3) == 0;
        let mut size = 1 + self.dice.roll(if large { 300 } else { 20 });
        let act = match self.dice.roll(12) {
            0..=3 => Act::Deliver,
            4 | 5 => Act::DeliverKeyed,
            6..=8 => Act::Step,
            9 => Act::Cancel,
            10 => Act::Answer,
            _ if self.dice.roll(3) == 0 => Act::End,
            _ => {
                let (run, act) = (run_id(), Act::CreateBeside(run));
                return Ok(Ask { run, id, act, size });
            }
        };
        if act == Act::Step {
            let row = seen(block_on(store.run(scope, run)))?.flatten();
            let stale = self.dice.roll(5) == 0;
            size = row.filter(|_| !stale).map_or(0, |row| row.worker.0);
        }
        Ok(Ask { run, id, act, size })
    }

    /// Asks all at once, and says what each was told.
    fn ask(
        &mut self,
        on: (&SqliteStore, ScopeId),
        asks: Vec<Ask>,
        repeat: bool,
    ) -> Result<(), Shut> {
        for ask in &asks {
            say(&format!("ask {ask}"));
        }
        let answers: Vec<_> = asks.iter().map(|ask| ask.send(on, repeat)).collect();
        let mut end = Ok(());
        for (ask, answer) in asks.into_iter().zip(answers) {
            let answer = block_on(answer);
            tell(&ask, &answer);
            if let Err(trouble) = answer
                && shuts(&trouble)
            {
                end = Err(Shut);
                if let Failed::Store(StoreError::OutcomeUnknown { .. }) = trouble {
                    self.left_open.push(ask);
                }
            }
        }
        end
    }
}

/// A disk without room is asked again.
fn until_room<T>(ask: impl Fn() -> Result<T, StoreError>) -> Result<T, Shut> {
    for _ in 0..12 {
        match ask() {
            Ok(answer) => return Ok(answer),
            Err(StoreError::DiskFull) => {}
            Err(_) => return Err(Shut),
        }
    }
    panic!("there is never any room");
}

/// An answer, or nothing from a disk that does not read for a while.
fn seen<T>(answer: Result<T, StoreError>) -> Result<Option<T>, Shut> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(StoreError::Closed { .. }) => Err(Shut),
        Err(_) => Ok(None),
    }
}

fn tell(ask: &Ask, answer: &Result<u64, Trouble>) {
    let id = ask.id;
    say(&match answer {
        Ok(position) => format!("ack {id} {position}"),
        Err(Failed::Refused(refusal)) => format!("refused {id} {refusal}"),
        Err(Failed::Store(error)) if error.may_have_happened() => format!("unknown {id} {error}"),
        Err(Failed::Store(error)) => format!("failed {id} {error}"),
    });
}
