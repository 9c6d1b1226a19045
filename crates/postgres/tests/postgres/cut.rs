//! Connections are cut before anything was committed, and while something is read: nobody notices.

use futures::executor::block_on;
use rewake_store::Log;
use rewake_store::core::event::Position;

use super::session::Session;
use super::stage::{Stage, wait_until, waiting};

/// Sessions of stores that wait for a lock.
const WAITS: &str = "SELECT pid FROM pg_stat_activity WHERE application_name = 'rewake'
                     AND datname = current_database() AND wait_event_type = 'Lock'";

/// Whether other nodes were told of the run that was made: nothing more is asked by itself.
const TOLD: &str = "SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'rewake'
                    AND datname = current_database() AND state = 'idle'
                    AND query LIKE '%WITH ORDINALITY%'";

/// Cuts the connections of stores that wait for a lock, and waits until one that has come in their
/// place waits.
fn cut(stage: &Stage) {
    wait_until(&stage.database, &waiting(1));
    let pids = format!("SELECT string_agg(pid::text, ', ') FROM ({WAITS}) AS waits");
    let pids = stage.database.query(&pids).unwrap();
    let cut = format!(
        "SELECT count(pg_terminate_backend(pid)) >= 1 FROM pg_stat_activity WHERE pid IN ({pids})"
    );
    assert_eq!(stage.database.query(&cut).unwrap(), "t");
    let another = format!("SELECT count(*) >= 1 FROM ({WAITS}) AS waits WHERE pid NOT IN ({pids})");
    wait_until(&stage.database, &another);
}

#[test]
fn what_is_cut_before_its_commit_is_done_again() {
    let stage = Stage::on(
        rewake_postgres::private_server::Database::new().unwrap(),
        |options| options.lock_timeout(std::time::Duration::from_mins(10)),
    );
    let run = stage.run();
    let session = Session::holding(&stage.database, &run.lock());
    let delivery = run.delivery();
    let id = delivery.id;
    let delivered = stage.store.deliver(delivery);
    cut(&stage);
    cut(&stage);
    session.end();
    assert_eq!(block_on(delivered).unwrap().position.0, 4);
    assert_eq!(run.log()[1..], [id]);
}

#[test]
fn a_question_that_is_cut_is_asked_again() {
    let stage = Stage::on(
        rewake_postgres::private_server::Database::new().unwrap(),
        |options| {
            options
                .readers(1)
                .lock_timeout(std::time::Duration::from_mins(10))
        },
    );
    let run = stage.run();
    assert_eq!(run.head(), 3);
    wait_until(&stage.database, TOLD);
    let lock = "LOCK TABLE rewake.frames IN ACCESS EXCLUSIVE MODE";
    let session = Session::holding(&stage.database, lock);
    let frames = stage
        .store
        .frames(stage.scope, run.id, Position::START, usize::MAX);
    cut(&stage);
    session.end();
    assert_eq!(block_on(frames).unwrap().len(), 1);
}
