//! Several hosts: whichever can write is found, and found again.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use rewake_postgres::private_server::{Database, PrivateServer, Settings};
use rewake_postgres::{Durability, OpenError, Options, PostgresStore};

use super::load::under_load;
use super::stage::Stage;

/// A connection string with these hosts, in order.
fn through(database: &Database, hosts: &[SocketAddr]) -> String {
    let hosts: Vec<_> = hosts.iter().map(SocketAddr::to_string).collect();
    let one = database.tcp_url();
    let many = one.replace(&database.address().to_string(), &hosts.join(","));
    format!("{many}?target_session_attrs=read-write")
}

/// One that nobody listens at.
fn nobody() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap()
}

#[test]
fn a_host_that_is_down_is_passed_by() {
    let database = Arc::new(Database::new().unwrap());
    let url = through(&database, &[nobody(), database.address()]);
    let stage = Stage::at(&url, database, |options| options);
    assert_eq!(stage.run().deliver().unwrap().position.0, 4);
}

#[test]
fn a_host_that_says_nothing_is_passed_by() {
    // Connections are made, and nobody takes them.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let database = Arc::new(Database::new().unwrap());
    let hosts = [silent.local_addr().unwrap(), database.address()];
    let url = through(&database, &hosts);
    let stage = Stage::at(&url, database, |options| {
        options.patience(Duration::from_secs(3))
    });
    assert_eq!(stage.run().deliver().unwrap().position.0, 4);
}

#[test]
fn where_no_host_serves_the_error_names_each() {
    let (first, second) = (nobody(), nobody());
    let url = format!("postgres://app:secret@{first},{second}/app");
    let options = Options::new(url).patience(Duration::from_millis(100));
    let refused = PostgresStore::open(options).unwrap_err();
    assert!(
        matches!(&refused, OpenError::Unreachable { reason }
            if reason.contains(&first.to_string()) && reason.contains(&second.to_string())),
        "{refused}"
    );
}

#[test]
fn a_standby_that_takes_over_is_found_and_has_everything() {
    let settings = Settings::default().in_memory();
    let primary = PrivateServer::start(&settings).unwrap();
    let database = Arc::new(primary.database().unwrap());
    let standby = primary.start_standby().unwrap();
    // From here on a commit is on both before it is answered.
    primary
        .query("ALTER SYSTEM SET synchronous_standby_names = '*'")
        .unwrap();
    primary.query("SELECT pg_reload_conf()").unwrap();
    // The first of the hosts can only be read.
    let url = through(&database, &[standby.address(), primary.address()]);
    let stage = Stage::at(&url, database, |options| {
        options
            .durability(Durability::Full)
            .patience(Duration::from_secs(30))
    });
    under_load(&stage, |answers| {
        answers.wait_for(100);
        primary.kill().unwrap();
        assert_eq!(standby.query("SELECT pg_promote()").unwrap(), "t");
        answers.wait_for_new(100);
    });
}
