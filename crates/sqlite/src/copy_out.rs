//! The store as the source of a copy: every row, kind by kind, in the order of its table.

use minicbor::Decode;
use rewake_store::copy::{AnyRow, CopyOut, RowKind, RowPlace};
use rewake_store::core::event::Frame;
use rewake_store::core::id::RunId;
use rewake_store::{ChunkRow, KeyRow, ScopeId, StartKeyRow, StoreError, StoreFuture, decode_row};
use rusqlite::Row;
use rusqlite::types::ToSql;

use crate::fault::damaged;
use crate::forget::{forget_row, which};
use crate::mail::{mail_row, unsigned};
use crate::owed::owed_row;
use crate::page::{run_id, token_row};
use crate::request::Span;
use crate::runs::run_row;
use crate::session::scope_row;
use crate::store::SqliteStore;
use crate::tables::{Enough, Tables, Trouble, bytes, number, time};

impl SqliteStore {
    /// The store as the source of a copy. Pages are of one state only where nothing is written
    /// meanwhile; no other process writes as long as this one has it open for writing.
    pub fn copy_out(&self) -> Box<dyn CopyOut> {
        Box::new(Source(self.clone()))
    }
}

struct Source(SqliteStore);

impl CopyOut for Source {
    fn page(
        &mut self,
        kind: RowKind,
        after: Option<RowPlace>,
        max_bytes: usize,
    ) -> StoreFuture<Vec<AnyRow>> {
        self.0.read(Span::Long, move |tables| {
            tables.rows_after(kind, after.as_ref(), max_bytes)
        })
    }
}

