//! The rows as one transaction sees them: what was looked up, with what its requests have written.
//!
//! The judge asks, and is answered from here. What it asks and nobody has looked up is noted, and
//! the judging is given up; it begins anew once that is here. Nothing is decided here, and nothing
//! is asked of the database.

use std::collections::{BTreeMap, BTreeSet};

use rewake_store::core::event::{Frame, Position};
use rewake_store::core::id::RunId;
use rewake_store::core::time::Timestamp;
use rewake_store::core::token::Token;
use rewake_store::judge::{MailSize, Rows, Write};
use rewake_store::{
    ChunkRow, Concern, ForgetRow, KeyRow, MailRow, OwedRow, RunRow, ScopeId, StartKeyRow,
    StoreError, TokenRow, decode_row,
};

use crate::lookup::{Lookup, Plan};
use crate::table::Table;

/// A log from a position on.
pub(crate) type Log = Result<(Position, Vec<Frame>), StoreError>;

/// A frame of a run, by the position of its first event, as it is written down.
pub(crate) type StoredFrame = (RunId, Position, Vec<u8>);

/// What the mailbox keeps for a token, with its places.
pub(crate) type Kept = Result<Vec<(u64, MailRow)>, StoreError>;

/// Keys of a token, from a key on, so many.
pub(crate) type KeyRange = (ScopeId, Token, Option<String>, usize);

#[derive(Debug, Default)]
pub(crate) struct Sight {
    /// The time of the transaction.
    pub(crate) now: Timestamp,
    pub(crate) runs: Table<RunId, RunRow>,
    /// Runs whose rows are stored, and so are changed where others are added.
    pub(crate) stored: BTreeSet<RunId>,
    /// The run that a request may write and nothing else, where it is judged by memory.
    pub(crate) only: Option<RunId>,
    pub(crate) logs: BTreeMap<RunId, Log>,
    /// What requests add to logs, in its stored form.
    pub(crate) new_frames: Vec<StoredFrame>,
    /// What was added before it, and is handed over to the database.
    pub(crate) handed_over: Vec<StoredFrame>,
    pub(crate) tokens: Table<(ScopeId, Token), TokenRow>,
    pub(crate) keys: Table<(ScopeId, Token, String), KeyRow>,
    pub(crate) key_ranges: BTreeMap<KeyRange, Result<Vec<(String, KeyRow)>, StoreError>>,
    /// What is due, and whether it is all of it.
    pub(crate) forgets: BTreeMap<ScopeId, Result<Vec<ForgetRow>, StoreError>>,
    pub(crate) changed_forgets: Vec<(ForgetRow, bool)>,
    pub(crate) start_keys: Table<(ScopeId, String), StartKeyRow>,
    pub(crate) owed: Table<(ScopeId, RunId, RunId), OwedRow>,
    pub(crate) all_owed_gone: BTreeSet<(ScopeId, RunId)>,
    pub(crate) chunks: Table<(RunId, String), ChunkRow>,
    pub(crate) mail: BTreeMap<(ScopeId, Token), Kept>,
    pub(crate) changed_mail: BTreeMap<(ScopeId, u64), Option<MailRow>>,
    pub(crate) mail_sizes: BTreeMap<(ScopeId, Option<Token>), MailSize>,
    pub(crate) expired_mail: BTreeMap<ScopeId, Vec<u64>>,
    /// What was asked and is not known.
    pub(crate) missed: Plan,
    /// Whom it concerns what the request writes that is judged.
    pub(crate) concerns: Vec<Concern>,
}

impl Sight {
    /// Applies what a verdict says, in its order.
    pub(crate) fn write(&mut self, writes: Vec<Write>) {
        if let Some(only) = self.only
            && !writes.iter().all(|write| is_of_run(write, only))
        {
            // What else it needs is not held.
            self.missed.insert(Lookup::Held(only));
            return;
        }
        for write in writes {
            self.put(write);
        }
    }

    fn put(&mut self, write: Write) {
        match write {
            Write::Run(run, row) => self.runs.put(run, Some(*row)),
            Write::Frame(run, first, body) => self.add_frame(run, first, body),
            Write::Token(row) => {
                let place = (row.scope, row.token.clone());
                self.tokens.put(place, Some(*row));
            }
            Write::Release(scope, token) => self.tokens.put((scope, token), None),
            Write::Key(scope, token, key, row) => self.put_key((scope, token, key), Some(*row)),
            Write::KeyGone(scope, token, key) => self.put_key((scope, token, key), None),
            Write::Forget(row) => self.put_forget(*row),
            Write::ForgetGone(row) => {
                self.drop_known_forget(&row);
                self.changed_forgets.push((*row, false));
            }
            Write::StartKey(scope, key, row) => self.start_keys.put((scope, key), Some(row)),
            Write::Owed(row) => {
                let place = (row.scope, row.parent, row.child);
                self.owed.put(place, Some(*row));
            }
            Write::OwedGone(scope, parent, child) => self.owed.put((scope, parent, child), None),
            Write::OwedAllGone(scope, parent) => {
                let is_gone =
                    |place: &(ScopeId, RunId, RunId)| (place.0, place.1) == (scope, parent);
                self.owed.clear(is_gone);
                self.all_owed_gone.insert((scope, parent));
            }
            Write::Chunk(run, stream, row) => self.chunks.put((run, stream), Some(row)),
            Write::Mail(place, row) => self.put_mail(place, *row),
            Write::MailGone(scope, place) => self.drop_mail(scope, place),
        }
    }

