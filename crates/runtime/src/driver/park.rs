//! Parking: what goes on record, beside the log, where this build cannot follow.

use rewake_core::event::{Frame, Position, Writer};
use rewake_store::{Append, AppendRefusal, Condition, Failed, Kin, Mark, Parked, StoreError};

use super::{Driver, Exit, load};
use crate::executor::Stuck;

impl Driver {
    /// Puts on record, beside the log, that this build cannot follow.
    pub(super) async fn park(&mut self, stuck: &Stuck) -> Exit {
        let run = self.run;
        let at = stuck.position(self.fed());
        let workflow = self
            .workflow
            .as_ref()
            .map_or("", |workflow| workflow.name.as_str());
        let begun_here = self.executor.with(|machine| {
            let run = machine.entities().run();
            run.is_some_and(|run| run.build == self.engine.build)
        });
        let told = stuck.told(begun_here);
        tracing::error!(%run, workflow, event = ?at, reason = told, "parked");
        self.executor.seal();
        let parked = Parked {
            build: self.engine.build.clone(),
            code: stuck.code().to_owned(),
            reason: match at {
                Some(at) => format!("workflow `{workflow}`, event {at}: {told}"),
                None => format!("workflow `{workflow}`: {told}"),
            },
            at: self.engine.host.clock.now(),
            before: Vec::new(),
        };
        let mark = Mark {
            reacted: self.recorded.reacted,
            // The process has come through its replay, whatever that came to.
            rested: !matches!(stuck, Stuck::CrashedRepeatedly { .. }),
            parked: Some(parked),
            ..Mark::default()
        };
        let worker = match self.last_worker().await {
            Ok(worker) => worker,
            Err(error) => return self.park_later(&error),
        };
        let append = Append {
            scope: self.engine.scope,
            run,
            id: self.engine.event_id(),
            conditions: vec![Condition::WorkerPosition(worker)],
            events: Vec::new(),
            release: Vec::new(),
            kin: Kin::default(),
            answers: Vec::new(),
            mark: Some(mark),
            since: None,
            repeat: false,
        };
        self.settle_mark().await;
        match self.engine.store.append(append).await {
            Ok(_) | Err(Failed::Refused(AppendRefusal::RunEnded { .. })) => {
                self.forgive();
                Exit::Parked
            }
            Err(Failed::Refused(refusal)) => self.park_later(&refusal),
            Err(Failed::Store(error)) => self.park_later(&error),
        }
    }

    /// What is not on record as parked is tried again, and parked then.
    fn park_later(&self, error: &dyn std::fmt::Display) -> Exit {
        tracing::warn!(run = %self.run, %error, "could not be recorded as parked");
        self.look_again();
        Exit::Left
    }

    /// The last event that a worker wrote. The machine may have stopped before it, in the middle of a
    /// frame.
    async fn last_worker(&mut self) -> Result<Position, StoreError> {
        let (mut at, mut worker) = (self.seen, self.seen_worker);
        loop {
            let frames = self
                .engine
                .store
                .frames(self.engine.scope, self.run, at, load::PAGE)
                .await?;
            let Some(last) = frames.last() else {
                return Ok(worker);
            };
            at = last.last();
            let by_worker = frames.iter().rfind(|frame| frame.writer == Writer::Worker);
            worker = by_worker.map_or(worker, Frame::last);
        }
    }
}
