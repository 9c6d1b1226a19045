//! The webhook route, called in process and over loopback, on an engine in a world of the tests' own.

mod answers;
mod limits;
mod loopback;
mod methods;
mod repetitions;
mod requests;
mod tokens;
mod world;
