//! The handle: opening, handing over what is asked, closing.

use std::fmt;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::FutureExt;
use futures_util::future::{Shared, ready};
use rewake_store::core::time::Timestamp;
use rewake_store::{StoreError, StoreFuture};
use tokio::runtime::Handle;

use crate::counts::{Counters, Counts};
use crate::error::OpenError;
use crate::lookup::Plan;
use crate::nodes::Crew;
use crate::open;
use crate::options::{Now, Options};
use crate::queue::{Caller, Queue, closed};
use crate::reach::Readers;
use crate::request::{self, Request};
use crate::sight::Sight;

/// How long dropping the last handle waits for what is queued to be written.
const GRACE: Duration = Duration::from_secs(5);

/// A store in a PostgreSQL database. Clones are handles of the same store.
///
/// It is closed by [`close`](rewake_store::Sessions::close), or when its last handle is dropped;
/// that waits, for some seconds at most, until what was handed over is written. It has a thread of
/// its own, and needs no runtime of the caller's.
#[derive(Clone)]
pub struct PostgresStore {
    inner: Arc<Inner>,
}

/// What handles have of the thread.
pub(crate) struct Inner {
    pub(crate) tasks: Arc<Queue<Box<dyn Request>>>,
    pub(crate) readers: Arc<Readers>,
    pub(crate) crew: Arc<Crew>,
    pub(crate) runtime: Handle,
    pub(crate) thread: ThreadId,
    pub(crate) counters: Arc<Counters>,
    pub(crate) clock: Option<Now>,
    pub(crate) schema: String,
    /// Comes when the thread has ended.
    pub(crate) ended: Shared<oneshot::Receiver<()>>,
    /// Hangs up when the thread has ended.
    pub(crate) gone: Mutex<Receiver<()>>,
}

impl PostgresStore {
    /// Opens a store, and makes its tables if there are none. Blocks: a database that is away is tried
    /// again for about as long as the options' patience, and a process that migrates the tables is
    /// waited for without end.
    ///
    /// # Errors
    ///
    /// [`OpenError`] as its variants say, each with what to do; what was stored is as it was.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        let (opened, opening) = mpsc::channel();
        let (done, ended) = oneshot::channel();
        let (here, gone) = mpsc::channel::<()>();
        let thread = thread::Builder::new().name("rewake-postgres".to_owned());
        let thread = thread.spawn(move || {
            open::run(options, (ended.shared(), gone), &opened);
            drop(done);
            drop(here);
        });
        thread.map_err(|error| OpenError::Backend {
            reason: error.to_string(),
        })?;
        let inner = opening.recv().unwrap_or_else(|_| {
            Err(OpenError::Backend {
                reason: "the thread of the store has ended".to_owned(),
            })
        })?;
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// What the store has done since it was opened.
    pub fn counts(&self) -> Counts {
        self.inner.counters.read()
    }

    /// The time of the clock that stands in for the database's, where there is one.
    pub(crate) fn clock(&self) -> Option<Timestamp> {
        self.inner.clock.as_ref().map(|now| now())
    }

    /// Hands a request to the writer.
    pub(crate) fn write<A, E>(
        &self,
        caller: Caller,
        bytes: usize,
        plan: Plan,
        judge: impl FnMut(&mut Sight) -> Result<A, E> + Send + 'static,
    ) -> StoreFuture<A, E>
    where
        A: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (request, answer) = request::pack(plan, judge);
        match self.inner.tasks.push(request, bytes, caller) {
            Ok(()) => answer
                .map(|answer| answer.unwrap_or_else(|_| Err(lost().into())))
                .boxed(),
            Err(error) => ready(Err(error.into())).boxed(),
        }
    }

    /// Hands a question to the readers.
    pub(crate) fn read<A, F>(&self, ask: impl FnOnce(Arc<Readers>) -> F) -> StoreFuture<A>
    where
        A: Send + 'static,
        F: Future<Output = Result<A, StoreError>> + Send + 'static,
    {
        self.beside(ask(Arc::clone(&self.inner.readers)))
    }

    /// Does something as a node.
    pub(crate) fn as_crew<A, F>(&self, act: impl FnOnce(Arc<Crew>) -> F) -> StoreFuture<A>
    where
        A: Send + 'static,
        F: Future<Output = Result<A, StoreError>> + Send + 'static,
    {
        self.beside(act(Arc::clone(&self.inner.crew)))
    }

    pub(crate) fn crew(&self) -> &Crew {
        &self.inner.crew
    }

    /// Carries something out beside the writer.
    fn beside<A, F>(&self, asked: F) -> StoreFuture<A>
    where
        A: Send + 'static,
        F: Future<Output = Result<A, StoreError>> + Send + 'static,
    {
        if self.inner.tasks.is_closed() {
            return ready(Err(closed())).boxed();
        }
        let asked = self.inner.runtime.spawn(asked);
        // Broken off where the store was closed meanwhile.
        asked
            .map(|answer| answer.unwrap_or_else(|_| Err(closed())))
            .boxed()
    }

    /// Takes nothing more in, and says when what was queued is written.
    pub(crate) fn end(&self) -> StoreFuture<()> {
        self.inner.tasks.close();
        self.inner.crew.close();
        // Nothing is sent: it is dropped with the thread.
        self.inner.ended.clone().map(|_| Ok(())).boxed()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.tasks.close();
        self.crew.close();
        // The thread of the store would wait for itself here.
        if thread::current().id() != self.thread {
            let gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
            // Nobody sends: it hangs up, or the time is over.
            let _ = gone.recv_timeout(GRACE);
        }
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("schema", &self.inner.schema)
            .finish_non_exhaustive()
    }
}

/// The answer went with the writer, and nobody knows how far it had come.
fn lost() -> StoreError {
    StoreError::OutcomeUnknown {
        reason: "the writer ended before it answered".to_owned(),
    }
}
