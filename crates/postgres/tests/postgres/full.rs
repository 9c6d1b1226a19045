//! The server has no room: on its disk, in its memory, for another connection.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use futures::executor::block_on;
use futures::future::join_all;
use rewake_postgres::private_server::{Database, PrivateServer, Settings};
use rewake_postgres::{Durability, OpenError, Options, PostgresStore};
use rewake_store::{Failed, Log, Queries, StoreError};

use super::fails::{fail_in_the_middle, mend};
use super::relay::Relay;
use super::session::Session;
use super::stage::{Stage, key};

#[test]
fn a_disk_that_is_full_for_one_is_said_to_that_one_alone() {
    let stage = Stage::new();
    let runs: Vec<_> = (0..10).map(|_| stage.run()).collect();
    let condition = format!("NEW.run = '{}'", runs[4].uuid());
    fail_in_the_middle(&stage.database, "53100", &condition);
    let asks = runs.iter().map(|run| stage.store.deliver(run.delivery()));
    let answers = block_on(join_all(asks));
    for (number, (run, answer)) in runs.iter().zip(answers).enumerate() {
        if number == 4 {
            let full = answer.unwrap_err();
            assert!(
                matches!(full, Failed::Store(StoreError::DiskFull)),
                "{full}"
            );
            assert_eq!(run.head(), 3);
        } else {
            assert_eq!(answer.unwrap().position.0, 4);
            assert_eq!(run.log().len(), 2);
        }
    }
}

#[test]
fn a_full_disk_changes_nothing_and_all_goes_on_when_it_has_room() {
    let stage = Stage::new();
    let runs: Vec<_> = (0..10).map(|_| stage.run()).collect();
    fail_in_the_middle(&stage.database, "53100", "true");
    let deliveries = runs.iter().map(|run| {
        let mut delivery = run.delivery();
        delivery.key = Some(key("order-7"));
        delivery
    });
    let deliveries: Vec<_> = deliveries.collect();
    let records: Vec<_> = runs.iter().map(|run| run.record(0)).collect();
    let delivered = deliveries.iter().cloned();
    let delivered = join_all(delivered.map(|delivery| stage.store.deliver(delivery)));
    let appended = records.iter().cloned();
    let appended = join_all(appended.map(|record| stage.store.append(record)));
    for full in block_on(delivered) {
        let full = full.unwrap_err();
        assert!(
            matches!(full, Failed::Store(StoreError::DiskFull)),
            "{full}"
        );
    }
    for full in block_on(appended) {
        let full = full.unwrap_err();
        assert!(
            matches!(full, Failed::Store(StoreError::DiskFull)),
            "{full}"
        );
    }
    assert!(runs.iter().all(|run| run.log().len() == 1));

    mend(&stage.database);
    for ((run, delivery), record) in runs.iter().zip(deliveries).zip(records) {
        let delivered = block_on(stage.store.deliver(delivery)).unwrap();
        assert!(delivered.frame.is_some(), "its key is not used up");
        assert_eq!(delivered.position.0, 4);
        assert_eq!(run.append(record).unwrap().head.0, 5);
        assert_eq!(run.log().len(), 3);
    }
}

#[test]
fn a_server_without_memory_is_asked_a_number_of_times() {
    let stage = Stage::new();
    let run = stage.run();
    fail_in_the_middle(&stage.database, "53200", "true");
    let before = stage.store.counts().undone;
    let away = run.deliver().unwrap_err();
    assert!(
        matches!(&away, Failed::Store(StoreError::Unavailable { reason }) if reason.contains("53200")),
        "{away}"
    );
    assert_eq!(stage.store.counts().undone, before + 8);
    mend(&stage.database);
    assert_eq!(run.deliver().unwrap().position.0, 4);
}

/// Takes every connection that the server has room for.
fn take_all(database: &Database) -> Vec<Session> {
    std::iter::from_fn(|| Session::open(database).ok()).collect()
}

#[test]
fn a_server_without_room_for_a_connection_is_waited_for() {
    let settings = Settings::default().in_memory().with("max_connections", "8");
    let server = PrivateServer::start(&settings).unwrap();
    let database = Arc::new(server.database().unwrap());
    let relay = Relay::to(server.address());
    let url = database.url_through(relay.address());
    let options = Options::new(&url).durability(Durability::Relaxed);

    let taken = take_all(&database);
    let brief = options.clone().patience(Duration::from_millis(300));
    let refused = PostgresStore::open(brief).unwrap_err();
    let said = matches!(&refused, OpenError::Unreachable { reason } if reason.contains("53300"));
    assert!(said && refused.is_retryable(), "{refused}");

    // Another one waits, and is refused several times before there is room.
    relay.forget();
    let patient = options.patience(Duration::from_mins(2));
    let opening = thread::spawn(|| PostgresStore::open(patient));
    relay.meet(6);
    drop(taken);
    drop(opening.join().unwrap().unwrap());

    // One that is open has a connection to write, and needs one more for a question.
    let stage = Stage::at(&url, Arc::clone(&database), |options| {
        options.patience(Duration::from_millis(300))
    });
    let run = stage.run();
    let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                  WHERE application_name = 'rewake'";
    database.query(others).unwrap();
    let taken = take_all(&database);
    let question = || block_on(stage.store.run(stage.scope, run.id));
    let away = question().unwrap_err();
    let said = matches!(&away, StoreError::Unavailable { reason } if reason.contains("53300"));
    assert!(said, "{away}");
    let away = run.deliver().unwrap_err();
    let said = matches!(&away, Failed::Store(StoreError::Unavailable { reason }) if reason.contains("53300"));
    assert!(said, "{away}");
    drop(taken);
    relay.forget();
    while question().is_err() {}
    assert_eq!(run.deliver().unwrap().position.0, 4);
}
