//! What a judge may look at, and what it may say.

use rewake_core::event::{Frame, Position};
use rewake_core::id::RunId;
use rewake_core::time::Timestamp;
use rewake_core::token::Token;

use crate::error::StoreError;
use crate::row::{
    ChunkRow, ForgetRow, KeyRow, MailRow, OwedRow, RunRow, ScopeId, StartKeyRow, TokenRow,
};
use crate::wire::encode_row;

/// The rows as they stand inside the transaction, with what earlier requests of it have written.
///
/// # Errors
///
/// Every method passes on what keeps the store from looking; the request is then not judged.
#[expect(
    clippy::missing_errors_doc,
    reason = "said once for all of them, above"
)]
pub trait Rows {
    /// The row of a run, for whoever is about to change it: a store may hand out what it remembers, and
    /// remembers the run again once it is written.
    fn run(&mut self, run: RunId) -> Result<Option<Box<RunRow>>, StoreError>;
    /// What `look` sees in the row of a run that stays as it is.
    fn look_at<T>(
        &mut self,
        run: RunId,
        look: impl FnOnce(&RunRow) -> T,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.run(run)?.map(|row| look(&row)))
    }
    /// The live hook of a token.
    fn token(&mut self, scope: ScopeId, token: &Token) -> Result<Option<TokenRow>, StoreError>;
    /// A delivery key.
    fn key(
        &mut self,
        scope: ScopeId,
        token: &Token,
        key: &str,
    ) -> Result<Option<KeyRow>, StoreError>;
    /// The delivery keys of a token after a key, in order, at most `limit`.
    fn keys(
        &mut self,
        scope: ScopeId,
        token: &Token,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, KeyRow)>, StoreError>;
    /// Which delivery keys are to be forgotten by `now`, oldest first, at most `limit`.
    fn forgets(
        &mut self,
        scope: ScopeId,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<ForgetRow>, StoreError>;
    /// True where a child has left its end for its parent.
    fn is_owed(&mut self, scope: ScopeId, parent: RunId, child: RunId) -> Result<bool, StoreError>;
    /// The key of a start.
    fn start_key(&mut self, scope: ScopeId, key: &str) -> Result<Option<StartKeyRow>, StoreError>;
    /// All frames of a run after a position.
    fn frames(&mut self, run: RunId, after: Position) -> Result<Vec<Frame>, StoreError>;
    /// The first chunk of a stream.
    fn first_chunk(&mut self, run: RunId, stream: &str) -> Result<Option<ChunkRow>, StoreError>;
    /// The payloads that the mailbox keeps for a token, oldest first, with their places; also those
    /// whose time is over.
    fn mail(&mut self, scope: ScopeId, token: &Token) -> Result<Vec<(u64, MailRow)>, StoreError>;
    /// How much the mailbox holds, of a token or of all.
    fn mail_size(&mut self, scope: ScopeId, token: Option<&Token>) -> Result<MailSize, StoreError>;
    /// The places of payloads whose time is over, at most `limit`.
    fn expired_mail(
        &mut self,
        scope: ScopeId,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<u64>, StoreError>;
}

/// How much the mailbox holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MailSize {
    /// Payloads.
    pub count: u64,
    /// Their bytes, as encoded.
    pub bytes: u64,
    /// The last place that is in use; zero where none is.
    pub last: u64,
}

/// One row to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Put a run's row, new or changed.
    Run(RunId, Box<RunRow>),
    /// Add a frame to a run's log, at the position of its first event, in its stored form.
    Frame(RunId, Position, Vec<u8>),
    /// Put a live hook, new or changed.
    Token(Box<TokenRow>),
    /// Remove a hook's token.
    Release(ScopeId, Token),
    /// Put a delivery key, new or changed.
    Key(ScopeId, Token, String, Box<KeyRow>),
    /// Remove a delivery key.
    KeyGone(ScopeId, Token, String),
    /// Put what is to be forgotten, new or changed; found by scope, time, token and which keys.
    Forget(Box<ForgetRow>),
    /// Remove what was to be forgotten.
    ForgetGone(Box<ForgetRow>),
    /// Add the key of a start.
    StartKey(ScopeId, String, StartKeyRow),
    /// Add what is owed to a parent; found by scope, parent and child.
    Owed(Box<OwedRow>),
    /// Remove what a child (the second run) owes to its parent (the first).
    OwedGone(ScopeId, RunId, RunId),
    /// Remove all that is owed to a parent.
    OwedAllGone(ScopeId, RunId),
    /// Add the first chunk of a stream.
    Chunk(RunId, String, ChunkRow),
    /// Put a payload in the mailbox, at a place that is free.
    Mail(u64, Box<MailRow>),
    /// Remove a payload from the mailbox.
    MailGone(ScopeId, u64),
}

impl Write {
    /// Adds a frame to a run's log.
    pub fn frame(run: RunId, frame: &Frame) -> Self {
        Self::Frame(run, frame.first, encode_row(frame))
    }
}

/// What a judge says: what to write, and what to answer once that is on stable storage.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Verdict<A> {
    /// The rows to write, in this order; none where the answer was given before.
    pub writes: Vec<Write>,
    /// The answer.
    pub answer: A,
}
