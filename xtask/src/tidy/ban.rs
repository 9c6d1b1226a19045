//! Rule: words that must not stand in certain places, because what they do would break a promise.
//!
//! Clippy bans some of these as well, by meaning. Here they are banned by name, also where a lint
//! was silenced, and with what to do instead in this project's terms.

use super::code;
use super::problem::Problem;
use super::source::Source;

/// A word, where it is banned, and what to do instead.
struct Ban {
    word: &'static str,
    place: fn(&Source) -> bool,
    instead: &'static str,
}

/// Uses that are right in spite of a ban: path, word, and the reason. One that no longer applies
/// is itself a problem.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    (
        "crates/macros/src/expand.rs",
        "#[allow(",
        "it is written into users' code, where an `expect` would fail whenever the lint has no cause",
    ),
    (
        "crates/rewake/tests/runs/foreign.rs",
        "time::sleep",
        "a workflow that sleeps so is the mistake whose report is tested",
    ),
    (
        "tests/cluster/tests/cluster/proxy.rs",
        "time::sleep",
        "a slow network is what is tested",
    ),
];

const EXPECT: &str = "mend it, or write `#[expect(…, reason = \"…\")]`";
const RUN_OR_DELETE: &str =
    "mend the test or assert today's behaviour, and say what is wrong with it";
const ORDERED: &str = "use `BTreeMap` or `BTreeSet`: replay must not depend on a hasher's order";
const PURE: &str = "the core takes and returns values; do this in the runtime or in a store";
const CLOCK: &str =
    "take a `Clock` or a `Timestamp` as an argument, so that simulation can skip time";
const SPAWNER: &str =
    "use the engine's `Spawner` and `Clock` arguments, so that simulation can drive it";
const NO_SLEEP: &str = "wait for the event itself: a signal, a channel, or a clock the test moves";

const BANS: &[Ban] = &[
    ban("#[allow(", everywhere, EXPECT),
    ban("#![allow(", everywhere, EXPECT),
    ban("#[ignore", everywhere, RUN_OR_DELETE),
    ban(
        "#[should_panic",
        everywhere,
        "catch the error and assert what it says",
    ),
    ban(
        "todo!",
        everywhere,
        "write it, or return an error that says what is missing",
    ),
    ban(
        "unimplemented!",
        everywhere,
        "write it, or return an error that says what is missing",
    ),
    ban("HashMap", core, ORDERED),
    ban("HashSet", core, ORDERED),
    ban("async", core, PURE),
    ban("std::env", core, PURE),
    ban("std::fs", core, PURE),
    ban("std::net", core, PURE),
    ban("std::process", core, PURE),
    ban("std::thread", core, PURE),
    ban("SystemTime::now", engine, CLOCK),
    ban("Instant::now", engine, CLOCK),
    ban("tokio::time", runtime, SPAWNER),
    ban("tokio::spawn", runtime, SPAWNER),
    ban("tokio::task", runtime, SPAWNER),
    ban("thread::sleep", tests, NO_SLEEP),
    ban("time::sleep", tests, NO_SLEEP),
    ban("time::sleep_until", tests, NO_SLEEP),
];

const fn ban(word: &'static str, place: fn(&Source) -> bool, instead: &'static str) -> Ban {
    Ban {
        word,
        place,
        instead,
    }
}

fn everywhere(_: &Source) -> bool {
    true
}

fn core(source: &Source) -> bool {
    source.path.starts_with("crates/core/src/")
}

fn runtime(source: &Source) -> bool {
    source.path.starts_with("crates/runtime/src/")
}

/// The layers that take their clock as an argument; the one file that makes it is left out.
fn engine(source: &Source) -> bool {
    let store = source.path.starts_with("crates/store/src/");
    (core(source) || store || runtime(source)) && source.path != "crates/runtime/src/clock.rs"
}

fn tests(source: &Source) -> bool {
    source.is_test() || source.path.starts_with("crates/simulation/")
}

/// Returns every banned word that these sources use.
pub(super) fn check(sources: &[Source]) -> Vec<Problem> {
    check_with(sources, EXCEPTIONS)
}

