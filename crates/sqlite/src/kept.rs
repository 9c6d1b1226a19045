//! What a connection keeps between two uses: its statements, and for the writer the rows it has seen.

use std::fmt;

use rewake_store::core::id::RunId;
use rewake_store::core::token::Token;
use rewake_store::{RunRow, ScopeId, TokenRow};
use rusqlite::{Connection, PrepFlags, Result, Statement};

use crate::by_run::ByRun;
use crate::newest::Newest;
use crate::recent::Recent;
use crate::tables::time;

/// A run's row with more parts than this is not worth its room.
const MANY: usize = 64;
/// Metadata of more bytes than this is not worth its room.
const LARGE: usize = 1_024;

/// The statements of a connection, each prepared when it is first used.
///
/// They are told apart by the place of their text, which is the program's own: to compare and to
/// hash the text itself, as the driver's cache does, takes a tenth of all that a commit takes.
pub(crate) struct Statements<'c> {
    connection: &'c Connection,
    prepared: Vec<(&'static str, Statement<'c>)>,
}

impl<'c> Statements<'c> {
    pub(crate) const fn of(connection: &'c Connection) -> Self {
        Self {
            connection,
            prepared: Vec::new(),
        }
    }

    pub(crate) fn get(&mut self, sql: &'static str) -> Result<&mut Statement<'c>> {
        let known = |(text, _): &(&'static str, _)| std::ptr::eq(*text, sql);
        if let Some(at) = self.prepared.iter().position(known) {
            return Ok(&mut self.prepared[at].1);
        }
        let lasting = PrepFlags::SQLITE_PREPARE_PERSISTENT;
        let statement = self.connection.prepare_with_flags(sql, lasting)?;
        Ok(&mut self.prepared.push_mut((sql, statement)).1)
    }
}

impl fmt::Debug for Statements<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = self.prepared.iter().map(|(text, _)| text);
        f.debug_list().entries(texts).finish()
    }
}

/// Runs and live hooks as the one writer has read or written them last.
///
/// Nobody else writes, so they are what the file says, as long as what was written in a transaction
/// that came to nothing is forgotten, and everything once another connection has written after all.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    runs: Recent<RunId, Known, ByRun>,
    tokens: Recent<Token, Box<TokenRow>>,
    /// Runs that are not there.
    pub(crate) newest: Newest,
    /// True where no project has any mail; unknown where that may have changed.
    pub(crate) mailbox_is_empty: Option<bool>,
    /// What the database said when it was last asked whether another connection has written.
    version: Option<i64>,
}

/// The columns of a run's row that are indexed and change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Indexed {
    pub(crate) wake_at: Option<i64>,
    pub(crate) parked: bool,
}

impl Indexed {
    pub(crate) fn of(row: &RunRow) -> Self {
        Self {
            wake_at: row.wake_at.map(time),
            parked: row.parked.is_some(),
        }
    }
}

/// What is known of a run.
#[derive(Debug)]
struct Known {
    indexed: Indexed,
    /// None where it was handed out to be changed, and has not come back so far, or is not worth its
    /// room.
    row: Option<Box<RunRow>>,
}

impl Remembered {
    /// Remembers a run, unless it has ended, since nothing more is written for that as a rule. Of one
    /// that is not worth its room, because it has many hooks, little is remembered.
    pub(crate) fn put_run(&mut self, run: RunId, row: Box<RunRow>) {
        let parts = row.taken.len() + row.left.len() + row.attributes.len();
        if row.status.is_terminal() {
            self.runs.forget(&run);
            return;
        }
        let indexed = Indexed::of(&row);
        let row = (parts <= MANY).then_some(row);
        self.runs.put(run, Known { indexed, row });
    }

    /// Remembers a run whose row is handed out to be changed.
    pub(crate) fn note_run(&mut self, run: RunId, indexed: Indexed) {
        self.runs.put(run, Known { indexed, row: None });
    }

    /// The indexed columns of a run as the file has them.
    pub(crate) fn indexed(&mut self, run: RunId) -> Option<Indexed> {
        self.runs.get(&run).map(|known| known.indexed)
    }

    pub(crate) fn run(&mut self, run: RunId) -> Option<&RunRow> {
        self.runs.get(&run)?.row.as_deref()
    }

    /// The row of a run, handed out to be changed.
    pub(crate) fn take_run(&mut self, run: RunId) -> Option<Box<RunRow>> {
        self.runs.get(&run)?.row.take()
    }

    /// Remembers a hook, unless it is large.
    pub(crate) fn put_token(&mut self, row: Box<TokenRow>) {
        let metadata = row.metadata.as_ref();
        if metadata.is_none_or(|metadata| metadata.len() <= LARGE) {
            self.tokens.put(row.token.clone(), row);
        } else {
            self.tokens.forget(&row.token);
        }
    }

    /// The hook of a token, which another project may hold, too.
    pub(crate) fn token(&mut self, scope: ScopeId, token: &Token) -> Option<&TokenRow> {
        let row = self.tokens.get(token)?;
        (row.scope == scope).then_some(row)
    }

    pub(crate) fn drop_token(&mut self, token: &Token) {
        self.tokens.forget(token);
    }

    /// Forgets everything, for what is remembered may not be what the file says.
    pub(crate) fn forget(&mut self) {
        let version = self.version;
        *self = Self {
            version,
            ..Self::default()
        };
    }

    /// Takes note of the database's version, which another connection's commit changes.
    pub(crate) fn keep_if_still(&mut self, version: i64) {
        if self.version.replace(version) != Some(version) {
            self.forget();
        }
    }
}
