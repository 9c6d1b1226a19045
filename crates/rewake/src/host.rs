//! The real world: the clock of the machine, the application's tokio, threads of our own.

use std::fmt;
use std::num::NonZero;
use std::sync::Arc;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use async_channel::{Receiver, Sender};
use async_executor::Executor;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rewake_core::time::Timestamp;
use rewake_runtime::{Clock, Host, Spawner};
use tokio::runtime::Handle;

use crate::entropy::OsEntropy;
use crate::timer::Timer;

/// The world of a real program.
pub(crate) fn host(tokio: &Handle) -> Host {
    let clock = MachineClock {
        timer: Timer::start(now),
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    Host {
        clock: Arc::new(clock),
        spawner: Arc::new(Threads::start(tokio.clone(), threads)),
        entropy: Arc::new(OsEntropy::default()),
    }
}

/// The time of day, without a clock at hand: the last millisecond that has passed. What falls due at
/// a later one is not early.
pub(crate) fn now() -> Timestamp {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where the time of day comes from"
    )]
    let now = SystemTime::now();
    let passed = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(passed.as_millis()).unwrap_or(u64::MAX))
}

struct MachineClock {
    timer: Timer,
}

impl Clock for MachineClock {
    fn now(&self) -> Timestamp {
        now()
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        self.timer.sleep_until(at).boxed()
    }
}

/// Threads of our own for drivers, which poll workflow code: off tokio, so that what is not durable
/// shows at once. Steps go where the application's tokio is.
pub(crate) struct Threads {
    drivers: Arc<Executor<'static>>,
    tokio: Handle,
    /// Dropped with the last handle of the host, which ends the threads.
    _running: Sender<()>,
}

impl Threads {
    pub(crate) fn start(tokio: Handle, threads: usize) -> Self {
        let drivers = Arc::new(Executor::new());
        let (running, stopped) = async_channel::bounded(1);
        for n in 0..threads {
            let drivers = Arc::clone(&drivers);
            let stopped: Receiver<()> = stopped.clone();
            let run = move || {
                let until_stopped = drivers.run(async move {
                    let _stopped = stopped.recv().await;
                });
                futures_executor::block_on(until_stopped);
            };
            thread::Builder::new()
                .name(format!("rewake-{n}"))
                .spawn(run)
                .expect("the operating system starts threads");
        }
        Self {
            drivers,
            tokio,
            _running: running,
        }
    }
}

impl Spawner for Threads {
    fn spawn_driver(&self, task: BoxFuture<'static, ()>) {
        self.drivers.spawn(task).detach();
    }

    fn spawn_step(&self, task: BoxFuture<'static, ()>) {
        drop(self.tokio.spawn(task));
    }
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Threads").finish_non_exhaustive()
    }
}
