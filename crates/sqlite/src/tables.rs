//! The rows, looked up and written through one connection, inside whatever transaction is open.
//!
//! Nothing is decided here. What a row's body says is compared with the columns beside it.

use minicbor::Decode;
use rewake_store::core::event::{Frame, Position};
use rewake_store::core::id::RunId;
use rewake_store::core::time::Timestamp;
use rewake_store::core::token::Token;
use rewake_store::judge::{MailSize, Rows, Write};
use rewake_store::{
    ChunkRow, ForgetRow, KeyRow, MailRow, RunRow, ScopeId, StartKeyRow, StoreError, TokenRow,
    decode_row, encode_row,
};
use rusqlite::types::ToSql;
use rusqlite::{Connection, OptionalExtension, Params, Row};

use crate::fault::{Fault, damaged, refusal};
use crate::kept::{Indexed, Remembered, Statements};

/// The rows as a connection sees them, for as long as it is open.
#[derive(Debug)]
pub(crate) struct Tables<'c> {
    pub(crate) connection: &'c Connection,
    statements: Statements<'c>,
    /// Only the writer's: what another connection remembered would be out of date.
    pub(crate) remembered: Option<Remembered>,
    /// Trouble with the database since somebody has looked here: the transaction may be gone.
    pub(crate) fault: Option<Fault>,
}

impl<'c> Tables<'c> {
    pub(crate) const fn of_reader(connection: &'c Connection) -> Self {
        Self {
            connection,
            statements: Statements::of(connection),
            remembered: None,
            fault: None,
        }
    }

    pub(crate) fn of_writer(connection: &'c Connection) -> Self {
        Self {
            remembered: Some(Remembered::default()),
            ..Self::of_reader(connection)
        }
    }

    /// Begins a transaction, and forgets what it has remembered if another connection has written.
    pub(crate) fn begin(&mut self) -> rusqlite::Result<()> {
        self.control("BEGIN IMMEDIATE")?;
        if let Some(remembered) = &mut self.remembered {
            let asked = self.statements.get("PRAGMA data_version")?;
            remembered.keep_if_still(asked.query_row([], |row| row.get(0))?);
        }
        Ok(())
    }

    /// Begins or ends a transaction.
    pub(crate) fn control(&mut self, sql: &'static str) -> rusqlite::Result<()> {
        self.statements.get(sql)?.execute([]).map(drop)
    }

    /// Forgets what was written: the transaction came to nothing.
    pub(crate) fn forget(&mut self) {
        if let Some(remembered) = &mut self.remembered {
            remembered.forget();
        }
    }

    /// Writes what a verdict says, in its order.
    pub(crate) fn write(&mut self, writes: Vec<Write>) -> Result<(), StoreError> {
        writes.into_iter().try_for_each(|write| self.put(write))
    }

    fn put(&mut self, write: Write) -> Result<(), StoreError> {
        match write {
            Write::Run(run, row) => self.put_run(run, row),
            Write::Frame(run, first, body) => self.execute(
                "INSERT INTO frames (run, first, body) VALUES (?1, ?2, ?3)",
                (run.to_bytes(), number(first.0), body),
            ),
            Write::Token(row) => self.put_token(row),
            Write::Release(scope, token) => self.drop_token(scope, &token),
            Write::Key(scope, token, key, row) => self.execute(
                "INSERT INTO keys (scope, token, key, body) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (scope, token, key) DO UPDATE SET body = excluded.body",
                (scope.0, token.as_str(), key, encode_row(&*row)),
            ),
            Write::KeyGone(scope, token, key) => self.execute(
                "DELETE FROM keys WHERE scope = ?1 AND token = ?2 AND key = ?3",
                (scope.0, token.as_str(), key),
            ),
            Write::Forget(row) => self.put_forget(&row),
            Write::ForgetGone(row) => self.drop_forget(&row),
            Write::StartKey(scope, key, row) => self.execute(
                "INSERT INTO start_keys (scope, key, body) VALUES (?1, ?2, ?3)",
                (scope.0, key, encode_row(&row)),
            ),
            Write::Owed(row) => self.put_owed(&row),
            Write::OwedGone(scope, parent, child) => self.drop_owed(scope, parent, child),
            Write::OwedAllGone(scope, parent) => self.drop_all_owed(scope, parent),
            Write::Chunk(run, stream, row) => self.execute(
                "INSERT INTO chunks (run, stream, body) VALUES (?1, ?2, ?3)",
                (run.to_bytes(), stream, encode_row(&row)),
            ),
            Write::Mail(place, row) => self.put_mail(place, &row),
            Write::MailGone(scope, place) => self.drop_mail(scope, place),
        }
    }