fn check_with(sources: &[Source], exceptions: &[(&str, &str, &str)]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut needed = vec![false; exceptions.len()];
    // Cases of macros are left out: some of them are wrong on purpose.
    for source in sources
        .iter()
        .filter(|source| source.is_rust() && !source.is_ui_case())
    {
        let code = code::blank(&source.text);
        for ban in BANS.iter().filter(|ban| (ban.place)(source)) {
            let excepted = exceptions
                .iter()
                .position(|(path, word, _)| *path == source.path && *word == ban.word);
            for at in code::uses(&code, ban.word) {
                match excepted {
                    Some(exception) => needed[exception] = true,
                    None => problems.push(Problem::new(
                        &source.path,
                        code::line_at(&code, at),
                        format!("`{}` does not belong here", ban.word),
                        ban.instead,
                    )),
                }
            }
        }
    }
    let idle = exceptions.iter().zip(needed).filter(|(_, needed)| !needed);
    // Nothing can be said of a folder that is not among the sources.
    let idle = idle.filter(|((path, _, _), _)| sources.iter().any(|other| is_beside(other, path)));
    problems.extend(idle.map(|((path, word, _), _)| {
        Problem::new(
            path,
            1,
            format!("tidy excepts `{word}` here, and it is not used"),
            "take the entry out of `EXCEPTIONS` in xtask/src/tidy/ban.rs",
        )
    }));
    problems
}

fn is_beside(source: &Source, path: &str) -> bool {
    let folder = |path: &str| path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    folder(&source.path) == folder(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<usize> {
        let problems = check_with(&[Source::new(path, text)], &[]);
        problems.iter().map(|problem| problem.line).collect()
    }

    /// A path at which each place of `BANS` applies.
    fn place_of(ban: &Ban) -> &'static str {
        let places = [
            "crates/core/src/id.rs",
            "crates/runtime/src/driver.rs",
            "crates/sqlite/tests/conformance.rs",
        ];
        let applies = |path: &&str| (ban.place)(&Source::new(path, ""));
        places
            .into_iter()
            .find(applies)
            .expect("every ban applies somewhere")
    }

    #[test]
    fn every_banned_word_is_found_where_it_is_banned() {
        for ban in BANS {
            let text = format!("//! Head.\n{}(x)\n", ban.word);
            let lines = found(place_of(ban), &text);
            assert_eq!(lines, [2], "{}", ban.word);
        }
    }

    #[test]
    fn words_pass_where_they_are_not_banned() {
        assert_eq!(found("crates/http/src/a.rs", "HashMap::new()"), [0; 0]);
        assert_eq!(
            found("crates/http/src/a.rs", "async { tokio::spawn(f).await }"),
            [0; 0]
        );
        assert_eq!(
            found("crates/runtime/src/clock.rs", "SystemTime::now()"),
            [0; 0]
        );
        assert_eq!(
            found("examples/approval/src/main.rs", "time::sleep(d)"),
            [0; 0]
        );
        assert_eq!(
            found("crates/rewake/tests/sleep.rs", "rewake::sleep(d).await"),
            [0; 0]
        );
        assert_eq!(
            found("crates/rewake/tests/ui/fail/a.rs", "#[allow(x)]"),
            [0; 0]
        );
    }

    #[test]
    fn words_in_prose_and_literals_pass() {
        let text = "//! No `HashMap` here.\nlet a = \"#[allow(x)]\"; // todo!\n";
        assert_eq!(found("crates/core/src/a.rs", text), [0; 0]);
    }

    #[test]
    fn sleeps_hidden_in_a_group_of_imports_are_found() {
        assert_eq!(
            found(
                "crates/simulation/src/a.rs",
                "use tokio::time::{self, sleep};"
            ),
            [1]
        );
    }

    #[test]
    fn an_exception_covers_its_word_in_its_file_only() {
        let exceptions = [(
            "crates/a/tests/b.rs",
            "thread::sleep",
            "the disk needs time",
        )];
        let used = Source::new("crates/a/tests/b.rs", "thread::sleep(d)");
        let other = Source::new("crates/a/tests/c.rs", "thread::sleep(d)");
        assert_eq!(check_with(std::slice::from_ref(&used), &exceptions), []);
        assert_eq!(check_with(&[used, other], &exceptions).len(), 1);
    }

    #[test]
    fn an_exception_that_nothing_needs_is_a_problem() {
        let exceptions = [(
            "crates/a/tests/b.rs",
            "thread::sleep",
            "the disk needs time",
        )];
        let quiet = Source::new("crates/a/tests/b.rs", "//! Quiet.");
        let problems = check_with(&[quiet], &exceptions);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].remedy.contains("EXCEPTIONS"));
    }

    #[test]
    fn an_exception_in_a_folder_that_was_not_read_is_none() {
        let exceptions = [("crates/a/src/b.rs", "#[allow(", "it is written")];
        let elsewhere = Source::new("crates/c/src/b.rs", "//! Elsewhere.");
        assert_eq!(check_with(&[elsewhere], &exceptions), []);
    }
}
