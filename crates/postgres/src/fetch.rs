//! Looking up: from a plan to statements, and from their rows to what a transaction sees.
//!
//! One statement serves all look-ups of a kind, and all statements go out together.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use rewake_store::core::event::Position;
use rewake_store::core::id::RunId;
use rewake_store::core::time::Timestamp;
use rewake_store::core::token::Token;
use rewake_store::judge::MailSize;
use rewake_store::{ScopeId, StoreError};
use tokio_postgres::Row;

use crate::connect::{Lane, OwnedParam, Param};
use crate::id::{Id, number, rows, scope, scope_of, text_of, time, token_of, unsigned};
use crate::lookup::{Lookup, Plan};
use crate::row::{body, column, frame, key_row, mail_row, owed_row, run_id, run_row, token_row};
use crate::sight::Sight;
use crate::sql::Sql;

/// What becomes of the rows of a question.
pub(crate) type Note = Box<dyn FnOnce(&mut Sight, &[Row]) -> Result<(), StoreError> + Send>;

/// What came back, and what becomes of it.
pub(crate) type Asked = (Note, Vec<Row>);

/// A statement, and what becomes of its rows.
pub(crate) struct Question {
    sql: Sql,
    params: Vec<OwnedParam>,
    note: Note,
}

impl Question {
    fn new<const N: usize>(
        sql: Sql,
        params: [OwnedParam; N],
        note: impl FnOnce(&mut Sight, &[Row]) -> Result<(), StoreError> + Send + 'static,
    ) -> Self {
        Self {
            sql,
            params: params.into(),
            note: Box::new(note),
        }
    }

    /// Asks, and gives the rows back with what to do with them.
    pub(crate) async fn ask(self, lane: &Lane) -> Result<Asked, tokio_postgres::Error> {
        let Self { sql, params, note } = self;
        let params: Vec<Param<'_>> = params.iter().map(|param| &**param as Param<'_>).collect();
        Ok((note, lane.rows(sql, &params).await?))
    }
}

/// Asks all at once and notes what comes back.
pub(crate) async fn ask_all(
    lane: &Lane,
    questions: Vec<Question>,
) -> Result<Vec<Asked>, tokio_postgres::Error> {
    let asked = questions.into_iter().map(|question| question.ask(lane));
    join_all(asked).await.into_iter().collect()
}

/// The first question of a transaction: for its locks, in order of their names, and its time.
pub(crate) fn lock(names: Vec<i64>, clock: Option<Timestamp>) -> Question {
    Question::new(Sql::Lock, [Box::new(names)], move |sight, found| {
        let said = match found.first() {
            Some(row) => unsigned(column(row, 0)?),
            None => 0,
        };
        sight.now = clock.unwrap_or_else(|| Timestamp::from_millis(said));
        Ok(())
    })
}

/// Everything that is wanted of one kind.
#[derive(Default)]
struct Wanted {
    held: Vec<RunId>,
    holders: Vec<(ScopeId, Token)>,
    runs: Vec<RunId>,
    parents: Vec<RunId>,
    logs: BTreeMap<RunId, Position>,
    tokens: Vec<(ScopeId, Token)>,
    keys: Vec<(ScopeId, Token, String)>,
    start_keys: Vec<(ScopeId, String)>,
    owed: Vec<(ScopeId, RunId, RunId)>,
    chunks: Vec<(RunId, String)>,
    mail: Vec<(ScopeId, Token)>,
    alone: Vec<Question>,
}

