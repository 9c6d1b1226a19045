//! The database's clock between its answers.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rewake_store::core::time::Timestamp;
use tokio::time::Instant;

/// An answer that told the time late is not gone by while a better one is younger than this. By then
/// two clocks have drifted apart by less than a millisecond.
const YOUNG: Duration = Duration::from_secs(10);
/// A database whose clock was set back by more than this is followed.
const STEP: Duration = Duration::from_secs(1);

/// The database's clock, as far as it was heard by this process. It is never fast, because an answer
/// takes time; so nothing counts as due before it is, nor is on record in the future. And it does not go
/// back: what was due remains so.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    heard: Mutex<Option<Heard>>,
}

#[derive(Clone, Copy, Debug)]
struct Heard {
    said: Timestamp,
    at: Instant,
    /// What was told last.
    told: Timestamp,
}

impl Heard {
    fn now(&self) -> Timestamp {
        // Parts of a millisecond have not passed yet.
        let passed = self.at.elapsed().as_millis();
        let passed = u64::try_from(passed).unwrap_or(u64::MAX);
        self.said.after(Duration::from_millis(passed))
    }
}

impl Pulse {
    /// Notes what the database has just said.
    pub(crate) fn hear(&self, said: Timestamp) {
        let mut heard = self.heard();
        let told = heard.map_or(Timestamp::ZERO, |heard| heard.told);
        let is_better = heard.is_none_or(|before| before.now() <= said);
        let is_old = heard.is_some_and(|before| before.at.elapsed() > YOUNG);
        if is_better || is_old {
            let at = Instant::now();
            *heard = Some(Heard { said, at, told });
        }
    }

    /// The time; nothing where the database has said nothing yet.
    pub(crate) fn now(&self) -> Option<Timestamp> {
        let mut heard = self.heard();
        let heard = heard.as_mut()?;
        let now = heard.now();
        if now >= heard.told || heard.told.since(now) > STEP {
            heard.told = now;
        }
        Some(heard.told)
    }

    fn heard(&self) -> MutexGuard<'_, Option<Heard>> {
        // Nothing here panics while it holds the lock half-changed.
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_was_long_on_its_way_changes_nothing() {
        let pulse = Pulse::default();
        assert_eq!(pulse.now(), None);
        pulse.hear(at(100));
        tokio::time::advance(Duration::from_millis(50)).await;
        pulse.hear(at(120));
        assert_eq!(pulse.now(), Some(at(150)));
        pulse.hear(at(155));
        assert_eq!(pulse.now(), Some(at(155)), "this one was quicker");
    }

    #[tokio::test(start_paused = true)]
    async fn it_does_not_go_back_unless_the_databases_clock_does() {
        let pulse = Pulse::default();
        pulse.hear(at(100_000));
        tokio::time::advance(Duration::from_secs(11)).await;
        assert_eq!(pulse.now(), Some(at(111_000)));
        pulse.hear(at(110_900));
        assert_eq!(pulse.now(), Some(at(111_000)));
        tokio::time::advance(Duration::from_millis(200)).await;
        assert_eq!(pulse.now(), Some(at(111_100)));
        tokio::time::advance(Duration::from_secs(11)).await;
        pulse.hear(at(50_000));
        assert_eq!(pulse.now(), Some(at(50_000)));
    }
}
