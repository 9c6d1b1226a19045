//! From a commit to its answers: the sync of the write-ahead log.
//!
//! SQLite would sync within COMMIT, and the writer do nothing meanwhile. So the writer's connection
//! leaves that to a thread of its own: while the disk works the next transaction is judged, and what
//! comes meanwhile shares the next sync.
//!
//! ```text
//!  writer:  BEGIN, judge each, … COMMIT ──▶ sync thread: sync, answer some, look again
//!  readers: look ── wait until all that they may have seen is synced ──▶ answer
//! ```
//!
//! 1. Nobody is answered before everything that his request was judged against, or his question looked
//!    at, is on stable storage: with a refusal, or an answer that was given before, neither.
//! 2. Of transactions, some that share a sync are at the disk, one may wait behind them, and one is open.
//!    Of earlier ones, [`MANY`] requests at most, and those that were synced last, are being answered. So
//!    what was judged and not answered is bounded, however slow the disk.
//! 3. After a sync that failed nobody knows what is on the disk. Nothing is committed any more, and
//!    whoever waits for what was committed hears that.
//!
//! It is as safe as a sync within COMMIT. A process that dies between the two leaves the commit in the
//! log, and opening puts that on stable storage before anybody is served. A checkpoint syncs the log before
//! it moves pages, and the file before the log may begin anew, in this mode as in the other. Two
//! things differ for a store that was opened for reading only, which looks at the file itself: it may see a
//! commit before it is on stable storage; and after a sync that failed it may keep an index of the log
//! alive that knows what the disk has lost, with which nobody may write (`open::is_open_elsewhere`). A process
//! that is killed between such a sync and the note of it is not told from one that was killed in order.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{JoinHandle, yield_now};
use std::time::Duration;

use rewake_store::StoreError;
use rusqlite::Connection;

use crate::batch::Taken;
use crate::intake::Intake;
use crate::moment::began;
use crate::reader::{shield, spawn};
use crate::request::Request;
use crate::stable::Stable;

/// So many of each kind are answered before it is looked whether another commit waits for its sync: an
/// answer wakes somebody, and hundreds of them take longer than a sync of a fast disk.
const AT_ONCE: usize = 32;
/// With more than so many that are not answered so far, no other commit is taken up.
const MANY: usize = 512;
/// So many outsiders at most whose answers stand go on before workers are answered. A crowd does not.
const FEW: usize = 4;

/// The writer's side.
pub(crate) struct Syncs {
    wal: Arc<File>,
    stable: Arc<Stable>,
    hand: SyncSender<Waiting>,
    thread: JoinHandle<()>,
}

/// Requests whose answers wait until a commit is on stable storage.
struct Waiting {
    upto: u64,
    taken: Taken,
}

impl Syncs {
    /// Begins the thread for the write-ahead log at `path`, and has `writer` leave syncs to it.
    pub(crate) fn begin(
        writer: &Connection,
        path: &Path,
        stable: Arc<Stable>,
        intake: Intake,
    ) -> io::Result<Self> {
        let wal = Arc::new(File::options().write(true).open(path)?);
        // A file system that does not do it says so here, and not with the first commit.
        wal.sync_data()?;
        let (hand, handed) = sync_channel(1);
        let thread = {
            let (wal, stable) = (Arc::clone(&wal), Arc::clone(&stable));
            spawn("rewake-sync", move || {
                let began = began();
                let disk = Disk {
                    sync: || sync(&wal),
                    now: || began.elapsed(),
                    give_way: yield_now,
                };
                run(&disk, &stable, &handed, &intake);
            })?
        };
        writer
            .pragma_update(None, "synchronous", "NORMAL")
            .map_err(io::Error::other)?;
        Ok(Self {
            wal,
            stable,
            hand,
            thread,
        })
    }

    /// Answers once all that is committed by now is on stable storage. A commit that is `alone` is synced
    /// here, if no other waits for a sync: to hand it over would take longer than is gained by it. Where
    /// nobody will know, those that were taken are given back, with the reason.
    pub(crate) fn settle(&self, taken: Taken, alone: bool) -> Result<(), (Taken, String)> {
        let upto = self.stable.begun();
        let behind = upto - self.stable.reached();
        if behind > u64::from(alone) {
            return self.hand_over(Waiting { upto, taken });
        }
        if behind > 0 {
            if let Err(reason) = sync(&self.wal) {
                return Err((taken, reason));
            }
            self.stable.reach(upto);
        }
        taken.answer();
        Ok(())
    }

