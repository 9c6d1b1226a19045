//! The child runs of one run: how they begin, what goes on record of their ends, and what the end of
//! the run itself means to its parent and its children.
//!
//! Waiting for a child is waiting for a fact: no place, no thread, no timer is held for it. What is
//! owed to the run is read only when somebody says that there is something, and all of it that is
//! there by then is recorded with one append.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;
use rewake_core::event::{EventKind, Failure, FailureKind, Frame, Parent};
use rewake_core::id::{RunId, StepId};
use rewake_store::{
    Append, AppendRefusal, ChildBegins, Failed, Kin, OwedRow, RunFilter, RunPage, RunRow,
    StoreError,
};

use super::load::PAGE;
use super::{Driver, Exit, Stop};
use crate::dispatch::{Message, News};
use crate::engine::Inner;

/// So many children are asked to end at the same time: their requests share commits.
const AT_ONCE: usize = 256;

/// What a driver knows of its run's children.
#[derive(Debug, Default)]
pub(super) struct Children {
    /// Something may be owed that was not read.
    pub(super) may_be_owed: bool,
    /// The ends that are not on record, by step.
    ends: BTreeMap<StepId, OwedRow>,
}

/// Those to whom the end of a run means something.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kindred {
    parent: Option<Parent>,
    has_children: bool,
}

impl Kindred {
    pub(super) const fn of(row: &RunRow) -> Self {
        Self {
            parent: row.parent,
            has_children: row.children > 0,
        }
    }
}

impl Children {
    /// The events that put the ends on record.
    pub(super) fn events(&self) -> impl Iterator<Item = EventKind> {
        self.ends.values().filter_map(recorded)
    }

    /// Takes note of what is on record now.
    pub(super) fn note(&mut self, kind: &EventKind) {
        if let EventKind::StepCompleted { step, .. } | EventKind::StepFailed { step, .. } = kind {
            self.ends.remove(step);
        }
    }

    /// The children whose ends the events record.
    fn settled(&self, events: &[EventKind]) -> Vec<RunId> {
        let ended = events.iter().filter_map(|kind| match kind {
            EventKind::StepCompleted { step, .. } | EventKind::StepFailed { step, .. } => {
                self.ends.get(step)
            }
            _ => None,
        });
        ended.map(|owed| owed.child).collect()
    }
}

/// A child's end, as its parent's log has it. The run that ended is in the record of its beginning.
fn recorded(owed: &OwedRow) -> Option<EventKind> {
    let step = owed.step;
    match &owed.end {
        EventKind::RunCompleted { output } => Some(EventKind::StepCompleted {
            step,
            result: output.clone(),
        }),
        EventKind::RunFailed { error } => Some(EventKind::StepFailed {
            step,
            error: error.clone(),
            kind: FailureKind::Fatal,
        }),
        EventKind::RunCancelled { reason, terminated } => Some(EventKind::StepFailed {
            step,
            error: ended_early(reason.as_deref(), *terminated),
            kind: if *terminated {
                FailureKind::Terminated
            } else {
                FailureKind::Cancelled
            },
        }),
        _ => None,
    }
}

/// The reason is the only cause, so that it can be told from none.
fn ended_early(reason: Option<&str>, terminated: bool) -> Failure {
    let what = if terminated {
        "terminated"
    } else {
        "cancelled"
    };
    let why = reason.map(|reason| format!(": {reason}"));
    Failure {
        message: format!("the run was {what}{}", why.unwrap_or_default()),
        causes: reason.map(str::to_owned).into_iter().collect(),
    }
}

impl Driver {
    /// What an append of these events says about child runs.
    pub(super) fn kin(&self, events: &[EventKind]) -> Kin {
        let begin = events.iter().filter_map(|kind| match kind {
            EventKind::StepCreated {
                step,
                name,
                child: Some(child),
                ..
            } => Some(ChildBegins {
                run: child.run,
                id: self.engine.event_id(),
                build: self.engine.build.clone(),
                seed: self.engine.host.entropy.draw().to_be_bytes(),
                flags: 0,
                attributes: self.executor.context().child_attributes(*step),
                // Where this process drives the run at once, its beginning shares the commit.
                begins: self.engine.registry.workflow(name).is_some(),
            }),
            _ => None,
        });
        Kin {
            begin: begin.collect(),
            settled: self.children.settled(events),
        }
    }

    /// Has the children driven that a frame of this driver's has begun. Nobody else hears of them, also
    /// where the append was late and is met in the log.
    pub(super) fn begin_children(&self, frame: &Frame) {
        for kind in &frame.events {
            if let EventKind::StepCreated {
                step,
                child: Some(child),
                ..
            } = kind
            {
                self.executor.context().forget_child_attributes(*step);
                self.engine.tell(child.run, Message::Look);
            }
        }
    }

