//! Many callers at once, each with one call under way at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
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

/// Has `callers` make `calls` calls between them, numbered from zero.
pub(crate) async fn call<F, C>(callers: u64, calls: u64, call: F) -> Result<Called>
where
    F: Fn(u64) -> C + Send + Sync + 'static,
    C: Future<Output = Result<()>> + Send,
{
    let (next, call) = (Arc::<AtomicU64>::default(), Arc::new(call));
    let began = clock::now();
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let (next, call) = (Arc::clone(&next), Arc::clone(&call));
            tokio::spawn(async move {
                let mut latency = Latency::new();
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= calls {
                        return anyhow::Ok(latency);
                    }
                    let began = clock::now();
                    call(n).await?;
                    latency.record(began.elapsed());
                }
            })
        })
        .collect();
    let mut latency = Latency::new();
    for task in tasks {
        latency.add(&task.await??);
    }
    Ok(Called {
        took: began.elapsed(),
        calls,
        latency,
    })
}
