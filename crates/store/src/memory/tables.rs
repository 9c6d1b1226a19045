//! The tables: one ordered map for each kind of row.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use rewake_core::event::{Frame, Position};
use rewake_core::id::RunId;
use rewake_core::time::Timestamp;
use rewake_core::token::Token;

use super::nodes::NodeTable;
use crate::error::StoreError;
use crate::judge::{MailSize, Rows, Write};
use crate::role::{RunFilter, RunPage, WakeUp};
use crate::row::{
    ChunkRow, ForgetRow, KeyRow, MailRow, OwedRow, Parked, RunRow, ScopeId, StartKeyRow, TokenRow,
    WhichKeys,
};
use crate::wire::{Corrupt, decode_row, encode_row};

type Bytes = Vec<u8>;

type ForgetPlace = (ScopeId, Timestamp, Token, WhichKeys);

fn place_of(row: &ForgetRow) -> ForgetPlace {
    (row.scope, row.at, row.token.clone(), row.which.clone())
}

#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) scopes: BTreeMap<(String, String), ScopeId>,
    pub(super) runs: BTreeMap<RunId, Bytes>,
    pub(super) wake_ups: BTreeSet<(ScopeId, WakeUp)>,
    pub(super) frames: BTreeMap<(RunId, Position), Bytes>,
    pub(super) tokens: BTreeMap<(ScopeId, Token), Bytes>,
    pub(super) keys: BTreeMap<(ScopeId, Token, String), Bytes>,
    pub(super) forgets: BTreeMap<ForgetPlace, Bytes>,
    pub(super) start_keys: BTreeMap<(ScopeId, String), Bytes>,
    pub(super) chunks: BTreeMap<(RunId, String), Bytes>,
    pub(super) mail: BTreeMap<(ScopeId, u64), Bytes>,
    /// By parent and child.
    pub(super) owed: BTreeMap<(ScopeId, RunId, RunId), Bytes>,
    pub(super) sessions_not_ended: u32,
    pub(super) nodes: NodeTable,
}

impl Tables {
    pub(super) fn write(&mut self, writes: Vec<Write>) {
        for write in writes {
            match write {
                Write::Run(run, row) => self.put_run(run, &row),
                Write::Frame(run, first, body) => {
                    let replaced = self.frames.insert((run, first), body);
                    debug_assert!(replaced.is_none(), "a frame is never written over");
                }
                Write::Token(row) => {
                    self.tokens
                        .insert((row.scope, row.token.clone()), encode_row(&*row));
                }
                Write::Release(scope, token) => {
                    self.tokens.remove(&(scope, token));
                }
                Write::Key(scope, token, key, row) => {
                    self.keys.insert((scope, token, key), encode_row(&*row));
                }
                Write::KeyGone(scope, token, key) => {
                    self.keys.remove(&(scope, token, key));
                }
                Write::Forget(row) => {
                    self.forgets.insert(place_of(&row), encode_row(&*row));
                }
                Write::ForgetGone(row) => {
                    self.forgets.remove(&place_of(&row));
                }
                Write::StartKey(scope, key, row) => {
                    self.start_keys.insert((scope, key), encode_row(&row));
                }
                Write::Owed(row) => {
                    let place = (row.scope, row.parent, row.child);
                    self.owed.insert(place, encode_row(&*row));
                }
                Write::OwedGone(scope, parent, child) => {
                    self.owed.remove(&(scope, parent, child));
                }
                Write::OwedAllGone(scope, parent) => {
                    self.owed
                        .retain(|(of, to, _), _| (*of, *to) != (scope, parent));
                }
                Write::Chunk(run, stream, row) => {
                    self.chunks.insert((run, stream), encode_row(&row));
                }
                Write::Mail(place, row) => {
                    let replaced = self.mail.insert((row.scope, place), encode_row(&*row));
                    debug_assert!(replaced.is_none(), "a place is taken once");
                }
                Write::MailGone(scope, place) => {
                    self.mail.remove(&(scope, place));
                }
            }
        }
    }

