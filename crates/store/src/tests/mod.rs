//! Tests of the crate as a whole.

mod event_samples;
mod golden;
mod row_samples;
