//! The operating system's entropy.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use rewake_runtime::Entropy;

/// How many draws are fetched at once.
const DRAWS: usize = 64;

/// What the operating system gives, fetched for many draws at once: a start draws five times, and
/// asking costs more than all the rest of it. Nothing is stretched, and nothing is given twice.
#[derive(Default)]
pub(crate) struct OsEntropy {
    fetched: Mutex<Vec<u128>>,
}

impl Entropy for OsEntropy {
    fn draw(&self) -> u128 {
        // Nothing here leaves it half-changed.
        let mut fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(drawn) = fetched.pop() {
            return drawn;
        }
        let mut bits = [0; 16 * DRAWS];
        getrandom::fill(&mut bits).expect("the operating system gives entropy");
        let (numbers, _) = bits.as_chunks();
        fetched.extend(numbers.iter().map(|bits| u128::from_be_bytes(*bits)));
        fetched.pop().expect("some were fetched just now")
    }
}

impl fmt::Debug for OsEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OsEntropy").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::thread;

    use super::*;

    #[test]
    fn no_two_draws_are_the_same_whoever_draws() {
        let entropy = OsEntropy::default();
        let draw = || (0..10 * DRAWS).map(|_| entropy.draw()).collect::<Vec<_>>();
        let drawn = thread::scope(|scope| {
            let drawers: Vec<_> = (0..4).map(|_| scope.spawn(draw)).collect();
            let drawn = drawers
                .into_iter()
                .flat_map(|drawer| drawer.join().unwrap());
            drawn.collect::<Vec<_>>()
        });
        let different: BTreeSet<_> = drawn.iter().collect();
        assert_eq!(different.len(), 40 * DRAWS);
    }
}
