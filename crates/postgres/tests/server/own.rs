//! A server that one test has for itself.

use rewake_postgres::private_server::{Database, PrivateServer, Settings, Stop};

fn server() -> (PrivateServer, Database) {
    let server = PrivateServer::start(&Settings::default().in_memory()).unwrap();
    let database = server.database().unwrap();
    database
        .query("CREATE TABLE kept (id int); INSERT INTO kept VALUES (7)")
        .unwrap();
    (server, database)
}

#[test]
fn what_was_committed_is_there_after_every_kind_of_stop() {
    let (server, database) = server();
    let stops: [fn(&PrivateServer); 3] = [
        |server| server.stop(Stop::Fast).unwrap(),
        |server| server.stop(Stop::Immediate).unwrap(),
        |server| server.kill().unwrap(),
    ];
    for stop in stops {
        let address = server.address();
        stop(&server);
        assert!(
            database.query("SELECT id FROM kept").is_err(),
            "it is stopped"
        );
        server.start_again().unwrap();
        assert_eq!(server.address(), address);
        assert_eq!(database.query("SELECT id FROM kept").unwrap(), "7");
    }
}

#[test]
fn a_frozen_server_answers_once_it_is_thawed() {
    let (server, database) = server();
    server.freeze();
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| database.query("SELECT id FROM kept").unwrap());
        assert!(!asked.is_finished());
        server.thaw();
        assert_eq!(asked.join().unwrap(), "7");
    });
}

#[test]
fn a_setting_reaches_the_server_and_durable_is_the_default() {
    let settings = Settings::default()
        .in_memory()
        .with("application_name", "it's");
    let server = PrivateServer::start(&settings).unwrap();
    let database = server.database().unwrap();
    let asked = "SELECT current_setting('application_name'), current_setting('fsync'), \
                 current_setting('full_page_writes'), current_setting('synchronous_commit')";
    let said = database.query(asked).unwrap();
    // psql names itself, so the setting shows in the file only.
    assert!(said.ends_with("|on|on|on"), "{said}");
    let set = "SELECT setting FROM pg_file_settings WHERE name = 'application_name'";
    assert_eq!(database.query(set).unwrap(), "it's");
}
