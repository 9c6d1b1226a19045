//! What is found goes to standard output, talk to standard error.

use std::io::{Write, stderr, stdout};

use serde_json::{Value, json};

/// Why a command has failed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// A stable name for programs.
    pub(crate) code: &'static str,
    /// What happened, with its causes.
    pub(crate) message: String,
    /// What to do about it, where the message does not say so.
    pub(crate) remedy: &'static str,
}

impl Failure {
    pub(crate) fn new(
        code: &'static str,
        error: &dyn std::error::Error,
        remedy: &'static str,
    ) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(next) = cause {
            message = format!("{message}: {next}");
            cause = next.source();
        }
        Self {
            code,
            message,
            remedy,
        }
    }

    /// Says it to the person at the terminal, and to a program that reads standard output.
    pub(crate) fn show(&self, as_json: bool) {
        let between = if self.remedy.is_empty() { "" } else { "\n" };
        let text = format!("rewake: {}{between}{}", self.message, self.remedy);
        // Where nobody reads it, it is left at that; so too below.
        let _unread = writeln!(stderr(), "{text}");
        if as_json {
            document(&json!({ "error": {
                "code": self.code,
                "message": self.message,
                "remedy": self.remedy,
            }}));
        }
    }
}

/// Lines for a person.
pub(crate) fn lines(text: &str) {
    let _unread = write!(stdout(), "{text}");
}

/// A document for a program.
pub(crate) fn document(value: &Value) {
    let _unread = writeln!(stdout(), "{value:#}");
}
