//! The store as the source of a copy: every row, kind by kind, all of one snapshot.

use std::sync::Arc;

use futures_util::FutureExt;
use rewake_store::copy::{AnyRow, CopyOut, InUse, RowKind, RowPlace, ScopeRow};
use rewake_store::{Failed, ForgetRow, ScopeId, StoreError, StoreFuture};
use tokio::sync::Mutex;
use tokio_postgres::Row;

use crate::connect::{Lane, OwnedParam, Param};
use crate::fault::{damaged, refusal};
use crate::flush::which;
use crate::id::{Id, number, rows, scope, scope_of, text_of, time, token_of};
use crate::row::{body, column, frame, key_row, mail_row, owed_row, run_id, run_row, token_row};
use crate::store::PostgresStore;

/// How long the other side of a copy may take for a page, before the server takes this one for dead.
pub(crate) const PATIENCE: &str = "SET LOCAL statement_timeout = 0;
     SET LOCAL idle_in_transaction_session_timeout = '10min'";

/// A node that lives and has not left for good. Being the first question, this one takes the snapshot.
const LIVING: &str = "SELECT name FROM nodes
     WHERE lives_until > coalesce($1::bigint, floor(extract(epoch FROM now()) * 1000)::bigint)
     AND (keeps IS NULL OR keeps <> '{}')
     ORDER BY id LIMIT 1";

impl PostgresStore {
    /// The store as it stands at this moment, as the source of a copy. What is written meanwhile does
    /// not show, so it would be missing in the copy: nothing should work on the store any more.
    ///
    /// # Errors
    ///
    /// [`InUse`] where a node works on the store, or died less than a lease ago; [`StoreError`] where the
    /// database does not serve.
    ///
    /// # Cancel safety
    ///
    /// Nothing is changed.
    pub fn copy_out(&self) -> StoreFuture<Box<dyn CopyOut>, Failed<InUse>> {
        let (store, clock) = (self.clone(), self.clock().map(time));
        let begun = self.read(move |readers| async move {
            let lane = readers.reach.lane().await?;
            let begin = format!("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; {PATIENCE}");
            let begun = lane.say(&begin).await;
            begun.map_err(|error| refusal(&error))?;
            let living = lane.ask(LIVING, &[&clock]).await;
            let living = living.map_err(|error| refusal(&error))?;
            Ok(match living.first() {
                Some(node) => Err(text_of(column(node, 0)?)?),
                None => Ok((store, lane)),
            })
        });
        let answer = |begun: Result<Result<_, String>, StoreError>| match begun? {
            Ok((store, lane)) => {
                let lane = Arc::new(Mutex::new(lane));
                Ok(Box::new(Snapshot { store, lane }) as Box<dyn CopyOut>)
            }
            Err(node) => Err(Failed::Refused(InUse { node })),
        };
        begun.map(answer).boxed()
    }
}

struct Snapshot {
    store: PostgresStore,
    lane: Arc<Mutex<Lane>>,
}

impl CopyOut for Snapshot {
    fn page(
        &mut self,
        kind: RowKind,
        after: Option<RowPlace>,
        max_bytes: usize,
    ) -> StoreFuture<Vec<AnyRow>> {
        let lane = Arc::clone(&self.lane);
        self.store.read(move |_| async move {
            let mut params: Vec<OwnedParam> = vec![Box::new(rows(max_bytes))];
            params.extend(place(kind, after));
            let params: Vec<_> = params.iter().map(|param| &**param as Param<'_>).collect();
            let lane = lane.lock().await;
            let asked = lane.ask(&question(kind), &params).await;
            let found = asked.map_err(|error| refusal(&error))?;
            found.iter().map(|row| any_row(kind, row)).collect()
        })
    }
}

/// A page of a table: the first row whatever its size, the others while those before them take no more
/// than so many bytes.
fn question(kind: RowKind) -> String {
    let (table, order, after, columns) = match kind {
        RowKind::Scope => {
            // They are few and small.
            return "SELECT id, project, environment FROM scopes
                    WHERE id > $2 AND $1 >= 0::bigint ORDER BY id LIMIT 1024"
                .to_owned();
        }
        RowKind::Run => (
            "runs",
            "run",
            "$2",
            "run, scope, node, workflow, wake_at, parked, parent, body",
        ),
        RowKind::Frame => ("frames", "run, first", "$2, $3", "run, first, body"),
        RowKind::Token => ("tokens", "scope, token", "$2, $3", "scope, token, body"),
        RowKind::Key => (
            "keys",
            "scope, token, key",
            "$2, $3, $4",
            "scope, token, key, body",
        ),
        RowKind::Forget => (
            "forgets",
            "scope, at, token, which, name",
            "$2, $3, $4, $5, $6",
            "scope, at, token, which, name, body",
        ),
        RowKind::StartKey => ("start_keys", "scope, key", "$2, $3", "scope, key, body"),
        RowKind::Owed => (
            "owed",
            "scope, parent, child",
            "$2, $3, $4",
            "scope, parent, child, body",
        ),
        RowKind::Chunk => ("chunks", "run, stream", "$2, $3", "run, stream, body"),
        RowKind::Mail => (
            "mail",
            "scope, place",
            "$2, $3",
            "scope, place, token, bytes, until, body",
        ),
    };
    format!(
        "SELECT {columns} FROM (
             SELECT {columns}, sum(octet_length(body)) OVER (ORDER BY {order}) - octet_length(body)
                    AS before
             FROM (SELECT {columns} FROM {table} WHERE ({order}) > ({after})
                   ORDER BY {order} LIMIT 4096) AS several) AS page
         WHERE before <= $1 ORDER BY {order}"
    )
}

