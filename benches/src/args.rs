//! The command line. Parsing only.

use std::path::PathBuf;

/// What another process of this program is to do: the load that is killed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Child {
    pub(crate) path: PathBuf,
    pub(crate) waiting: u64,
    pub(crate) active: u64,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Args {
    /// Only workloads of this name.
    pub(crate) name: Option<String>,
    pub(crate) quick: bool,
    /// Only parts of this name, of a workload that has several.
    pub(crate) only: Option<String>,
    pub(crate) json: bool,
    /// Where the files lie.
    pub(crate) dir: PathBuf,
    /// How long the long runs of `counts` are.
    pub(crate) late: u64,
    /// Set where this process is begun by another of this program.
    pub(crate) child: Option<Child>,
}

impl Args {
    pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut args = Self {
            name: None,
            quick: false,
            only: None,
            json: false,
            dir: PathBuf::from("target"),
            late: 1_000,
            child: None,
        };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => args.quick = true,
                "child" => args.child = Some(Child::parse(&mut arguments)?),
                "--json" => args.json = true,
                "--dir" => {
                    let dir = arguments.next();
                    args.dir = PathBuf::from(dir.ok_or("`--dir` names a folder on a disk")?);
                }
                "--only" => {
                    let only = arguments.next();
                    args.only = Some(only.ok_or("`--only` names a part of a workload")?);
                }
                "--late" => {
                    let late = arguments.next().and_then(|late| late.parse().ok());
                    args.late = late.ok_or("`--late` is a number")?;
                }
                option if option.starts_with('-') => {
                    return Err(format!("there is no option `{option}`"));
                }
                name if args.name.is_none() => args.name = Some(name.to_owned()),
                extra => return Err(format!("`{extra}` is one argument too many")),
            }
        }
        Ok(args)
    }
}

impl Child {
    fn parse(arguments: &mut impl Iterator<Item = String>) -> Result<Self, String> {
        let mut next = || arguments.next().ok_or("`child` is for this program itself");
        let what = next()?;
        if what != "load" {
            return Err(format!("`child` knows `load`, not `{what}`"));
        }
        let path = PathBuf::from(next()?);
        let mut number = || next().and_then(|text| text.parse().map_err(|_| "a number is missing"));
        Ok(Self {
            path,
            waiting: number()?,
            active: number()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args, String> {
        Args::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_and_name_may_come_in_any_order() {
        let args = parse("--quick resume --only alone --json --dir /var/tmp").unwrap();
        let expected = Args {
            name: Some("resume".to_owned()),
            quick: true,
            only: Some("alone".to_owned()),
            json: true,
            dir: PathBuf::from("/var/tmp"),
            late: 1_000,
            child: None,
        };
        assert_eq!(args, expected);
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (line, named) in [("--fast", "`--fast`"), ("a b", "`b`"), ("--dir", "`--dir`")] {
            let usage = parse(line).expect_err("this line asks for nothing there is");
            assert!(usage.contains(named), "{line}: {usage}");
        }
    }
}
