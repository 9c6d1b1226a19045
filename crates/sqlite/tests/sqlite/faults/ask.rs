//! What a life asks of its store: written down before it is asked, so that it can be looked for
//! afterwards, and asked again with the same ids.

use std::fmt;
use std::str::FromStr;

use futures::FutureExt;
use futures::future::BoxFuture;
use rewake_sqlite::SqliteStore;
use rewake_store::core::event::{EventKind, Position};
use rewake_store::core::id::{EventId, RunId, StepId};
use rewake_store::core::payload::Payload;
use rewake_store::{
    Answer, Append, ChunkRow, Condition, Create, Deliver, DeliveryKey, Failed, Log, Mark, ScopeId,
    StartKey, StoreError, Streams,
};

use super::super::log::Run;

/// The stream that runs are answered on.
pub(crate) const STREAM: &str = "answer";

/// One request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) run: RunId,
    pub(crate) id: EventId,
    pub(crate) act: Act,
    /// Payloads have this many times the length of an id; elsewhere what the act says.
    pub(crate) size: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Begins a log with a hook, under a start key.
    Create,
    /// The same, with the token of a run that has one: refused while that one is live.
    CreateBeside(RunId),
    /// Hands over a payload.
    Deliver,
    /// Hands over a payload under a key.
    DeliverKeyed,
    /// A worker's append: a step and its result. Built on the position that `size` says.
    Step,
    /// An outsider's append, with a payload only in the request's id.
    Cancel,
    /// Answers for a writer: only the first is taken.
    Answer,
    /// Ends the run, and frees its token.
    End,
}

/// How a request ended, if not with an answer.
pub(crate) type Trouble = Failed<Refused>;

/// The refusal of a request of any kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refused(String);

impl Ask {
    /// What this request hands over.
    pub(crate) fn payload(&self) -> Payload {
        let times = usize::try_from(self.size).unwrap().clamp(1, 400);
        Payload::from_bytes(self.id.as_str().repeat(times).into_bytes())
    }

    /// True where a token decides in whose log it ends.
    pub(crate) const fn goes_by_token(&self) -> bool {
        matches!(self.act, Act::Deliver | Act::DeliverKeyed)
    }

    /// The events that it leaves in the log of a run.
    pub(crate) fn events(&self, on: (&SqliteStore, ScopeId), run: RunId) -> Vec<EventKind> {
        let run = Self { run, ..*self }.on(on);
        match self.act {
            Act::Create | Act::CreateBeside(_) => self.creation(run).events,
            Act::Deliver | Act::DeliverKeyed => vec![EventKind::HookReceived {
                hook: run.hook(),
                payload: self.payload(),
                key: self.key().map(|key| key.key),
                fallback: None,
                kept_until: None,
            }],
            Act::Step | Act::Cancel | Act::End => self.append(run).events,
            Act::Answer => Vec::new(),
        }
    }

