//! The first days of a new user: letters, a reminder for who does nothing, and a person at last.
//!
//! The workflow is [`onboard`]. Letters are posted in a [`Postbox`]. The program round it all is
//! `main.rs`.

#![forbid(unsafe_code)]

mod onboard;
mod postbox;

pub use onboard::{Letter, activation_of, ask_a_person, onboard, send};
pub use postbox::{Postbox, Posted};
