//! What the SQLite store promises beyond the contract that every store keeps.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that cannot go on fails its test"
)]

mod admission;
mod child;
mod clock;
mod closing;
mod copying;
mod counting;
mod crash;
mod damage;
mod disk_full;
#[cfg(target_os = "linux")]
mod faults;
mod foreign;
mod grouping;
mod lanes;
mod locking;
mod log;
mod looking;
mod overload;
mod paths;
mod read_only;
mod remembered;
mod reopening;
mod wal;