/// The questions that a plan comes to. Locks of runs come first, so that whatever follows is read
/// under them.
pub(crate) fn questions(plan: &Plan, clock: Option<Timestamp>) -> Vec<Question> {
    let mut wanted = Wanted::default();
    for lookup in plan {
        wanted.add(lookup, clock);
    }
    let mut questions = Vec::new();
    let Wanted { held, holders, .. } = &wanted;
    if !held.is_empty() || !holders.is_empty() {
        questions.push(held_runs(held.clone(), holders));
    }
    if !wanted.runs.is_empty() {
        questions.push(runs(wanted.runs));
    }
    if !wanted.parents.is_empty() {
        let params = [ids(wanted.parents)];
        questions.push(Question::new(Sql::ParentsOf, params, |sight, found| {
            see_runs(sight, found, false)
        }));
    }
    if !wanted.logs.is_empty() {
        questions.push(logs(wanted.logs));
    }
    if !wanted.tokens.is_empty() {
        questions.push(tokens(wanted.tokens));
    }
    if !wanted.keys.is_empty() {
        questions.push(keys(wanted.keys));
    }
    if !wanted.start_keys.is_empty() {
        questions.push(start_keys(wanted.start_keys));
    }
    if !wanted.owed.is_empty() {
        questions.push(owed(wanted.owed));
    }
    if !wanted.chunks.is_empty() {
        questions.push(chunks(wanted.chunks));
    }
    if !wanted.mail.is_empty() {
        questions.push(mail(wanted.mail));
    }
    questions.extend(wanted.alone);
    questions
}

impl Wanted {
    fn add(&mut self, lookup: &Lookup, clock: Option<Timestamp>) {
        match lookup.clone() {
            Lookup::Held(run) => self.held.push(run),
            Lookup::Holder(scope, token) => self.holders.push((scope, token)),
            Lookup::Run(run) => self.runs.push(run),
            Lookup::ParentOf(run) => self.parents.push(run),
            Lookup::Frames(run, after) => {
                // The plan is in order, so the first of a run reaches back the furthest.
                self.logs.entry(run).or_insert(after);
            }
            Lookup::Token(scope, token) => self.tokens.push((scope, token)),
            Lookup::Key(scope, token, key) => self.keys.push((scope, token, key)),
            Lookup::StartKey(scope, key) => self.start_keys.push((scope, key)),
            Lookup::Owed(scope, parent, child) => self.owed.push((scope, parent, child)),
            Lookup::Chunk(run, stream) => self.chunks.push((run, stream)),
            Lookup::Mail(scope, token) => self.mail.push((scope, token)),
            Lookup::Keys(of, token, after, limit) => {
                self.alone.push(key_range(of, token, after, limit));
            }
            Lookup::Forgets(of, limit) => self.alone.push(forgets(of, limit, clock)),
            Lookup::MailSize(of) => self.alone.push(mail_size(of, None)),
            Lookup::MailSizeOfToken(of, token) => self.alone.push(mail_size(of, Some(token))),
            Lookup::ExpiredMail(of, limit) => self.alone.push(expired_mail(of, limit, clock)),
        }
    }
}

fn ids(runs: impl IntoIterator<Item = RunId>) -> OwnedParam {
    Box::new(runs.into_iter().map(Id::from).collect::<Vec<_>>())
}

fn scopes(of: impl Iterator<Item = ScopeId>) -> OwnedParam {
    Box::new(of.map(scope).collect::<Vec<_>>())
}

fn texts<'t>(of: impl Iterator<Item = &'t str>) -> OwnedParam {
    Box::new(of.map(|text| text.as_bytes().to_vec()).collect::<Vec<_>>())
}

fn held_runs(held: Vec<RunId>, holders: &[(ScopeId, Token)]) -> Question {
    let params = [
        ids(held.iter().copied()),
        scopes(holders.iter().map(|(scope, _)| *scope)),
        texts(holders.iter().map(|(_, token)| token.as_str())),
    ];
    Question::new(Sql::HeldRuns, params, move |sight, found| {
        see_runs(sight, found, true)?;
        sight.runs.see_no_others(held);
        Ok(())
    })
}

fn runs(wanted: Vec<RunId>) -> Question {
    let params = [ids(wanted.iter().copied())];
    Question::new(Sql::Runs, params, move |sight, found| {
        see_runs(sight, found, false)?;
        sight.runs.see_no_others(wanted);
        Ok(())
    })
}

