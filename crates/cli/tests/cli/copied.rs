//! What a copy says.

use std::fs;

use rewake_postgres::private_server::Database;
use serde_json::json;
use tempfile::TempDir;

use crate::called::{call, copy, sqlite};
use crate::workflows::{close, hook, open, sum};

async fn with_two_runs(store: &str) {
    let rewake = open(store).await;
    for token in ["a", "b"] {
        rewake.start(sum(token.into(), 1)).await.unwrap();
        hook(&rewake, token).await;
    }
    close(rewake).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_says_what_it_has_copied() {
    let directory = TempDir::new().unwrap();
    let from = sqlite(&directory.path().join("from.db"));
    let to = sqlite(&directory.path().join("to.db"));
    with_two_runs(&from).await;
    let called = call(&["copy", &from, &to]);
    assert_eq!((called.code, &*called.stderr), (Some(0), ""), "{called:?}");
    let lines: Vec<_> = called.stdout.lines().collect();
    assert_eq!(lines[0], format!("copied {from} to {to}"));
    assert_eq!(lines[1], format!("  {:<14} {:>12}", "scopes", 1));
    assert_eq!(lines[2], format!("  {:<14} {:>12}", "runs", 2));
    let last = "counted: the copy holds what was read, and nothing else";
    assert_eq!(lines.last(), Some(&last));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_reads_what_was_copied() {
    let directory = TempDir::new().unwrap();
    let from = sqlite(&directory.path().join("from.db"));
    let to = sqlite(&directory.path().join("to.db"));
    with_two_runs(&from).await;
    let copied = copy(&from, &to);
    assert_eq!(copied["from"], json!(from));
    assert_eq!(copied["rows"]["runs"], json!(2));
    assert_eq!(copied["rows"]["hooks"], json!(2));
    let rows = copied["rows"].as_object().unwrap().values();
    let total: u64 = rows.map(|rows| rows.as_u64().unwrap()).sum();
    assert_eq!(copied["total"], json!(total));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_to_postgres_and_back_is_what_it_was() {
    let directory = TempDir::new().unwrap();
    let from = sqlite(&directory.path().join("from.db"));
    let back = sqlite(&directory.path().join("back.db"));
    let database = Database::new().unwrap();
    with_two_runs(&from).await;
    let there = copy(&from, &database.url());
    let here = copy(&database.url(), &back);
    assert_eq!(there["rows"], here["rows"]);
    assert!(!there.to_string().contains("password"), "{there}");
    // The files beside it are those of a store that nobody has opened yet.
    let mut names: Vec<_> = fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("back"))
        .collect();
    names.sort();
    assert_eq!(names, ["back.db", "back.db-lock"]);
}