    pub(super) fn put_run(&mut self, run: RunId, row: &RunRow) {
        if let Some(before) = self
            .runs
            .get(&run)
            .and_then(|bytes| decode_row::<RunRow>(bytes).ok())
            && let Some(at) = before.wake_at
        {
            self.wake_ups.remove(&(before.scope, WakeUp { at, run }));
        }
        if let Some(at) = row.wake_at {
            self.wake_ups.insert((row.scope, WakeUp { at, run }));
        }
        self.runs.insert(run, encode_row(row));
    }

    pub(super) fn run_in(
        &mut self,
        scope: ScopeId,
        run: RunId,
    ) -> Result<Option<RunRow>, StoreError> {
        let row = self.run(run)?.filter(|row| row.scope == scope);
        Ok(row.map(|row| *row))
    }

    pub(super) fn page(
        &mut self,
        scope: ScopeId,
        run: RunId,
        after: Position,
        max_bytes: usize,
    ) -> Result<Vec<Frame>, StoreError> {
        if self.run_in(scope, run)?.is_none() {
            return Ok(Vec::new());
        }
        let mut left = Some(max_bytes);
        self.frames
            .range((
                Bound::Excluded((run, after)),
                Bound::Included((run, Position(u64::MAX))),
            ))
            .map_while(|(_, bytes)| {
                let room = left?;
                left = room.checked_sub(bytes.len());
                Some(bytes)
            })
            .map(|bytes| decode(run, bytes))
            .collect()
    }

    pub(super) fn due(
        &self,
        scope: ScopeId,
        after: Option<WakeUp>,
        until: Timestamp,
        limit: usize,
    ) -> Vec<WakeUp> {
        let from = after.map_or(Bound::Unbounded, |after| Bound::Excluded((scope, after)));
        self.wake_ups
            .range((from, Bound::Unbounded))
            .skip_while(|(found, _)| *found < scope)
            .take_while(|(found, wake_up)| *found == scope && wake_up.at <= until)
            .map(|(_, wake_up)| *wake_up)
            .take(limit)
            .collect()
    }

