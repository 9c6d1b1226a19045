//! Opening: tables are made once, and what is not as it should be is refused.

use std::thread;
use std::time::Duration;

use futures::executor::block_on;
use rewake_postgres::private_server::{Database, PrivateServer, Settings};
use rewake_postgres::{Durability, OpenError, Options, PostgresStore};
use rewake_store::Sessions;

fn open(database: &Database) -> Result<PostgresStore, OpenError> {
    let options = Options::new(database.url()).durability(Durability::Relaxed);
    PostgresStore::open(options)
}

#[test]
fn many_that_open_at_once_make_the_tables_once() {
    let database = Database::new().unwrap();
    let scopes = thread::scope(|threads| {
        let openings: Vec<_> = (0..6)
            .map(|_| {
                threads.spawn(|| {
                    let store = open(&database).unwrap();
                    block_on(store.scope("shop".to_owned(), "production".to_owned())).unwrap()
                })
            })
            .collect();
        let scopes = openings.into_iter().map(|opening| opening.join().unwrap());
        scopes.collect::<Vec<_>>()
    });
    assert!(scopes.iter().all(|scope| *scope == scopes[0]));
    let made = database.query("SELECT version FROM rewake.migrations");
    assert_eq!(made.unwrap(), "1");
}

#[test]
fn a_newer_build_beside_this_one_is_worked_with() {
    let database = Database::new().unwrap();
    drop(open(&database).unwrap());
    let note = "INSERT INTO rewake.migrations VALUES (2, 1)";
    database.query(note).unwrap();
    drop(open(&database).unwrap());
}

#[test]
fn a_schema_that_only_newer_builds_read_is_refused() {
    let database = Database::new().unwrap();
    drop(open(&database).unwrap());
    let note = "INSERT INTO rewake.migrations VALUES (3, 2)";
    database.query(note).unwrap();
    let refused = OpenError::Newer {
        schema: "rewake".to_owned(),
        found: 3,
        known: 1,
    };
    assert_eq!(open(&database).unwrap_err(), refused);
}

#[test]
fn a_schema_of_somebody_else_is_left_alone() {
    let database = Database::new().unwrap();
    database
        .query("CREATE SCHEMA rewake; CREATE TABLE rewake.guests (name text)")
        .unwrap();
    let refused = open(&database).unwrap_err();
    assert!(matches!(refused, OpenError::NotOurs { .. }), "{refused}");
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'rewake'";
    assert_eq!(database.query(tables).unwrap(), "1");
}

#[test]
fn a_server_that_does_not_write_through_is_refused() {
    for setting in ["fsync", "full_page_writes"] {
        let settings = Settings::default().in_memory().with(setting, "off");
        let server = PrivateServer::start(&settings).unwrap();
        let database = server.database().unwrap();
        let refused = PostgresStore::open(Options::new(database.url())).unwrap_err();
        let setting = setting.to_owned();
        assert_eq!(refused, OpenError::NotDurable { setting });
        // It is taken where that was asked for.
        drop(open(&database).unwrap());
    }
}

#[test]
fn what_cannot_be_reached_says_so_without_the_password() {
    let url = "postgres://app:secret@127.0.0.1:1/app?connect_timeout=1";
    let options = Options::new(url).patience(Duration::from_millis(100));
    let refused = PostgresStore::open(options).unwrap_err();
    assert!(
        matches!(refused, OpenError::Unreachable { .. }),
        "{refused}"
    );
    assert!(refused.is_retryable());
    assert!(!format!("{refused} {refused:?}").contains("secret"));
}