    /// Where one waits already, the writer waits as well.
    fn hand_over(&self, waiting: Waiting) -> Result<(), (Taken, String)> {
        self.hand.send(waiting).map_err(|unsent| {
            let reason = self.stable.check().err();
            let reason = reason.unwrap_or_else(|| "the thread that syncs is gone".to_owned());
            (unsent.0.taken, reason)
        })
    }

    /// Waits until what was handed over is answered, and ends the thread.
    pub(crate) fn end(self) {
        drop(self.hand);
        // It reports its failures; a panic of it has nothing to add.
        drop(self.thread.join());
    }
}

/// The file that is synced, a clock that tells how long that takes, and how others get the processor.
struct Disk<S, N, G> {
    sync: S,
    now: N,
    give_way: G,
}

fn run<S, N, G>(disk: &Disk<S, N, G>, stable: &Stable, handed: &Receiver<Waiting>, intake: &Intake)
where
    S: Fn() -> Result<(), String>,
    N: Fn() -> Duration,
    G: Fn(),
{
    let mut stood = Stood::default();
    let mut took = Duration::ZERO;
    while let Some(all) = next(handed, stood.len()) {
        let began = (disk.now)();
        if let Some(last) = all.last() {
            let upto = last.upto;
            // Those that wrote nothing wait for others, which may be there by now.
            let synced = if stable.reached() < upto {
                (disk.sync)()
            } else {
                Ok(())
            };
            if let Err(reason) = synced {
                intake.shut(&reason);
                while stood.answer(|| {}) {}
                let error = StoreError::OutcomeUnknown { reason };
                for waiting in all {
                    waiting.taken.refuse(&error);
                }
                return;
            }
            stable.reach(upto);
            for waiting in all {
                stood.add(waiting.taken);
            }
            took = (disk.now)().saturating_sub(began);
        }
        // As long as a sync takes at least: on a slow disk each would be shared by few otherwise. What
        // is given away counts: others may have brought the next commit meanwhile.
        let until = (disk.now)() + took;
        while stood.answer(&disk.give_way) && (disk.now)() < until {}
    }
}

/// What waits for a sync, with so many to be answered still: it is waited for where there are none, and
/// left where there are many. None once nothing will come.
fn next(handed: &Receiver<Waiting>, to_answer: usize) -> Option<Vec<Waiting>> {
    if to_answer > MANY {
        return Some(Vec::new());
    }
    let first = (to_answer == 0).then(|| handed.recv()).transpose();
    Some(first.ok()?.into_iter().chain(handed.try_iter()).collect())
}

/// Requests whose answers stand and have not been given.
#[derive(Default)]
struct Stood {
    outsiders: VecDeque<Box<dyn Request>>,
    is_crowd: bool,
    workers: VecDeque<Box<dyn Request>>,
}

impl Stood {
    fn len(&self) -> usize {
        self.outsiders.len() + self.workers.len()
    }

    fn add(&mut self, taken: Taken) {
        self.outsiders.extend(taken.outsiders);
        self.workers.extend(taken.workers);
        // Also while the last of them are answered.
        self.is_crowd = self.outsiders.len() > FEW;
    }

    /// Answers some of each, outsiders first; false where none is left. An answer wakes whoever waits
    /// for it, perhaps on this processor: a few outsiders go on before workers are answered.
    fn answer(&mut self, give_way: impl Fn()) -> bool {
        let heard = answer(&mut self.outsiders);
        if heard > 0 && !self.is_crowd && !self.workers.is_empty() {
            give_way();
        }
        answer(&mut self.workers);
        self.len() > 0
    }
}

/// Answers some, and says how many.
fn answer(lane: &mut VecDeque<Box<dyn Request>>) -> usize {
    let some = lane.len().min(AT_ONCE);
    for request in lane.drain(..some) {
        shield(|| request.answer());
    }
    some
}

fn sync(wal: &File) -> Result<(), String> {
    let synced = wal.sync_data();
    synced.map_err(|error| format!("syncing the write-ahead log failed: {error}"))
}

