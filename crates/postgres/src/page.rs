//! Questions, each one statement and so one snapshot, except where it says otherwise.

use rewake_store::core::event::{Frame, Position};
use rewake_store::core::id::RunId;
use rewake_store::core::time::Timestamp;
use rewake_store::core::token::Token;
use rewake_store::{
    ChunkRow, MailRow, OwedRow, Parked, RunFilter, RunPage, RunRow, ScopeId, StoreError, TokenRow,
    WakeUp,
};

use crate::fault::damaged;
use crate::id::{Id, number, rows, scope, time};
use crate::reach::Readers;
use crate::row::{body, column, frame, mail_row, owed_row, run_id, run_row, token_row};
use crate::sql::Sql;

/// How many rows of a listing are looked at together.
const GLANCE: usize = 256;

/// Behind every token: no UTF-8 has this byte.
const PAST_TOKENS: u8 = 0xff;

pub(crate) async fn frames(
    readers: &Readers,
    of: ScopeId,
    run: RunId,
    after: Position,
    max_bytes: usize,
) -> Result<Vec<Frame>, StoreError> {
    let (id, after, room) = (Id::from(run), number(after.0), rows(max_bytes));
    let found = readers
        .ask(Sql::PageOfFrames, &[&scope(of), &id, &after, &room])
        .await?;
    let mut frames = Vec::with_capacity(found.len());
    for row in &found {
        let next = frame(run, row, 0, frames.last())?;
        frames.push(next);
    }
    Ok(frames)
}

pub(crate) async fn mail(
    readers: &Readers,
    of: ScopeId,
    after: Option<u64>,
    clock: Option<Timestamp>,
    limit: usize,
) -> Result<Vec<(u64, MailRow)>, StoreError> {
    let after = after.map_or(-1, number);
    let clock = clock.map(time);
    let found = readers
        .ask(Sql::PageOfMail, &[&scope(of), &after, &clock, &rows(limit)])
        .await?;
    found.iter().map(mail_row).collect()
}

