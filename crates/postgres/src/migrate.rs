//! Formats of the schema, and how an older one becomes the newest.
//!
//! A table in the schema says which format it has. One process migrates at a time, under a lock of
//! the database; the others wait for it. A newer build keeps the tables such that the one before it
//! can go on beside it, so `readable` says from which build on the schema can be worked with.

use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Transaction};

use crate::connect::quoted;
use crate::error::OpenError;
use crate::fault::{Unreached, trouble};

/// Each brings a schema from the format before it, all in one transaction.
const MIGRATIONS: &[&str] = &[include_str!("migrations/0001.sql")];

/// The newest format that this build knows.
const KNOWN: i64 = 1;
const _: () = assert!(MIGRATIONS.len() == 1, "`KNOWN` counts the migrations");

/// The oldest build that can work with what this one leaves, by the format it knows.
const READABLE_SINCE: i64 = 1;

/// "Rwke" in ASCII: the lock under which a schema is made or migrated.
const LOCK: i64 = 0x5277_6b65;

/// How long one look at whether somebody else still migrates may take.
const LOOK: Duration = Duration::from_secs(1);

/// Makes the schema, or brings it to the newest format. Waits for whoever does so already for as long
/// as that takes, and for a server that says nothing for as long as `patience`.
pub(crate) async fn migrate(
    client: &mut Client,
    schema: &str,
    patience: Duration,
) -> Result<(), OpenError> {
    loop {
        let transaction = client.transaction().await;
        let transaction = transaction.map_err(|error| trouble(&error))?;
        let turn = timeout(LOOK + patience, is_our_turn(&transaction)).await;
        match turn {
            Ok(Ok(true)) => return bring_up(transaction, schema).await,
            Ok(Ok(false)) => tracing::info!(schema, "another process migrates the tables"),
            Ok(Err(error)) => return Err(trouble(&error)),
            Err(_) => return Err(Unreached::silent().trouble()),
        }
        let ended = transaction.rollback().await;
        ended.map_err(|error| trouble(&error))?;
    }
}

/// Takes the lock, if it is to be had by now. Nobody else migrates from then on, until the end of the
/// transaction.
async fn is_our_turn(transaction: &Transaction<'_>) -> Result<bool, tokio_postgres::Error> {
    // Whoever migrates may take long; what a session is told of time is for requests.
    let look = LOOK.as_millis();
    let lock = format!(
        "SET LOCAL lock_timeout = {look}; SET LOCAL statement_timeout = 0;
         SELECT pg_advisory_xact_lock({LOCK}); SET LOCAL lock_timeout = 0;"
    );
    match transaction.batch_execute(&lock).await {
        Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => Ok(false),
        locked => locked.map(|()| true),
    }
}

async fn bring_up(transaction: Transaction<'_>, schema: &str) -> Result<(), OpenError> {
    let found = found(&transaction, schema).await?;
    if found.unwrap_or_default() < KNOWN {
        bring(&transaction, found)
            .await
            .map_err(|error| trouble(&error))?;
    }
    transaction.commit().await.map_err(|error| trouble(&error))
}

/// The format of the schema; none where it holds nothing yet.
async fn found(transaction: &Transaction<'_>, schema: &str) -> Result<Option<i64>, OpenError> {
    // Making a schema wants a right that working with one does not.
    let exists = "SELECT FROM pg_namespace WHERE nspname = $1";
    let exists = transaction.query_opt(exists, &[&schema]).await;
    if exists.map_err(|error| trouble(&error))?.is_none() {
        let make = format!("CREATE SCHEMA IF NOT EXISTS {}", quoted(schema));
        let made = transaction.batch_execute(&make).await;
        made.map_err(|error| trouble(&error))?;
    }
    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = $1";
    let tables = transaction.query(tables, &[&schema]).await;
    let tables = tables.map_err(|error| trouble(&error))?;
    let names: Vec<String> = tables.iter().map(|row| row.get(0)).collect();
    if names.is_empty() {
        return Ok(None);
    }
    if !names.iter().any(|name| name == "migrations") {
        return Err(OpenError::NotOurs {
            schema: schema.to_owned(),
            found: format!("it has a table `{}`", names[0]),
        });
    }
    let sql = "SELECT max(version), max(readable_since) FROM migrations";
    let row = transaction.query_one(sql, &[]).await;
    let row = row.map_err(|error| trouble(&error))?;
    let (version, readable): (Option<i64>, Option<i64>) = (row.get(0), row.get(1));
    if readable.unwrap_or_default() > KNOWN {
        return Err(OpenError::Newer {
            schema: schema.to_owned(),
            found: version.unwrap_or_default(),
            known: KNOWN,
        });
    }
    Ok(version)
}

async fn bring(
    transaction: &Transaction<'_>,
    found: Option<i64>,
) -> Result<(), tokio_postgres::Error> {
    if found.is_none() {
        let table = "CREATE TABLE migrations (
                         version bigint PRIMARY KEY,
                         readable_since bigint NOT NULL)";
        transaction.batch_execute(table).await?;
    }
    let found = found.unwrap_or_default();
    for (version, migration) in (1..).zip(MIGRATIONS).skip_while(|(to, _)| *to <= found) {
        let version: i64 = version;
        transaction.batch_execute(migration).await?;
        let note = "INSERT INTO migrations (version, readable_since) VALUES ($1, $2)";
        transaction
            .execute(note, &[&version, &READABLE_SINCE])
            .await?;
    }
    Ok(())
}
