//! Whole runs through the public API. Each test's name is the behaviour it holds the engine to.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod aborts;
mod admission;
mod attributes;
mod bad_input;
mod blocking;
mod cancellation;
mod changes;
mod children;
mod crowd;
mod definitions;
mod ends;
mod foreign;
mod hooks;
mod inline;
mod isolation;
mod keys_and_names;
mod known_failures;
mod live_hooks;
mod lookup;
mod mailbox;
mod parking;
mod payloads;
mod probe;
mod refusals;
mod replays;
mod requests;
mod secrecy;
mod shutdown;
mod stage;
mod step_errors;
mod steps;
mod time;
mod unread;
mod webhooks;