fn see_runs(sight: &mut Sight, found: &[Row], held: bool) -> Result<(), StoreError> {
    for row in found {
        let (run, row) = run_row(row)?;
        sight.runs.see(run, row.map(Some));
        if held {
            sight.stored.insert(run);
        }
    }
    Ok(())
}

fn logs(wanted: BTreeMap<RunId, Position>) -> Question {
    let after: Vec<_> = wanted.values().map(|after| number(after.0)).collect();
    let params = [ids(wanted.keys().copied()), Box::new(after) as _];
    Question::new(Sql::Frames, params, move |sight, found| {
        let mut logs: BTreeMap<_, _> = wanted
            .into_iter()
            .map(|(run, after)| (run, Ok((after, Vec::new()))))
            .collect();
        for row in found {
            let run = run_id(row, 0)?;
            let Some(log) = logs.get_mut(&run) else {
                continue;
            };
            if let Ok((_, frames)) = log {
                match frame(run, row, 1, frames.last()) {
                    Ok(next) => frames.push(next),
                    Err(error) => *log = Err(error),
                }
            }
        }
        sight.see_logs(logs);
        Ok(())
    })
}

fn tokens(wanted: Vec<(ScopeId, Token)>) -> Question {
    let params = [
        scopes(wanted.iter().map(|(scope, _)| *scope)),
        texts(wanted.iter().map(|(_, token)| token.as_str())),
    ];
    Question::new(Sql::Tokens, params, move |sight, found| {
        for row in found {
            let (of, token) = (scope_of(column(row, 0)?)?, token_of(column(row, 1)?)?);
            let hook = token_row(row, 2, (of, &token)).map(Some);
            sight.tokens.see((of, token), hook);
        }
        sight.tokens.see_no_others(wanted);
        Ok(())
    })
}

fn keys(wanted: Vec<(ScopeId, Token, String)>) -> Question {
    let params = [
        scopes(wanted.iter().map(|(scope, _, _)| *scope)),
        texts(wanted.iter().map(|(_, token, _)| token.as_str())),
        texts(wanted.iter().map(|(_, _, key)| key.as_str())),
    ];
    Question::new(Sql::Keys, params, move |sight, found| {
        for row in found {
            let (of, token) = (scope_of(column(row, 0)?)?, token_of(column(row, 1)?)?);
            let key = text_of(column(row, 2)?)?;
            let known = key_row(row, 3, (of, &token)).map(Some);
            sight.keys.see((of, token, key), known);
        }
        sight.keys.see_no_others(wanted);
        Ok(())
    })
}

fn key_range(of: ScopeId, token: Token, after: Option<String>, limit: usize) -> Question {
    // There is a key that is empty, so a range without a beginning has one below zero.
    let params = [
        Box::new(scope(of)) as _,
        Box::new(token.as_str().as_bytes().to_vec()) as _,
        Box::new(after.as_ref().map(|after| after.as_bytes().to_vec())) as _,
        Box::new(rows(limit)) as _,
    ];
    Question::new(Sql::KeysAfter, params, move |sight, found| {
        let read = |row: &Row| {
            let key = text_of(column(row, 0)?)?;
            Ok((key, key_row(row, 1, (of, &token))?))
        };
        let range = found.iter().map(read).collect();
        sight.key_ranges.insert((of, token, after, limit), range);
        Ok(())
    })
}

fn forgets(of: ScopeId, limit: usize, clock: Option<Timestamp>) -> Question {
    let params = [
        Box::new(scope(of)) as _,
        Box::new(clock.map(time)) as _,
        Box::new(rows(limit)) as _,
    ];
    Question::new(Sql::Forgets, params, move |sight, found| {
        let due = found
            .iter()
            .map(|row| body(row, 0, "what is to be forgotten"));
        // Where two ask, the one that wants more comes later.
        sight.forgets.insert(of, due.collect());
        Ok(())
    })
}

