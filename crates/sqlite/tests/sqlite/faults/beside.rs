//! Another process looks at the file while a sync fails and the kernel drops what it was about. What
//! that process keeps of the log's index must not lead the next one to write.

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::disk::{Cache, Plan};
use super::trial::{Trial, course, extent, measure};

#[test]
fn with_a_reader_beside_it_what_was_acknowledged_is_there() {
    let (seed, _) = extent(0);
    let syncs = measure(course(seed)).syncs;
    let mut stale = 0;
    for sync in 1..=syncs {
        let plan = Plan {
            seed,
            sync: Some(sync),
            cache: Cache::Drop,
            ..Plan::default()
        };
        let (mut trial, mut reader) = (Trial::new(), None);
        let path = trial.path();
        trial.live_seen(course(seed), &plan, |line| {
            if line.starts_with("begun") && reader.is_none() {
                reader = Some(look(&path));
            }
        });
        drop(reader);
        stale += trial.told.stale;
        trial.holds(&plan);
    }
    assert!(stale > 10, "{stale} of {syncs}");
}

/// A connection that has the file open, and no state of it.
fn look(path: &std::path::Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = Connection::open_with_flags(path, flags).unwrap();
    let runs = connection.query_row("SELECT count(*) FROM runs", [], |row| row.get::<_, i64>(0));
    // A life that has come to its end meanwhile has no file left to look at.
    drop(runs);
    let keep = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
    connection.set_db_config(keep, true).unwrap();
    connection
}
