//! The model of the delivery contract: what must have become of every payload and of every request.
//!
//! It knows what everybody was told, what workflows saw, and what the public queries show at the end
//! (`history`). From these alone it decides (`fate`) what became of each payload, and (`reply`) whether
//! each caller of a webhook was answered rightly. `hook` reads the logs. It must not know how a store
//! or a judge comes to its verdicts.

mod fate;
mod history;
mod hook;
mod reply;

pub(crate) use fate::{Fate, check};
pub(crate) use history::{Answer, Given, History, Reply, Request, Said, Seen, Sent, Stands, Way};
