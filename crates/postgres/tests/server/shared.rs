//! The server that all tests share.

use rewake_postgres::private_server::Database;

#[test]
fn two_databases_on_one_server_share_nothing() {
    let (one, other) = (Database::new().unwrap(), Database::new().unwrap());
    assert_eq!(one.address(), other.address());
    one.query("CREATE TABLE here (id int)").unwrap();
    let asked = "SELECT count(*) FROM pg_tables WHERE tablename = 'here'";
    assert_eq!(one.query(asked).unwrap(), "1");
    assert_eq!(other.query(asked).unwrap(), "0");
}

#[test]
fn a_database_goes_with_its_test() {
    let (stays, goes) = (Database::new().unwrap(), Database::new().unwrap());
    let asked = format!(
        "SELECT count(*) FROM pg_database WHERE datname = '{}'",
        goes.name()
    );
    assert_eq!(stays.query(&asked).unwrap(), "1");
    drop(goes);
    assert_eq!(stays.query(&asked).unwrap(), "0");
}
