//! Pages of rows: what questions with more than one row in the answer read.

use rewake_store::core::event::{Frame, Position};
use rewake_store::core::id::RunId;
use rewake_store::core::time::Timestamp;
use rewake_store::core::token::Token;
use rewake_store::judge::Rows;
use rewake_store::{
    Parked, RunFilter, RunPage, RunRow, RunWithLog, ScopeId, StoreError, TokenRow, WakeUp,
    decode_row,
};
use rusqlite::Row;

use crate::fault::damaged;
use crate::runs::run_row;
use crate::tables::{Enough, Tables, Trouble, bytes, number, time};

/// How many runs a listing looks at in one statement. One that shows only a few of very many runs
/// must not hold on to one state of the database while it looks for them.
const GLANCE: usize = 4096;

/// Stands behind every run's id.
const PAST_ALL: [u8; 17] = [0xff; 17];

impl Tables<'_> {
    /// The frames of a run after a position, for about as many bytes as there is room, which is less
    /// then.
    pub(crate) fn page(
        &mut self,
        run: RunId,
        after: Position,
        room: &mut usize,
    ) -> Result<(Vec<Frame>, Enough), StoreError> {
        let mut frames = Vec::new();
        let mut enough = Enough::No;
        let sql = "SELECT first, body FROM frames WHERE run = ?1 AND first > ?2 ORDER BY first";
        self.scan(sql, &[&run.to_bytes(), &number(after.0)], |row| {
            let body = bytes(row, 1)?;
            let frame: Frame =
                decode_row(body).map_err(|source| StoreError::corrupt_run(run, source))?;
            check_place(run, row.get(0)?, frames.last(), &frame)?;
            frames.push(frame);
            if body.len() > *room {
                enough = Enough::Yes;
            }
            *room = room.saturating_sub(body.len());
            Ok(enough)
        })?;
        if let Some(first) = frames.first().filter(|first| first.first > after.next()) {
            self.check_before(run, after, first)?;
        }
        Ok((frames, enough))
    }

    /// A page may begin behind the middle of a frame, and not behind a hole.
    fn check_before(
        &mut self,
        run: RunId,
        after: Position,
        first: &Frame,
    ) -> Result<(), StoreError> {
        match self.frame_before(run, first.first)? {
            Some(before) if before.first <= after && before.last().next() == first.first => Ok(()),
            Some(_) | None => Err(hole(run, first)),
        }
    }

    /// The last frame that begins before a position.
    fn frame_before(
        &mut self,
        run: RunId,
        position: Position,
    ) -> Result<Option<Frame>, StoreError> {
        let sql = "SELECT body FROM frames WHERE run = ?1 AND first < ?2
                   ORDER BY first DESC LIMIT 1";
        let params = (run.to_bytes(), number(position.0));
        self.look_up(sql, params, |row| Ok(decode_row::<Frame>(bytes(row, 0)?)))?
            .transpose()
            .map_err(|source| StoreError::corrupt_run(run, source))
    }

    pub(crate) fn frames_in(
        &mut self,
        scope: ScopeId,
        run: RunId,
        after: Position,
        max_bytes: usize,
    ) -> Result<Vec<Frame>, StoreError> {
        let mut room = max_bytes;
        self.snapshot(|tables| match tables.run_in(scope, run)? {
            Some(row) => tables.frames_before(row.head, run, after, &mut room),
            None => Ok(Vec::new()),
        })
    }

    /// A run's row and the first page of its log.
    pub(crate) fn run_with_log(
        &mut self,
        scope: ScopeId,
        run: RunId,
        room: &mut usize,
    ) -> Result<Option<RunWithLog>, StoreError> {
        self.snapshot(|tables| {
            let Some(row) = tables.run_in(scope, run)? else {
                return Ok(None);
            };
            let log = tables.frames_before(row.head, run, Position::START, room)?;
            Ok(Some((row, log)))
        })
    }

    /// The same for several, as long as there is room.
    pub(crate) fn runs_with_logs(
        &mut self,
        scope: ScopeId,
        runs: &[RunId],
        max_bytes: usize,
    ) -> Result<Vec<Option<RunWithLog>>, StoreError> {
        let mut room = max_bytes;
        let mut found = Vec::with_capacity(runs.len());
        self.snapshot(|tables| {
            for run in runs {
                found.push(tables.run_with_log(scope, *run, &mut room)?);
                if room == 0 {
                    break;
                }
            }
            Ok(found)
        })
    }

    /// A page of a log that ends at `head`, as the run's row says.
    fn frames_before(
        &mut self,
        head: Position,
        run: RunId,
        after: Position,
        room: &mut usize,
    ) -> Result<Vec<Frame>, StoreError> {
        let (frames, enough) = self.page(run, after, room)?;
        let mut end = frames.last().map_or(after, Frame::last);
        if frames.is_empty() && after < head {
            // The frame that is the end may have been asked for from its middle.
            let before = self.frame_before(run, after.next())?;
            end = before.as_ref().map_or(after, Frame::last);
        }
        if enough == Enough::No && end < head {
            let what = format!("run `{run}`");
            return Err(damaged(&what, "the end of its log is missing"));
        }
        Ok(frames)
    }

    /// Looks several times at one state of the database: that of the transaction that is open, or one
    /// of its own.
    pub(crate) fn snapshot<T>(
        &mut self,
        look: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let connection = self.connection;
        if !connection.is_autocommit() {
            return look(self);
        }
        let transaction = connection
            .unchecked_transaction()
            .map_err(|error| self.note(&error))?;
        let seen = look(self);
        drop(transaction);
        seen
    }

    pub(crate) fn due(
        &mut self,
        scope: ScopeId,
        after: Option<WakeUp>,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<WakeUp>, StoreError> {
        let (from, from_run) = after.map_or((-1, [0; 16]), |after| {
            (time(after.at), after.run.to_bytes())
        });
        let mut found: Vec<(i64, RunId)> = Vec::new();
        self.scan(
            "SELECT wake_at, run FROM runs INDEXED BY runs_wake_at
             WHERE scope = ?1 AND wake_at IS NOT NULL
             AND (wake_at, run) > (?2, ?3) AND wake_at <= ?4
             ORDER BY wake_at, run LIMIT ?5",
            &[&scope.0, &from, &from_run, &time(until), &rows(limit)],
            |row| {
                found.push((row.get(0)?, run_id(row, 1)?));
                Ok(Enough::No)
            },
        )?;
        let mut due = Vec::with_capacity(found.len());
        for (column, run) in found {
            let at = self.exactly(column, run)?;
            if at <= until {
                due.push(WakeUp { at, run });
            }
        }
        Ok(due)
    }

    /// The time that a column stands for; those at the end of its range are in the row.
    fn exactly(&mut self, column: i64, run: RunId) -> Result<Timestamp, StoreError> {
        match u64::try_from(column) {
            Ok(ms) if column < i64::MAX => Ok(Timestamp::from_millis(ms)),
            Ok(_) => Ok(self
                .look_at(run, |row| row.wake_at)?
                .flatten()
                .unwrap_or(Timestamp::MAX)),
            Err(_) => Err(damaged("a wake-up", "its time is before 1970")),
        }
    }

    pub(crate) fn parked(
        &mut self,
        scope: ScopeId,
        after: Option<RunId>,
        limit: usize,
    ) -> Result<Vec<(RunId, Parked)>, StoreError> {
        let mut parked = Vec::new();
        let after = after.map(|run| run.to_bytes().to_vec()).unwrap_or_default();
        self.scan(
            "SELECT scope, wake_at, parked, body, parent, run FROM runs INDEXED BY runs_parked
             WHERE scope = ?1 AND parked = 1 AND run > ?2 ORDER BY run LIMIT ?3",
            &[&scope.0, &after, &rows(limit)],
            |row| {
                let run = run_id(row, 5)?;
                parked.extend(run_row(run, row)?.parked.map(|why| (run, why)));
                Ok(Enough::No)
            },
        )?;
        Ok(parked)
    }

    /// Live hooks with chosen tokens of one beginning, in order of the tokens.
    pub(crate) fn chosen_tokens(
        &mut self,
        scope: ScopeId,
        prefix: &str,
        after: Option<&Token>,
        limit: usize,
    ) -> Result<Vec<TokenRow>, StoreError> {
        let mut hooks = Vec::new();
        // A token is never empty, so nothing is left out where the page has no beginning.
        let mut after = after.map_or_else(String::new, |token| token.as_str().to_owned());
        loop {
            let from = prefix.max(after.as_str()).to_owned();
            let mut seen = 0;
            let mut past = false;
            self.scan(
                "SELECT token, body FROM tokens
                 WHERE scope = ?1 AND token >= ?2 AND token <> ?3 ORDER BY token LIMIT ?4",
                &[&scope.0, &from, &after.clone(), &rows(GLANCE)],
                |row| {
                    let hook = token_row(scope, row)?;
                    past = !hook.token.as_str().starts_with(prefix) || hooks.len() == limit;
                    if past {
                        return Ok(Enough::Yes);
                    }
                    seen += 1;
                    hook.token.as_str().clone_into(&mut after);
                    hooks.extend(hook.chosen.then_some(hook));
                    Ok(Enough::No)
                },
            )?;
            if past || seen < GLANCE {
                return Ok(hooks);
            }
        }
    }

    /// A listing, newest first.
    pub(crate) fn runs(
        &mut self,
        scope: ScopeId,
        filter: &RunFilter,
        before: Option<RunId>,
        limit: usize,
    ) -> Result<RunPage, StoreError> {
        let mut page = RunPage::default();
        let mut before = before.map_or_else(|| PAST_ALL.to_vec(), |run| run.to_bytes().to_vec());
        loop {
            let mut seen = 0;
            let mut enough = Enough::No;
            let parent = filter.parent.map(RunId::to_bytes);
            let sql = if parent.is_some() {
                "SELECT scope, wake_at, parked, body, parent, run FROM runs INDEXED BY runs_parent
                 WHERE run < ?1 AND parent = ?3 ORDER BY run DESC LIMIT ?2"
            } else {
                "SELECT scope, wake_at, parked, body, parent, run FROM runs
                 WHERE run < ?1 AND ?3 IS NULL ORDER BY run DESC LIMIT ?2"
            };
            self.scan(sql, &[&before.clone(), &rows(GLANCE), &parent], |row| {
                seen += 1;
                let run = run_id(row, 5)?;
                before = run.to_bytes().to_vec();
                if row.get::<_, u32>(0)? == scope.0 {
                    enough = show(&mut page, run, run_row(run, row)?, filter, limit);
                }
                Ok(enough)
            })?;
            if enough == Enough::Yes || seen < GLANCE {
                return Ok(page);
            }
        }
    }
}