    fn put_token(&mut self, row: Box<TokenRow>) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO tokens (scope, token, body) VALUES (?1, ?2, ?3)
             ON CONFLICT (scope, token) DO UPDATE SET body = excluded.body",
            (row.scope.0, row.token.as_str(), encode_row(&*row)),
        )?;
        if let Some(remembered) = &mut self.remembered {
            remembered.put_token(row);
        }
        Ok(())
    }

    fn drop_token(&mut self, scope: ScopeId, token: &Token) -> Result<(), StoreError> {
        if let Some(remembered) = &mut self.remembered {
            remembered.drop_token(token);
        }
        self.execute(
            "DELETE FROM tokens WHERE scope = ?1 AND token = ?2",
            (scope.0, token.as_str()),
        )
    }

    pub(crate) fn chunk_in(
        &mut self,
        scope: ScopeId,
        run: RunId,
        stream: &str,
    ) -> Result<Option<ChunkRow>, StoreError> {
        self.snapshot(|tables| match tables.run_in(scope, run)? {
            Some(_) => tables.first_chunk(run, stream),
            None => Ok(None),
        })
    }

    pub(crate) fn execute(
        &mut self,
        sql: &'static str,
        params: impl Params,
    ) -> Result<(), StoreError> {
        self.change(sql, params).map(drop)
    }

    /// How many rows the statement has changed.
    pub(crate) fn change(
        &mut self,
        sql: &'static str,
        params: impl Params,
    ) -> Result<usize, StoreError> {
        self.statements
            .get(sql)
            .and_then(|statement| statement.execute(params))
            .map_err(|error| self.note(&error))
    }

    /// The one row that a look-up finds.
    pub(crate) fn look_up<T>(
        &mut self,
        sql: &'static str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        self.statements
            .get(sql)
            .and_then(|statement| statement.query_row(params, read).optional())
            .map_err(|error| self.note(&error))
    }

    /// Gives the rows of a query to `each` until it has enough.
    pub(crate) fn scan(
        &mut self,
        sql: &'static str,
        params: &[&dyn ToSql],
        mut each: impl FnMut(&Row<'_>) -> Result<Enough, Trouble>,
    ) -> Result<(), StoreError> {
        let scanned = self
            .statements
            .get(sql)
            .map_err(Trouble::Driver)
            .and_then(|statement| {
                let mut rows = statement.query(params)?;
                while let Some(row) = rows.next()? {
                    if each(row)? == Enough::Yes {
                        break;
                    }
                }
                Ok(())
            });
        scanned.map_err(|trouble| match trouble {
            Trouble::Driver(error) => self.note(&error),
            Trouble::Stored(error) => error,
        })
    }

    pub(crate) fn note(&mut self, error: &rusqlite::Error) -> StoreError {
        self.fault.get_or_insert_with(|| Fault::of(error));
        refusal(error)
    }
}

/// Whether a scan has what it wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Enough {
    Yes,
    No,
}

/// What ends a scan early.
#[derive(Debug)]
pub(crate) enum Trouble {
    Driver(rusqlite::Error),
    Stored(StoreError),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Driver(error)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Stored(error)
    }
}