pub(crate) async fn due(
    readers: &Readers,
    of: ScopeId,
    after: Option<WakeUp>,
    until: Timestamp,
    limit: usize,
) -> Result<Vec<WakeUp>, StoreError> {
    let (at, run) = after.map_or((-1, Id::NIL), |after| (time(after.at), Id::from(after.run)));
    let params: [crate::connect::Param<'_>; 5] =
        [&scope(of), &at, &run, &time(until), &rows(limit)];
    let found = readers.ask(Sql::Due, &params).await?;
    let mut due = Vec::with_capacity(found.len());
    for row in &found {
        let run = run_id(row, 1)?;
        let at = due_at(row, run)?;
        // The column cannot tell times apart that no clock reaches.
        if at <= until {
            due.push(WakeUp { at, run });
        }
    }
    Ok(due)
}

pub(crate) fn due_at(row: &tokio_postgres::Row, run: RunId) -> Result<Timestamp, StoreError> {
    let at: i64 = column(row, 0)?;
    if at == i64::MAX {
        let row: RunRow = body(row, 2, &format!("run `{run}`"))?;
        return Ok(row.wake_at.unwrap_or(Timestamp::MAX));
    }
    let at = u64::try_from(at).map_err(|_| damaged("a wake-up", "its time is before 1970"))?;
    Ok(Timestamp::from_millis(at))
}

pub(crate) async fn parked(
    readers: &Readers,
    of: ScopeId,
    after: Option<RunId>,
    limit: usize,
) -> Result<Vec<(RunId, Parked)>, StoreError> {
    let after = after.map_or(Id::NIL, Id::from);
    let found = readers
        .ask(Sql::Parked, &[&scope(of), &after, &rows(limit)])
        .await?;
    let mut parked = Vec::with_capacity(found.len());
    for row in &found {
        let (run, row) = run_row(row)?;
        parked.extend(row?.parked.map(|why| (run, why)));
    }
    Ok(parked)
}

pub(crate) async fn owed(
    readers: &Readers,
    of: ScopeId,
    parent: RunId,
    max_bytes: usize,
) -> Result<Vec<OwedRow>, StoreError> {
    let (id, room) = (Id::from(parent), rows(max_bytes));
    let found = readers
        .ask(Sql::PageOfOwed, &[&scope(of), &id, &room])
        .await?;
    let read = |row| owed_row(row, 1, (of, parent, run_id(row, 0)?));
    found.iter().map(read).collect()
}

pub(crate) async fn owed_runs(
    readers: &Readers,
    of: ScopeId,
    after: Option<RunId>,
    limit: usize,
) -> Result<Vec<RunId>, StoreError> {
    let after = after.map_or(Id::NIL, Id::from);
    let found = readers
        .ask(Sql::OwedRuns, &[&scope(of), &after, &rows(limit)])
        .await?;
    found.iter().map(|row| run_id(row, 0)).collect()
}

pub(crate) async fn first_chunk(
    readers: &Readers,
    of: ScopeId,
    run: RunId,
    stream: &str,
) -> Result<Option<ChunkRow>, StoreError> {
    let found = readers
        .ask(
            Sql::Chunk,
            &[&scope(of), &Id::from(run), &stream.as_bytes()],
        )
        .await?;
    let read = |row| body(row, 0, &format!("run `{run}`"));
    found.first().map(read).transpose()
}

pub(crate) async fn run(
    readers: &Readers,
    of: ScopeId,
    run: RunId,
) -> Result<Option<RunRow>, StoreError> {
    let found = readers.ask(Sql::Runs, &[&vec![Id::from(run)]]).await?;
    let Some(row) = found.first() else {
        return Ok(None);
    };
    let (_, row) = run_row(row)?;
    Ok(Some(row?).filter(|row| row.scope == of))
}

pub(crate) async fn token(
    readers: &Readers,
    of: ScopeId,
    token: &Token,
) -> Result<Option<TokenRow>, StoreError> {
    let wanted = vec![token.as_str().as_bytes()];
    let found = readers
        .ask(Sql::Tokens, &[&vec![scope(of)], &wanted])
        .await?;
    let read = |row| token_row(row, 2, (of, token));
    found.first().map(read).transpose()
}

pub(crate) async fn chosen_tokens(
    readers: &Readers,
    of: ScopeId,
    prefix: &str,
    after: Option<&Token>,
    limit: usize,
) -> Result<Vec<TokenRow>, StoreError> {
    // A token is never empty, so nothing is left out where the page has no beginning.
    let after = after.map_or("", Token::as_str).as_bytes();
    let mut end = prefix.as_bytes().to_vec();
    end.push(PAST_TOKENS);
    let params: [crate::connect::Param<'_>; 5] =
        [&scope(of), &prefix.as_bytes(), &after, &end, &rows(limit)];
    let found = readers.ask(Sql::ChosenTokens, &params).await?;
    let read = |row| {
        let hook: TokenRow = body(row, 0, "a hook")?;
        let place = (of, hook.token.clone());
        token_row(row, 0, (place.0, &place.1))
    };
    found.iter().map(read).collect()
}

/// A listing, newest first. A page that leaves many runs out may take several statements.
pub(crate) async fn runs(
    readers: &Readers,
    of: ScopeId,
    filter: &RunFilter,
    before: Option<RunId>,
    limit: usize,
) -> Result<RunPage, StoreError> {
    let mut page = RunPage::default();
    let mut before = before.map_or(Id::PAST_ALL, Id::from);
    loop {
        let found = glance(readers, of, filter, before).await?;
        for row in &found {
            let (run, row) = run_row(row)?;
            before = Id::from(run);
            let row = row?;
            if !filter.shows(&row) {
                continue;
            }
            if page.runs.len() == limit {
                page.next = page.runs.last().map(|(run, _)| *run);
                return Ok(page);
            }
            page.runs.push((run, row));
        }
        if found.len() < GLANCE {
            return Ok(page);
        }
    }
}

async fn glance(
    readers: &Readers,
    of: ScopeId,
    filter: &RunFilter,
    before: Id,
) -> Result<Vec<tokio_postgres::Row>, StoreError> {
    let (of, most) = (scope(of), rows(GLANCE));
    match filter.parent {
        Some(parent) => {
            let parent = Id::from(parent);
            readers
                .ask(Sql::NewestChildren, &[&of, &before, &most, &parent])
                .await
        }
        None => readers.ask(Sql::NewestRuns, &[&of, &before, &most]).await,
    }
}
