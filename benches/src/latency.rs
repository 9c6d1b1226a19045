//! How long things took.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Measured spans, to a nanosecond with three digits.
#[derive(Clone, Debug)]
pub(crate) struct Latency {
    spans: Histogram<u64>,
}

/// Percentiles, in microseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Percentiles {
    pub(crate) count: u64,
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
}

impl Latency {
    pub(crate) fn new() -> Self {
        Self {
            spans: Histogram::new(3).expect("three digits are within what a histogram can"),
        }
    }

    pub(crate) fn record(&mut self, span: Duration) {
        self.record_nanos(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX));
    }

    pub(crate) fn record_nanos(&mut self, nanos: u64) {
        self.spans
            .record(nanos)
            .expect("the histogram grows as it must");
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.spans
            .add(&other.spans)
            .expect("the histogram grows as it must");
    }

    /// The median, in microseconds.
    pub(crate) fn p50(&self) -> f64 {
        self.quantile(0.5)
    }

    pub(crate) fn p99(&self) -> f64 {
        self.quantile(0.99)
    }

    pub(crate) fn percentiles(&self) -> Percentiles {
        Percentiles {
            count: self.spans.len(),
            p50: self.quantile(0.5),
            p90: self.quantile(0.9),
            p99: self.quantile(0.99),
            p999: self.quantile(0.999),
            max: self.quantile(1.0),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "spans are far below 2^52 ns")]
    fn quantile(&self, quantile: f64) -> f64 {
        self.spans.value_at_quantile(quantile) as f64 / 1000.0
    }
}