fn start_keys(wanted: Vec<(ScopeId, String)>) -> Question {
    let params = [
        scopes(wanted.iter().map(|(scope, _)| *scope)),
        texts(wanted.iter().map(|(_, key)| key.as_str())),
    ];
    Question::new(Sql::StartKeys, params, move |sight, found| {
        for row in found {
            let place = (scope_of(column(row, 0)?)?, text_of(column(row, 1)?)?);
            sight
                .start_keys
                .see(place, body(row, 2, "a start key").map(Some));
        }
        sight.start_keys.see_no_others(wanted);
        Ok(())
    })
}

fn owed(wanted: Vec<(ScopeId, RunId, RunId)>) -> Question {
    let params = [
        scopes(wanted.iter().map(|(scope, _, _)| *scope)),
        ids(wanted.iter().map(|(_, parent, _)| *parent)),
        ids(wanted.iter().map(|(_, _, child)| *child)),
    ];
    Question::new(Sql::Owed, params, move |sight, found| {
        for row in found {
            let place = (scope_of(column(row, 0)?)?, run_id(row, 1)?, run_id(row, 2)?);
            sight.owed.see(place, owed_row(row, 3, place).map(Some));
        }
        sight.owed.see_no_others(wanted);
        Ok(())
    })
}

fn chunks(wanted: Vec<(RunId, String)>) -> Question {
    let params = [
        ids(wanted.iter().map(|(run, _)| *run)),
        texts(wanted.iter().map(|(_, stream)| stream.as_str())),
    ];
    Question::new(Sql::Chunks, params, move |sight, found| {
        for row in found {
            let run = run_id(row, 0)?;
            let chunk = body(row, 2, &format!("run `{run}`")).map(Some);
            sight.chunks.see((run, text_of(column(row, 1)?)?), chunk);
        }
        sight.chunks.see_no_others(wanted);
        Ok(())
    })
}

fn mail(wanted: Vec<(ScopeId, Token)>) -> Question {
    let params = [
        scopes(wanted.iter().map(|(scope, _)| *scope)),
        texts(wanted.iter().map(|(_, token)| token.as_str())),
    ];
    Question::new(Sql::Mail, params, move |sight, found| {
        let mut kept: BTreeMap<_, Result<Vec<_>, StoreError>> = wanted
            .into_iter()
            .map(|place| (place, Ok(Vec::new())))
            .collect();
        for row in found {
            let place = (scope_of(column(row, 0)?)?, token_of(column(row, 2)?)?);
            if let Some(kept) = kept.get_mut(&place)
                && let Ok(known) = kept
            {
                match mail_row(row) {
                    Ok(mail) => known.push(mail),
                    Err(error) => *kept = Err(error),
                }
            }
        }
        sight.mail.extend(kept);
        Ok(())
    })
}

fn mail_size(of: ScopeId, token: Option<Token>) -> Question {
    let note = {
        let token = token.clone();
        move |sight: &mut Sight, found: &[Row]| {
            let mut size = MailSize::default();
            if let Some(row) = found.first() {
                size = MailSize {
                    count: unsigned(column(row, 0)?),
                    bytes: unsigned(column(row, 1)?),
                    last: unsigned(column(row, 2)?),
                };
            }
            sight.mail_sizes.insert((of, token), size);
            Ok(())
        }
    };
    match token {
        None => Question::new(Sql::MailSize, [Box::new(scope(of)) as _], note),
        Some(token) => {
            let token = token.as_str().as_bytes().to_vec();
            let params = [Box::new(scope(of)) as _, Box::new(token) as _];
            Question::new(Sql::MailSizeOfToken, params, note)
        }
    }
}

fn expired_mail(of: ScopeId, limit: usize, clock: Option<Timestamp>) -> Question {
    let params = [
        Box::new(scope(of)) as _,
        Box::new(clock.map(time)) as _,
        Box::new(rows(limit)) as _,
    ];
    Question::new(Sql::ExpiredMail, params, move |sight, found| {
        let places = found.iter().map(|row| column(row, 0).map(unsigned));
        sight
            .expired_mail
            .insert(of, places.collect::<Result<_, _>>()?);
        Ok(())
    })
}
