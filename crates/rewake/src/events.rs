//! Queries of one run: its events, and the steps they come to.

use std::time::SystemTime;

use rewake_core::entity::{Step, StepStatus};
use rewake_core::event::{Event, EventKind, Position};
use rewake_core::id::{RunId, StepId};
use rewake_core::sdk::{SdkEvent, SdkView};
use rewake_runtime::{Engine, LogPlace, QueryError};
use serde::{Serialize, Serializer};

use crate::handle::Rewake;
use crate::query::{PAGE, Page};
use crate::request::{Request, boxed, request_future};

/// An event of a run. As JSON it is what the Workflow SDK's tools read (`eventType`,
/// `correlationId`, `eventData`, …).
#[derive(Clone, Debug, PartialEq)]
pub struct RunEvent {
    /// Its place in the run's log, from 1.
    pub position: u64,
    /// When it happened.
    pub at: SystemTime,
    /// The kind, as Rewake names it.
    pub name: &'static str,
    shown: SdkEvent,
}

impl Serialize for RunEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.shown.serialize(serializer)
    }
}

/// A step of a run, as its log shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunStep {
    /// The step.
    pub step_id: StepId,
    /// The name of its function.
    pub name: String,
    /// How far it has come.
    pub status: StepStatus,
    /// How many attempts have begun.
    pub attempt: u32,
    /// How many it may have.
    pub max_attempts: u32,
    /// How the latest attempt failed, if it has.
    pub error: Option<String>,
    /// When it was called.
    pub created_at: SystemTime,
    /// When its first attempt began.
    pub started_at: Option<SystemTime>,
    /// When it ended.
    pub ended_at: Option<SystemTime>,
}

impl From<&Step> for RunStep {
    fn from(step: &Step) -> Self {
        Self {
            step_id: step.id,
            name: step.name.clone(),
            status: step.status,
            attempt: step.attempt,
            max_attempts: step.max_attempts(),
            error: step.error.as_ref().map(|error| error.message.clone()),
            created_at: step.created_at.into(),
            started_at: step.started_at.map(SystemTime::from),
            ended_at: step.ended_at.map(SystemTime::from),
        }
    }
}

impl Rewake {
    /// The events of a run, oldest first; none where there is no such run. The few kinds that the
    /// Workflow SDK's tools have no event for are left out.
    ///
    /// # Examples
    ///
    /// ```
    /// use rewake::prelude::*;
    /// use rewake::testing::TestRewake;
    ///
    /// #[workflow]
    /// async fn naps() -> anyhow::Result<()> {
    ///     sleep(hours(1)).await;
    ///     Ok(())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> anyhow::Result<()> {
    /// let rewake = TestRewake::new().await;
    /// let run = rewake.start(naps()).await?;
    /// run.result().await?;
    /// let events = rewake.events(run.id()).limit(2).await?;
    /// assert_eq!(serde_json::to_value(&events.data[0])?["eventType"], "run_created");
    /// let rest = rewake.events(run.id()).cursor(events.cursor.unwrap()).await?;
    /// let names: Vec<&str> = rest.data.iter().map(|event| event.name).collect();
    /// assert_eq!(names, ["wait_created", "wait_completed", "run_completed"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn events(&self, run: RunId) -> Events {
        let args = EventsArgs {
            rewake: self.clone(),
            run,
            after: Ok(LogPlace::default()),
            limit: PAGE,
        };
        Events {
            request: Request::new(args, |args| boxed(events(args))),
        }
    }

    /// The steps of a run in the order in which they were called; none where there is no such run.
    pub fn steps(&self, run: RunId) -> Steps {
        let args = StepsArgs {
            rewake: self.clone(),
            run,
            after: Ok(None),
            limit: PAGE,
        };
        Steps {
            request: Request::new(args, |args| boxed(steps(args))),
        }
    }
}

struct EventsArgs {
    rewake: Rewake,
    run: RunId,
    after: Result<LogPlace, QueryError>,
    limit: usize,
}

/// A query of the events of a run.
#[derive(Debug)]
#[must_use = "a query is asked when this is awaited"]
pub struct Events {
    request: Request<EventsArgs, Result<Page<RunEvent>, QueryError>>,
}

