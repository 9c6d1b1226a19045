//! Reaching the database: connections made anew when they are gone, with patience.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rewake_store::StoreError;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::Instant;
use tokio_postgres::Row;

use crate::connect::{Connector, Lane, Param};
use crate::error::OpenError;
use crate::fault::{Fault, Unreached, refusal, said};
use crate::nodes::Ear;
use crate::sql::Sql;

/// How long to wait before the database is tried again: first, and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How many questions are under way on one connection at most.
const AT_ONCE: usize = 64;

/// How often a question is asked again, beyond once for each connection.
const MORE_TRIES: usize = 2;

/// How connections are made, and how long that may take.
pub(crate) struct Reach {
    pub(crate) connector: Connector,
    pub(crate) patience: Duration,
    /// Who listens on the connections that are made.
    pub(crate) ear: Option<Arc<Ear>>,
}

impl Reach {
    /// A new connection, as soon as there is one.
    pub(crate) async fn lane(&self) -> Result<Lane, StoreError> {
        let mut last = StoreError::Unavailable {
            reason: "it does not answer".to_owned(),
        };
        let reached = tokio::time::timeout(self.patience, self.try_on(&mut last)).await;
        reached.map_err(|_| last)
    }

    async fn connect(&self) -> Result<Lane, Unreached> {
        let Some(ear) = &self.ear else {
            return self.connector.lane(None).await;
        };
        let lane = self.connector.lane(Some(ear.hear())).await?;
        ear.listen(&lane).await?;
        Ok(lane)
    }

    async fn try_on(&self, last: &mut StoreError) -> Lane {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.connect().await {
                Ok(lane) => return lane,
                Err(error) => {
                    tracing::warn!(%error, "the database is not reached");
                    *last = error.refusal();
                }
            }
            wait(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }
}

/// Tries to open until it succeeds, or fails for a reason that stays, for so long. One try may go on
/// beyond: somebody may be migrating the tables.
pub(crate) async fn patiently<T>(
    patience: Duration,
    mut open: impl AsyncFnMut() -> Result<T, OpenError>,
) -> Result<T, OpenError> {
    let until = Instant::now() + patience;
    let mut pause = FIRST_PAUSE;
    loop {
        match open().await {
            Err(error) if error.is_retryable() && Instant::now() + pause < until => {
                tracing::warn!(%error, "the store is not opened yet");
            }
            opened => return opened,
        }
        wait(pause).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a connection is outside of what an engine's clock is about: the world is waited for"
)]
async fn wait(span: Duration) {
    tokio::time::sleep(span).await;
}

/// The connections that answer questions. Each question is one statement, so many share one.
pub(crate) struct Readers {
    pub(crate) reach: Arc<Reach>,
    lanes: Vec<Mutex<Option<Arc<Lane>>>>,
    next: AtomicUsize,
    places: Semaphore,
}

impl Readers {
    pub(crate) fn new(reach: Arc<Reach>, many: usize) -> Self {
        Self {
            reach,
            lanes: (0..many).map(|_| Mutex::default()).collect(),
            next: AtomicUsize::new(0),
            places: Semaphore::new(many * AT_ONCE),
        }
    }

    /// Asks one statement that changes nothing. One whose connection goes is asked again.
    pub(crate) async fn ask(&self, sql: Sql, params: &[Param<'_>]) -> Result<Vec<Row>, StoreError> {
        let _place = self.places.acquire().await;
        let mut tries = 0;
        loop {
            tries += 1;
            let (number, lane) = self.lane().await?;
            match lane.rows(sql, params).await {
                // The others may be gone as well, and nobody has noticed yet.
                Err(error) if is_lost(&error) => {
                    self.forget(number, &lane).await;
                    if tries > self.lanes.len() + MORE_TRIES {
                        return Err(refusal(&error));
                    }
                }
                asked => return asked.map_err(|error| refusal(&error)),
            }
        }
    }

    /// Carries out one statement that writes.
    pub(crate) async fn change(
        &self,
        sql: Sql,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        let place = self.places.acquire().await;
        let (number, lane) = self.lane().await?;
        let changed = lane.rows(sql, params).await;
        drop(place);
        match changed {
            Err(error) if is_lost(&error) => {
                self.forget(number, &lane).await;
                let reason = said(&error);
                Err(StoreError::OutcomeUnknown { reason })
            }
            changed => changed.map_err(|error| refusal(&error)),
        }
    }

    /// Says something without parameters on every connection that there is; one that is made later
    /// says it then, if it must.
    pub(crate) async fn say(&self, text: &str) -> Result<(), StoreError> {
        for _ in &self.lanes {
            let (_, lane) = self.lane().await?;
            lane.say(text).await.map_err(|error| refusal(&error))?;
        }
        Ok(())
    }

    /// One of the connections, in turn, made anew where it is gone.
    async fn lane(&self) -> Result<(usize, Arc<Lane>), StoreError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed) % self.lanes.len();
        let mut slot = self.lanes[number].lock().await;
        slot.take_if(|lane| lane.is_lost());
        let lane = match slot.take() {
            Some(lane) => lane,
            None => Arc::new(self.reach.lane().await?),
        };
        Ok((number, Arc::clone(slot.insert(lane))))
    }

    /// The server has said that a connection ends, which its own end may not have seen yet.
    async fn forget(&self, number: usize, lane: &Arc<Lane>) {
        let mut slot = self.lanes[number].lock().await;
        slot.take_if(|known| Arc::ptr_eq(known, lane));
    }
}

fn is_lost(error: &tokio_postgres::Error) -> bool {
    Fault::of(error) == Fault::Lost
}
