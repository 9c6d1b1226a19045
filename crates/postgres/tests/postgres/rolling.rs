//! Several processes open one database at once, also while one of them takes long to migrate it.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use futures::executor::block_on;
use rewake_postgres::private_server::Database;
use rewake_postgres::{Durability, Options, PostgresStore};
use rewake_store::Sessions;

use super::session::Session;
use super::stage::wait_until;

const MANY: usize = 16;

#[test]
fn many_open_an_empty_database_at_the_same_moment() {
    let database = Database::new().unwrap();
    let start = Barrier::new(MANY);
    let open = || {
        let options = Options::new(database.url()).durability(Durability::Relaxed);
        start.wait();
        let store = PostgresStore::open(options).unwrap();
        block_on(store.scope("shop".to_owned(), "production".to_owned())).unwrap()
    };
    let scopes: Vec<_> = thread::scope(|threads| {
        let openings: Vec<_> = (0..MANY).map(|_| threads.spawn(open)).collect();
        let scopes = openings.into_iter().map(|opening| opening.join().unwrap());
        scopes.collect()
    });
    assert!(scopes.iter().all(|scope| *scope == scopes[0]));
    let made = "SELECT count(*) = count(DISTINCT version) FROM rewake.migrations";
    assert_eq!(database.query(made).unwrap(), "t");
}

#[test]
fn a_migration_that_takes_longer_than_anybodys_patience_is_waited_for() {
    let database = Database::new().unwrap();
    let migration = "SELECT pg_advisory_xact_lock(x'52776b65'::bigint)";
    let migrating = Session::holding(&database, migration);
    let options = Options::new(database.url()).durability(Durability::Relaxed);
    let options = options.patience(Duration::from_millis(500));
    let opening = thread::spawn(|| PostgresStore::open(options));
    // It has looked for the second time at least.
    let waits = "SELECT count(*) = 1 FROM pg_stat_activity
                 WHERE application_name = 'rewake' AND datname = current_database()
                 AND wait_event = 'advisory' AND xact_start > backend_start + interval '900 ms'";
    wait_until(&database, waits);
    migrating.end();
    drop(opening.join().unwrap().unwrap());
}
