//! Every kind of row under one type, with the place that a store keeps it at.

use rewake_core::event::{Frame, Position};
use rewake_core::id::RunId;
use rewake_core::time::Timestamp;
use rewake_core::token::Token;

use crate::judge::Write;
use crate::row::{
    ChunkRow, ForgetRow, KeyRow, MailRow, OwedRow, RunRow, ScopeId, StartKeyRow, TokenRow,
    WhichKeys,
};

/// A kind of row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKind {
    /// A project and environment.
    Scope,
    /// A run.
    Run,
    /// A frame of a run's log.
    Frame,
    /// A live hook, by its token.
    Token,
    /// A delivery key.
    Key,
    /// Delivery keys that will be forgotten.
    Forget,
    /// The idempotency key of a start.
    StartKey,
    /// The end of a child that its parent's log does not hold.
    Owed,
    /// A chunk of a stream.
    Chunk,
    /// A payload in the mailbox.
    Mail,
}

impl RowKind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Scope,
        Self::Run,
        Self::Frame,
        Self::Token,
        Self::Key,
        Self::Forget,
        Self::StartKey,
        Self::Owed,
        Self::Chunk,
        Self::Mail,
    ];

    /// What rows of this kind are called, for people and programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scope => "scopes",
            Self::Run => "runs",
            Self::Frame => "frames",
            Self::Token => "hooks",
            Self::Key => "delivery_keys",
            Self::Forget => "forgets",
            Self::StartKey => "start_keys",
            Self::Owed => "owed",
            Self::Chunk => "chunks",
            Self::Mail => "mail",
        }
    }
}

/// A project and environment, with the number that every other row of theirs has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeRow {
    /// The number.
    pub scope: ScopeId,
    /// The project.
    pub project: String,
    /// The environment.
    pub environment: String,
}

/// A row of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnyRow {
    /// A project and environment.
    Scope(ScopeRow),
    /// A run.
    Run(RunId, Box<RunRow>),
    /// A frame of a run's log.
    Frame(RunId, Frame),
    /// A live hook.
    Token(Box<TokenRow>),
    /// A delivery key of a token.
    Key(ScopeId, Token, String, Box<KeyRow>),
    /// Delivery keys that will be forgotten.
    Forget(Box<ForgetRow>),
    /// The idempotency key of a start.
    StartKey(ScopeId, String, StartKeyRow),
    /// What a child owes.
    Owed(Box<OwedRow>),
    /// A chunk of a run's stream.
    Chunk(RunId, String, ChunkRow),
    /// A payload in the mailbox, at its place.
    Mail(u64, Box<MailRow>),
}

/// Where a row stands among those of its kind: what it is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowPlace {
    /// Of a project and environment.
    Scope(ScopeId),
    /// Of a run.
    Run(RunId),
    /// Of a frame: its run, and the first of its positions.
    Frame(RunId, Position),
    /// Of a live hook.
    Token(ScopeId, Token),
    /// Of a delivery key.
    Key(ScopeId, Token, String),
    /// Of delivery keys that will be forgotten.
    Forget(ScopeId, Timestamp, Token, WhichKeys),
    /// Of a start's key.
    StartKey(ScopeId, String),
    /// Of what a child (the second) owes to its parent.
    Owed(ScopeId, RunId, RunId),
    /// Of a chunk: its run, and the name of its stream.
    Chunk(RunId, String),
    /// Of a payload in the mailbox.
    Mail(ScopeId, u64),
}

impl AnyRow {
    /// Of which kind it is.
    pub const fn kind(&self) -> RowKind {
        match self {
            Self::Scope(_) => RowKind::Scope,
            Self::Run(..) => RowKind::Run,
            Self::Frame(..) => RowKind::Frame,
            Self::Token(_) => RowKind::Token,
            Self::Key(..) => RowKind::Key,
            Self::Forget(_) => RowKind::Forget,
            Self::StartKey(..) => RowKind::StartKey,
            Self::Owed(_) => RowKind::Owed,
            Self::Chunk(..) => RowKind::Chunk,
            Self::Mail(..) => RowKind::Mail,
        }
    }

    /// Where it stands.
    pub fn place(&self) -> RowPlace {
        match self {
            Self::Scope(row) => RowPlace::Scope(row.scope),
            Self::Run(run, _) => RowPlace::Run(*run),
            Self::Frame(run, frame) => RowPlace::Frame(*run, frame.first),
            Self::Token(row) => RowPlace::Token(row.scope, row.token.clone()),
            Self::Key(scope, token, key, _) => RowPlace::Key(*scope, token.clone(), key.clone()),
            Self::Forget(row) => {
                RowPlace::Forget(row.scope, row.at, row.token.clone(), row.which.clone())
            }
            Self::StartKey(scope, key, _) => RowPlace::StartKey(*scope, key.clone()),
            Self::Owed(row) => RowPlace::Owed(row.scope, row.parent, row.child),
            Self::Chunk(run, stream, _) => RowPlace::Chunk(*run, stream.clone()),
            Self::Mail(place, row) => RowPlace::Mail(row.scope, *place),
        }
    }

    /// The rows as a store writes them anyway, apart from projects and environments, which no verdict
    /// ever names.
    pub fn into_writes(rows: Vec<Self>) -> (Vec<ScopeRow>, Vec<Write>) {
        let mut scopes = Vec::new();
        let mut writes = Vec::with_capacity(rows.len());
        for row in rows {
            writes.push(match row {
                Self::Scope(row) => {
                    scopes.push(row);
                    continue;
                }
                Self::Run(run, row) => Write::Run(run, row),
                Self::Frame(run, frame) => Write::frame(run, &frame),
                Self::Token(row) => Write::Token(row),
                Self::Key(scope, token, key, row) => Write::Key(scope, token, key, row),
                Self::Forget(row) => Write::Forget(row),
                Self::StartKey(scope, key, row) => Write::StartKey(scope, key, row),
                Self::Owed(row) => Write::Owed(row),
                Self::Chunk(run, stream, row) => Write::Chunk(run, stream, row),
                Self::Mail(place, row) => Write::Mail(place, row),
            });
        }
        (scopes, writes)
    }
}
