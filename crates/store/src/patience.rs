//! How a thread waits for work: it looks for some hundred microseconds before it sleeps, as long as
//! that pays.
//!
//! To wake a thread that sleeps takes one system call here and, on a processor that has gone idle,
//! many microseconds there. What one caller waits for passes through several threads in a row, so
//! these add up to more than all that is done on the way.

use std::hint::spin_loop;
use std::thread::yield_now;
use std::time::Duration;

/// So often a thread looks before it sleeps. Each look but the first few gives way to whoever else
/// wants the processor, which takes some tenths of a microsecond where nobody does.
const LOOKS: u32 = 512;
/// So often it looks without giving way.
const CLOSE_LOOKS: u32 = 16;
/// A processor that was away for so long is wanted by others: then sleeping is better, since
/// whoever is woken up is preferred to whoever has been running all the time.
const AWAY: Duration = Duration::from_millis(2);
/// How much more often it may be in vain than not before a thread sleeps at once.
const CREDIT: u32 = 8;
/// One wait of so many is tried with a look when looking does not pay, to find out when it does.
const TRIAL: u32 = 64;

/// The patience of one thread that waits for work. Looking pays as long as work comes meanwhile at
/// least every other time; a thread without work sleeps and costs nothing.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use rewake_store::Patience;
///
/// let mut patience = Patience::new();
/// assert!(patience.is_worth_a_look());
/// patience.look(|| true, || Duration::ZERO);
/// assert!(!Patience::none().is_worth_a_look());
/// ```
#[derive(Clone, Debug)]
pub struct Patience {
    looks: u32,
    credit: u32,
    /// Waits until the next trial.
    until_trial: u32,
}

impl Patience {
    /// A thread that looks before it sleeps.
    pub const fn new() -> Self {
        Self {
            looks: LOOKS,
            credit: CREDIT,
            until_trial: TRIAL,
        }
    }

    /// A thread that sleeps at once.
    pub const fn none() -> Self {
        Self {
            looks: 0,
            ..Self::new()
        }
    }

    /// True where the thread, which has just found no work, should look before it sleeps.
    pub const fn is_worth_a_look(&mut self) -> bool {
        if self.looks == 0 {
            return false;
        }
        if self.credit > 0 {
            return true;
        }
        self.until_trial -= 1;
        if self.until_trial > 0 {
            return false;
        }
        self.until_trial = TRIAL;
        true
    }

    /// Looks until there is work or it has taken long enough; `now` tells the time that has passed
    /// since any moment.
    pub fn look(&mut self, is_there_work: impl Fn() -> bool, now: impl Fn() -> Duration) {
        let began = now();
        for look in 0..self.looks {
            if is_there_work() {
                self.learn(now().saturating_sub(began) < AWAY);
                return;
            }
            if look < CLOSE_LOOKS {
                spin_loop();
            } else {
                yield_now();
            }
        }
        self.learn(false);
    }

    fn learn(&mut self, paid: bool) {
        self.credit = if paid {
            (self.credit + 1).min(CREDIT)
        } else {
            self.credit.saturating_sub(1)
        };
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn stopped() -> Duration {
        Duration::ZERO
    }

    /// Of so many waits, those with a look; work comes meanwhile, or not.
    fn looks(patience: &mut Patience, waits: u32, work: bool) -> u32 {
        (0..waits)
            .filter(|_| {
                let worth = patience.is_worth_a_look();
                if worth {
                    patience.look(|| work, stopped);
                }
                worth
            })
            .count()
            .try_into()
            .unwrap()
    }

    #[test]
    fn a_thread_for_which_no_work_comes_meanwhile_sleeps_at_once_and_tries_again_now_and_then() {
        let mut patience = Patience::new();
        assert_eq!(looks(&mut patience, CREDIT, false), CREDIT);
        assert_eq!(looks(&mut patience, 10 * TRIAL, false), 10);
    }

    #[test]
    fn a_thread_looks_as_long_as_work_comes_every_other_time() {
        let mut patience = Patience::new();
        for _ in 0..100 {
            assert_eq!(looks(&mut patience, 1, false), 1);
            assert_eq!(looks(&mut patience, 1, true), 1);
        }
    }

    #[test]
    fn a_trial_that_pays_has_the_thread_look_again() {
        let mut patience = Patience::new();
        looks(&mut patience, CREDIT, false);
        assert_eq!(looks(&mut patience, TRIAL, true), 1);
        assert_eq!(looks(&mut patience, 10, true), 10);
    }

    #[test]
    fn work_that_came_while_others_had_the_processor_does_not_count() {
        let mut patience = Patience::new();
        let time = Cell::new(Duration::ZERO);
        let slow = || time.replace(time.get() + AWAY);
        for _ in 0..CREDIT {
            assert!(patience.is_worth_a_look());
            patience.look(|| true, slow);
        }
        assert!(!patience.is_worth_a_look());
    }

    #[test]
    fn a_look_ends_when_there_is_work_and_otherwise_by_itself() {
        let asked = Cell::new(0);
        let after = |least| {
            asked.set(0);
            let work = || asked.replace(asked.get() + 1) >= least;
            Patience::new().look(work, stopped);
            asked.get()
        };
        assert_eq!([after(0), after(CLOSE_LOOKS + 4)], [1, CLOSE_LOOKS + 5]);
        assert_eq!(after(u32::MAX), LOOKS);
    }

    #[test]
    fn without_patience_there_is_no_look() {
        assert_eq!(looks(&mut Patience::none(), 2 * TRIAL, true), 0);
    }
}
