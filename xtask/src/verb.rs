//! What was asked for on the command line. Parsing only; each verb is done in a file of its own.

/// One thing this program can be asked to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    /// Lists the verbs.
    Help,
    /// Checks the house rules that no compiler checks.
    Tidy {
        /// Whether to write the hash of the event definitions into the page that describes them.
        bless: bool,
    },
    /// Sets up what tests need and runs them.
    Test {
        /// Runs only tests whose name contains this.
        filter: Option<String>,
    },
    /// Breaks the code on purpose and expects the tests to notice.
    Mutants {
        /// Tries only the bug of this name.
        name: Option<String>,
    },
    /// Measures what things cost.
    Bench {
        /// What the benchmarks' own command line is.
        arguments: Vec<String>,
    },
    /// Runs everything that decides whether a change lands.
    Ci,
}

impl Verb {
    /// Returns the verb that these arguments ask for, or what is wrong with them.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut arguments = arguments.into_iter();
        let verb = match arguments.next().as_deref() {
            None | Some("help" | "--help" | "-h") => Self::Help,
            Some("tidy") => Self::Tidy {
                bless: arguments
                    .next()
                    .map_or(Ok(false), |option| match option.as_str() {
                        "--bless" => Ok(true),
                        other => Err(format!("`tidy` knows `--bless`, not `{other}`")),
                    })?,
            },
            Some("test") => match arguments.next() {
                Some(option) if option.starts_with('-') => {
                    return Err(format!(
                        "`test` takes part of a test's name, not `{option}`"
                    ));
                }
                filter => Self::Test { filter },
            },
            Some("mutants") => Self::Mutants {
                name: arguments.next(),
            },
            Some("bench") => Self::Bench {
                arguments: arguments.by_ref().collect(),
            },
            Some("ci") => Self::Ci,
            Some(other) => return Err(format!("there is no verb `{other}`")),
        };
        match arguments.next() {
            None => Ok(verb),
            Some(extra) => Err(format!("`{extra}` is one argument too many")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Verb, String> {
        Verb::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn every_verb_is_recognised() {
        assert_eq!(parse(""), Ok(Verb::Help));
        assert_eq!(parse("--help"), Ok(Verb::Help));
        assert_eq!(parse("tidy"), Ok(Verb::Tidy { bless: false }));
        assert_eq!(parse("tidy --bless"), Ok(Verb::Tidy { bless: true }));
        assert_eq!(parse("test"), Ok(Verb::Test { filter: None }));
        let filter = Some("replay".to_owned());
        assert_eq!(parse("test replay"), Ok(Verb::Test { filter }));
        let name = Some("missing-sync".to_owned());
        assert_eq!(parse("mutants missing-sync"), Ok(Verb::Mutants { name }));
        let arguments = vec!["resume".to_owned(), "--quick".to_owned()];
        assert_eq!(parse("bench resume --quick"), Ok(Verb::Bench { arguments }));
        assert_eq!(parse("ci"), Ok(Verb::Ci));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (line, named) in [
            ("tyde", "`tyde`"),
            ("tidy --fix", "`--fix`"),
            ("test --release", "`--release`"),
            ("test one two", "`two`"),
            ("ci now", "`now`"),
        ] {
            let usage = parse(line).expect_err("this line asks for nothing we can do");
            assert!(usage.contains(named), "{line}: {usage}");
        }
    }
}