    pub(super) fn parked(
        &self,
        scope: ScopeId,
        after: Option<RunId>,
        limit: usize,
    ) -> Result<Vec<(RunId, Parked)>, StoreError> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut parked = Vec::new();
        for (run, bytes) in self.runs.range((from, Bound::Unbounded)) {
            if parked.len() == limit {
                break;
            }
            let row: RunRow = decode(*run, bytes)?;
            if let (true, Some(why)) = (row.scope == scope, row.parked) {
                parked.push((*run, why));
            }
        }
        Ok(parked)
    }

    /// What children owe to a run, about `max_bytes` of it.
    pub(super) fn owed(
        &self,
        scope: ScopeId,
        parent: RunId,
        max_bytes: usize,
    ) -> Result<Vec<OwedRow>, StoreError> {
        let mut left = Some(max_bytes);
        let first = (scope, parent, RunId::from_bytes([0; 16]));
        self.owed
            .range(first..)
            .take_while(|((of, to, _), _)| (*of, *to) == (scope, parent))
            .map_while(|(_, bytes)| {
                let room = left?;
                left = room.checked_sub(bytes.len());
                Some(bytes)
            })
            .map(|bytes| decode(parent, bytes))
            .collect()
    }

    pub(super) fn owed_runs(
        &self,
        scope: ScopeId,
        after: Option<RunId>,
        limit: usize,
    ) -> Vec<RunId> {
        let of_scope = self.owed.keys().filter(|(of, _, _)| *of == scope);
        let mut parents: Vec<_> = of_scope
            .map(|(_, parent, _)| *parent)
            .filter(|parent| after.is_none_or(|after| *parent > after))
            .collect();
        parents.dedup();
        parents.truncate(limit);
        parents
    }

    pub(super) fn chunk_in(
        &mut self,
        scope: ScopeId,
        run: RunId,
        stream: &str,
    ) -> Result<Option<ChunkRow>, StoreError> {
        if self.run_in(scope, run)?.is_none() {
            return Ok(None);
        }
        self.first_chunk(run, stream)
    }

    /// What the mailbox keeps after a place, oldest first.
    pub(super) fn mail_after(
        &self,
        scope: ScopeId,
        after: u64,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(u64, MailRow)>, StoreError> {
        let mut kept = self.mail_in(scope, after)?;
        kept.retain(|(_, mail)| mail.until > now);
        kept.truncate(limit);
        Ok(kept)
    }

    fn mail_in(&self, scope: ScopeId, after: u64) -> Result<Vec<(u64, MailRow)>, StoreError> {
        let after = Bound::Excluded((scope, after));
        self.mail
            .range((after, Bound::Included((scope, u64::MAX))))
            .map(|((_, place), bytes)| {
                let mail = decode_row(bytes).map_err(|source| damaged("the mailbox", source))?;
                Ok((*place, mail))
            })
            .collect()
    }

    pub(super) fn scope(&mut self, project: String, environment: String) -> ScopeId {
        // Not how many there are: those of a store that was copied may have holes between them.
        let next = self.scopes.values().max().map_or(0, |last| last.0 + 1);
        *self
            .scopes
            .entry((project, environment))
            .or_insert(ScopeId(next))
    }

    pub(super) fn begin_session(&mut self) -> u32 {
        let before = self.sessions_not_ended;
        self.sessions_not_ended += 1;
        before
    }

    pub(super) fn end_session(&mut self) {
        self.sessions_not_ended = 0;
    }

    pub(super) fn count_crashes(
        &mut self,
        scope: ScopeId,
        runs: &[RunId],
    ) -> Result<Vec<u32>, StoreError> {
        let mut counts = Vec::with_capacity(runs.len());
        for run in runs {
            let Some(mut row) = self.run_in(scope, *run)? else {
                counts.push(0);
                continue;
            };
            row.crashes += 1;
            counts.push(row.crashes);
            self.put_run(*run, &row);
        }
        Ok(counts)
    }

    pub(super) fn chosen_tokens(
        &self,
        scope: ScopeId,
        prefix: &str,
        after: Option<&Token>,
        limit: usize,
    ) -> Result<Vec<TokenRow>, StoreError> {
        let of_scope = self.tokens.iter().filter(|((of, _), _)| *of == scope);
        of_scope
            .filter(|((_, token), _)| token.as_str().starts_with(prefix))
            .filter(|((_, token), _)| after.is_none_or(|after| token > after))
            .map(|(_, bytes)| decode_row(bytes).map_err(|source| damaged("a hook", source)))
            .filter(|row: &Result<TokenRow, _>| row.as_ref().map_or(true, |row| row.chosen))
            .take(limit)
            .collect()
    }

    pub(super) fn runs(
        &self,
        scope: ScopeId,
        filter: &RunFilter,
        before: Option<RunId>,
        limit: usize,
    ) -> Result<RunPage, StoreError> {
        let until = before.map_or(Bound::Unbounded, Bound::Excluded);
        let mut page = RunPage::default();
        for (run, bytes) in self.runs.range((Bound::Unbounded, until)).rev() {
            let row: RunRow = decode(*run, bytes)?;
            if row.scope != scope || !filter.shows(&row) {
                continue;
            }
            if page.runs.len() == limit {
                page.next = page.runs.last().map(|(run, _)| *run);
                break;
            }
            page.runs.push((*run, row));
        }
        Ok(page)
    }
}

impl Rows for Tables {
    fn run(&mut self, run: RunId) -> Result<Option<Box<RunRow>>, StoreError> {
        let found = self.runs.get(&run).map(|bytes| decode(run, bytes));
        Ok(found.transpose()?.map(Box::new))
    }

    fn token(&mut self, scope: ScopeId, token: &Token) -> Result<Option<TokenRow>, StoreError> {
        let bytes = self.tokens.get(&(scope, token.clone()));
        bytes
            .map(|bytes| decode_row(bytes).map_err(|source| damaged("a hook", source)))
            .transpose()
    }

