//! What the program tells the person who runs it.
#![expect(
    clippy::print_stdout,
    reason = "talking to the person is what this program is for"
)]

use std::time::Duration;

/// A parcel was brought to a station.
#[derive(Debug, Clone)]
pub(crate) struct Passed {
    pub(crate) worker: String,
    pub(crate) parcel: String,
    pub(crate) station: u32,
}

impl Passed {
    /// Reads the line that [`passed`] wrote.
    pub(crate) fn read(line: &str) -> Option<Self> {
        let (worker, rest) = line.trim_start().split_once(" brings ")?;
        let (parcel, station) = rest.split_once(" to station ")?;
        Some(Self {
            worker: worker.to_owned(),
            parcel: parcel.to_owned(),
            station: station.parse().ok()?,
        })
    }
}

pub(crate) fn passed(worker: &str, parcel: &str, station: u32) {
    println!("  {worker} brings {parcel} to station {station}");
}

pub(crate) fn line(line: &str) {
    println!("{line}");
}

pub(crate) fn starting() {
    println!("Starting a PostgreSQL of its own, and three workers: Ada, Ben and Cleo.");
}

pub(crate) fn sent(parcels: &[&str]) {
    println!(
        "Six parcels are sent: {}. Each is a run.",
        parcels.join(", ")
    );
}

pub(crate) fn killed(worker: &str, parcels: &[String]) {
    println!(
        "\n{worker} is killed (kill -9) with {} under way.",
        parcels.join(" and ")
    );
}

pub(crate) fn moved(parcel: &str, from: &str, to: &str, after: Duration) {
    let seconds = after.as_secs_f64();
    println!("    {parcel} has moved from {from} to {to}, {seconds:.1} s after the kill");
}

pub(crate) fn signed(parcel: &str, name: &str) {
    println!("    {name} signs for {parcel}");
}

pub(crate) fn finished(result: &str) {
    println!("Finished: {result}");
}

pub(crate) fn all_there(parcels: usize, moved: usize) {
    println!("\nAll {parcels} parcels are there; {moved} of them moved to another worker.");
}
