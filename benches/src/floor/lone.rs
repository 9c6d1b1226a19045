//! A lone operation, now and then.
//!
//! F1 is the median of operations that follow each other. One that comes every so often finds a
//! disk and processors that have rested, or are busy with a backlog. How long its slowest take in
//! this program is no floor that a bound counts in, and no lower bound: the log is moved within
//! COMMIT, and a lone operation has a transaction of its own. It tells what a plain program makes of
//! the same disk.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

use super::Floor;
use super::ground::Ground;
use crate::clock;
use crate::latency::Latency;
use crate::script::Script;

/// So many operations of the backlog are in a transaction: the smallest of those tried for Fmax.
const GROUP: u64 = 32;
/// So much of Fmax is written of the backlog.
const SHARE: f64 = 0.4;
/// So much longer than the other parts of a measurement, for some hundred to come.
const SPANS: u32 = 10;
/// Of fewer calls nothing is told about the slowest.
const FEWEST: u64 = 50;

/// How long ninety-nine of a hundred lone operations take at most, in microseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lone {
    /// Nothing else is written.
    pub(crate) alone: f64,
    /// A backlog is written meanwhile, as fast as an engine must. Not a number where it was not
    /// written so fast, or was at its end too soon.
    pub(crate) beside: f64,
}

/// What became of the calls.
#[derive(Debug)]
struct Calls {
    latency: Latency,
    /// The backlog was written as fast as was asked for.
    kept_up: bool,
}

impl Calls {
    fn p99(&self) -> f64 {
        let latency = &self.latency;
        if self.kept_up && latency.percentiles().count >= FEWEST {
            latency.p99()
        } else {
            f64::NAN
        }
    }
}

/// Whoever waits for its operation.
type Caller = Sender<()>;

/// What the writer does next.
#[derive(Debug)]
enum Next {
    Lone(Caller),
    Backlog,
    Over,
}

impl Floor {
    /// Has an operation come every so often, with and without a backlog.
    pub(super) fn lone(&mut self, every: Duration, max: f64) -> Result<Lone> {
        Ok(Lone {
            alone: self.calls(every, None)?.p99(),
            beside: self.calls(every, Some(of_backlog(SHARE * max)))?.p99(),
        })
    }

    /// How long each took from when it was to come, while once in so long a group of the backlog is
    /// written.
    fn calls(&mut self, every: Duration, backlog: Option<Duration>) -> Result<Calls> {
        let (script, span) = (self.script.clone(), self.span * SPANS);
        let ground = self.ground()?;
        let (ask, asked) = mpsc::channel();
        thread::scope(|scope| {
            let began = clock::now();
            let caller = scope.spawn(move || call(&ask, began, every, span));
            let kept_up = write(ground, &script, &asked, began, backlog)?;
            // Nobody is answered any more.
            drop(asked);
            let latency = caller.join().map_err(|_| anyhow!("the caller panicked"))?;
            Ok(Calls { latency, kept_up })
        })
    }
}

/// Once in so long a group is to be written, for there to be so many operations a second.
fn of_backlog(rate: f64) -> Duration {
    Duration::from_secs(GROUP).div_f64(rate)
}

fn call(ask: &Sender<Caller>, began: Instant, every: Duration, span: Duration) -> Latency {
    let mut latency = Latency::new();
    let calls = (0..).map(|n| began + every * n);
    for due in calls.take_while(|due| *due < began + span) {
        clock::hold(due.saturating_duration_since(clock::now()));
        let (answer, answered) = mpsc::channel();
        if ask.send(answer).is_err() || answered.recv().is_err() {
            break;
        }
        latency.record(clock::now().saturating_duration_since(due));
    }
    latency
}

/// Writes what is asked for, each as soon as it can, and groups of the backlog when they are to be
/// written; until nobody asks any more or no run is left. True if it kept up with the backlog.
fn write(
    ground: &mut Ground,
    script: &Script,
    asked: &Receiver<Caller>,
    began: Instant,
    backlog: Option<Duration>,
) -> Result<bool> {
    let mut groups = 0;
    while script.left(ground.next) > GROUP {
        let due = backlog.map(|each| began + each * groups);
        match next(asked, due) {
            Next::Lone(caller) => {
                operations(ground, script, 1)?;
                caller.send(()).context("the caller does not wait")?;
            }
            Next::Backlog => {
                operations(ground, script, GROUP)?;
                groups += 1;
            }
            Next::Over => break,
        }
    }
    let least = began.elapsed().mul_f64(0.95);
    Ok(backlog.is_none_or(|each| each * groups >= least))
}

fn next(asked: &Receiver<Caller>, due: Option<Instant>) -> Next {
    let asked = match due {
        Some(due) => asked.recv_timeout(due.saturating_duration_since(clock::now())),
        None => asked.recv().map_err(RecvTimeoutError::from),
    };
    match asked {
        Ok(caller) => Next::Lone(caller),
        Err(RecvTimeoutError::Timeout) => Next::Backlog,
        Err(RecvTimeoutError::Disconnected) => Next::Over,
    }
}

fn operations(ground: &mut Ground, script: &Script, count: u64) -> Result<()> {
    let coming = ground.next..ground.next + count;
    ground.next = coming.end;
    ground.transaction(script, [(coming, 0..script.writes.len())])
}

#[cfg(test)]
mod tests {
    use rewake::Durability;

    use super::*;
    use crate::script::{Existing, Schema, Write};

    #[test]
    fn each_call_is_answered_and_the_backlog_is_written_to_its_end() {
        let script = Script {
            writes: vec![Write::Frame(8)],
            existing: Some(Existing {
                runs: 2_000,
                each: 1,
                writes: vec![],
            }),
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("floor").join("store.db");
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        let schema = "CREATE TABLE frames (run, first, body, PRIMARY KEY (run, first))".to_owned();
        let (schema, durability) = (Schema(vec![schema]), Durability::Relaxed);
        let span = Duration::from_millis(3);
        let mut floor = Floor::new(&path, &schema, &script, durability, span);
        let written = |floor: &Floor| -> u64 {
            let connection = &floor.ground.as_ref().unwrap().connection;
            let sql = "SELECT count(*) FROM frames";
            let count: u32 = connection.query_row(sql, [], |row| row.get(0)).unwrap();
            count.into()
        };

        // Late ones are made all the same: thirty milliseconds, one in each.
        let every = Duration::from_millis(1);
        let alone = floor.calls(every, None).unwrap();
        assert_eq!(alone.latency.percentiles().count, 30);
        assert_eq!(written(&floor), 30);

        // Without a pause between groups no run is left, and who calls then is not kept waiting.
        floor.span = Duration::from_mins(1);
        let calls = floor.calls(every, Some(Duration::ZERO)).unwrap();
        let left = 2_000 - written(&floor);
        assert!(left <= GROUP, "{left} are left");
        let answered = calls.latency.percentiles().count;
        assert_eq!((2_000 - left - 30 - answered) % GROUP, 0);
    }

    #[test]
    fn of_few_calls_or_a_slow_backlog_nothing_is_told() {
        let calls = |count, kept_up| {
            let mut latency = Latency::new();
            (0..count).for_each(|_| latency.record(Duration::from_micros(1)));
            Calls { latency, kept_up }
        };
        assert!(calls(FEWEST, true).p99().is_finite());
        assert!(calls(FEWEST - 1, true).p99().is_nan());
        assert!(calls(FEWEST, false).p99().is_nan());
    }

    #[test]
    fn a_group_is_written_as_often_as_makes_the_rate() {
        assert_eq!(of_backlog(32_000.0), Duration::from_millis(1));
    }
}
