//! What a connection keeps between two uses: its statements, and for the writer the rows it has seen.

use std::collections::BTreeMap;
use std::fmt;

use rewake_store::core::id::RunId;
use rewake_store::core::token::Token;
use rewake_store::{RunRow, ScopeId, TokenRow};
use rusqlite::{Connection, PrepFlags, Result, Statement};

/// How many rows are remembered before those that were not asked for meanwhile are forgotten.
const MOST: usize = 4_096;
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
    runs: Recent<RunId, RunRow>,
    tokens: Recent<Token, TokenRow>,
    /// What the database said when it was last asked whether another connection has written.
    version: Option<i64>,
}

impl Remembered {
    /// Remembers a run, unless it has ended, since nothing more is written for that as a rule, or is
    /// not worth its room: one that has many hooks.
    pub(crate) fn put_run(&mut self, run: RunId, row: RunRow) {
        let parts = row.taken.len() + row.left.len() + row.attributes.len();
        if row.status.is_terminal() || parts > MANY {
            self.runs.forget(&run);
        } else {
            self.runs.put(run, row);
        }
    }

    pub(crate) fn run(&mut self, run: RunId) -> Option<&RunRow> {
        self.runs.get(&run)
    }

    /// Remembers a hook, unless it is large.
    pub(crate) fn put_token(&mut self, row: TokenRow) {
        let metadata = row.metadata.as_ref();
        if metadata.is_none_or(|metadata| metadata.len() <= LARGE) {
            self.tokens.put(row.token.clone(), row);
        } else {
            self.tokens.forget(&row.token);
        }
    }

    /// The hook of a token, which another project may hold, too.
    pub(crate) fn token(&mut self, scope: ScopeId, token: &Token) -> Option<&TokenRow> {
        self.tokens.get(token).filter(|row| row.scope == scope)
    }

    pub(crate) fn drop_token(&mut self, token: &Token) {
        self.tokens.forget(token);
    }

    /// Forgets everything, for what is remembered may not be what the file says.
    pub(crate) fn forget(&mut self) {
        self.runs = Recent::default();
        self.tokens = Recent::default();
    }

    /// Takes note of the database's version, which another connection's commit changes.
    pub(crate) fn keep_if_still(&mut self, version: i64) {
        if self.version.replace(version) != Some(version) {
            self.forget();
        }
    }
}

/// The rows that were asked for last, some thousands of them.
#[derive(Debug)]
struct Recent<K, V> {
    young: BTreeMap<K, V>,
    old: BTreeMap<K, V>,
}

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self {
            young: BTreeMap::new(),
            old: BTreeMap::new(),
        }
    }
}

impl<K: Ord, V> Recent<K, V> {
    fn put(&mut self, key: K, value: V) {
        // An older state of it may stay among the old, which are looked at last.
        self.young.insert(key, value);
        if self.young.len() >= MOST {
            self.old = std::mem::take(&mut self.young);
        }
    }

    fn get(&mut self, key: &K) -> Option<&V> {
        if !self.young.contains_key(key)
            && let Some((key, value)) = self.old.remove_entry(key)
        {
            self.put(key, value);
        }
        self.young.get(key).or_else(|| self.old.get(key))
    }

    fn forget(&mut self, key: &K) {
        self.young.remove(key);
        self.old.remove(key);
    }
}
