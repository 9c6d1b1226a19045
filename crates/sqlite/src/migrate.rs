//! Formats of the file, and how an older one becomes the newest.
//!
//! Two numbers in the file's header say what it is: SQLite's application id is ours, its user
//! version is the format. A table says the same, so that a damaged header is noticed.

use std::collections::BTreeSet;
#[cfg(unix)]
use std::collections::btree_map::{BTreeMap, Entry};
use std::fs::{self, File};
use std::io;
#[cfg(unix)]
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
#[cfg(unix)]
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, Error, OpenFlags};

use crate::connect::{beside, trouble};
use crate::error::OpenError;

/// In the file's header, at byte 68: "Rwke" in ASCII.
const APPLICATION_ID: i64 = 0x5277_6b65;

/// What every SQLite database begins with, and how long its header is.
const MAGIC: &[u8] = b"SQLite format 3\0";
const HEADER_BYTES: usize = 100;

/// Each brings a file from the format before it, in one transaction.
const MIGRATIONS: &[&str] = &[include_str!("migrations/0001.sql")];

/// The newest format that this build knows.
pub(crate) const KNOWN: i64 = 1;
const _: () = assert!(MIGRATIONS.len() == 1, "`KNOWN` counts the migrations");

/// Looks whether a file is ours, without touching it or anything beside it.
pub(crate) fn inspect(path: &Path) -> Result<i64, OpenError> {
    let length = |path: &Path| fs::metadata(path).map_or(0, |found| found.len());
    if length(&beside(path, "-wal")) > 0 {
        // A process or a machine that died while it moved pages has left the file half written and
        // short, rightly: whoever opens it finds them in the write-ahead log. What the first bytes
        // say about whose it is does not change with that.
        return inspect_header(path);
    }
    let uri = immutable(path);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let connection =
        Connection::open_with_flags(uri, flags).map_err(|error| trouble(path, &error))?;
    let found = format(path, &connection)?;
    complete(path, length(path), &connection)?;
    Ok(found)
}

/// The format that the file's header says, read without the database.
fn inspect_header(path: &Path) -> Result<i64, OpenError> {
    let mut bytes = [0; HEADER_BYTES];
    match first_bytes(path, &mut bytes) {
        Err(source) if source.kind() != io::ErrorKind::UnexpectedEof => {
            return Err(OpenError::Unopenable {
                path: path.to_owned(),
                source,
            });
        }
        Ok(()) if bytes.starts_with(MAGIC) => {}
        Ok(()) | Err(_) => return Err(no_database(path)),
    }
    let number = |at: usize| {
        let number = bytes[at..at + 4].try_into().expect("four bytes");
        i64::from(i32::from_be_bytes(number))
    };
    known(path, number(68), number(60))
}

/// Reads the first bytes of a database file. The descriptor stays open as long as the process, one for
/// each file: to close any of them would drop the locks that SQLite has on the file for other handles in
/// this process, and another program could then remove the log under them.
#[cfg(unix)]
fn first_bytes(path: &Path, bytes: &mut [u8]) -> io::Result<()> {
    static KEPT: Mutex<BTreeMap<(u64, u64), File>> = Mutex::new(BTreeMap::new());
    let found = fs::metadata(path)?;
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let file = match kept.entry((found.dev(), found.ino())) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(place) => place.insert(File::open(path)?),
    };
    file.read_exact_at(bytes, 0)
}

/// Reads the first bytes of a file.
#[cfg(not(unix))]
fn first_bytes(path: &Path, bytes: &mut [u8]) -> io::Result<()> {
    io::Read::read_exact(&mut File::open(path)?, bytes)
}

/// Notices a file that was cut.
fn complete(path: &Path, found: u64, connection: &Connection) -> Result<(), OpenError> {
    let pages = header(connection, "page_count").map_err(|error| trouble(path, &error))?;
    let page = header(connection, "page_size").map_err(|error| trouble(path, &error))?;
    let expected = u64::try_from(pages.saturating_mul(page)).unwrap_or(u64::MAX);
    if found < expected {
        return Err(OpenError::Damaged {
            path: path.to_owned(),
            detail: format!("it has {found} bytes, and its header speaks of {expected}"),
        });
    }
    Ok(())
}

