//! Rule: a source file stays small enough to be read in one sitting.

use super::problem::Problem;
use super::source::Source;

/// More lines than this are a problem.
const LINES_MAX: usize = 800;
/// More lines than this are worth a thought.
const LINES_MANY: usize = 500;

/// How a file's size is judged.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Fine,
    Many(Problem),
    TooMany(Problem),
}

pub(super) fn check(source: &Source) -> Verdict {
    if !source.is_rust() || source.is_test() || source.is_generated() {
        return Verdict::Fine;
    }
    let lines = source.text.lines().count();
    let problem = |limit: usize| {
        Problem::new(
            &source.path,
            limit + 1,
            format!("the file has {lines} lines, {limit} is the limit"),
            "find the second noun that moved in and give it a file of its own",
        )
    };
    if lines > LINES_MAX {
        Verdict::TooMany(problem(LINES_MAX))
    } else if lines > LINES_MANY {
        Verdict::Many(problem(LINES_MANY))
    } else {
        Verdict::Fine
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(path: &str, lines: usize) -> Verdict {
        check(&Source::new(path, &"x\n".repeat(lines)))
    }

    #[test]
    fn limits_hold_to_the_line() {
        let path = "crates/a/src/b.rs";
        assert_eq!(verdict(path, LINES_MANY), Verdict::Fine);
        assert!(matches!(verdict(path, LINES_MANY + 1), Verdict::Many(_)));
        assert!(matches!(verdict(path, LINES_MAX), Verdict::Many(_)));
        assert!(matches!(verdict(path, LINES_MAX + 1), Verdict::TooMany(_)));
    }

    #[test]
    fn tests_and_generated_code_may_be_long() {
        for path in [
            "crates/a/tests/b.rs",
            "crates/a/src/generated/b.rs",
            "docs/b.md",
        ] {
            assert_eq!(verdict(path, 2 * LINES_MAX), Verdict::Fine, "{path}");
        }
    }
}
