//! The stored form, held against bytes that were written down once.
//!
//! Logs outlive every build that wrote them. Where one of these tests fails, stores that exist can
//! no longer be read or would be written in another form: see "Changing a stored format" in
//! CONTRIBUTING.md before anything else.

use std::fmt::Debug;
use std::fmt::Write as _;

use minicbor::{Decode, Encode};
use rewake_core::entity::RunStatus;
use rewake_core::event::{CreatedBy, Disposal, EventKind, FailureKind, Frame, Position, Writer};
use rewake_core::id::{EventId, HookId, Place, RunId, StepId, WaitId};
use rewake_core::replay::Entropy;
use rewake_core::time::Timestamp;

use super::{event_samples, row_samples};
use crate::wire::{decode_row, encode_row};

/// One line for each sample: its name and its stored form in hexadecimal.
const GOLDEN: &str = include_str!("format-1.txt");

/// Collects lines, and checks that each sample comes back from its stored form.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn add<T>(&mut self, name: &str, row: &T)
    where
        T: Encode<()> + for<'b> Decode<'b, ()> + Debug + PartialEq,
    {
        let bytes = encode_row(row);
        assert_eq!(decode_row::<T>(&bytes).as_ref(), Ok(row), "{name}");
        self.add_bytes(name, &bytes);
    }

    /// The numbers of small sets, each as the row it would be.
    fn add_numbers(&mut self) {
        let statuses = [
            RunStatus::Pending,
            RunStatus::Running,
            RunStatus::Completed,
            RunStatus::Failed,
            RunStatus::Cancelled,
        ];
        self.add("statuses", &statuses);
        self.add("writers", &[Writer::Worker, Writer::Outsider]);
        self.add("created_by", &[CreatedBy::Start, CreatedBy::Admission]);
        self.add("disposals", &[Disposal::Closed, Disposal::Dropped]);
        let failures = [
            FailureKind::Fatal,
            FailureKind::RetriesExhausted,
            FailureKind::TimedOut,
            FailureKind::NotEncodable,
            FailureKind::Cancelled,
            FailureKind::Terminated,
        ];
        self.add("failures", &failures);
    }

    fn add_bytes(&mut self, name: &str, bytes: &[u8]) {
        self.0.push_str(name);
        self.0.push(' ');
        for byte in bytes {
            write!(self.0, "{byte:02x}").expect("a `String` takes what is written to it");
        }
        self.0.push('\n');
    }
}

fn frame(events: Vec<EventKind>) -> Frame {
    Frame {
        first: Position(3),
        at: row_samples::at(1),
        id: EventId::from_bytes([0x0e; 16]),
        writer: Writer::Worker,
        events,
        taken: Vec::new(),
    }
}

#[test]
fn rows_have_the_bytes_that_were_written_down() {
    let mut lines = Lines::default();
    for (name, kind) in event_samples::full() {
        lines.add(name, &frame(vec![kind]));
    }
    for (name, kind) in event_samples::bare() {
        lines.add(name, &frame(vec![kind]));
    }
    row_samples::each(|name, bytes| lines.add_bytes(name, &bytes));
    lines.add_numbers();
    assert_eq!(lines.0, GOLDEN, "the stored form has changed");
}

#[test]
fn every_kind_of_event_is_written_down() {
    let samples = event_samples::full().into_iter();
    let numbers: Vec<_> = samples
        .map(|(_, kind)| event_samples::number(&kind))
        .collect();
    assert_eq!(numbers, (0..22).collect::<Vec<_>>());
}

#[test]
fn derived_ids_are_those_that_were_written_down() {
    let run = RunId::mint(Timestamp::from_millis(1_763_280_000_000), 7);
    let step = StepId::derive(run, Place(3), "publish");
    assert_eq!(step.as_str(), "step_01KA5TV500362VQ5JH542Z8ZTZ");
    let chosen = HookId::derive(run, Place(3), "order-7");
    assert_eq!(chosen.as_str(), "hook_01KA5TV500NMBKZ2JAA2WYZDRX");
    let drawn = HookId::derive(run, Place(3), "");
    assert_eq!(drawn.as_str(), "hook_01KA5TV50013RNAZD4ZK3RVRC0");
    let wait = WaitId::derive(run, Place(3));
    assert_eq!(wait.as_str(), "wait_01KA5TV500TQWZEQ9JB3625RQ4");
}

#[test]
fn the_stream_of_a_seed_is_the_one_that_was_written_down() {
    let mut entropy = Entropy::new([7; 16]);
    let drawn: [u8; 40] = entropy.bytes();
    assert_eq!(
        drawn,
        [
            0x6a, 0x72, 0xd0, 0xb4, 0xa6, 0x0c, 0xf2, 0x1f, 0x92, 0x07, 0xeb, 0xe2, 0x19, 0xf3,
            0xf0, 0xe3, 0x9e, 0xa3, 0x3f, 0x1c, 0xbf, 0xb3, 0x5a, 0x7e, 0x05, 0x0a, 0xf1, 0x37,
            0x68, 0xef, 0x0e, 0x4c, 0x6b, 0x7e, 0xe8, 0x87, 0x56, 0xf2, 0xba, 0xda
        ]
    );
}
