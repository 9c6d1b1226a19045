//! What tidy reports: where, what is wrong, and what to do about it.

use std::fmt;

/// One breach of a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Problem {
    pub(super) path: String,
    pub(super) line: usize,
    pub(super) wrong: String,
    pub(super) remedy: String,
}

impl Problem {
    pub(super) fn new(
        path: &str,
        line: usize,
        wrong: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            path: path.to_owned(),
            line,
            wrong: wrong.into(),
            remedy: remedy.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            line,
            wrong,
            remedy,
        } = self;
        write!(f, "{path}:{line}: {wrong}; {remedy}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_reads_as_place_fault_and_remedy() {
        let problem = Problem::new("a/b.rs", 7, "it is crooked", "straighten it");
        assert_eq!(
            problem.to_string(),
            "a/b.rs:7: it is crooked; straighten it"
        );
    }
}
