//! Replay tests, one file per capability.
