//! The store on a disk that loses, tears and refuses: what was acknowledged is there after the next
//! opening, what was refused is not, and after a sync that failed nothing is served until then.
//!
//! The disk is [`disk.c`](disk.c), a library that the loader puts before libc in a process of its
//! own. A VFS of SQLite's was rejected: it would have to be written around pointers, which no crate
//! here may do, it would have to bring the shared memory of the write-ahead log itself, and it would
//! not see the files that the store makes, renames, locks and syncs without SQLite. Below libc both
//! are seen alike, and the store under test is the one that ships. A C compiler is needed anyhow, to
//! build SQLite.
//!
//! ```text
//!  test ── plan, directory ──▶ life: a process under the disk  ── asks, answers ──▶ told
//!    │                           store ── opens, writes, syncs ──▶ disk.c ──▶ files, power cut
//!    └──── files ──▶ store without faults ──▶ checker(told) ──▶ complaints
//! ```
//!
//! A run of the tests looks at every sync and at a sample of what lies between;
//! `REWAKE_FAULT_COUNT=2000` at more, `REWAKE_FAULT_SEED=7` at others.

mod ask;
mod checker;
mod disk;
mod life;
mod told;
mod trial;

mod beside;
mod cuts;
mod held;
mod refusals;
mod sight;
mod syncs;
