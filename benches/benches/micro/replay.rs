//! Replay: a machine is fed a whole log, and its workflow asks for the same steps again.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use rewake_core::event::Frame;
use rewake_core::replay::{Fed, Machine};

use crate::log::{NAME, OPTIONS, frames, input, run, step};

#[divan::bench(args = [10, 100, 1_000, 10_000])]
fn replay(bencher: Bencher<'_, '_>, events: u64) {
    let frames = frames(events);
    let fed: usize = frames.iter().map(|frame| frame.events.len()).sum();
    bencher
        .counter(ItemsCount::new(fed))
        .bench(|| replayed(black_box(&frames)));
}

/// How many steps the workflow has behind it.
fn replayed(frames: &[Frame]) -> u64 {
    let mut machine = Machine::new(run());
    let mut steps = 0;
    for frame in frames {
        for event in frame.iter() {
            match machine
                .feed(event)
                .expect("the log is what such a run writes")
            {
                Fed::Nothing => {}
                Fed::Poll(_) => steps += poll(&mut machine),
                Fed::Cancel => unreachable!("nobody cancels it"),
            }
        }
    }
    assert_eq!(steps, frames.len() as u64 - 1, "every step was taken");
    steps
}

/// The workflow: takes the step that it has called, and calls the next. How many it took.
fn poll(machine: &mut Machine) -> u64 {
    let place = machine.place().0;
    let taken = match place.checked_sub(1) {
        Some(before) => u64::from(machine.take_step(step(before)).is_some()),
        None => 0,
    };
    machine.create_step(step(place), NAME.to_owned(), input(place), OPTIONS);
    taken
}