    /// Asks, and gives the position where the frame stands; zero where there is none.
    pub(crate) fn send(
        &self,
        on: (&SqliteStore, ScopeId),
        repeat: bool,
    ) -> BoxFuture<'static, Result<u64, Trouble>> {
        let (store, run) = (on.0, self.on(on));
        match self.act {
            Act::Create | Act::CreateBeside(_) => store
                .create(self.creation(run))
                .map(|answer| answer.map(|_| 1).map_err(as_trouble))
                .boxed(),
            Act::Deliver | Act::DeliverKeyed => {
                let request = Deliver {
                    id: self.id,
                    key: self.key(),
                    repeat,
                    ..run.delivery(&self.payload())
                };
                let answer = store.deliver(request);
                let position = |delivered: rewake_store::Delivered| delivered.position.0;
                answer
                    .map(move |answer| answer.map(position).map_err(as_trouble))
                    .boxed()
            }
            Act::Step | Act::Cancel | Act::End => {
                let request = Append {
                    repeat,
                    ..self.append(run)
                };
                let own = |appended: rewake_store::Appended| {
                    appended.frames.last().expect("it has its own").first.0
                };
                let answer = store.append(request);
                answer
                    .map(move |answer| answer.map(own).map_err(as_trouble))
                    .boxed()
            }
            Act::Answer => store
                .answer(Answer {
                    scope: run.scope,
                    run: run.id,
                    stream: STREAM.to_owned(),
                    chunk: self.chunk(),
                })
                .map(|answer| answer.map(|_| 0).map_err(as_trouble))
                .boxed(),
        }
    }

    /// What stands on the stream if this was the first.
    pub(crate) fn chunk(&self) -> ChunkRow {
        ChunkRow {
            writer: Some(StepId::from_bytes(self.id.to_bytes())),
            payload: self.payload(),
        }
    }

    const fn on<'s>(&self, (store, scope): (&'s SqliteStore, ScopeId)) -> Run<'s> {
        let id = self.run;
        Run { store, scope, id }
    }

    fn creation(&self, run: Run<'_>) -> Create {
        let holder = match self.act {
            Act::CreateBeside(id) => Run { id, ..run },
            _ => run,
        };
        let mut request = run.creation();
        request.id = self.id;
        request.key = Some(StartKey {
            key: format!("start-{}", self.id),
            digest: [7; 32],
        });
        request.events.insert(1, EventKind::RunStarted);
        for event in &mut request.events {
            if let EventKind::HookCreated { token, .. } = event {
                *token = holder.token();
            }
        }
        request
    }

    fn key(&self) -> Option<DeliveryKey> {
        (self.act == Act::DeliverKeyed).then(|| DeliveryKey {
            key: format!("key-{}", self.id),
            digest: Some([7; 32]),
        })
    }

    fn append(&self, run: Run<'_>) -> Append {
        let mut request = run.cancel_request();
        request.id = self.id;
        match self.act {
            Act::Step => {
                let step = StepId::from_bytes(self.id.to_bytes());
                request.conditions = vec![Condition::WorkerPosition(Position(self.size))];
                request.events = Run::step_events(step, &self.payload());
                request.mark = Some(Mark {
                    reacted: Position(self.size),
                    ..Mark::default()
                });
            }
            Act::End => {
                request.events = vec![EventKind::RunCancelled {
                    reason: None,
                    terminated: true,
                }];
                request.release = vec![run.token()];
            }
            _ => {}
        }
        request
    }
}

fn as_trouble<R: std::error::Error>(failed: Failed<R>) -> Trouble {
    match failed {
        Failed::Refused(refusal) => Failed::Refused(Refused(refusal.to_string())),
        Failed::Store(error) => Failed::Store(error),
    }
}

/// True where the store must not serve again until it is opened anew.
pub(crate) const fn shuts(trouble: &Trouble) -> bool {
    matches!(
        trouble,
        Failed::Store(StoreError::OutcomeUnknown { .. } | StoreError::Closed { .. })
    )
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (act, beside) = match self.act {
            Act::Create => ("create", None),
            Act::CreateBeside(run) => ("beside", Some(run)),
            Act::Deliver => ("deliver", None),
            Act::DeliverKeyed => ("keyed", None),
            Act::Step => ("step", None),
            Act::Cancel => ("cancel", None),
            Act::Answer => ("answer", None),
            Act::End => ("end", None),
        };
        write!(f, "{} {} {} {act}", self.id, self.run, self.size)?;
        beside.map_or(Ok(()), |run| write!(f, " {run}"))
    }
}

impl FromStr for Ask {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let cut = || format!("the line was cut: {line}");
        let mut words = line.split(' ');
        let mut word = || words.next().ok_or_else(cut);
        let id = word()?.parse().map_err(|_| cut())?;
        let run = word()?.parse().map_err(|_| cut())?;
        let size = word()?.parse().map_err(|_| cut())?;
        let act = match word()? {
            "create" => Act::Create,
            "beside" => Act::CreateBeside(word()?.parse().map_err(|_| cut())?),
            "deliver" => Act::Deliver,
            "keyed" => Act::DeliverKeyed,
            "step" => Act::Step,
            "cancel" => Act::Cancel,
            "answer" => Act::Answer,
            "end" => Act::End,
            _ => return Err(cut()),
        };
        Ok(Self { run, id, act, size })
    }
}
