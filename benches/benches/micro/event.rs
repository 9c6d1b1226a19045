//! Events: a frame to its stored form and back, and one transition.

use divan::{Bencher, black_box};
use rewake_core::event::Frame;
use rewake_core::transition;
use rewake_store::{decode_row, encode_row};

use crate::log::{frame, step_events};

#[divan::bench]
fn encode_frame(bencher: Bencher<'_, '_>) {
    let frame = frame(3, step_events(0));
    bencher.bench(|| encode_row(black_box(&frame)));
}

#[divan::bench]
fn decode_frame(bencher: Bencher<'_, '_>) {
    let bytes = encode_row(&frame(3, step_events(0)));
    bencher.bench(|| decode_row::<Frame>(black_box(&bytes)).expect("it was encoded so"));
}

#[divan::bench]
fn one_transition(bencher: Bencher<'_, '_>) {
    let frame = frame(3, step_events(0));
    let events: Vec<_> = frame.iter().collect();
    let created = transition::step(None, events[0]).expect("a step is created first");
    bencher.bench(|| transition::step(Some(black_box(&created)), black_box(events[1])));
}