#[cfg(test)]
mod tests {
    use std::iter;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU64, Ordering};

    use rewake_store::core::time::Timestamp;

    use super::*;
    use crate::queue::Queue;
    use crate::tables::Tables;

    /// What an answer takes.
    const ANSWER: u64 = 4;

    /// A disk and requests whose time passes only by what they do, in microseconds.
    #[derive(Default)]
    struct World {
        time: AtomicU64,
        /// Who has been answered or refused, in order.
        heard: Mutex<Vec<&'static str>>,
    }

    impl World {
        fn pass(&self, micros: u64) {
            self.time.fetch_add(micros, Ordering::Relaxed);
        }

        fn told(self: &Arc<Self>, name: &'static str) -> Box<dyn Request> {
            self.telling(name, || {})
        }

        fn telling(
            self: &Arc<Self>,
            name: &'static str,
            then: impl FnOnce() + Send + 'static,
        ) -> Box<dyn Request> {
            Box::new(Told {
                name,
                world: Arc::clone(self),
                then: Box::new(then),
            })
        }

        /// Three hundred requests of workers in a commit, and one from outside in the next, which comes when
        /// the first of them is answered. Syncs take so long, and the second may fail.
        fn heard(self: &Arc<Self>, sync: u64, fails: bool) -> Vec<&'static str> {
            let (hand, handed) = sync_channel(1);
            let waiting = |upto, outsiders, workers| Waiting {
                upto,
                taken: Taken { outsiders, workers },
            };
            let next = waiting(2, vec![self.told("outsider")], Vec::new());
            let again = hand.clone();
            let first = self.telling("worker", move || again.try_send(next).unwrap());
            let workers = iter::once(first).chain((0..299).map(|_| self.told("worker")));
            let first = waiting(1, Vec::new(), workers.collect());
            hand.try_send(first).unwrap();
            drop(hand);

            let stable = Stable::default();
            let intake = Intake {
                tasks: Arc::new(Queue::new(1)),
                questions: None,
                stable: None,
                path: None,
            };
            let disk = Disk {
                sync: || {
                    self.pass(sync);
                    if fails && stable.reached() == 1 {
                        return Err("the disk is gone".to_owned());
                    }
                    Ok(())
                },
                now: || Duration::from_micros(self.time.load(Ordering::Relaxed)),
                give_way: || {},
            };
            run(&disk, &stable, &handed, &intake);
            std::mem::take(&mut *self.heard.lock().unwrap())
        }
    }

    /// A request that says so when it is answered, and does something else then.
    struct Told {
        name: &'static str,
        world: Arc<World>,
        then: Box<dyn FnOnce() + Send>,
    }

    impl Request for Told {
        fn serve(&mut self, _tables: &mut Tables<'_>, _now: Timestamp) -> bool {
            true
        }

        fn answer(self: Box<Self>) {
            self.world.pass(ANSWER);
            self.world.heard.lock().unwrap().push(self.name);
            (self.then)();
        }

        fn refuse(self: Box<Self>, _error: StoreError) {
            self.world.heard.lock().unwrap().push("refused");
        }
    }

    fn place(heard: &[&str], name: &str) -> usize {
        assert_eq!(heard.len(), 301);
        heard.iter().position(|known| *known == name).unwrap()
    }

    #[test]
    fn who_asks_from_outside_does_not_wait_for_hundreds_of_answers_to_others() {
        let heard = Arc::<World>::default().heard(100, false);
        assert!(place(&heard, "outsider") <= 2 * AT_ONCE);
    }

    #[test]
    fn on_a_slow_disk_all_are_answered_before_the_next_sync() {
        let heard = Arc::<World>::default().heard(10_000, false);
        assert_eq!(place(&heard, "outsider"), 300);
    }

    #[test]
    fn what_is_on_stable_storage_is_answered_though_the_next_sync_fails() {
        let heard = Arc::<World>::default().heard(100, true);
        assert_eq!(place(&heard, "refused"), 300);
    }

    /// Who hears in what order, with many workers and so many from outside.
    fn heard_with(outsiders: usize) -> Vec<&'static str> {
        let world = Arc::<World>::default();
        let mut stood = Stood::default();
        stood.add(Taken {
            outsiders: (0..outsiders).map(|_| world.told("outsider")).collect(),
            workers: (0..=AT_ONCE).map(|_| world.told("worker")).collect(),
        });
        while stood.answer(|| world.heard.lock().unwrap().push("others")) {}
        std::mem::take(&mut *world.heard.lock().unwrap())
    }

    #[test]
    fn a_few_from_outside_go_on_before_workers_are_answered() {
        assert_eq!(heard_with(1)[..3], ["outsider", "others", "worker"]);
        for crowd in [0, FEW + 1, AT_ONCE + 1] {
            assert!(!heard_with(crowd).contains(&"others"));
        }
    }

    #[test]
    fn with_many_to_be_answered_no_other_commit_is_taken_up() {
        let (hand, handed) = sync_channel(1);
        let taken = Taken::default();
        hand.try_send(Waiting { upto: 1, taken }).unwrap();
        assert!(next(&handed, MANY + 1).unwrap().is_empty());
        assert_eq!(next(&handed, MANY).unwrap().len(), 1);
        drop(hand);
        assert!(next(&handed, 1).unwrap().is_empty());
        assert!(next(&handed, 0).is_none());
    }
}
