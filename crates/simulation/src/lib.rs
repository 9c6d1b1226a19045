//! The real runtime over a simulated store, clock, scheduler and entropy, from a seed.
//!
//! One thread, virtual time. Processes (engines on one store) crash before and after each write,
//! lose answers, are shut down, run beside each other; clocks are off; workflows grown from the seed
//! run steps, hooks, sleeps, joins and races, and outsiders start, resume, cancel and ask. The eight
//! statements of architecture.md are checked after each write, at rest, and at the end. The same seed
//! gives the same trace.
//!
//! ```text
//!  outsiders ──▶ engine (real) ──▶ FaultyStore ──request──▶ the world carries it out, some time
//!                  ▲  │ tasks                                    │
//!                  └──┴──────── the world polls one ◀────────────┴──▶ shadow, ledger, checkers
//! ```
//!
//! Where to read on: `scenario` (all that one depends on), `world` (how it moves), `fault` and
//! `turmoil` (what goes wrong), `program` (what workflows do), `outsider` (what others do),
//! `simulation` (the course of one), `check` (what must be true, and which checker holds which
//! statement), `shrink` (small cases), and `docs/simulation.md`.
//!
//! ```
//! let report = rewake_simulation::hold(42);
//! assert!(report.runs > 0);
//! ```

#![forbid(unsafe_code)]

mod check;
mod clock;
mod delivery;
mod disk;
mod evictions;
mod fault;
mod ledger;
mod nodes;
mod outsider;
mod prng;
mod process;
mod program;
mod scenario;
mod scheduler;
mod settings;
mod shadow;
mod shrink;
mod simulation;
mod statement;
mod store;
mod tally;
mod turmoil;
mod workload;
mod world;

pub use delivery::{Undelivered, deliver, hold_delivery, missing_delivery};
pub use evictions::compare_evictions;
pub use shrink::{Shrunk, play_case, shrink};
pub use simulation::{Report, Violation, hold, hold_together, simulate, simulate_together};
pub use statement::Statement;
pub use tally::{Counts, missing, missing_together};
