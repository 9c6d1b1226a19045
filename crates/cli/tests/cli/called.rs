//! The program, called with arguments.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What the program said, and with what it ended.
#[derive(Debug)]
pub(crate) struct Called {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn call(args: &[&str]) -> Called {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rewake"));
    let output = command.args(args).output().unwrap();
    Called {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Copies, which has to succeed, and answers what the program said as JSON.
pub(crate) fn copy(from: &str, to: &str) -> Value {
    let called = call(&["copy", from, to, "--json"]);
    assert_eq!(called.code, Some(0), "{called:?}");
    assert_eq!(called.stderr, "");
    serde_json::from_str(&called.stdout).unwrap()
}

pub(crate) fn sqlite(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}