/// The parameters behind which a page begins; at the beginning, what stands before every row.
fn place(kind: RowKind, after: Option<RowPlace>) -> Vec<OwnedParam> {
    let nil = Id([0; 16]);
    let nothing = Vec::<u8>::new();
    match after {
        Some(RowPlace::Scope(of)) => vec![Box::new(scope(of))],
        Some(RowPlace::Run(run)) => vec![Box::new(Id::from(run))],
        Some(RowPlace::Frame(run, first)) => {
            vec![Box::new(Id::from(run)), Box::new(number(first.0))]
        }
        Some(RowPlace::Token(of, token)) => vec![Box::new(scope(of)), text(token.as_str())],
        Some(RowPlace::Key(of, token, key)) => {
            vec![Box::new(scope(of)), text(token.as_str()), text(&key)]
        }
        Some(RowPlace::Forget(of, at, token, keys)) => {
            let (kind, name) = which(&keys);
            vec![
                Box::new(scope(of)),
                Box::new(time(at)),
                text(token.as_str()),
                Box::new(kind),
                Box::new(name),
            ]
        }
        Some(RowPlace::StartKey(of, key)) => vec![Box::new(scope(of)), text(&key)],
        Some(RowPlace::Owed(of, parent, child)) => vec![
            Box::new(scope(of)),
            Box::new(Id::from(parent)),
            Box::new(Id::from(child)),
        ],
        Some(RowPlace::Chunk(run, stream)) => vec![Box::new(Id::from(run)), text(&stream)],
        Some(RowPlace::Mail(of, place)) => vec![Box::new(scope(of)), Box::new(number(place))],
        None => match kind {
            RowKind::Scope => vec![Box::new(-1_i64)],
            RowKind::Run => vec![Box::new(nil)],
            RowKind::Frame => vec![Box::new(nil), Box::new(-1_i64)],
            RowKind::Token | RowKind::StartKey => vec![Box::new(-1_i64), Box::new(nothing)],
            RowKind::Key => vec![
                Box::new(-1_i64),
                Box::new(nothing.clone()),
                Box::new(nothing),
            ],
            RowKind::Forget => vec![
                Box::new(-1_i64),
                Box::new(-1_i64),
                Box::new(nothing.clone()),
                Box::new(-1_i16),
                Box::new(nothing),
            ],
            RowKind::Owed => vec![Box::new(-1_i64), Box::new(nil), Box::new(nil)],
            RowKind::Chunk => vec![Box::new(nil), Box::new(nothing)],
            RowKind::Mail => vec![Box::new(-1_i64), Box::new(-1_i64)],
        },
    }
}

fn text(text: &str) -> OwnedParam {
    Box::new(text.as_bytes().to_vec())
}

fn any_row(kind: RowKind, row: &Row) -> Result<AnyRow, StoreError> {
    Ok(match kind {
        RowKind::Scope => AnyRow::Scope(ScopeRow {
            scope: scope_at(row, 0)?,
            project: text_of(column(row, 1)?)?,
            environment: text_of(column(row, 2)?)?,
        }),
        RowKind::Run => {
            let (run, found) = run_row(row)?;
            AnyRow::Run(run, Box::new(found?))
        }
        RowKind::Frame => {
            let run = run_id(row, 0)?;
            AnyRow::Frame(run, frame(run, row, 1, None)?)
        }
        RowKind::Token => {
            let (of, token) = (scope_at(row, 0)?, token_of(column(row, 1)?)?);
            AnyRow::Token(Box::new(token_row(row, 2, (of, &token))?))
        }
        RowKind::Key => {
            let (of, token) = (scope_at(row, 0)?, token_of(column(row, 1)?)?);
            let found = key_row(row, 3, (of, &token))?;
            AnyRow::Key(of, token, text_of(column(row, 2)?)?, Box::new(found))
        }
        RowKind::Forget => AnyRow::Forget(Box::new(forget_row(row)?)),
        RowKind::StartKey => {
            let found = body(row, 2, "a start key")?;
            AnyRow::StartKey(scope_at(row, 0)?, text_of(column(row, 1)?)?, found)
        }
        RowKind::Owed => {
            let place = (scope_at(row, 0)?, run_id(row, 1)?, run_id(row, 2)?);
            AnyRow::Owed(Box::new(owed_row(row, 3, place)?))
        }
        RowKind::Chunk => {
            let run = run_id(row, 0)?;
            let found = body(row, 2, &format!("run `{run}`"))?;
            AnyRow::Chunk(run, text_of(column(row, 1)?)?, found)
        }
        RowKind::Mail => {
            let (place, found) = mail_row(row)?;
            AnyRow::Mail(place, Box::new(found))
        }
    })
}

fn scope_at(row: &Row, place: usize) -> Result<ScopeId, StoreError> {
    scope_of(column(row, place)?)
}

fn forget_row(row: &Row) -> Result<ForgetRow, StoreError> {
    let what = "what is to be forgotten";
    let found: ForgetRow = body(row, 5, what)?;
    let (kind, name) = which(&found.which);
    let agrees = scope_at(row, 0)? == found.scope
        && column::<i64>(row, 1)? == time(found.at)
        && column::<&[u8]>(row, 2)? == found.token.as_str().as_bytes()
        && column::<i16>(row, 3)? == kind
        && column::<&[u8]>(row, 4)? == name;
    if agrees {
        Ok(found)
    } else {
        Err(damaged(what, "its columns do not agree with its row"))
    }
}
