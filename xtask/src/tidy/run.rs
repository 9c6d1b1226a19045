//! Reads the repository, asks every rule, and reports all there is to say in one go.

use anyhow::{Result, bail};

use super::problem::Problem;
use super::size::Verdict;
use super::source::Source;
use super::workspace::Crate;
use super::{arrows, ban, format_hash, header, manifest, size, source, workspace};
use crate::command;

/// Checks every rule; with `bless`, first writes the hash of the event definitions.
pub(crate) fn run(bless: bool) -> Result<()> {
    let root = command::root()?;
    let mut sources = source::read(&root)?;
    if bless && format_hash::bless(&root, &mut sources)? {
        println!("tidy: wrote the hash of the event definitions");
    }
    let report = check(&sources, &workspace::read(&root)?);
    for warning in &report.warnings {
        println!("warning: {warning}");
    }
    for problem in &report.problems {
        println!("{problem}");
    }
    match report.problems.len() {
        0 => {
            println!("tidy: {} files, all well", sources.len());
            Ok(())
        }
        1 => bail!("tidy found 1 problem"),
        count => bail!("tidy found {count} problems"),
    }
}

/// What all rules together have to say, in order of place.
#[derive(Debug, Default)]
struct Report {
    warnings: Vec<Problem>,
    problems: Vec<Problem>,
}

fn check(sources: &[Source], crates: &[Crate]) -> Report {
    let mut report = Report::default();
    for source in sources {
        match size::check(source) {
            Verdict::Fine => {}
            Verdict::Many(warning) => report.warnings.push(warning),
            Verdict::TooMany(problem) => report.problems.push(problem),
        }
        report.problems.extend(header::check(source));
    }
    report.problems.extend(ban::check(sources));
    report.problems.extend(format_hash::check(sources));
    report.problems.extend(arrows::check(crates));
    report
        .problems
        .extend(crates.iter().flat_map(manifest::check));
    report.problems.sort();
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_asked_and_all_problems_come_at_once() {
        let long = format!("//! Long.\n{}", "\n".repeat(900));
        let sources = [
            Source::new("crates/core/src/event/kind.rs", "use std::fmt;\n"),
            Source::new("crates/core/src/id.rs", "//! Ids.\nuse std::fs;\n"),
            Source::new("crates/core/src/long.rs", &long),
        ];
        let lost = Crate {
            name: "lost".to_owned(),
            folder: "lost".to_owned(),
            manifest: Source::new("lost/Cargo.toml", ""),
            library: None,
            dependencies: Vec::new(),
        };
        let report = check(&sources, &[lost]);
        let places: Vec<_> = report
            .problems
            .iter()
            .map(|problem| (problem.path.as_str(), problem.line))
            .collect();
        let expected = [
            ("crates/core/src/event/kind.rs", 1),
            ("crates/core/src/id.rs", 2),
            ("crates/core/src/long.rs", 801),
            ("docs/format.md", 1),
            ("lost/Cargo.toml", 1),
            ("lost/Cargo.toml", 1),
        ];
        assert_eq!(places, expected);
    }

    #[test]
    fn a_file_past_the_first_limit_is_a_warning_only() {
        let text = format!("//! Longer.\n{}", "\n".repeat(600));
        let report = check(&[Source::new("crates/core/src/a.rs", &text)], &[]);
        assert_eq!(report.warnings.len(), 1);
        assert_eq!(report.problems, []);
    }
}
