//! Rule: every Rust source says in its first line what it is for.

use super::problem::Problem;
use super::source::Source;

pub(super) fn check(source: &Source) -> Option<Problem> {
    if !source.is_rust() || source.is_ui_case() {
        return None;
    }
    let first = source.text.lines().next().unwrap_or_default();
    let said = first.strip_prefix("//!").map(str::trim);
    if said.is_some_and(|said| !said.is_empty()) {
        return None;
    }
    Some(Problem::new(
        &source.path,
        1,
        "the file does not begin with a `//!` line",
        "say there what it is for and what it must not know",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails(path: &str, text: &str) -> bool {
        check(&Source::new(path, text)).is_some()
    }

    #[test]
    fn a_file_without_a_purpose_fails() {
        assert!(fails("crates/a/src/b.rs", "use std::fmt;\n"));
        assert!(fails("crates/a/src/b.rs", ""));
        assert!(fails("crates/a/src/b.rs", "//!\n//! Late.\n"));
        assert!(fails("crates/a/src/b.rs", "/// An item's docs.\n"));
    }

    #[test]
    fn a_file_with_a_purpose_and_a_pinned_case_pass() {
        assert!(!fails("crates/a/src/b.rs", "//! Keeps time.\n"));
        assert!(!fails("crates/a/tests/ui/fail/b.rs", "fn main() {}\n"));
        assert!(!fails("docs/glossary.md", "# Glossary\n"));
    }
}
