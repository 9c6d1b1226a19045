//! Transition tests.