    /// Reads what children have left for the run, once all that was read before is on record.
    pub(super) async fn collect_ends(&mut self) -> Result<(), Stop> {
        if !self.children.ends.is_empty() {
            return Ok(());
        }
        // What is shielded goes on when the run is cancelled, and may wait for a child.
        if !self.executor.with(|machine| machine.is_under_way()) {
            return Ok(());
        }
        let owed = self.engine.store.owed(self.engine.scope, self.run, PAGE);
        let owed = match owed.await {
            Ok(owed) => owed,
            // How attempts ended is known here only, and leaving would lose it.
            Err(error) if error.is_passing() && !self.attempts.is_quiet() => {
                return self.pause(error).await;
            }
            Err(error) => return Err(error.into()),
        };
        self.children.may_be_owed = !owed.is_empty();
        if owed.iter().any(|row| !self.waits_for(row)) {
            // Another worker has started that child.
            self.read_tail().await?;
        }
        for row in owed {
            if self.waits_for(&row) {
                self.children.ends.insert(row.step, row);
            } else {
                tracing::error!(run = %self.run, child = %row.child, "no step waits for its end");
                self.children.may_be_owed = false;
            }
        }
        Ok(())
    }

    fn waits_for(&self, owed: &OwedRow) -> bool {
        self.executor.with(|machine| {
            let step = machine.entities().steps().get(&owed.step);
            let open = step.filter(|step| step.ended_at.is_none());
            open.and_then(|step| step.child)
                .is_some_and(|child| child.run == owed.child)
        })
    }

    /// True where a run that was only to be looked at is owed something.
    pub(super) async fn is_owed(&mut self, row: &RunRow) -> Result<bool, StoreError> {
        if row.children == 0 {
            return Ok(false);
        }
        let owed = self.engine.store.owed(self.engine.scope, self.run, 1);
        Ok(!owed.await?.is_empty())
    }

    /// Those to whom the end of the run means something, as its machine has it.
    fn kindred(&self) -> Kindred {
        self.executor.with(|machine| {
            let entities = machine.entities();
            Kindred {
                parent: entities
                    .run()
                    .and_then(|run| run.parent.as_deref().copied()),
                has_children: entities.running_children().next().is_some(),
            }
        })
    }

    /// Tells parent and children of the run's end. Whatever keeps them from being told, what the end
    /// has left in the store stays there, and the run is looked at again.
    pub(super) async fn tell_kindred(&mut self) {
        self.turn = None;
        let Kindred {
            parent,
            has_children,
        } = (self.ended.as_deref().copied()).unwrap_or_else(|| self.kindred());
        if let Some(parent) = parent.filter(|parent| !parent.detached)
            && self.may_hear(parent.run).await
        {
            self.engine.inform(parent.run, Message::Owed);
        }
        if !has_children {
            return;
        }
        // Whoever waits for the end need not wait for the children.
        self.engine.waiters.call(self.run, News::Look);
        if let Err(error) = tell_children(&self.engine, self.run).await {
            tracing::warn!(run = %self.run, %error, "its children could not be told of its end");
            self.look_again();
        }
    }

    /// False where a run that had ended before would only tell one that has ended, too, which would
    /// tell its own parent in turn.
    async fn may_hear(&mut self, parent: RunId) -> bool {
        if self.ended.is_none() {
            return true;
        }
        let row = self.engine.store.run(self.engine.scope, parent).await;
        !matches!(row, Ok(Some(row)) if row.status.is_terminal())
    }

    /// The run had ended before this driver came to it.
    pub(super) fn had_ended(&mut self, row: &RunRow) -> Stop {
        self.ended = Some(Box::new(Kindred::of(row)));
        Stop::Exit(Exit::Ended)
    }
}

/// Asks all attached children to end, and notes that they were asked.
async fn tell_children(engine: &Arc<Inner>, run: RunId) -> Result<(), StoreError> {
    let (store, scope) = (&engine.store, engine.scope);
    let filter = RunFilter {
        parent: Some(run),
        ..RunFilter::default()
    };
    let mut before = None;
    loop {
        if engine.is_aborting() {
            return Ok(());
        }
        let page = store.runs(scope, filter.clone(), before, AT_ONCE).await?;
        let RunPage { runs, next } = page;
        let told = runs.iter().filter(|(_, row)| is_to_end(row));
        let told = told.map(|(child, _)| ask_to_end(engine, run, *child));
        join_all(told)
            .await
            .into_iter()
            .collect::<Result<(), _>>()?;
        before = next;
        if before.is_none() {
            return store.children_told(scope, run).await;
        }
    }
}

/// Asks a child to end. It is asked in its own log, so that it hears of it wherever and whenever
/// it is driven; asking twice is harmless.
async fn ask_to_end(engine: &Arc<Inner>, parent: RunId, child: RunId) -> Result<(), StoreError> {
    let reason = format!("its parent `{parent}` has ended");
    let append = Append {
        scope: engine.scope,
        run: child,
        id: engine.event_id(),
        conditions: Vec::new(),
        events: vec![EventKind::RunCancelRequested {
            reason: Some(reason),
        }],
        release: Vec::new(),
        kin: Kin::default(),
        answers: Vec::new(),
        mark: None,
        since: None,
        repeat: false,
    };
    match engine.store.append(append).await {
        Ok(appended) => {
            for frame in appended.frames {
                engine.inform(child, Message::Frame(frame));
            }
            Ok(())
        }
        Err(Failed::Refused(AppendRefusal::RunEnded { .. })) => Ok(()),
        Err(Failed::Refused(refusal)) => {
            tracing::error!(run = %child, %refusal, "a child could not be asked to end");
            Ok(())
        }
        Err(Failed::Store(error)) => Err(engine.failed(error)),
    }
}

/// An attached child that has not ended.
fn is_to_end(row: &RunRow) -> bool {
    let attached = row.parent.is_some_and(|parent| !parent.detached);
    attached && !row.status.is_terminal()
}
