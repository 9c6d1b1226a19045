//! The real world: the clock of the machine, the application's tokio, threads of our own.

use std::num::NonZero;
use std::sync::Arc;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rewake_core::time::Timestamp;
use rewake_runtime::{Clock, Host};
use tokio::runtime::Handle;

use crate::entropy::OsEntropy;
use crate::threads::Threads;
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