impl Rows for Tables<'_> {
    fn run(&mut self, run: RunId) -> Result<Option<Box<RunRow>>, StoreError> {
        if let Some(known) = self.remembered.as_mut().and_then(|all| all.take_run(run)) {
            return Ok(Some(known));
        }
        let found = self.find_run(run)?;
        if let (Some(row), Some(remembered)) = (&found, &mut self.remembered) {
            remembered.note_run(run, Indexed::of(row));
        }
        Ok(found)
    }

    fn look_at<T>(
        &mut self,
        run: RunId,
        look: impl FnOnce(&RunRow) -> T,
    ) -> Result<Option<T>, StoreError> {
        if let Some(known) = self.remembered.as_mut().and_then(|all| all.run(run)) {
            return Ok(Some(look(known)));
        }
        let found = self.find_run(run)?;
        let seen = found.as_deref().map(look);
        if let (Some(row), Some(remembered)) = (found, &mut self.remembered) {
            remembered.put_run(run, row);
        }
        Ok(seen)
    }

    fn token(&mut self, scope: ScopeId, token: &Token) -> Result<Option<TokenRow>, StoreError> {
        let remembered = self.remembered.as_mut();
        if let Some(known) = remembered.and_then(|all| all.token(scope, token)) {
            return Ok(Some(known.clone()));
        }
        let found: Option<TokenRow> = self.body(
            "SELECT body FROM tokens WHERE scope = ?1 AND token = ?2",
            (scope.0, token.as_str()),
            || "a hook".to_owned(),
        )?;
        match found {
            Some(row) if row.scope != scope || row.token != *token => {
                Err(damaged("a hook", "it has another token than its place"))
            }
            found => Ok(found),
        }
    }

    fn key(
        &mut self,
        scope: ScopeId,
        token: &Token,
        key: &str,
    ) -> Result<Option<KeyRow>, StoreError> {
        let found: Option<KeyRow> = self.body(
            "SELECT body FROM keys WHERE scope = ?1 AND token = ?2 AND key = ?3",
            (scope.0, token.as_str(), key),
            || "a delivery key".to_owned(),
        )?;
        let hook = found.as_ref().and_then(|row| row.hook.as_ref());
        if hook.is_some_and(|hook| hook.scope != scope || hook.token != *token) {
            return Err(damaged(
                "a delivery key",
                "it has another token than its place",
            ));
        }
        Ok(found)
    }

    fn keys(
        &mut self,
        scope: ScopeId,
        token: &Token,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, KeyRow)>, StoreError> {
        self.keys_of(scope, token, after, limit)
    }

    fn forgets(
        &mut self,
        scope: ScopeId,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<ForgetRow>, StoreError> {
        self.forgets_until(scope, now, limit)
    }

    fn is_owed(&mut self, scope: ScopeId, parent: RunId, child: RunId) -> Result<bool, StoreError> {
        self.has_owed(scope, parent, child)
    }

    fn start_key(&mut self, scope: ScopeId, key: &str) -> Result<Option<StartKeyRow>, StoreError> {
        self.body(
            "SELECT body FROM start_keys WHERE scope = ?1 AND key = ?2",
            (scope.0, key),
            || "a start key".to_owned(),
        )
    }

    fn frames(&mut self, run: RunId, after: Position) -> Result<Vec<Frame>, StoreError> {
        let mut all = usize::MAX;
        let (frames, _) = self.page(run, after, &mut all)?;
        Ok(frames)
    }

    fn mail(&mut self, scope: ScopeId, token: &Token) -> Result<Vec<(u64, MailRow)>, StoreError> {
        self.mail_of(scope, token)
    }

    fn mail_size(&mut self, scope: ScopeId, token: Option<&Token>) -> Result<MailSize, StoreError> {
        self.size_of_mail(scope, token)
    }

    fn expired_mail(
        &mut self,
        scope: ScopeId,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<u64>, StoreError> {
        self.places_of_expired(scope, now, limit)
    }

    fn first_chunk(&mut self, run: RunId, stream: &str) -> Result<Option<ChunkRow>, StoreError> {
        self.body(
            "SELECT body FROM chunks WHERE run = ?1 AND stream = ?2",
            (run.to_bytes(), stream),
            || format!("run `{run}`"),
        )
    }
}

impl Tables<'_> {
    fn body<T: for<'b> Decode<'b, ()>>(
        &mut self,
        sql: &'static str,
        params: impl Params,
        what: impl Fn() -> String,
    ) -> Result<Option<T>, StoreError> {
        let found = self.look_up(sql, params, |row| Ok(decode_row(bytes(row, 0)?)))?;
        found.transpose().map_err(|source| StoreError::Corrupt {
            what: what(),
            source,
        })
    }

    pub(crate) fn stored(&mut self, trouble: Trouble) -> StoreError {
        match trouble {
            Trouble::Driver(error) => self.note(&error),
            Trouble::Stored(error) => error,
        }
    }
}

/// A blob, where it lies.
pub(crate) fn bytes<'r>(row: &'r Row<'_>, column: usize) -> rusqlite::Result<&'r [u8]> {
    Ok(row.get_ref(column)?.as_blob()?)
}

/// The column of a time. Those that no clock reaches stand at the end, together.
pub(crate) fn time(at: Timestamp) -> i64 {
    number(at.as_millis())
}

/// The column of a number; SQLite's are signed.
pub(crate) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