fn show(page: &mut RunPage, run: RunId, row: RunRow, filter: &RunFilter, limit: usize) -> Enough {
    if !filter.shows(&row) {
        return Enough::No;
    }
    if page.runs.len() == limit {
        page.next = page.runs.last().map(|(run, _)| *run);
        return Enough::Yes;
    }
    page.runs.push((run, row));
    Enough::No
}

/// A frame stands where its key says, and right behind the one before it.
fn check_place(
    run: RunId,
    column: i64,
    before: Option<&Frame>,
    frame: &Frame,
) -> Result<(), Trouble> {
    let fits = column == number(frame.first.0)
        && !frame.events.is_empty()
        && before.is_none_or(|before| before.last().next() == frame.first);
    if fits {
        Ok(())
    } else {
        Err(hole(run, frame).into())
    }
}

fn hole(run: RunId, frame: &Frame) -> StoreError {
    let detail = format!("its log has a hole before position {}", frame.first);
    damaged(&format!("run `{run}`"), detail)
}

pub(crate) fn run_id(row: &Row<'_>, column: usize) -> Result<RunId, Trouble> {
    let id = bytes(row, column)?;
    let id = id
        .try_into()
        .map_err(|_| damaged("a run", "its id does not have 16 bytes"))?;
    Ok(RunId::from_bytes(id))
}

/// A live hook, from its token and its body.
pub(crate) fn token_row(scope: ScopeId, row: &Row<'_>) -> Result<TokenRow, Trouble> {
    let column: String = row.get(0)?;
    let found: TokenRow = decode_row(bytes(row, 1)?).map_err(|source| StoreError::Corrupt {
        what: "a hook".to_owned(),
        source,
    })?;
    if found.scope != scope || found.token.as_str() != column {
        return Err(damaged("a hook", "it has another token than its place").into());
    }
    Ok(found)
}

pub(crate) fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