    fn add_frame(&mut self, run: RunId, first: Position, body: Vec<u8>) {
        // A log that begins is known from its beginning.
        if first == Position::START.next() {
            let log = || Ok((Position::START, Vec::new()));
            self.logs.entry(run).or_insert_with(log);
        }
        self.new_frames.push((run, first, body));
    }

    /// Takes note of logs as the database has them, with what was handed over to it before.
    pub(crate) fn see_logs(&mut self, logs: BTreeMap<RunId, Log>) {
        self.handed_over
            .retain(|(run, _, _)| !logs.contains_key(run));
        self.logs.extend(logs);
    }

    /// What was added to logs since this was asked last, as it is written down; it belongs to what is known
    /// of them from then on.
    pub(crate) fn take_new_frames(&mut self) -> Vec<StoredFrame> {
        let taken = std::mem::take(&mut self.new_frames);
        let known = taken
            .iter()
            .filter(|(run, _, _)| self.logs.contains_key(run));
        self.handed_over.extend(known.cloned());
        taken
    }

    /// What requests have added to a log after a position.
    fn added(&self, run: RunId, after: Position) -> Result<Vec<Frame>, StoreError> {
        let all = self.handed_over.iter().chain(&self.new_frames);
        all.filter(|(of, first, _)| *of == run && *first > after)
            .map(|(_, _, body)| decode_row(body))
            .collect::<Result<_, _>>()
            .map_err(|source| StoreError::corrupt_run(run, source))
    }

    fn put_key(&mut self, place: (ScopeId, Token, String), row: Option<KeyRow>) {
        self.key_ranges
            .retain(|(scope, token, _, _), _| (*scope, token) != (place.0, &place.1));
        self.keys.put(place, row);
    }

    fn put_forget(&mut self, row: ForgetRow) {
        self.drop_known_forget(&row);
        if row.at <= self.now {
            // It is due in its turn: that is looked up behind what is written.
            self.forgets.remove(&row.scope);
        }
        self.changed_forgets.push((row, true));
    }

    fn drop_known_forget(&mut self, row: &ForgetRow) {
        if let Some(Ok(known)) = self.forgets.get_mut(&row.scope) {
            known.retain(|known| {
                (known.at, &known.token, &known.which) != (row.at, &row.token, &row.which)
            });
        }
    }

    fn put_mail(&mut self, place: u64, row: MailRow) {
        let of_token = (row.scope, Some(row.token.clone()));
        for size in [(row.scope, None), of_token] {
            if let Some(size) = self.mail_sizes.get_mut(&size) {
                size.count += 1;
                size.bytes += row.payload.len() as u64;
                size.last = size.last.max(place);
            }
        }
        let kept = self.mail.get_mut(&(row.scope, row.token.clone()));
        if let Some(Ok(kept)) = kept {
            kept.push((place, row.clone()));
        }
        self.changed_mail.insert((row.scope, place), Some(row));
    }

    fn drop_mail(&mut self, scope: ScopeId, place: u64) {
        // How large it was is not known here: the sizes are looked up again.
        self.mail_sizes.retain(|(of, _), _| *of != scope);
        for kept in self.mail.values_mut().flatten() {
            kept.retain(|(at, mail)| (mail.scope, *at) != (scope, place));
        }
        if let Some(expired) = self.expired_mail.get_mut(&scope) {
            expired.retain(|at| *at != place);
        }
        self.changed_mail.insert((scope, place), None);
    }

    /// Notes that something was asked which nobody has looked up.
    fn miss<T>(&mut self, lookup: Lookup) -> Result<T, StoreError> {
        self.missed.insert(lookup);
        Err(StoreError::Backend {
            reason: "it was not looked up yet".to_owned(),
        })
    }

    /// The rows of runs that are stored, as they stand.
    pub(crate) fn stored(&self) -> impl Iterator<Item = (RunId, RunRow)> {
        self.stored.iter().filter_map(|run| {
            let row = self.runs.look(run)?.ok()??;
            Some((*run, row))
        })
    }

