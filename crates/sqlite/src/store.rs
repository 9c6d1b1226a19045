//! The handle: handing over what is asked, closing.

use std::fmt;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::FutureExt;
use futures_util::future::{Shared, ready};
use rewake_store::core::time::Timestamp;
use rewake_store::{StoreError, StoreFuture};

use crate::counts::{Counters, Counts};
use crate::error::OpenError;
use crate::lock;
use crate::open;
use crate::options::{Now, Options};
use crate::queue::{Caller, Queue, closed};
use crate::reader;
use crate::request::{self, Question, Span, Task};
use crate::tables::Tables;
use crate::writer::CLOSED;

/// How long dropping the last handle waits for what is queued to be written.
const GRACE: Duration = Duration::from_secs(5);

/// A store in a SQLite file, or in memory. Clones are handles of the same store.
///
/// It is closed by [`close`](rewake_store::Sessions::close), or when its last handle is dropped;
/// that waits, for some seconds at most, until what was handed over is written.
#[derive(Clone)]
pub struct SqliteStore {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    /// None in memory.
    pub(crate) path: Option<PathBuf>,
    /// None where the store was opened for reading only.
    pub(crate) writer: Option<ToWriter>,
    /// None in memory, where the writer answers questions.
    pub(crate) questions: Option<Arc<Queue<Question>>>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) now: Now,
}

/// What the handles have of the writer thread.
pub(crate) struct ToWriter {
    pub(crate) tasks: Arc<Queue<Task>>,
    /// How the thread ended.
    pub(crate) ended: Shared<oneshot::Receiver<Result<(), String>>>,
    /// Hangs up when the thread has ended.
    pub(crate) gone: Mutex<Receiver<()>>,
}

impl SqliteStore {
    /// Opens a store, and makes it if there is none. Blocks while another process has it, for as
    /// long as the options say.
    ///
    /// # Errors
    ///
    /// [`OpenError`] as its variants say, each with what to do; what was stored is as it was.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "options are for one opening, and callers build them in place"
    )]
    pub fn open(options: Options) -> Result<Self, OpenError> {
        let inner = open::open(&options)?;
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// What the store has done since it was opened.
    pub fn counts(&self) -> Counts {
        self.inner.counters.read()
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.inner.writer.is_none()
    }

    /// The store's time.
    pub(crate) fn now(&self) -> Timestamp {
        (self.inner.now)()
    }

    /// Why a store that was opened for reading only does not write.
    pub(crate) fn read_only(&self) -> StoreError {
        let holder = self.inner.path.as_deref().map(lock::holder);
        StoreError::ReadOnly {
            reason: format!("{} may write to it", holder.unwrap_or_default()),
        }
    }

    /// Hands a request to the writer.
    pub(crate) fn write<A, E>(
        &self,
        caller: Caller,
        bytes: usize,
        judge: impl FnMut(&mut Tables<'_>, Timestamp) -> Result<A, E> + Send + 'static,
    ) -> StoreFuture<A, E>
    where
        A: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let Some(writer) = &self.inner.writer else {
            return ready(Err(self.read_only().into())).boxed();
        };
        let (request, answer) = request::pack(judge);
        match writer.tasks.push(Task::Write(request), bytes, caller) {
            Ok(()) => answer
                .map(|answer| answer.unwrap_or_else(|_| Err(lost().into())))
                .boxed(),
            Err(error) => ready(Err(error.into())).boxed(),
        }
    }

    /// Hands a question to a reader.
    pub(crate) fn read<A: Send + 'static>(
        &self,
        span: Span,
        read: impl FnOnce(&mut Tables<'_>) -> Result<A, StoreError> + Send + 'static,
    ) -> StoreFuture<A> {
        let (question, answer) = request::ask(span, read);
        let pushed = match (&self.inner.questions, &self.inner.writer) {
            (Some(questions), _) => questions.push(question, 0, Caller::Worker),
            (None, Some(writer)) => writer.tasks.push(Task::Read(question), 0, Caller::Worker),
            (None, None) => Err(closed(CLOSED)),
        };
        match pushed {
            Ok(()) => answer
                .map(|answer| answer.unwrap_or_else(|_| Err(closed("the question was broken off"))))
                .boxed(),
            Err(error) => ready(Err(error)).boxed(),
        }
    }

    /// Takes nothing more in, and says when what was queued is written.
    pub(crate) fn end(&self) -> StoreFuture<()> {
        self.inner.close();
        match &self.inner.writer {
            None => ready(Ok(())).boxed(),
            Some(writer) => writer
                .ended
                .clone()
                .map(|ended| match ended {
                    Ok(Ok(())) => Ok(()),
                    Ok(Err(reason)) => Err(closed(&reason)),
                    Err(_) => Err(closed("the writer is gone")),
                })
                .boxed(),
        }
    }
}

impl Inner {
    fn close(&self) {
        if let Some(questions) = &self.questions {
            questions.close(CLOSED);
        }
        if let Some(writer) = &self.writer {
            writer.tasks.close(CLOSED);
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
        let Some(writer) = &self.writer else {
            return;
        };
        // A thread of a store would wait for itself here.
        if !reader::on_own_thread() {
            let gone = writer.gone.lock().unwrap_or_else(PoisonError::into_inner);
            // Nobody sends: it hangs up, or the time is over.
            let _ = gone.recv_timeout(GRACE);
        }
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("path", &self.inner.path)
            .field("read_only", &self.is_read_only())
            .finish_non_exhaustive()
    }
}

/// The answer went with the writer, and nobody knows how far it had come.
fn lost() -> StoreError {
    StoreError::OutcomeUnknown {
        reason: "the writer ended before it answered".to_owned(),
    }
}
