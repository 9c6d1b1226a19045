//! Other sessions hold what the store wants: it tries again, a number of times, and each request has
//! one effect and one answer.

use std::time::Duration;

use futures::executor::block_on;
use futures::future::join_all;
use rewake_postgres::private_server::Database;
use rewake_store::{Log, Sessions};

use super::fails::{fail_at_commit, mend};
use super::session::Session;
use super::stage::{Stage, wait_until, waiting};

/// Longer than any test takes.
const NEVER: Duration = Duration::from_mins(10);

#[test]
fn the_victim_of_a_deadlock_tries_again() {
    let database = Database::new().unwrap();
    let name = database.name();
    let soon = format!("ALTER DATABASE {name} SET deadlock_timeout = '500ms'");
    database.query(&soon).unwrap();
    let stage = Stage::on(database, |options| options.lock_timeout(NEVER));
    let (first, second) = (stage.run(), stage.run());
    let in_front = Session::holding(&stage.database, &first.lock());
    let other = Session::holding(&stage.database, "SET deadlock_timeout = '1h'");
    other.ask(&second.lock());

    // The store waits for the first run, and the other session behind it, which holds the second.
    let before = stage.store.counts();
    let runs = vec![first.id, second.id];
    let counted = stage.store.count_crashes(stage.scope, runs);
    wait_until(&stage.database, &waiting(1));
    let behind = other.send(first.lock());
    let both = "SELECT count(*) = 2 FROM pg_stat_activity
                WHERE wait_event_type = 'Lock' AND datname = current_database()";
    wait_until(&stage.database, both);
    in_front.end();
    other.answered(behind);
    other.end();

    assert_eq!(block_on(counted).unwrap(), [1, 1]);
    // It may have been faster than the other session and have met it again.
    assert!(stage.store.counts().undone > before.undone);
    // A session tells its counts when it ends.
    let Stage {
        store, database, ..
    } = stage;
    drop(store);
    let met = "SELECT deadlocks > 0 FROM pg_stat_database WHERE datname = current_database()";
    wait_until(&database, met);
}

/// Payloads and appends to many runs come in while a session holds something for a while.
fn come_in_while(stage: &Stage, held: &str) {
    let runs: Vec<_> = (0..10).map(|_| stage.run()).collect();
    let session = Session::holding(&stage.database, held);
    let before = stage.store.counts().undone;
    let deliveries: Vec<_> = runs.iter().map(|run| run.delivery()).collect();
    let records: Vec<_> = runs.iter().map(|run| run.record(0)).collect();
    let delivered = deliveries.iter().cloned();
    let delivered = delivered.map(|delivery| stage.store.deliver(delivery));
    let delivered: Vec<_> = delivered.collect();
    let appended = records.iter().cloned();
    let appended = appended.map(|record| stage.store.append(record));
    let appended: Vec<_> = appended.collect();
    while stage.store.counts().undone == before {
        std::thread::yield_now();
    }
    session.end();

    let delivered = block_on(join_all(delivered)).into_iter();
    let appended = block_on(join_all(appended)).into_iter();
    for ((run, delivered), appended) in runs.iter().zip(delivered).zip(appended) {
        let (delivered, appended) = (delivered.unwrap().position.0, appended.unwrap().head.0);
        assert_eq!(delivered + appended, 9, "the one is behind the other");
        assert_eq!(run.head(), 5);
    }
    for ((run, delivery), record) in runs.iter().zip(deliveries).zip(records) {
        let log = run.log();
        assert_eq!(log.len(), 3);
        assert!(log.contains(&delivery.id) && log.contains(&record.id));
    }
}

#[test]
fn what_waits_too_long_for_a_lock_tries_again() {
    let stage = Stage::on(Database::new().unwrap(), |options| {
        options.lock_timeout(Duration::from_millis(500))
    });
    come_in_while(&stage, "SELECT FROM rewake.runs FOR UPDATE");
}

#[test]
fn a_statement_that_takes_too_long_tries_again() {
    let stage = Stage::on(Database::new().unwrap(), |options| {
        options
            .lock_timeout(NEVER)
            .statement_timeout(Duration::from_millis(500))
    });
    come_in_while(&stage, "LOCK TABLE rewake.frames IN SHARE MODE");
}

#[test]
fn what_cannot_be_serialized_tries_again() {
    let stage = Stage::new();
    let run = stage.run();
    fail_at_commit(&stage.database, "40001", 3);
    let before = stage.store.counts();
    // The one statement, and then the long way.
    assert_eq!(run.append(run.record(0)).unwrap().head.0, 4);
    assert_eq!(stage.store.counts().undone, before.undone + 3);
    mend(&stage.database);
    fail_at_commit(&stage.database, "40001", 7);
    assert_eq!(run.deliver().unwrap().position.0, 5);
    assert_eq!(run.log().len(), 3);
}
