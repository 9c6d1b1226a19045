//! The database goes away: what was in flight is said to be unknown where it may have happened, and
//! the store goes on when the database does.

use std::time::Duration;

use futures::executor::block_on;
use rewake_postgres::Durability;
use rewake_postgres::private_server::{PrivateServer, Settings, Stop};
use rewake_store::{Append, Failed, Log, StoreError};

use super::stage::Stage;

/// Cuts every connection of stores.
const CUT: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                   WHERE application_name = 'rewake' AND datname = current_database()";

/// Cuts the connection of the first transaction that adds a frame, in the middle of its commit.
const CUT_THE_FIRST_COMMIT: &str = include_str!("../cut_the_first_commit.sql");

#[test]
fn connections_that_were_cut_at_rest_are_made_anew() {
    let stage = Stage::new();
    let run = stage.run();
    assert_eq!(run.head(), 3);
    stage.database.query(CUT).unwrap();
    // The long way and the short one, and a question.
    let other = stage.run();
    assert_eq!(run.append(run.record(0)).unwrap().head.0, 4);
    assert_eq!(other.head(), 3);
}

#[test]
fn a_payload_whose_commit_is_cut_is_unknown_and_repeated_once() {
    let stage = Stage::new();
    let run = stage.run();
    stage.database.query(CUT_THE_FIRST_COMMIT).unwrap();
    let mut delivery = run.delivery();
    let unknown = block_on(stage.store.deliver(delivery.clone())).unwrap_err();
    assert!(is_unknown(&unknown), "{unknown}");
    delivery.repeat = true;
    let delivered = block_on(stage.store.deliver(delivery)).unwrap();
    assert_eq!(delivered.position.0, 4);
    assert_eq!(run.head(), 4);
}

#[test]
fn an_append_whose_one_statement_is_cut_is_unknown_and_repeated_once() {
    let stage = Stage::new();
    let run = stage.run();
    stage.database.query(CUT_THE_FIRST_COMMIT).unwrap();
    let append = run.record(0);
    let unknown = run.append(append.clone()).unwrap_err();
    assert!(is_unknown(&unknown), "{unknown}");
    let repeat = Append {
        repeat: true,
        ..append
    };
    assert_eq!(run.append(repeat).unwrap().head.0, 4);
    assert_eq!(run.head(), 4);
}

fn is_unknown<R: std::error::Error>(failed: &Failed<R>) -> bool {
    matches!(failed, Failed::Store(error) if error.may_have_happened())
}

#[test]
fn a_store_goes_on_after_the_server_was_stopped_and_started() {
    let server = PrivateServer::start(&Settings::default().in_memory()).unwrap();
    let stage = Stage::on(server.database().unwrap(), |options| {
        options.durability(Durability::Full)
    });
    let run = stage.run();
    for how in [Stop::Fast, Stop::Immediate] {
        let before = run.head();
        server.stop(how).unwrap();
        server.start_again().unwrap();
        assert_eq!(run.deliver().unwrap().position.0, before + 1);
        assert_eq!(run.head(), before + 1);
    }
}

#[test]
fn a_database_that_is_away_is_said_to_be_and_nothing_is_written() {
    let server = PrivateServer::start(&Settings::default().in_memory()).unwrap();
    let stage = Stage::on(server.database().unwrap(), |options| {
        options.patience(Duration::from_millis(300))
    });
    let run = stage.run();
    server.stop(Stop::Fast).unwrap();
    let away = run.deliver().unwrap_err();
    let said = matches!(&away, Failed::Store(StoreError::Unavailable { .. }));
    assert!(said, "{away}");
    let question = block_on(rewake_store::Queries::run(
        &stage.store,
        stage.scope,
        run.id,
    ));
    assert!(question.is_err_and(|error| error.is_retryable()));
    server.start_again().unwrap();
    assert_eq!(run.deliver().unwrap().position.0, 4);
}
