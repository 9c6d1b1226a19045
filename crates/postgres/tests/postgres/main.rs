//! What the store does beyond its contract: how often it waits for the database, and what it makes of
//! one that goes away, is in the way, or is not as it should be.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that cannot go on fails its test"
)]

mod busy;
mod copying;
mod lost;
mod nodes;
mod opening;
mod round_trips;
mod stage;
