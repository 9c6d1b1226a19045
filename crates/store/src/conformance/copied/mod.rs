//! What tests of a copy need: rows of every kind made up from a seed, and everything that a store says
//! about them when it is asked.
//!
//! A copy has two stores, and the suite is run on one; so these are no cases of it. A store's crate
//! copies the rows in and out again, and compares.

mod asked;
mod dice;
mod made_up;

pub use asked::{Asked, ask, read};
pub use made_up::made_up;