impl Tables<'_> {
    fn rows_after(
        &mut self,
        kind: RowKind,
        after: Option<&RowPlace>,
        max_bytes: usize,
    ) -> Result<Vec<AnyRow>, StoreError> {
        match kind {
            RowKind::Scope => self.copied_scopes(after, max_bytes),
            RowKind::Run => self.copied_runs(after, max_bytes),
            RowKind::Frame => self.copied_frames(after, max_bytes),
            RowKind::Token => self.copied_tokens(after, max_bytes),
            RowKind::Key => self.copied_keys(after, max_bytes),
            RowKind::Forget => self.copied_forgets(after, max_bytes),
            RowKind::StartKey => self.copied_start_keys(after, max_bytes),
            RowKind::Owed => self.copied_owed(after, max_bytes),
            RowKind::Chunk => self.copied_chunks(after, max_bytes),
            RowKind::Mail => self.copied_mail(after, max_bytes),
        }
    }

    fn copied_scopes(&mut self, after: After<'_>, max_bytes: usize) -> Copied {
        let after = match after {
            Some(RowPlace::Scope(scope)) => i64::from(scope.0),
            _ => -1,
        };
        let sql = "SELECT id, project, environment, body FROM scopes WHERE id > ?1 ORDER BY id";
        self.copied(sql, &[&after], (3, max_bytes), |row| {
            scope_row(row).map(AnyRow::Scope)
        })
    }

    fn copied_runs(&mut self, after: After<'_>, max_bytes: usize) -> Copied {
        let after = match after {
            Some(RowPlace::Run(run)) => run.to_bytes().to_vec(),
            _ => Vec::new(),
        };
        let sql = "SELECT scope, wake_at, parked, body, parent, run FROM runs
                   WHERE run > ?1 ORDER BY run";
        self.copied(sql, &[&after], (3, max_bytes), |row| {
            let run = run_id(row, 5)?;
            Ok(AnyRow::Run(run, Box::new(run_row(run, row)?)))
        })
    }

    fn copied_frames(&mut self, after: After<'_>, max_bytes: usize) -> Copied {
        let (run, first) = match after {
            Some(RowPlace::Frame(run, first)) => (run.to_bytes().to_vec(), number(first.0)),
            _ => (Vec::new(), -1),
        };
        let sql = "SELECT run, first, body FROM frames
                   WHERE (run, first) > (?1, ?2) ORDER BY run, first";
        self.copied(sql, &[&run, &first], (2, max_bytes), |row| {
            let run = run_id(row, 0)?;
            let frame: Frame = of_run(run, row, 2)?;
            if row.get::<_, i64>(1)? != number(frame.first.0) {
                let what = format!("run `{run}`");
                return Err(damaged(&what, "a frame has another position than its place").into());
            }
            Ok(AnyRow::Frame(run, frame))
        })
    }

    fn copied_tokens(&mut self, after: After<'_>, max_bytes: usize) -> Copied {
        let (scope, token) = match after {
            Some(RowPlace::Token(scope, token)) => (i64::from(scope.0), token.as_str()),
            _ => (-1, ""),
        };
        let sql = "SELECT token, body, scope FROM tokens
                   WHERE (scope, token) > (?1, ?2) ORDER BY scope, token";
        self.copied(sql, &[&scope, &token], (1, max_bytes), |row| {
            let hook = token_row(scope_of(row, 2)?, row)?;
            Ok(AnyRow::Token(Box::new(hook)))
        })
    }

    fn copied_keys(&mut self, after: After<'_>, max_bytes: usize) -> Copied {
        let (scope, token, key) = match after {
            Some(RowPlace::Key(scope, token, key)) => {
                (i64::from(scope.0), token.as_str(), key.as_str())
            }
            _ => (-1, "", ""),
        };
        let sql = "SELECT scope, token, key, body FROM keys
                   WHERE (scope, token, key) > (?1, ?2, ?3) ORDER BY scope, token, key";
        self.copied(sql, &[&scope, &token, &key], (3, max_bytes), |row| {
            let (what, scope) = ("a delivery key", scope_of(row, 0)?);
            let token = row.get::<_, String>(1)?.try_into();
            let token = token.map_err(|_| damaged(what, "its token is none"))?;
            let found: KeyRow = stored(what, row, 3)?;
            let hook = found.hook.as_ref();
            if hook.is_some_and(|hook| hook.scope != scope || hook.token != token) {
                return Err(damaged(what, "it has another token than its place").into());
            }
            Ok(AnyRow::Key(scope, token, row.get(2)?, Box::new(found)))
        })
    }

    fn copied_forgets(&mut self, after: After<'_>, max_bytes: usize) -> Copied {
        let (scope, at, token, (kind, name)) = match after {
            Some(RowPlace::Forget(scope, at, token, keys)) => {
                (i64::from(scope.0), time(*at), token.as_str(), which(keys))
            }
            _ => (-1, 0, "", (0, String::new())),
        };
        let sql = "SELECT at, token, which, name, body, scope FROM forgets
                   WHERE (scope, at, token, which, name) > (?1, ?2, ?3, ?4, ?5)
                   ORDER BY scope, at, token, which, name";
        let place: [&dyn ToSql; 5] = [&scope, &at, &token, &kind, &name];
        self.copied(sql, &place, (4, max_bytes), |row| {
            let keys = forget_row(scope_of(row, 5)?, row)?;
            Ok(AnyRow::Forget(Box::new(keys)))
        })
    }

    fn copied_start_keys(&mut self, after: After<'_>, max_bytes: usize) -> Copied {
        let (scope, key) = match after {
            Some(RowPlace::StartKey(scope, key)) => (i64::from(scope.0), key.as_str()),
            _ => (-1, ""),
        };
        let sql = "SELECT scope, key, body FROM start_keys
                   WHERE (scope, key) > (?1, ?2) ORDER BY scope, key";
        self.copied(sql, &[&scope, &key], (2, max_bytes), |row| {
            let found: StartKeyRow = stored("a start key", row, 2)?;
            Ok(AnyRow::StartKey(scope_of(row, 0)?, row.get(1)?, found))
        })
    }

    fn copied_owed(&mut self, after: After<'_>, max_bytes: usize) -> Copied {
        let (scope, parent, child) = match after {
            Some(RowPlace::Owed(scope, parent, child)) => {
                let ids = [parent, child].map(|run| run.to_bytes().to_vec());
                (i64::from(scope.0), ids[0].clone(), ids[1].clone())
            }
            _ => (-1, Vec::new(), Vec::new()),
        };
        let sql = "SELECT child, body, scope, parent FROM owed
                   WHERE (scope, parent, child) > (?1, ?2, ?3) ORDER BY scope, parent, child";
        self.copied(sql, &[&scope, &parent, &child], (1, max_bytes), |row| {
            let end = owed_row(scope_of(row, 2)?, run_id(row, 3)?, row)?;
            Ok(AnyRow::Owed(Box::new(end)))
        })
    }

    fn copied_chunks(&mut self, after: After<'_>, max_bytes: usize) -> Copied {
        let (run, stream) = match after {
            Some(RowPlace::Chunk(run, stream)) => (run.to_bytes().to_vec(), stream.as_str()),
            _ => (Vec::new(), ""),
        };
        let sql = "SELECT run, stream, body FROM chunks
                   WHERE (run, stream) > (?1, ?2) ORDER BY run, stream";
        self.copied(sql, &[&run, &stream], (2, max_bytes), |row| {
            let run = run_id(row, 0)?;
            let chunk: ChunkRow = of_run(run, row, 2)?;
            Ok(AnyRow::Chunk(run, row.get(1)?, chunk))
        })
    }

    fn copied_mail(&mut self, after: After<'_>, max_bytes: usize) -> Copied {
        let (scope, place) = match after {
            Some(RowPlace::Mail(scope, place)) => (i64::from(scope.0), number(*place)),
            _ => (-1, -1),
        };
        let sql = "SELECT place, token, bytes, until, body, scope FROM mail
                   WHERE (scope, place) > (?1, ?2) ORDER BY scope, place";
        self.copied(sql, &[&scope, &place], (4, max_bytes), |row| {
            let letter = mail_row(scope_of(row, 5)?, row)?;
            Ok(AnyRow::Mail(unsigned(row, 0)?, Box::new(letter)))
        })
    }

    /// The rows of a query, about `max_bytes` of the column that has their bodies.
    fn copied(
        &mut self,
        sql: &'static str,
        place: &[&dyn ToSql],
        (body, max_bytes): (usize, usize),
        read: impl Fn(&Row<'_>) -> Result<AnyRow, Trouble>,
    ) -> Copied {
        let mut rows = Vec::new();
        let mut room = max_bytes;
        self.scan(sql, place, |row| {
            rows.push(read(row)?);
            Ok(match room.checked_sub(bytes(row, body)?.len()) {
                Some(left) => {
                    room = left;
                    Enough::No
                }
                None => Enough::Yes,
            })
        })?;
        Ok(rows)
    }
}

type After<'p> = Option<&'p RowPlace>;
type Copied = Result<Vec<AnyRow>, StoreError>;

fn scope_of(row: &Row<'_>, column: usize) -> rusqlite::Result<ScopeId> {
    row.get(column).map(ScopeId)
}

fn of_run<T: for<'b> Decode<'b, ()>>(
    run: RunId,
    row: &Row<'_>,
    column: usize,
) -> Result<T, Trouble> {
    let found = decode_row(bytes(row, column)?);
    Ok(found.map_err(|source| StoreError::corrupt_run(run, source))?)
}

fn stored<T: for<'b> Decode<'b, ()>>(
    what: &str,
    row: &Row<'_>,
    column: usize,
) -> Result<T, Trouble> {
    let found = decode_row(bytes(row, column)?);
    Ok(found.map_err(|source| StoreError::Corrupt {
        what: what.to_owned(),
        source,
    })?)
}