impl Events {
    /// At most so many; 100 unless said.
    pub fn limit(self, limit: usize) -> Self {
        Self {
            request: self.request.with(|args| args.limit = limit),
        }
    }

    /// Goes on where another page ended.
    pub fn cursor(self, cursor: impl AsRef<str>) -> Self {
        let place = place(cursor.as_ref()).ok_or(QueryError::InvalidPlace);
        let change = |args: &mut EventsArgs| args.after = place;
        Self {
            request: self.request.with(change),
        }
    }
}

request_future!(Events, Result<Page<RunEvent>, QueryError>);

async fn events(args: EventsArgs) -> Result<Page<RunEvent>, QueryError> {
    let (engine, run, limit) = (args.rewake.engine(), args.run, args.limit.max(1));
    let after = args.after?;
    let mut view = view_before(engine, run, after).await?;
    let (found, LogPlace { frame, event }) = engine.events_after(run, after, limit).await?;
    let full = found.len() == limit;
    Ok(Page {
        cursor: full.then(|| format!("{}.{}", frame.0, event.0)),
        data: found
            .iter()
            .filter_map(|event| shown(&mut view, event))
            .collect(),
    })
}

/// What is shown of an event depends on those before it, which an earlier page has shown.
async fn view_before(engine: &Engine, run: RunId, place: LogPlace) -> Result<SdkView, QueryError> {
    let mut view = SdkView::new(run);
    let mut passed = LogPlace::default();
    while passed.event < place.event {
        let (events, next) = engine.events_after(run, passed, PAGE).await?;
        if events.is_empty() {
            break;
        }
        let before = events.iter().filter(|event| event.position <= place.event);
        before.for_each(|event| drop(view.show(event)));
        passed = next;
    }
    Ok(view)
}

fn place(cursor: &str) -> Option<LogPlace> {
    let (frame, event) = cursor.split_once('.')?;
    let position = |text: &str| text.parse().ok().map(Position);
    Some(LogPlace {
        frame: position(frame)?,
        event: position(event)?,
    })
}

fn shown(view: &mut SdkView, event: &Event) -> Option<RunEvent> {
    Some(RunEvent {
        position: event.position.0,
        at: event.at.into(),
        name: event.kind.name(),
        shown: view.show(event)?,
    })
}

struct StepsArgs {
    rewake: Rewake,
    run: RunId,
    after: Result<Option<StepId>, QueryError>,
    limit: usize,
}

/// A query of the steps of a run.
#[derive(Debug)]
#[must_use = "a query is asked when this is awaited"]
pub struct Steps {
    request: Request<StepsArgs, Result<Page<RunStep>, QueryError>>,
}

impl Steps {
    /// At most so many; 100 unless said.
    pub fn limit(self, limit: usize) -> Self {
        Self {
            request: self.request.with(|args| args.limit = limit),
        }
    }

    /// Goes on where another page ended.
    pub fn cursor(self, cursor: impl AsRef<str>) -> Self {
        let after = cursor.as_ref().parse().map(Some);
        let change = |args: &mut StepsArgs| args.after = after.map_err(QueryError::from);
        Self {
            request: self.request.with(change),
        }
    }
}

request_future!(Steps, Result<Page<RunStep>, QueryError>);

/// There is no table of steps: they are a fold over the log.
async fn steps(args: StepsArgs) -> Result<Page<RunStep>, QueryError> {
    let (engine, run, limit) = (args.rewake.engine(), args.run, args.limit.max(1));
    let after = args.after?;
    let entities = engine.entities(run).await?;
    let events = engine.events(run).await?;
    let called = events.iter().filter_map(|event| match &event.kind {
        EventKind::StepCreated { step, .. } => Some(step),
        _ => None,
    });
    let mut called = called.skip_while(|step| after.is_some_and(|after| **step != after));
    if after.is_some() {
        called.next();
    }
    let called: Vec<&StepId> = called.take(limit + 1).collect();
    let found = called.iter().take(limit);
    let data: Vec<RunStep> = found
        .filter_map(|step| entities.steps().get(*step))
        .map(|step| RunStep::from(&**step))
        .collect();
    let last = data.last().filter(|_| called.len() > limit);
    Ok(Page {
        cursor: last.map(|step| step.step_id.to_string()),
        data,
    })
}
