//! A request on its way through the writer: judged perhaps several times, answered once.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_channel::oneshot;
use rewake_store::judge::Verdict;
use rewake_store::{Concern, NodeId, StoreError};

use crate::lookup::Plan;
use crate::sight::Sight;

/// A request that writes.
pub(crate) trait Request: Send {
    /// What can be told from the request alone of what it needs.
    fn plan(&self) -> &Plan;

    /// Judges the request and writes what the verdict says into what the transaction sees. The answer
    /// is kept until the commit. Where something is missing, nothing was done.
    fn serve(&mut self, sight: &mut Sight) -> Served;

    /// Gives the answer that was kept, and says whom it concerns what was written.
    fn answer(self: Box<Self>) -> Vec<Concern>;

    /// Gives an error instead.
    fn refuse(self: Box<Self>, error: StoreError);
}

/// What became of a request that was judged.
#[derive(Debug)]
pub(crate) enum Served {
    /// It has an answer.
    Yes,
    /// It has a refusal or an error, and has written nothing.
    Refused,
    /// It needs what was not looked up.
    Missed(Plan),
}

struct Pending<J, A, E> {
    plan: Plan,
    judge: J,
    kept: Option<Result<A, E>>,
    concerns: Vec<Concern>,
    reply: oneshot::Sender<Result<A, E>>,
}

/// What a request's answer comes through.
pub(crate) type Reply<A, E> = oneshot::Receiver<Result<A, E>>;

/// Packs a request.
pub(crate) fn pack<J, A, E>(plan: Plan, judge: J) -> (Box<dyn Request>, Reply<A, E>)
where
    J: FnMut(&mut Sight) -> Result<A, E> + Send + 'static,
    A: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    let pending = Pending {
        plan,
        judge,
        kept: None,
        concerns: Vec::new(),
        reply,
    };
    (Box::new(pending), answer)
}

/// Writes what a verdict says, which a node has asked for or an outsider, and keeps its answer.
pub(crate) fn carry_out<A>(sight: &mut Sight, by: Option<NodeId>, verdict: Verdict<A>) -> A {
    sight.concerns.extend(Concern::of(&verdict.writes, by));
    sight.write(verdict.writes);
    verdict.answer
}

impl<J, A, E> Request for Pending<J, A, E>
where
    J: FnMut(&mut Sight) -> Result<A, E> + Send,
    A: Send,
    E: From<StoreError> + Send,
{
    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn serve(&mut self, sight: &mut Sight) -> Served {
        let judged = catch_unwind(AssertUnwindSafe(|| (self.judge)(sight)));
        let missed = std::mem::take(&mut sight.missed);
        self.concerns = std::mem::take(&mut sight.concerns);
        if !missed.is_empty() {
            return Served::Missed(missed);
        }
        let kept = judged.unwrap_or_else(|panic| {
            let reason = said(panic.as_ref());
            Err(StoreError::Backend { reason }.into())
        });
        let served = if kept.is_ok() {
            Served::Yes
        } else {
            Served::Refused
        };
        self.kept = Some(kept);
        served
    }

    fn answer(self: Box<Self>) -> Vec<Concern> {
        let kept = self.kept.expect("only what was served is answered");
        // Whoever asked may have gone; the answer is in the log all the same.
        drop(self.reply.send(kept));
        self.concerns
    }

    fn refuse(self: Box<Self>, error: StoreError) {
        drop(self.reply.send(Err(error.into())));
    }
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    let text = text.unwrap_or_else(|| "no message".to_owned());
    format!("serving the request panicked: {text}")
}