/// The format of an open file that is ours and not too new.
pub(crate) fn format(path: &Path, connection: &Connection) -> Result<i64, OpenError> {
    let application =
        header(connection, "application_id").map_err(|error| foreign(path, &error))?;
    let found = header(connection, "user_version").map_err(|error| trouble(path, &error))?;
    known(path, application, found)
}

/// The format, where these numbers are of a file that is ours and not too new.
fn known(path: &Path, application: i64, found: i64) -> Result<i64, OpenError> {
    if application != APPLICATION_ID {
        return Err(OpenError::NotOurs {
            path: path.to_owned(),
            found: format!("a SQLite database with application id {application}"),
        });
    }
    match found {
        1..=KNOWN => Ok(found),
        _ if found > KNOWN => Err(OpenError::Newer {
            path: path.to_owned(),
            found,
            known: KNOWN,
        }),
        _ => Err(OpenError::Damaged {
            path: path.to_owned(),
            detail: format!("it says to have format {found}, which there never was"),
        }),
    }
}

/// Makes the tables of a new file.
pub(crate) fn make(connection: &Connection) -> Result<(), Error> {
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    from(connection, 0)
}

/// Brings a file to the newest format.
pub(crate) fn migrate(path: &Path, connection: &Connection) -> Result<(), OpenError> {
    let found = format(path, connection)?;
    let noted = connection.query_row("SELECT max(version) FROM migrations", [], |row| {
        row.get::<_, Option<i64>>(0)
    });
    let noted = noted.map_err(|error| unreadable(path, &error))?;
    if noted != Some(found) {
        return Err(OpenError::Damaged {
            path: path.to_owned(),
            detail: format!("its header says format {found}, its table {noted:?}"),
        });
    }
    from(connection, found).map_err(|error| trouble(path, &error))?;
    check_schema(path, connection)
}

/// Every table and index is as the migrations make it. Others may stand beside them.
pub(crate) fn check_schema(path: &Path, connection: &Connection) -> Result<(), OpenError> {
    let found = schema(connection).map_err(|error| unreadable(path, &error))?;
    let expected = Connection::open_in_memory()
        .and_then(|model| {
            make(&model)?;
            schema(&model)
        })
        .map_err(|error| trouble(path, &error))?;
    match expected.difference(&found).next() {
        None => Ok(()),
        Some((_, name, _)) => Err(OpenError::Damaged {
            path: path.to_owned(),
            detail: format!("its table or index `{name}` is not as it was made"),
        }),
    }
}

fn schema(connection: &Connection) -> Result<BTreeSet<(String, String, String)>, Error> {
    let sql = "SELECT tbl_name, name, coalesce(sql, '') FROM sqlite_schema";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.collect()
}

fn from(connection: &Connection, version: i64) -> Result<(), Error> {
    for (version, migration) in (1..).zip(MIGRATIONS).skip_while(|(to, _)| *to <= version) {
        let transaction = connection.unchecked_transaction()?;
        transaction.execute_batch(migration)?;
        transaction.execute("INSERT INTO migrations (version) VALUES (?1)", [version])?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}

fn header(connection: &Connection, name: &str) -> Result<i64, Error> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

/// The first look at a file: what is no database at all is not ours rather than damaged.
fn foreign(path: &Path, error: &Error) -> OpenError {
    if error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) {
        return no_database(path);
    }
    trouble(path, error)
}

fn no_database(path: &Path) -> OpenError {
    OpenError::NotOurs {
        path: path.to_owned(),
        found: "it is not a SQLite database".to_owned(),
    }
}

/// A table that is missing from a file of ours is damage too.
fn unreadable(path: &Path, error: &Error) -> OpenError {
    match trouble(path, error) {
        OpenError::Backend { path, reason } => OpenError::Damaged {
            path,
            detail: reason,
        },
        other => other,
    }
}

/// Immutable: SQLite takes no lock, looks at no file beside this one and makes none.
fn immutable(path: &Path) -> String {
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                uri.push(char::from(*byte));
            }
            _ => {
                for digit in [byte >> 4, byte & 15] {
                    uri.extend(char::from_digit(digit.into(), 16));
                }
                uri.insert(uri.len() - 2, '%');
            }
        }
    }
    uri.push_str("?immutable=1");
    uri
}
