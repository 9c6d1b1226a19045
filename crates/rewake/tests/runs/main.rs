//! Whole runs through the public API. Each test's name is the behaviour it holds the engine to.

mod ends;
mod hooks;
mod parking;
mod payloads;
mod probe;
mod replays;
mod stage;
mod steps;
mod time;
