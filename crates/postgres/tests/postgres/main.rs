//! What the store does beyond its contract: how often it waits for the database, and what it makes of
//! one that goes away, is in the way, or is not as it should be.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that cannot go on fails its test"
)]

mod busy;
mod copying;
mod cut;
mod failover;
mod fails;
mod full;
mod held;
mod hung;
mod load;
mod lost;
mod nodes;
mod opening;
mod relay;
mod rolling;
mod round_trips;
mod session;
mod stage;
mod tls;
