//! What the conformance suite cannot see: which rows a verdict writes, and what happens where the
//! rows cannot be looked at.

mod fake;
mod trouble;
mod writes;
