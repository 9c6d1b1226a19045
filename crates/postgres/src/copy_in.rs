//! The store as the target of a copy: one transaction, so that all of it is there or nothing.

use std::sync::Arc;

use futures_util::FutureExt;
use rewake_store::copy::{AnyRow, CopyIn, NotEmpty, RowKind, ScopeRow, Tally};
use rewake_store::{Failed, StoreError, StoreFuture};
use tokio::sync::Mutex;

use crate::connect::{Lane, Param};
use crate::copy_out::PATIENCE;
use crate::fault::{Fault, refusal, said};
use crate::flush::changes;
use crate::id::{scope, unsigned};
use crate::row::column;
use crate::sight::Sight;
use crate::store::PostgresStore;

/// Others may look, and see it empty; whoever wants to write, or opens the store and so prepares to,
/// waits and is refused.
const LOCK: &str =
    "LOCK TABLE scopes, runs, frames, tokens, keys, forgets, start_keys, owed, chunks, mail
     IN SHARE ROW EXCLUSIVE MODE";

/// In the order of [`RowKind::ALL`].
const COUNT: &str = "SELECT (SELECT count(*) FROM scopes), (SELECT count(*) FROM runs),
            (SELECT count(*) FROM frames), (SELECT count(*) FROM tokens),
            (SELECT count(*) FROM keys), (SELECT count(*) FROM forgets),
            (SELECT count(*) FROM start_keys), (SELECT count(*) FROM owed),
            (SELECT count(*) FROM chunks), (SELECT count(*) FROM mail)";

const INSERT_SCOPE: &str = "INSERT INTO scopes (id, project, environment) OVERRIDING SYSTEM VALUE
     VALUES ($1, $2, $3)";

/// The next project gets a number that none has.
const COUNT_ON: &str = "SELECT setval(pg_get_serial_sequence('scopes', 'id'), max(id)) FROM scopes
     HAVING count(*) > 0";

impl PostgresStore {
    /// Begins to fill the store. Whoever looks at it before the copy is finished sees it empty;
    /// nobody else can write to it, or open it.
    ///
    /// # Errors
    ///
    /// [`NotEmpty`] where it holds anything, [`StoreError`] where the database does not serve: also where
    /// somebody is writing to the store.
    ///
    /// # Cancel safety
    ///
    /// Nothing is changed.
    pub fn copy_in(&self) -> StoreFuture<Box<dyn CopyIn>, Failed<NotEmpty>> {
        let store = self.clone();
        let begun = self.read(move |readers| async move {
            let lane = readers.reach.lane().await?;
            let begin = format!("BEGIN; {PATIENCE}; {LOCK}");
            let begun = lane.say(&begin).await;
            begun.map_err(|error| refusal(&error))?;
            let found = tally(&lane).await?;
            Ok((found.total() == 0).then_some((store, lane)).ok_or(found))
        });
        let answer = |begun: Result<Result<_, Tally>, StoreError>| match begun? {
            Ok((store, lane)) => {
                let lane = Arc::new(Mutex::new(lane));
                Ok(Box::new(Filling { store, lane }) as Box<dyn CopyIn>)
            }
            Err(found) => Err(Failed::Refused(NotEmpty { found })),
        };
        begun.map(answer).boxed()
    }
}

struct Filling {
    store: PostgresStore,
    /// Dropped, it takes what is open with it.
    lane: Arc<Mutex<Lane>>,
}

impl CopyIn for Filling {
    fn load(&mut self, rows: Vec<AnyRow>) -> StoreFuture<()> {
        let lane = Arc::clone(&self.lane);
        self.store.read(move |_| async move {
            let lane = lane.lock().await;
            let (scopes, writes) = AnyRow::into_writes(rows);
            for row in scopes {
                put_scope(&lane, &row).await?;
            }
            let mut sight = Sight::default();
            sight.write(writes);
            for change in changes(&mut sight) {
                let made = change.make(&lane).await;
                made.map_err(|error| refusal(&error))?;
            }
            Ok(())
        })
    }

    fn tally(&mut self) -> StoreFuture<Tally> {
        let lane = Arc::clone(&self.lane);
        self.store
            .read(move |_| async move { tally(&*lane.lock().await).await })
    }

    fn finish(self: Box<Self>) -> StoreFuture<()> {
        let Self { store, lane } = *self;
        let committed = store.read(move |_| async move {
            let lane = lane.lock().await;
            let counted = lane.ask(COUNT_ON, &[]).await;
            counted.map_err(|error| refusal(&error))?;
            lane.say("COMMIT").await.map_err(|error| {
                if Fault::of(&error) == Fault::Lost {
                    let reason = said(&error);
                    return StoreError::OutcomeUnknown { reason };
                }
                refusal(&error)
            })
        });
        // The last handle would take the connection with it.
        let held = async move {
            let committed = committed.await;
            drop(store);
            committed
        };
        held.boxed()
    }
}

async fn put_scope(lane: &Lane, row: &ScopeRow) -> Result<(), StoreError> {
    let (project, environment) = (row.project.as_bytes(), row.environment.as_bytes());
    let params: [Param<'_>; 3] = [&scope(row.scope), &project, &environment];
    let put = lane.ask(INSERT_SCOPE, &params).await;
    put.map(drop).map_err(|error| refusal(&error))
}

async fn tally(lane: &Lane) -> Result<Tally, StoreError> {
    let counted = lane.ask(COUNT, &[]).await;
    let counted = counted.map_err(|error| refusal(&error))?;
    let mut tally = Tally::default();
    for row in &counted {
        for (place, kind) in RowKind::ALL.into_iter().enumerate() {
            tally.add(kind, unsigned(column(row, place)?));
        }
    }
    Ok(tally)
}
