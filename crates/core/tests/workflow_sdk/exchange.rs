//! Our payloads and events, read by the package's own code on Node, and its payloads read by ours.
//!
//! `cargo xtask test` installs the package under the target folder. Where Node or the package is not
//! to be had, the test says so and passes: it holds for whoever has them, and our CI has.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rewake_core::payload::Payload;
use serde_json::{Value, json};

use super::values::{self, Case};
use super::{fixtures, payloads, recordings};

/// Where `cargo xtask test` has installed the package.
fn installed() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("workflow-sdk")
}

/// Why the package cannot be asked, if it cannot.
fn missing() -> Option<String> {
    let node = Command::new("node").arg("--version").output();
    if !node.is_ok_and(|output| output.status.success()) {
        return Some("there is no `node`".to_owned());
    }
    let package = installed().join("node_modules/@workflow/core/package.json");
    if !package.is_file() {
        let place = package.display();
        return Some(format!(
            "there is no {place}; `cargo xtask test` installs it"
        ));
    }
    None
}

#[test]
fn the_package_reads_what_we_write_and_we_read_what_it_writes() {
    if let Some(reason) = missing() {
        println!("skipped: {reason}");
        return;
    }
    let recorded = payloads::recorded();
    let mut cases = values::recorded();
    cases.extend(values::of_our_own());
    let asked: Vec<_> = cases
        .iter()
        .map(|case| {
            let js = case.js.unwrap_or_else(|| &recorded[case.name].0);
            question(case, js)
        })
        .collect();
    let answers = ask("exchange.mjs", &Value::Array(asked));
    assert_eq!(answers.len(), cases.len());
    let mut wrong = Vec::new();
    for (case, answer) in cases.iter().zip(&answers) {
        assert_eq!(answer["name"], case.name);
        if answer["equal"] != true {
            let ours = String::from_utf8_lossy(case.ours.as_bytes());
            wrong.push(format!(
                "{}: {ours} was read as {}",
                case.name, answer["seen"]
            ));
        }
        let written = STANDARD
            .decode(answer["written"].as_str().unwrap())
            .unwrap();
        wrong.extend(case.check(&Payload::from_bytes(written)).err());
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_package_accepts_the_events_that_we_show() {
    if let Some(reason) = missing() {
        println!("skipped: {reason}");
        return;
    }
    let views = recordings::views();
    let answers = ask("events.mjs", &Value::Array(views.clone()));
    assert_eq!(answers.len(), views.len());
    let wrong: Vec<_> = answers.iter().filter(|answer| !answer.is_null()).collect();
    assert_eq!(wrong, Vec::<&Value>::new());
}

fn question(case: &Case, js: &str) -> Value {
    json!({
        "name": case.name,
        "boundary": case.boundary,
        "js": js,
        "bytes": STANDARD.encode(case.ours.as_bytes()),
    })
}

/// Asks the package, and gives its answers in the same order.
fn ask(script: &str, questions: &Value) -> Vec<Value> {
    let mut node = Command::new("node")
        .arg(fixtures().join("node").join(script))
        .current_dir(installed())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node was there a moment ago");
    let mut stdin = node.stdin.take().expect("it is piped");
    stdin.write_all(questions.to_string().as_bytes()).unwrap();
    drop(stdin);
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", output.status);
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
