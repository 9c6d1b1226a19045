//! What a process is told on its command line.

use anyhow::{Context, bail};

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Runs workflows until it is told to stop.
    Worker,
    /// Runs none, and sends letters to conversations until it is told to stop.
    Client,
    /// Runs workflows, and calls `resume_or_start` many times at once.
    Crowd,
}

/// What a process is told.
#[derive(Debug, Clone)]
pub struct Options {
    /// What it does.
    pub role: Role,
    /// Where the store is.
    pub store: String,
    /// The file that it keeps for the checker.
    pub journal: String,
    /// How it is called; the names of its letters begin so.
    pub name: String,
    /// What its build is called: `new` has the changed workflow.
    pub build: String,
    /// How many tokens it sends to.
    pub tokens: usize,
    /// How many calls a crowd makes.
    pub calls: usize,
    /// After how many letters a workflow that a crowd starts ends; zero: when told.
    pub letters: usize,
}

impl Options {
    /// Reads the command line.
    ///
    /// # Errors
    ///
    /// If it is not understood.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> anyhow::Result<Self> {
        let mut arguments = arguments.into_iter();
        let role = match arguments.next().as_deref() {
            Some("worker") => Role::Worker,
            Some("client") => Role::Client,
            Some("crowd") => Role::Crowd,
            other => bail!("a role is `worker`, `client` or `crowd`, not {other:?}"),
        };
        let mut options = Self {
            role,
            store: String::new(),
            journal: String::new(),
            name: String::new(),
            build: "old".to_owned(),
            tokens: 1,
            calls: 0,
            letters: 0,
        };
        while let Some(option) = arguments.next() {
            let value = arguments
                .next()
                .with_context(|| format!("`{option}` wants a value"))?;
            match option.as_str() {
                "--store" => options.store = value,
                "--journal" => options.journal = value,
                "--name" => options.name = value,
                "--build" => options.build = value,
                "--tokens" => options.tokens = value.parse()?,
                "--calls" => options.calls = value.parse()?,
                "--letters" => options.letters = value.parse()?,
                _ => bail!("there is no option `{option}`"),
            }
        }
        Ok(options)
    }
}
