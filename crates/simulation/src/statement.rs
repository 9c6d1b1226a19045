//! The statements of architecture.md, and what is said when one does not hold.

use std::fmt;

/// What must always be true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Statement {
    /// 1. Acknowledged is durable.
    Durable,
    /// 2. Every accepted payload is delivered once.
    Delivered,
    /// 3. A result that a workflow sees was recorded exactly once.
    Recorded,
    /// 4. No wake-up is lost.
    Woken,
    /// 5. One live hook per token.
    Token,
    /// 6. Replay never lies.
    Replay,
    /// 7. Two workers never corrupt one run.
    Workers,
    /// 8. Bad input changes nothing.
    Refused,
    /// None of the eight: nothing panics, everything comes to rest, a process that is told to stop
    /// stops.
    Order,
}

impl Statement {
    /// A stable name, for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Durable => "durable",
            Self::Delivered => "delivered",
            Self::Recorded => "recorded",
            Self::Woken => "woken",
            Self::Token => "token",
            Self::Replay => "replay",
            Self::Workers => "workers",
            Self::Refused => "refused",
            Self::Order => "order",
        }
    }

    /// Says that it does not hold.
    pub(crate) fn broken(self, text: impl Into<String>) -> Problem {
        Problem {
            statement: self,
            text: text.into(),
        }
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Durable => "statement 1, acknowledged is durable",
            Self::Delivered => "statement 2, exactly-once delivery",
            Self::Recorded => "statement 3, a result is recorded exactly once",
            Self::Woken => "statement 4, no lost wake-up",
            Self::Token => "statement 5, one live hook per token",
            Self::Replay => "statement 6, replay never lies",
            Self::Workers => "statement 7, two workers never corrupt one run",
            Self::Refused => "statement 8, bad input changes nothing",
            Self::Order => "everything comes to rest and nothing panics",
        })
    }
}

/// What was seen that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) statement: Statement,
    pub(crate) text: String,
}

/// Says which statement a checker holds.
pub(crate) trait Breaks<T> {
    /// A problem found means that the statement does not hold.
    fn breaks(self, statement: Statement) -> Result<T, Problem>;
}

impl<T> Breaks<T> for Result<T, String> {
    fn breaks(self, statement: Statement) -> Result<T, Problem> {
        self.map_err(|text| statement.broken(text))
    }
}