    /// A run's row, if it is of this scope.
    pub(crate) fn run_in(
        &mut self,
        scope: ScopeId,
        run: RunId,
    ) -> Result<Option<RunRow>, StoreError> {
        let row = self.run(run)?.filter(|row| row.scope == scope);
        Ok(row.map(|row| *row))
    }
}

/// True where a write is about the log and the row of a run.
fn is_of_run(write: &Write, only: RunId) -> bool {
    matches!(write, Write::Run(run, _) | Write::Frame(run, _, _) if *run == only)
}

impl Rows for Sight {
    fn run(&mut self, run: RunId) -> Result<Option<Box<RunRow>>, StoreError> {
        match self.runs.look(&run) {
            Some(found) => Ok(found?.map(Box::new)),
            None => self.miss(Lookup::Run(run)),
        }
    }

    fn token(&mut self, scope: ScopeId, token: &Token) -> Result<Option<TokenRow>, StoreError> {
        match self.tokens.look(&(scope, token.clone())) {
            Some(found) => found,
            None => self.miss(Lookup::Token(scope, token.clone())),
        }
    }

    fn key(
        &mut self,
        scope: ScopeId,
        token: &Token,
        key: &str,
    ) -> Result<Option<KeyRow>, StoreError> {
        match self.keys.look(&(scope, token.clone(), key.to_owned())) {
            Some(found) => found,
            None => self.miss(Lookup::Key(scope, token.clone(), key.to_owned())),
        }
    }

    fn keys(
        &mut self,
        scope: ScopeId,
        token: &Token,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, KeyRow)>, StoreError> {
        let after = after.map(str::to_owned);
        let range = (scope, token.clone(), after.clone(), limit);
        match self.key_ranges.get(&range) {
            Some(found) => found.clone(),
            None => self.miss(Lookup::Keys(scope, token.clone(), after, limit)),
        }
    }

    fn forgets(
        &mut self,
        scope: ScopeId,
        _: Timestamp,
        limit: usize,
    ) -> Result<Vec<ForgetRow>, StoreError> {
        match self.forgets.get(&scope) {
            Some(found) => found
                .clone()
                .map(|due| due.into_iter().take(limit).collect()),
            None => self.miss(Lookup::Forgets(scope, limit)),
        }
    }

    fn is_owed(&mut self, scope: ScopeId, parent: RunId, child: RunId) -> Result<bool, StoreError> {
        match self.owed.look(&(scope, parent, child)) {
            Some(found) => Ok(found?.is_some()),
            None => self.miss(Lookup::Owed(scope, parent, child)),
        }
    }

    fn start_key(&mut self, scope: ScopeId, key: &str) -> Result<Option<StartKeyRow>, StoreError> {
        match self.start_keys.look(&(scope, key.to_owned())) {
            Some(found) => found,
            None => self.miss(Lookup::StartKey(scope, key.to_owned())),
        }
    }

    fn frames(&mut self, run: RunId, after: Position) -> Result<Vec<Frame>, StoreError> {
        match self.logs.get(&run) {
            Some(Ok((from, frames))) if *from <= after => {
                let stored = frames.iter().filter(|frame| frame.first > after);
                let mut all: Vec<_> = stored.cloned().collect();
                all.extend(self.added(run, after)?);
                Ok(all)
            }
            Some(Err(error)) => Err(error.clone()),
            Some(Ok(_)) | None => self.miss(Lookup::Frames(run, after)),
        }
    }

    fn first_chunk(&mut self, run: RunId, stream: &str) -> Result<Option<ChunkRow>, StoreError> {
        match self.chunks.look(&(run, stream.to_owned())) {
            Some(found) => found,
            None => self.miss(Lookup::Chunk(run, stream.to_owned())),
        }
    }

    fn mail(&mut self, scope: ScopeId, token: &Token) -> Result<Vec<(u64, MailRow)>, StoreError> {
        match self.mail.get(&(scope, token.clone())) {
            Some(found) => found.clone(),
            None => self.miss(Lookup::Mail(scope, token.clone())),
        }
    }

    fn mail_size(&mut self, scope: ScopeId, token: Option<&Token>) -> Result<MailSize, StoreError> {
        match self.mail_sizes.get(&(scope, token.cloned())) {
            Some(size) => Ok(*size),
            None => self.miss(token.map_or(Lookup::MailSize(scope), |token| {
                Lookup::MailSizeOfToken(scope, token.clone())
            })),
        }
    }

    fn expired_mail(
        &mut self,
        scope: ScopeId,
        _: Timestamp,
        limit: usize,
    ) -> Result<Vec<u64>, StoreError> {
        match self.expired_mail.get(&scope) {
            Some(places) => Ok(places.iter().take(limit).copied().collect()),
            None => self.miss(Lookup::ExpiredMail(scope, limit)),
        }
    }
}