    fn key(
        &mut self,
        scope: ScopeId,
        token: &Token,
        key: &str,
    ) -> Result<Option<KeyRow>, StoreError> {
        let bytes = self.keys.get(&(scope, token.clone(), key.to_owned()));
        bytes
            .map(|bytes| decode_row(bytes).map_err(|source| damaged("a delivery key", source)))
            .transpose()
    }

    fn keys(
        &mut self,
        scope: ScopeId,
        token: &Token,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, KeyRow)>, StoreError> {
        let of_token = self.keys.iter().filter(|((of, held, key), _)| {
            *of == scope && held == token && after.is_none_or(|after| key.as_str() > after)
        });
        let read = |((_, _, key), bytes): (&(ScopeId, Token, String), &Bytes)| {
            let row = decode_row(bytes).map_err(|source| damaged("a delivery key", source))?;
            Ok((key.clone(), row))
        };
        of_token.map(read).take(limit).collect()
    }

    fn forgets(
        &mut self,
        scope: ScopeId,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<ForgetRow>, StoreError> {
        let due = self.forgets.iter();
        let due = due.filter(|((of, at, _, _), _)| *of == scope && *at <= now);
        let read = |(_, bytes): (_, &Bytes)| {
            decode_row(bytes).map_err(|source| damaged("what is to be forgotten", source))
        };
        due.map(read).take(limit).collect()
    }

    fn is_owed(&mut self, scope: ScopeId, parent: RunId, child: RunId) -> Result<bool, StoreError> {
        Ok(self.owed.contains_key(&(scope, parent, child)))
    }

    fn start_key(&mut self, scope: ScopeId, key: &str) -> Result<Option<StartKeyRow>, StoreError> {
        let bytes = self.start_keys.get(&(scope, key.to_owned()));
        bytes
            .map(|bytes| decode_row(bytes).map_err(|source| damaged("a start key", source)))
            .transpose()
    }

    fn frames(&mut self, run: RunId, after: Position) -> Result<Vec<Frame>, StoreError> {
        self.frames
            .range((
                Bound::Excluded((run, after)),
                Bound::Included((run, Position(u64::MAX))),
            ))
            .map(|(_, bytes)| decode(run, bytes))
            .collect()
    }

    fn mail(&mut self, scope: ScopeId, token: &Token) -> Result<Vec<(u64, MailRow)>, StoreError> {
        let mut kept = self.mail_in(scope, 0)?;
        kept.retain(|(_, mail)| mail.token == *token);
        Ok(kept)
    }

    fn mail_size(&mut self, scope: ScopeId, token: Option<&Token>) -> Result<MailSize, StoreError> {
        let mut size = MailSize::default();
        for (place, mail) in self.mail_in(scope, 0)? {
            if token.is_none_or(|token| mail.token == *token) {
                size.count += 1;
                size.bytes += mail.payload.len() as u64;
                size.last = place;
            }
        }
        Ok(size)
    }

    fn expired_mail(
        &mut self,
        scope: ScopeId,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<u64>, StoreError> {
        let mut expired = self.mail_in(scope, 0)?;
        expired.retain(|(_, mail)| mail.until <= now);
        expired.sort_by_key(|(place, mail)| (mail.until, *place));
        Ok(expired
            .into_iter()
            .map(|(place, _)| place)
            .take(limit)
            .collect())
    }

    fn first_chunk(&mut self, run: RunId, stream: &str) -> Result<Option<ChunkRow>, StoreError> {
        let bytes = self.chunks.get(&(run, stream.to_owned()));
        bytes.map(|bytes| decode(run, bytes)).transpose()
    }
}

pub(super) fn decode<T: for<'b> minicbor::Decode<'b, ()>>(
    run: RunId,
    bytes: &[u8],
) -> Result<T, StoreError> {
    decode_row(bytes).map_err(|source| StoreError::corrupt_run(run, source))
}

pub(super) fn damaged(what: &str, source: Corrupt) -> StoreError {
    StoreError::Corrupt {
        what: what.to_owned(),
        source,
    }
}
