//! Starting a run.

use std::collections::BTreeMap;
use std::time::Duration;

use rewake_core::attribute;
use rewake_core::event::{CreatedBy, EventKind, Frame};
use rewake_core::id::RunId;
use rewake_core::key;
use rewake_core::payload::Payload;
use rewake_store::{Create, CreateRefusal, Failed, StartKey};
use sha2::{Digest, Sha256};

use super::Engine;
use crate::dispatch::{Expected, Message};
use crate::error::StartError;

/// What is to be started, and how.
#[derive(Clone, Debug)]
pub struct Start {
    /// The workflow's name.
    pub workflow: String,
    /// Its arguments, as an array.
    pub input: Payload,
    /// The same key gives the run already started.
    pub key: Option<String>,
    /// Searchable key-values.
    pub attributes: BTreeMap<String, String>,
    /// How long the workflow must not begin.
    pub delay: Option<Duration>,
    /// The run's id; minted where none is given.
    pub run: Option<RunId>,
}

impl Start {
    /// A start of `workflow` without any option.
    pub fn new(workflow: impl Into<String>, input: Payload) -> Self {
        Self {
            workflow: workflow.into(),
            input,
            key: None,
            attributes: BTreeMap::new(),
            delay: None,
            run: None,
        }
    }
}

/// A run that was started, now or before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    /// The run.
    pub run: RunId,
    /// False where the same key had started it before.
    pub new: bool,
}

impl Engine {
    /// Starts a run. When this returns, the run is on stable storage and will be driven.
    ///
    /// # Errors
    ///
    /// [`StartError`]; only its `Store` variant may leave open whether the run was started, and says
    /// so.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves open whether the run was started; an idempotency key makes a repeat safe.
    pub async fn start(&self, start: Start) -> Result<Started, StartError> {
        let engine = self.clone();
        let started = async move { engine.start_now(start).await };
        self.inner.see_through(started).await
    }

    async fn start_now(&self, start: Start) -> Result<Started, StartError> {
        let inner = &self.inner;
        if inner.is_stopping() {
            return Err(StartError::ShuttingDown);
        }
        if start.input.len() > inner.limits.payload {
            let (len, limit) = (start.input.len(), inner.limits.payload);
            return Err(StartError::TooLarge { len, limit });
        }
        attribute::check(&start.attributes)?;
        start.key.as_deref().map_or(Ok(()), key::check)?;
        if !inner.client_only && inner.registry.workflow(&start.workflow).is_none() {
            return Err(StartError::UnknownWorkflow {
                name: start.workflow,
            });
        }
        let is_delayed = start.delay.is_some();
        let create = self.create(start);
        let expected = if is_delayed {
            None
        } else {
            Expected::new(inner, create.run)
        };
        match inner.store.create(create).await {
            Ok(created) => {
                let new = created.frame.is_some();
                if let Some(frame) = created.frame {
                    self.inform(created.run, frame, expected);
                }
                Ok(Started {
                    run: created.run,
                    new,
                })
            }
            Err(Failed::Refused(CreateRefusal::RunExists { run })) => {
                Err(StartError::RunExists { run })
            }
            Err(Failed::Refused(CreateRefusal::KeyReused { run })) => {
                Err(StartError::KeyReused { run })
            }
            Err(Failed::Refused(refusal)) => Err(StartError::Refused {
                reason: refusal.to_string(),
            }),
            Err(Failed::Store(error)) => Err(inner.failed(error).into()),
        }
    }

    fn inform(&self, run: RunId, frame: Frame, expected: Option<Expected>) {
        let not_before = frame.events.iter().find_map(|kind| match kind {
            EventKind::RunCreated { not_before, .. } => *not_before,
            _ => None,
        });
        match (not_before, expected) {
            // As the store's index has it: another time might fall on the other side of what is
            // known of the index.
            (Some(at), _) => self.inner.schedule.add(at.max(frame.at), run),
            (None, Some(expected)) => expected.begin(frame),
            (None, None) => self.inner.tell(run, Message::Frame(frame)),
        }
    }

    fn create(&self, start: Start) -> Create {
        let inner = &self.inner;
        let digest = start.key.is_some().then(|| digest(&start));
        let key = start.key.zip(digest);
        let key = key.map(|(key, digest)| StartKey { key, digest });
        let now = inner.host.clock.now();
        let run = start.run.unwrap_or_else(|| inner.mint.run());
        let mut events = Vec::with_capacity(2);
        events.push(EventKind::RunCreated {
            workflow: start.workflow,
            input: start.input,
            build: inner.build.clone(),
            seed: inner.host.entropy.draw().to_be_bytes(),
            flags: 0,
            parent: None,
            not_before: start.delay.map(|delay| now.after(delay)),
            continued_from: None,
            attributes: start.attributes,
            created_by: CreatedBy::Start,
        });
        // Where this process drives the run at once, its beginning shares the commit.
        if start.delay.is_none() && !inner.client_only {
            events.push(EventKind::RunStarted);
        }
        Create {
            scope: inner.scope,
            run,
            id: inner.event_id(),
            events,
            key,
            node: inner.node(),
        }
    }
}

fn digest(start: &Start) -> [u8; 32] {
    let mut digest = [0; 32];
    digest.copy_from_slice(
        &Sha256::new()
            .chain_update(start.workflow.as_bytes())
            .chain_update([0])
            .chain_update(start.input.as_bytes())
            .finalize(),
    );
    digest
}
