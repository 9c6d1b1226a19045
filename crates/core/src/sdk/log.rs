//! A log of the Workflow SDK, folded event by event, with leniency where that package is lenient.

use super::error::ReadError;
use super::event::SdkEvent;
use crate::entity::{Entities, Run, RunStatus, Step, StepStatus};
use crate::event::{Event, EventKind, EventRef, Position, RunEvent, StepEvent, Subject, Writer};
use crate::id::{RunId, StepId};
use crate::transition::{self, IllegalTransition};

/// An event that the Workflow SDK recorded and that a log of ours would have refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Irregular {
    /// Its place in the log.
    pub position: Position,
    /// What speaks against it.
    pub why: IllegalTransition,
}

/// A log that the Workflow SDK wrote, as far as it has been read.
///
/// # Examples
///
/// ```
/// use rewake_core::entity::RunStatus;
/// use rewake_core::sdk::{SdkEvent, SdkLog};
///
/// let run = "wrun_01K9Z0000000000000000000AA".parse()?;
/// let mut log = SdkLog::new(run);
/// let event = SdkEvent::from_json(
///     r#"{"eventType": "run_created", "runId": "wrun_01K9Z0000000000000000000AA",
///         "eventId": "evnt_01KA5TV500NRS9G15ZNH4JNTDJ", "createdAt": "2025-11-16T08:00:00.000Z",
///         "eventData": {"deploymentId": "d", "workflowName": "w",
///             "input": {"__type": "Uint8Array", "data": "ZGV2bFtbXV0="}}}"#,
/// )?;
/// log.push(&event)?;
/// let run = log.entities().run().expect("the log has begun");
/// assert_eq!((run.status, &*run.workflow), (RunStatus::Pending, "w"));
/// assert!(log.irregular().is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SdkLog {
    run: RunId,
    head: Position,
    entities: Entities,
    /// A `run_started` that came before its `run_created`.
    early: Option<Event>,
    irregular: Vec<Irregular>,
}

impl SdkLog {
    /// The log of `run`, before its first event.
    pub const fn new(run: RunId) -> Self {
        Self {
            run,
            head: Position::START,
            entities: Entities::new(run),
            early: None,
            irregular: Vec::new(),
        }
    }

    /// Reads and folds the next event, and gives it as one of ours.
    ///
    /// Events come in the order of their log: by time, then id.
    ///
    /// # Errors
    ///
    /// [`ReadError`] as its variants say; the log is as it was.
    pub fn push(&mut self, event: &SdkEvent) -> Result<Event, ReadError> {
        let found = event.run()?;
        if found != self.run {
            let expected = self.run;
            return Err(ReadError::OtherRun { expected, found });
        }
        let attempts = |id: StepId| {
            self.entities
                .steps()
                .get(&id)
                .map_or(0, |step| step.attempt)
        };
        let event = Event {
            position: self.head.next(),
            at: event.at(),
            id: event.id()?,
            kind: event.kind(attempts)?,
        };
        let irregular = self.fold(&event).map_err(ReadError::Illegal)?;
        self.head = event.position;
        self.irregular.extend(irregular.map(|why| Irregular {
            position: event.position,
            why,
        }));
        Ok(event)
    }

    /// Folds one event; `Some` says what speaks against it, where it was folded all the same.
    fn fold(&mut self, event: &Event) -> Result<Option<IllegalTransition>, IllegalTransition> {
        let folded = fold(&mut self.entities, by_reference(event));
        if let (Err(why @ IllegalTransition::RunMissing { .. }), EventKind::RunStarted, None) =
            (&folded, &event.kind, &self.early)
        {
            self.early = Some(event.clone());
            return Ok(Some(why.clone()));
        }
        let irregular = folded?;
        if let Some(early) = self.early.take() {
            self.entities.apply(by_reference(&early))?;
        }
        Ok(irregular)
    }

    /// What the log folds into so far.
    pub const fn entities(&self) -> &Entities {
        &self.entities
    }

    /// The events that a log of ours would have refused, in order.
    pub fn irregular(&self) -> &[Irregular] {
        &self.irregular
    }
}

fn by_reference(event: &Event) -> EventRef<'_> {
    EventRef {
        position: event.position,
        at: event.at,
        id: event.id,
        // Who wrote it is not recorded there, and changes nothing about what it folds into.
        writer: Writer::Outsider,
        kind: &event.kind,
    }
}

/// Folds one event; `Some` says what speaks against it, where it was folded all the same.
fn fold(
    entities: &mut Entities,
    event: EventRef<'_>,
) -> Result<Option<IllegalTransition>, IllegalTransition> {
    let Err(why) = entities.apply(event) else {
        return Ok(None);
    };
    let run_ended = matches!(why, IllegalTransition::RunEnded { .. });
    match event.kind.subject() {
        Subject::Run(RunEvent::Completed { .. } | RunEvent::Failed { .. }) if run_ended => {
            let ended = transition::run(entities.id(), reopened(entities.run()).as_ref(), event)?;
            entities.replace_run(ended);
        }
        Subject::Run(RunEvent::Cancelled { .. }) | Subject::Hook(..) | Subject::Wait(..)
            if run_ended => {}
        Subject::Step(id, what) if run_ended || not_started(&why) => {
            let before = entities.steps().get(&id).cloned();
            let before = before.map(|step| under_way(*step, what));
            let after = transition::step(before.as_ref(), event)?;
            entities.replace_step(after);
        }
        Subject::Run(_) | Subject::Step(..) | Subject::Hook(..) | Subject::Wait(..) => {
            return Err(why);
        }
    }
    Ok(Some(why))
}

const fn not_started(why: &IllegalTransition) -> bool {
    matches!(why, IllegalTransition::StepNotStarted { .. })
}

/// The run as it was before its end.
fn reopened(run: Option<&Run>) -> Option<Run> {
    run.map(|run| Run {
        status: RunStatus::Running,
        output: None,
        error: None,
        ended_at: None,
        ..run.clone()
    })
}

/// The step as if an attempt were under way, which the package does not ask for when one ends.
fn under_way(step: Step, what: StepEvent<'_>) -> Step {
    let ends = match what {
        StepEvent::Created { .. } | StepEvent::Started { .. } => false,
        StepEvent::Completed { .. } | StepEvent::Failed { .. } | StepEvent::Retrying { .. } => true,
    };
    if ends && step.status == StepStatus::Pending {
        return Step {
            status: StepStatus::Running,
            ..step
        };
    }
    step
}
