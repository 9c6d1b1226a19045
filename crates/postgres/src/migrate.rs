//! Formats of the schema, and how an older one becomes the newest.
//!
//! A table in the schema says which format it has. One process migrates at a time, under a lock of
//! the database; the others wait for it. A newer build keeps the tables such that the one before it
//! can go on beside it, so `readable` says from which build on the schema can be worked with.

use tokio_postgres::{Client, Transaction};

use crate::connect::quoted;
use crate::error::OpenError;
use crate::fault::trouble;

/// Each brings a schema from the format before it, all in one transaction.
const MIGRATIONS: &[&str] = &[include_str!("migrations/0001.sql")];

/// The newest format that this build knows.
const KNOWN: i64 = 1;
const _: () = assert!(MIGRATIONS.len() == 1, "`KNOWN` counts the migrations");

/// The oldest build that can work with what this one leaves, by the format it knows.
const READABLE_SINCE: i64 = 1;

/// "Rwke" in ASCII: the lock under which a schema is made or migrated.
const LOCK: i64 = 0x5277_6b65;

/// Makes the schema, or brings it to the newest format.
pub(crate) async fn migrate(client: &mut Client, schema: &str) -> Result<(), OpenError> {
    // Making a schema wants a right that working with one does not.
    let exists = "SELECT FROM pg_namespace WHERE nspname = $1";
    let exists = client.query_opt(exists, &[&schema]).await;
    let exists = exists.map_err(|error| trouble(&error))?.is_some();
    let transaction = client.transaction().await;
    let transaction = transaction.map_err(|error| trouble(&error))?;
    let found = found(&transaction, schema, exists).await?;
    if found.unwrap_or_default() < KNOWN {
        bring(&transaction, found)
            .await
            .map_err(|error| trouble(&error))?;
    }
    transaction.commit().await.map_err(|error| trouble(&error))
}

/// The format of the schema; none where it holds nothing yet. Nobody else migrates from here on.
async fn found(
    transaction: &Transaction<'_>,
    schema: &str,
    exists: bool,
) -> Result<Option<i64>, OpenError> {
    // Whoever migrates may take long; what a session is told of time is for requests.
    let lock = format!(
        "SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0;
         SELECT pg_advisory_xact_lock({LOCK});"
    );
    let locked = transaction.batch_execute(&lock).await;
    locked.map_err(|error| trouble(&error))?;
    if !exists {
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
