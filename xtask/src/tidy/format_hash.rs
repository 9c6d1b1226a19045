//! Rule: the page on stored formats carries a hash of the definitions it describes, so that
//! changing them without rereading the page fails.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::problem::Problem;
use super::source::Source;

/// The page that says what is stored.
const PAGE: &str = "docs/format.md";

/// The files that define what is stored; `*` stands for any part of a file's name.
const DEFINITIONS: &[&str] = &[
    "crates/core/src/event/*.rs",
    "crates/store/src/row*.rs",
    "crates/store/src/row/*.rs",
];

const OPENING: &str = "<!-- events: sha256:";
const CLOSING: &str = " -->";

pub(super) fn check(sources: &[Source]) -> Vec<Problem> {
    let Some(hash) = hash(sources) else {
        return Vec::new(); // Nothing is defined yet, so nothing is described.
    };
    let line = format!("`{OPENING}{hash}{CLOSING}`");
    let Some(page) = sources.iter().find(|source| source.path == PAGE) else {
        let remedy = format!("write the page, with the line {line}");
        return vec![Problem::new(
            PAGE,
            1,
            "the page on stored formats is missing",
            remedy,
        )];
    };
    let carried: Vec<_> = page
        .text
        .lines()
        .enumerate()
        .filter_map(|(at, line)| Some((at + 1, hash_in(line)?)))
        .collect();
    if carried.is_empty() {
        let remedy = format!("add the line {line}");
        return vec![Problem::new(
            PAGE,
            1,
            "the hash of the event definitions is missing",
            remedy,
        )];
    }
    let stale = carried.iter().filter(|(_, carried)| *carried != hash);
    stale
        .map(|(at, _)| {
            Problem::new(
                PAGE,
                *at,
                format!("the event definitions have changed; their hash is sha256:{hash}"),
                "update the page first, then the hash (`cargo xtask tidy --bless` writes it)",
            )
        })
        .collect()
}

/// Writes the hash into the page, where both exist, and returns whether the page changed.
pub(super) fn bless(root: &Path, sources: &mut [Source]) -> Result<bool> {
    let Some(hash) = hash(sources) else {
        return Ok(false);
    };
    let Some(page) = sources.iter_mut().find(|source| source.path == PAGE) else {
        return Ok(false);
    };
    let blessed = blessed(&page.text, &hash);
    if blessed == page.text {
        return Ok(false);
    }
    fs::write(root.join(PAGE), &blessed).with_context(|| format!("cannot write `{PAGE}`"))?;
    page.text = blessed;
    Ok(true)
}

/// Returns the page with this hash in every line that carries one, or in a new last line.
fn blessed(page: &str, hash: &str) -> String {
    let line = format!("{OPENING}{hash}{CLOSING}");
    if !page.lines().any(|line| hash_in(line).is_some()) {
        return format!("{}\n\n{line}\n", page.trim_end());
    }
    page.split_inclusive('\n')
        .map(|old| match hash_in(old) {
            Some(_) => format!("{line}\n"),
            None => old.to_owned(),
        })
        .collect()
}

fn hash_in(line: &str) -> Option<&str> {
    line.trim().strip_prefix(OPENING)?.strip_suffix(CLOSING)
}

/// Returns the hash over all definitions in order of path, or `None` where there are none.
fn hash(sources: &[Source]) -> Option<String> {
    let mut definitions: Vec<_> = sources
        .iter()
        .filter(|source| is_definition(source))
        .collect();
    definitions.sort_by(|a, b| a.path.cmp(&b.path));
    if definitions.is_empty() {
        return None;
    }
    let mut digest = Sha256::new();
    for source in definitions {
        // A checkout may have turned line ends; what is defined is the same.
        digest.update(source.text.replace("\r\n", "\n"));
    }
    let mut hex = String::new();
    for byte in digest.finalize() {
        write!(hex, "{byte:02x}").expect("a `String` takes whatever is written to it");
    }
    Some(hex)
}

fn is_definition(source: &Source) -> bool {
    !source.is_test() && DEFINITIONS.iter().any(|glob| matches(glob, &source.path))
}

fn matches(glob: &str, path: &str) -> bool {
    let Some((before, after)) = glob.split_once('*') else {
        return glob == path;
    };
    let middle = path
        .strip_prefix(before)
        .and_then(|rest| rest.strip_suffix(after));
    middle.is_some_and(|middle| !middle.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition() -> Source {
        Source::new("crates/core/src/event/kind.rs", "//! Kinds.\n")
    }

    fn page(text: &str) -> Source {
        Source::new(PAGE, text)
    }

    #[test]
    fn nothing_defined_asks_for_nothing() {
        assert_eq!(check(&[Source::new("crates/core/src/id.rs", "")]), []);
    }

    #[test]
    fn a_missing_page_and_a_missing_hash_fail() {
        assert!(check(&[definition()])[0].remedy.contains(OPENING));
        assert!(
            check(&[definition(), page("# Format\n")])[0]
                .remedy
                .contains(OPENING)
        );
    }

    #[test]
    fn a_stale_hash_fails_at_its_line_and_names_the_new_one() {
        let problems = check(&[
            definition(),
            page("# Format\n\n<!-- events: sha256:00 -->\n"),
        ]);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].line, 3);
        assert!(problems[0].wrong.contains(&hash(&[definition()]).unwrap()));
        assert!(problems[0].remedy.contains("--bless"));
    }

    #[test]
    fn a_blessed_page_passes_until_a_definition_changes() {
        for text in [
            "# Format\n",
            "# Format\n<!-- events: sha256:00 -->\nMore.\n",
        ] {
            let blessed = page(&blessed(text, &hash(&[definition()]).unwrap()));
            assert_eq!(check(&[definition(), blessed.clone()]), [], "{text}");
            let mut changed = definition();
            changed.text.push_str("struct New;\n");
            assert_eq!(check(&[changed, blessed]).len(), 1, "{text}");
        }
    }

    #[test]
    fn blessing_touches_only_the_line_of_the_hash() {
        let old = "# Format\n<!-- events: sha256:00 -->\nMore.\n";
        let new = "# Format\n<!-- events: sha256:ab -->\nMore.\n";
        assert_eq!(blessed(old, "ab"), new);
    }

    #[test]
    fn line_ends_and_tests_do_not_count() {
        let mut turned = definition();
        turned.text = turned.text.replace('\n', "\r\n");
        assert_eq!(hash(&[turned]), hash(&[definition()]));
        let test = Source::new("crates/core/src/event/tests.rs", "//! Tests.\n");
        assert_eq!(hash(&[definition(), test]), hash(&[definition()]));
    }

    #[test]
    fn globs_match_within_one_folder() {
        assert!(matches(
            "crates/store/src/row*.rs",
            "crates/store/src/row.rs"
        ));
        assert!(matches(
            "crates/store/src/row*.rs",
            "crates/store/src/row_hook.rs"
        ));
        assert!(!matches(
            "crates/store/src/row*.rs",
            "crates/store/src/row/hook.rs"
        ));
        assert!(!matches(
            "crates/core/src/event/*.rs",
            "crates/core/src/event.rs"
        ));
    }

    #[test]
    fn the_hash_is_sha256_of_the_texts_in_order() {
        let a = Source::new("crates/core/src/event/a.rs", "a");
        let b = Source::new("crates/core/src/event/b.rs", "bc");
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash(&[b, a]).as_deref(), Some(abc));
    }
}
