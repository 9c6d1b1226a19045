//! Operations whose halves are apart.
//!
//! F32 and Fmax are what the rows of whole operations cost. An engine cannot write them so where the
//! workflow's answer to a payload is written once the payload is on stable storage. What a program
//! without an engine makes of the same is no floor that a bound counts in: it tells how much of a miss
//! is the engine's.

use std::mem;
use std::time::Duration;

use anyhow::Result;

use super::Floor;
use crate::callers::per_second;
use crate::clock;

/// Operations in two halves, each half in a transaction of its own: the second waits until the first is
/// on stable storage.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Apart {
    /// So many of an operation's rows are its first half.
    pub(crate) first: usize,
    /// Who waits for a half each: so many share a transaction.
    pub(crate) callers: u64,
}

impl Floor {
    /// Operations a second, with as many first as second halves in each transaction.
    pub(super) fn halves(&mut self, apart: Apart) -> Result<f64> {
        let all = self.script.writes.len();
        let (mut done, mut took) = (0, Duration::ZERO);
        let mut begun = 0..0;
        self.each_with(apart.callers / 2, |ground, script, coming| {
            let ending = mem::replace(&mut begun, coming.clone());
            let halves = [(coming, 0..apart.first), (ending.clone(), apart.first..all)];
            let before = clock::now();
            ground.transaction(script, halves)?;
            took += before.elapsed();
            done += ending.end - ending.start;
            Ok(())
        })?;
        Ok(per_second(done, took))
    }
}
