//! Many callers at once, each with one call under way at a time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;

use crate::clock;
use crate::latency::Latency;

/// What came of it.
#[derive(Debug)]
pub(crate) struct Called {
    /// From the first call until the last was settled.
    pub(crate) took: Duration,
    pub(crate) calls: u64,
    pub(crate) latency: Latency,
}

impl Called {
    pub(crate) fn rate(&self) -> f64 {
        per_second(self.calls, self.took)
    }
}

/// How many a second.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(crate) fn per_second(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(crate) fn ratio(one: u64, other: u64) -> f64 {
    one as f64 / other as f64
}

/// Has `callers` make `calls` calls between them, numbered from zero.
pub(crate) async fn call<F, C>(callers: u64, calls: u64, call: F) -> Result<Called>
where
    F: Fn(u64) -> C + Send + Sync + 'static,
    C: Future<Output = Result<()>> + Send,
{
    let (next, call) = (Arc::<AtomicU64>::default(), Arc::new(call));
    // One for all: a histogram takes a quarter of a megabyte.
    let latency = Arc::new(Mutex::new(Latency::new()));
    let began = clock::now();
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let (next, call) = (Arc::clone(&next), Arc::clone(&call));
            let latency = Arc::clone(&latency);
            tokio::spawn(async move {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= calls {
                        return anyhow::Ok(());
                    }
                    let began = clock::now();
                    call(n).await?;
                    let took = began.elapsed();
                    latency.lock().expect("nobody panics with it").record(took);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    let took = began.elapsed();
    let latency = latency.lock().expect("nobody panics with it").clone();
    Ok(Called {
        took,
        calls,
        latency,
    })
}
