//! Writing: what the requests of a transaction have changed, in one statement for each kind of
//! change. All statements go out together.

use rewake_store::core::id::RunId;
use rewake_store::{ForgetRow, RunRow, WhichKeys, encode_row};
use tokio_postgres::types::ToSql;

use crate::connect::{Lane, OwnedParam, Param};
use crate::id::{Id, node, number, scope, time};
use crate::row::{RunColumns, run_body};
use crate::sight::Sight;
use crate::sql::Sql;

/// A statement that writes, with its parameters.
pub(crate) struct Change {
    sql: Sql,
    params: Vec<OwnedParam>,
}

impl Change {
    fn new<const N: usize>(sql: Sql, params: [OwnedParam; N]) -> Self {
        Self {
            sql,
            params: params.into(),
        }
    }

    pub(crate) async fn make(self, lane: &Lane) -> Result<u64, tokio_postgres::Error> {
        let params = self.params.iter().map(|param| &**param as Param<'_>);
        let params: Vec<_> = params.collect();
        lane.execute(self.sql, &params).await
    }
}

/// A column of an array parameter.
fn array<T, C>(rows: &[T], column: impl Fn(&T) -> C) -> OwnedParam
where
    C: ToSql + Sync + Send + 'static,
{
    Box::new(rows.iter().map(column).collect::<Vec<_>>())
}

fn bodies(rows: &mut [(RunId, RunRow)]) -> OwnedParam {
    let bodies = rows.iter_mut().map(|(_, row)| run_body(row));
    Box::new(bodies.collect::<Vec<_>>())
}

fn bytes(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

/// Everything that has changed since this was asked last.
pub(crate) fn changes(sight: &mut Sight) -> Vec<Change> {
    let mut changes = Vec::new();
    runs(sight, &mut changes);
    tokens(sight, &mut changes);
    keys(sight, &mut changes);
    forgets(sight, &mut changes);
    owed(sight, &mut changes);
    mail(sight, &mut changes);
    changes
}

fn runs(sight: &mut Sight, changes: &mut Vec<Change>) {
    let (put, _) = sight.runs.changes();
    let known = |(run, _): &(RunId, _)| sight.stored.contains(run);
    let (mut old, mut new): (Vec<_>, Vec<_>) = put.into_iter().partition(known);
    if !new.is_empty() {
        changes.push(Change::new(
            Sql::InsertRuns,
            [
                array(&new, |(run, _)| Id::from(*run)),
                array(&new, |(_, row)| scope(row.scope)),
                array(&new, |(_, row)| node(row.node)),
                array(&new, |(_, row)| RunColumns::of(row).workflow.to_vec()),
                array(&new, |(_, row)| row.wake_at.map(time)),
                array(&new, |(_, row)| RunColumns::of(row).parked()),
                array(&new, |(_, row)| RunColumns::of(row).parent),
                bodies(&mut new),
            ],
        ));
    }
    if !old.is_empty() {
        changes.push(Change::new(
            Sql::UpdateRuns,
            [
                array(&old, |(run, _)| Id::from(*run)),
                array(&old, |(_, row)| node(row.node)),
                array(&old, |(_, row)| RunColumns::of(row).workflow.to_vec()),
                array(&old, |(_, row)| row.wake_at.map(time)),
                array(&old, |(_, row)| RunColumns::of(row).parked()),
                bodies(&mut old),
            ],
        ));
    }
    sight.stored.extend(new.iter().map(|(run, _)| *run));
    let frames = sight.take_new_frames();
    if !frames.is_empty() {
        changes.push(Change::new(
            Sql::InsertFrames,
            [
                array(&frames, |(run, _, _)| Id::from(*run)),
                array(&frames, |(_, first, _)| number(first.0)),
                Box::new(
                    frames
                        .into_iter()
                        .map(|(_, _, body)| body)
                        .collect::<Vec<_>>(),
                ),
            ],
        ));
    }
    let (chunks, _) = sight.chunks.changes();
    if !chunks.is_empty() {
        changes.push(Change::new(
            Sql::InsertChunks,
            [
                array(&chunks, |((run, _), _)| Id::from(*run)),
                array(&chunks, |((_, stream), _)| bytes(stream)),
                array(&chunks, |(_, row)| encode_row(row)),
            ],
        ));
    }
}

fn tokens(sight: &mut Sight, changes: &mut Vec<Change>) {
    let (put, gone) = sight.tokens.changes();
    if !gone.is_empty() {
        changes.push(Change::new(
            Sql::DropTokens,
            [
                array(&gone, |(of, _)| scope(*of)),
                array(&gone, |(_, token)| bytes(token.as_str())),
            ],
        ));
    }
    if !put.is_empty() {
        changes.push(Change::new(
            Sql::PutTokens,
            [
                array(&put, |((of, _), _)| scope(*of)),
                array(&put, |((_, token), _)| bytes(token.as_str())),
                array(&put, |(_, row)| Id::from(row.run)),
                array(&put, |(_, row)| row.chosen),
                array(&put, |(_, row)| encode_row(row)),
            ],
        ));
    }
}

fn keys(sight: &mut Sight, changes: &mut Vec<Change>) {
    let (put, gone) = sight.keys.changes();
    if !gone.is_empty() {
        changes.push(Change::new(
            Sql::DropKeys,
            [
                array(&gone, |(of, _, _)| scope(*of)),
                array(&gone, |(_, token, _)| bytes(token.as_str())),
                array(&gone, |(_, _, key)| bytes(key)),
            ],
        ));
    }
    if !put.is_empty() {
        changes.push(Change::new(
            Sql::PutKeys,
            [
                array(&put, |((of, _, _), _)| scope(*of)),
                array(&put, |((_, token, _), _)| bytes(token.as_str())),
                array(&put, |((_, _, key), _)| bytes(key)),
                array(&put, |(_, row)| encode_row(row)),
            ],
        ));
    }
    let (put, _) = sight.start_keys.changes();
    if !put.is_empty() {
        changes.push(Change::new(
            Sql::InsertStartKeys,
            [
                array(&put, |((of, _), _)| scope(*of)),
                array(&put, |((_, key), _)| bytes(key)),
                array(&put, |(_, row)| encode_row(row)),
            ],
        ));
    }
}

fn forgets(sight: &mut Sight, changes: &mut Vec<Change>) {
    let changed = std::mem::take(&mut sight.changed_forgets);
    // The last change of a row is what holds.
    let mut last = Vec::<(ForgetRow, bool)>::new();
    for (row, stays) in changed {
        let place = |row: &ForgetRow| (row.scope, row.at, row.token.clone(), row.which.clone());
        last.retain(|(known, _)| place(known) != place(&row));
        last.push((row, stays));
    }
    let (put, gone): (Vec<_>, Vec<_>) = last.into_iter().partition(|(_, stays)| *stays);
    let place = |rows: &[(ForgetRow, bool)]| {
        [
            array(rows, |(row, _)| scope(row.scope)),
            array(rows, |(row, _)| time(row.at)),
            array(rows, |(row, _)| bytes(row.token.as_str())),
            array(rows, |(row, _)| which(&row.which).0),
            array(rows, |(row, _)| which(&row.which).1),
        ]
    };
    if !gone.is_empty() {
        changes.push(Change::new(Sql::DropForgets, place(&gone)));
    }
    if !put.is_empty() {
        let [of, at, token, kind, name] = place(&put);
        let row = array(&put, |(row, _)| encode_row(row));
        let params = [of, at, token, kind, name, row];
        changes.push(Change::new(Sql::PutForgets, params));
    }
}

/// The columns that say which keys of a token are meant.
pub(crate) fn which(keys: &WhichKeys) -> (i16, Vec<u8>) {
    match keys {
        WhichKeys::Hook(hook) => (0, hook.to_bytes().to_vec()),
        WhichKeys::Key(key) => (1, bytes(key)),
    }
}

fn owed(sight: &mut Sight, changes: &mut Vec<Change>) {
    let all = std::mem::take(&mut sight.all_owed_gone);
    let all: Vec<_> = all.into_iter().collect();
    if !all.is_empty() {
        changes.push(Change::new(
            Sql::DropAllOwed,
            [
                array(&all, |(of, _)| scope(*of)),
                array(&all, |(_, parent)| Id::from(*parent)),
            ],
        ));
    }
    let (put, gone) = sight.owed.changes();
    if !gone.is_empty() {
        changes.push(Change::new(
            Sql::DropOwed,
            [
                array(&gone, |(of, _, _)| scope(*of)),
                array(&gone, |(_, parent, _)| Id::from(*parent)),
                array(&gone, |(_, _, child)| Id::from(*child)),
            ],
        ));
    }
    if !put.is_empty() {
        changes.push(Change::new(
            Sql::InsertOwed,
            [
                array(&put, |((of, _, _), _)| scope(*of)),
                array(&put, |((_, parent, _), _)| Id::from(*parent)),
                array(&put, |((_, _, child), _)| Id::from(*child)),
                array(&put, |(_, row)| encode_row(row)),
            ],
        ));
    }
}

fn mail(sight: &mut Sight, changes: &mut Vec<Change>) {
    let changed = std::mem::take(&mut sight.changed_mail);
    let (mut put, mut gone) = (Vec::new(), Vec::new());
    for (place, row) in changed {
        match row {
            Some(row) => put.push((place, row)),
            None => gone.push(place),
        }
    }
    if !gone.is_empty() {
        changes.push(Change::new(
            Sql::DropMail,
            [
                array(&gone, |(of, _)| scope(*of)),
                array(&gone, |(_, place)| number(*place)),
            ],
        ));
    }
    if !put.is_empty() {
        changes.push(Change::new(
            Sql::InsertMail,
            [
                array(&put, |((of, _), _)| scope(*of)),
                array(&put, |((_, place), _)| number(*place)),
                array(&put, |(_, row)| bytes(row.token.as_str())),
                array(&put, |(_, row)| number(row.payload.len() as u64)),
                array(&put, |(_, row)| time(row.until)),
                array(&put, |(_, row)| encode_row(row)),
            ],
        ));
    }
}
