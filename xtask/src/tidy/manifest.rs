//! Rule: every crate takes the lints of the workspace, and every library forbids unsafe code.

use super::code;
use super::problem::Problem;
use super::workspace::Crate;

pub(super) fn check(checked: &Crate) -> Vec<Problem> {
    let mut problems = Vec::new();
    if !inherits_lints(&checked.manifest.text) {
        problems.push(Problem::new(
            &checked.manifest.path,
            1,
            "the crate does not take the lints of the workspace",
            "add `[lints]` with `workspace = true`",
        ));
    }
    // The macro that makes an addon for Node expands to an `allow`, which `forbid` refuses.
    let is_addon = checked.folder.starts_with("bindings/");
    if let Some(library) = checked.library.as_ref().filter(|_| !is_addon)
        && !code::blank(&library.text).contains("#![forbid(unsafe_code)]")
    {
        problems.push(Problem::new(
            &library.path,
            1,
            "the library does not forbid unsafe code",
            "add `#![forbid(unsafe_code)]` below its `//!` lines",
        ));
    }
    problems
}

fn inherits_lints(manifest: &str) -> bool {
    let mut section = "";
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            section = line;
        }
        let inherits = line.split('#').next().is_some_and(|line| {
            let line: String = line.split_whitespace().collect();
            (section == "[lints]" && line == "workspace=true")
                || (section.is_empty() && line == "lints.workspace=true")
        });
        if inherits {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::source::Source;
    use super::*;

    const LINTS: &str = "[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n";
    const FORBIDS: &str = "//! A.\n\n#![forbid(unsafe_code)]\n";

    fn problems(folder: &str, manifest: &str, library: Option<&str>) -> Vec<String> {
        let checked = Crate {
            name: "a".to_owned(),
            folder: folder.to_owned(),
            manifest: Source::new(&format!("{folder}/Cargo.toml"), manifest),
            library: library.map(|text| Source::new(&format!("{folder}/src/lib.rs"), text)),
            dependencies: Vec::new(),
        };
        check(&checked)
            .into_iter()
            .map(|problem| problem.path)
            .collect()
    }

    #[test]
    fn a_crate_that_keeps_the_house_passes() {
        assert_eq!(problems("crates/a", LINTS, Some(FORBIDS)), [""; 0]);
        assert_eq!(problems("xtask", LINTS, None), [""; 0]);
        assert_eq!(problems("bindings/node", LINTS, Some("//! A.\n")), [""; 0]);
    }

    #[test]
    fn lints_of_its_own_or_of_another_section_fail() {
        for manifest in [
            "[package]\n",
            "[lints.rust]\nunsafe_code = \"deny\"\n",
            "[lints]\n# workspace = true\n",
            "[lints]\n[dependencies]\nworkspace = true\n",
        ] {
            assert_eq!(
                problems("crates/a", manifest, None),
                ["crates/a/Cargo.toml"]
            );
        }
    }

    #[test]
    fn a_library_that_leaves_unsafe_open_fails() {
        for library in ["//! A.\n", "//! Has `#![forbid(unsafe_code)]`.\n"] {
            assert_eq!(
                problems("crates/a", LINTS, Some(library)),
                ["crates/a/src/lib.rs"]
            );
        }
    }
}
