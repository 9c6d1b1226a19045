//! What is refused, with which words and which end.

use std::fs;
use std::path::Path;

use rewake_postgres::private_server::Database;
use serde_json::Value;
use tempfile::TempDir;

use crate::called::{Called, call, copy, sqlite};
use crate::workflows::{close, open, sum};

async fn with_a_run(store: &str) {
    let rewake = open(store).await;
    rewake.start(sum("a".into(), 1)).await.unwrap();
    close(rewake).await;
}

fn refused(from: &str, to: &str) -> (Called, String) {
    let called = call(&["copy", from, to, "--json"]);
    assert_eq!(called.code, Some(1), "{called:?}");
    let said: Value = serde_json::from_str(&called.stdout).unwrap();
    let code = said["error"]["code"].as_str().unwrap().to_owned();
    (called, code)
}

fn in_the(directory: &TempDir, name: &str) -> String {
    sqlite(&directory.path().join(name))
}

fn exists(store: &str) -> bool {
    Path::new(store.strip_prefix("sqlite:").unwrap()).exists()
}

#[test]
fn arguments_that_are_wrong_end_with_two() {
    for args in [
        &[][..],
        &["move"],
        &["copy", "sqlite:a.db"],
        &["copy", "a.db", "sqlite:b.db"],
        &["copy", "sqlite::memory:", "sqlite:b.db"],
        &["copy", "sqlite:a.db", "sqlite:a.db"],
        &["copy", "sqlite:a.db", "sqlite:b.db", "--jsom"],
    ] {
        let called = call(args);
        assert_eq!(called.code, Some(2), "{args:?}: {called:?}");
        assert_eq!(called.stdout, "", "{args:?}");
        assert!(!called.stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn a_store_that_is_not_there_is_not_made() {
    let directory = TempDir::new().unwrap();
    let (from, to) = (in_the(&directory, "from.db"), in_the(&directory, "to.db"));
    let (called, code) = refused(&from, &to);
    assert_eq!(code, "STORE_UNOPENABLE");
    assert!(called.stderr.contains("there is no store at"), "{called:?}");
    assert!(!exists(&from) && !exists(&to));
}

#[test]
fn a_source_that_holds_nothing_is_doubted_in_postgres() {
    let directory = TempDir::new().unwrap();
    let to = in_the(&directory, "to.db");
    let database = Database::new().unwrap();
    let (_, code) = refused(&database.url(), &to);
    assert_eq!(code, "STORE_EMPTY");
    assert!(!exists(&to));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_a_process_works_on_is_not_copied() {
    let directory = TempDir::new().unwrap();
    let (from, to) = (in_the(&directory, "from.db"), in_the(&directory, "to.db"));
    let rewake = open(&from).await;
    let (called, code) = refused(&from, &to);
    assert_eq!(code, "STORE_IN_USE");
    let pid = std::process::id().to_string();
    assert!(called.stderr.contains(&pid), "{called:?}");
    assert!(called.stderr.contains("stop what does"), "{called:?}");
    close(rewake).await;
    copy(&from, &to);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_store_that_a_node_works_on_is_not_copied() {
    let directory = TempDir::new().unwrap();
    let to = in_the(&directory, "to.db");
    let database = Database::new().unwrap();
    let rewake = open(&database.url()).await;
    let (called, code) = refused(&database.url(), &to);
    assert_eq!(code, "STORE_IN_USE");
    let node = format!("node `process {}`", std::process::id());
    assert!(called.stderr.contains(&node), "{called:?}");
    close(rewake).await;
    copy(&database.url(), &to);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_holds_a_store_is_not_written_over() {
    let directory = TempDir::new().unwrap();
    let (from, to) = (in_the(&directory, "from.db"), in_the(&directory, "to.db"));
    with_a_run(&from).await;
    copy(&from, &to);
    let (called, code) = refused(&from, &to);
    assert_eq!(code, "STORE_NOT_EMPTY");
    assert!(called.stderr.contains("1 runs"), "{called:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_store_that_holds_anything_is_not_written_over() {
    let directory = TempDir::new().unwrap();
    let from = in_the(&directory, "from.db");
    let database = Database::new().unwrap();
    with_a_run(&from).await;
    copy(&from, &database.url());
    let (called, code) = refused(&from, &database.url());
    assert_eq!(code, "STORE_NOT_EMPTY");
    assert!(called.stderr.contains("DROP SCHEMA"), "{called:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_log_is_named_and_nothing_is_copied_into_postgres() {
    let directory = TempDir::new().unwrap();
    let from = in_the(&directory, "from.db");
    let rewake = open(&from).await;
    let run = rewake.start(sum("a".into(), 1)).await.unwrap();
    crate::workflows::hook(&rewake, "a").await;
    close(rewake).await;
    let path = directory.path().join("from.db");
    let mut bytes = fs::read(&path).unwrap();
    // The name of the workflow stands in its log, in its row and nowhere else.
    let name = b"cli::workflows::sum";
    let places: Vec<_> = (0..bytes.len() - name.len())
        .filter(|at| bytes[*at..].starts_with(name))
        .collect();
    assert!(!places.is_empty());
    for place in places {
        bytes[place] ^= 1;
    }
    fs::write(&path, bytes).unwrap();
    let database = Database::new().unwrap();
    let (called, code) = refused(&from, &database.url());
    assert_eq!(code, "STORE_CORRUPT");
    assert!(called.stderr.contains(&run.id().to_string()), "{called:?}");
    let runs = database.query("SELECT count(*) FROM rewake.runs");
    assert_eq!(runs.unwrap(), "0");
}

#[test]
fn a_database_that_is_not_there_is_said_so_without_the_password() {
    let directory = TempDir::new().unwrap();
    let to = "postgres://ada:hunter2@127.0.0.1:1/app?connect_timeout=1";
    let from = directory.path().join("from.db");
    let copied = call(&["copy", to, &sqlite(&from), "--json"]);
    assert_eq!(copied.code, Some(1), "{copied:?}");
    let said = format!("{}{}", copied.stdout, copied.stderr);
    assert!(said.contains("STORE_UNREACHABLE"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}
