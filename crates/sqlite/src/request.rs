//! A request on its way through the writer: judged perhaps twice, answered once.

use futures_channel::oneshot;
use rewake_store::StoreError;
use rewake_store::core::time::Timestamp;

use crate::tables::Tables;

/// A request that writes.
pub(crate) trait Request: Send {
    /// Judges the request and writes what the verdict says, inside the open transaction. The answer
    /// is kept until the commit. False where there is a refusal or an error instead.
    fn serve(&mut self, tables: &mut Tables<'_>, now: Timestamp) -> bool;

    /// Gives the answer that was kept.
    fn answer(self: Box<Self>);

    /// Gives an error instead.
    fn refuse(self: Box<Self>, error: StoreError);
}

/// A question, asked through one connection.
pub(crate) struct Question {
    pub(crate) ask: Box<dyn Ask>,
    pub(crate) span: Span,
}

/// What is asked.
pub(crate) trait Ask: Send {
    /// Looks the answer up, and keeps it.
    fn look(&mut self, tables: &mut Tables<'_>);

    /// Gives the answer that was kept.
    fn answer(self: Box<Self>);
}

/// How long a question looks at one state of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    /// At a few rows, or at about a page: others may look at the same state with it.
    Brief,
    /// At very many rows, and perhaps at several states one after the other.
    Long,
}

/// What the writer thread does.
pub(crate) enum Task {
    Write(Box<dyn Request>),
    /// Only where there is no other connection: in memory.
    Read(Question),
}

struct Pending<J, A, E> {
    judge: J,
    kept: Option<Result<A, E>>,
    reply: oneshot::Sender<Result<A, E>>,
}

/// Packs a request, and what its answer comes through.
pub(crate) fn pack<J, A, E>(judge: J) -> (Box<dyn Request>, oneshot::Receiver<Result<A, E>>)
where
    J: FnMut(&mut Tables<'_>, Timestamp) -> Result<A, E> + Send + 'static,
    A: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    let kept = None;
    (Box::new(Pending { judge, kept, reply }), answer)
}

impl<J, A, E> Request for Pending<J, A, E>
where
    J: FnMut(&mut Tables<'_>, Timestamp) -> Result<A, E> + Send,
    A: Send,
    E: From<StoreError> + Send,
{
    fn serve(&mut self, tables: &mut Tables<'_>, now: Timestamp) -> bool {
        let outcome = (self.judge)(tables, now);
        let served = outcome.is_ok();
        self.kept = Some(outcome);
        served
    }

    fn answer(self: Box<Self>) {
        let kept = self.kept.expect("only what was served is answered");
        // Whoever asked may have gone; the answer is in the log all the same.
        drop(self.reply.send(kept));
    }

    fn refuse(self: Box<Self>, error: StoreError) {
        drop(self.reply.send(Err(error.into())));
    }
}

struct Asked<R, A> {
    read: Option<R>,
    kept: Option<Result<A, StoreError>>,
    reply: oneshot::Sender<Result<A, StoreError>>,
}

/// Packs a question, and what its answer comes through.
pub(crate) fn ask<A: Send + 'static>(
    span: Span,
    read: impl FnOnce(&mut Tables<'_>) -> Result<A, StoreError> + Send + 'static,
) -> (Question, oneshot::Receiver<Result<A, StoreError>>) {
    let (reply, answer) = oneshot::channel();
    let ask = Box::new(Asked {
        read: Some(read),
        kept: None,
        reply,
    });
    (Question { ask, span }, answer)
}

impl<R, A> Ask for Asked<R, A>
where
    R: FnOnce(&mut Tables<'_>) -> Result<A, StoreError> + Send,
    A: Send,
{
    fn look(&mut self, tables: &mut Tables<'_>) {
        self.kept = self.read.take().map(|read| read(tables));
    }

    fn answer(self: Box<Self>) {
        if let Some(kept) = self.kept {
            drop(self.reply.send(kept));
        }
    }
}
