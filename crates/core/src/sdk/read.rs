//! From an event of the Workflow SDK to one of ours. Must not know what came before it, except which
//! attempt a step is at.

use super::error::ReadError;
use super::event::{Bytes, EventData, SdkEvent, Time};
use crate::event::{CreatedBy, Disposal, EventKind, Failure, FailureKind, StepOptions};
use crate::id::{EventId, InvalidId, RunId, StepId};
use crate::payload::{self, Payload, Undefined};
use crate::time::Timestamp;
use crate::token::Token;

/// What the ids of events begin with where PostgreSQL keeps them.
const POSTGRES_PREFIX: &str = "wevt_";

impl SdkEvent {
    pub(super) fn run(&self) -> Result<RunId, InvalidId> {
        self.run_id.parse()
    }

    pub(super) fn id(&self) -> Result<EventId, InvalidId> {
        match self.event_id.strip_prefix(POSTGRES_PREFIX) {
            Some(ulid) => format!("{}{ulid}", EventId::PREFIX).parse(),
            None => self.event_id.parse(),
        }
    }

    pub(super) const fn at(&self) -> Timestamp {
        self.created_at.0
    }

    /// What happened. `attempts` says how many of a step have begun.
    pub(super) fn kind(
        &self,
        attempts: impl FnOnce(StepId) -> u32,
    ) -> Result<EventKind, ReadError> {
        let fields = Fields {
            event: self,
            data: self.event_data.clone().unwrap_or_default(),
        };
        match &*self.event_type {
            "run_created" | "run_started" | "run_completed" | "run_failed" | "run_cancelled" => {
                fields.run()
            }
            "step_created" | "step_started" | "step_completed" | "step_failed"
            | "step_retrying" => fields.step(attempts),
            "hook_created" | "hook_received" | "hook_disposed" | "hook_conflict" => fields.hook(),
            "wait_created" | "wait_completed" => fields.wait(),
            _ => Err(fields.unknown()),
        }
    }
}

struct Fields<'a> {
    event: &'a SdkEvent,
    data: EventData,
}

impl Fields<'_> {
    fn run(self) -> Result<EventKind, ReadError> {
        Ok(match &*self.event.event_type {
            "run_created" => EventKind::RunCreated {
                workflow: self.want(self.data.workflow_name.clone(), "workflowName")?,
                input: self.payload(self.data.input.clone(), "input")?,
                build: self.want(self.data.deployment_id.clone(), "deploymentId")?,
                seed: [0; 16],
                flags: 0,
                parent: None,
                not_before: None,
                continued_from: None,
                attributes: self.data.attributes,
                created_by: CreatedBy::Start,
            },
            "run_started" => EventKind::RunStarted,
            "run_completed" => EventKind::RunCompleted {
                output: self.data.output.map_or_else(undefined, |output| output.0),
            },
            "run_failed" => EventKind::RunFailed {
                error: self.failure()?,
            },
            "run_cancelled" => EventKind::RunCancelled {
                reason: self.data.cancel_reason,
                // Nothing of the workflow's runs any more: the package tells it nothing.
                terminated: true,
            },
            _ => return Err(self.unknown()),
        })
    }

    fn step(self, attempts: impl FnOnce(StepId) -> u32) -> Result<EventKind, ReadError> {
        let step: StepId = self.correlation()?.parse()?;
        Ok(match &*self.event.event_type {
            "step_created" => EventKind::StepCreated {
                step,
                name: self.want(self.data.step_name.clone(), "stepName")?,
                input: self.payload(self.data.input.clone(), "input")?,
                options: StepOptions::default(),
                child: None,
            },
            "step_started" => EventKind::StepStarted {
                step,
                attempt: attempts(step).saturating_add(1),
            },
            "step_completed" => EventKind::StepCompleted {
                step,
                result: self.payload(self.data.result.clone(), "result")?,
            },
            "step_failed" => EventKind::StepFailed {
                step,
                error: self.failure()?,
                kind: FailureKind::Fatal,
            },
            "step_retrying" => EventKind::StepRetrying {
                step,
                error: self.failure()?,
                // Without a time the next attempt may begin at once.
                retry_at: self
                    .data
                    .retry_after
                    .map_or_else(|| self.event.at(), |Time(at)| at),
            },
            _ => return Err(self.unknown()),
        })
    }

    fn hook(self) -> Result<EventKind, ReadError> {
        let hook = self.correlation()?.parse()?;
        Ok(match &*self.event.event_type {
            "hook_created" => {
                // The package's own readers take a missing mark as yes.
                let is_webhook = self.data.is_webhook.unwrap_or(true);
                EventKind::HookCreated {
                    hook,
                    token: self.token()?,
                    chosen: !is_webhook,
                    metadata: self.data.metadata.map(|metadata| metadata.0),
                    is_webhook,
                    expires_at: None,
                }
            }
            "hook_received" => EventKind::HookReceived {
                hook,
                payload: self.payload(self.data.payload.clone(), "payload")?,
                key: None,
                fallback: None,
                kept_until: None,
            },
            "hook_disposed" => EventKind::HookDisposed {
                hook,
                by: Disposal::Dropped,
            },
            "hook_conflict" => {
                let owner = self.data.conflicting_run_id.clone();
                EventKind::HookConflict {
                    hook,
                    token: self.token()?,
                    owner: self.want(owner, "conflictingRunId")?.parse()?,
                }
            }
            _ => return Err(self.unknown()),
        })
    }

    fn wait(self) -> Result<EventKind, ReadError> {
        let wait = self.correlation()?.parse()?;
        Ok(match &*self.event.event_type {
            "wait_created" => EventKind::WaitCreated {
                wait,
                resume_at: self.want(self.data.resume_at, "resumeAt")?.0,
            },
            "wait_completed" => EventKind::WaitCompleted { wait },
            _ => return Err(self.unknown()),
        })
    }

    fn correlation(&self) -> Result<String, ReadError> {
        self.want(self.event.correlation_id.clone(), "correlationId")
    }

    fn token(&self) -> Result<Token, ReadError> {
        let token = self.want(self.data.token.clone(), "token")?;
        Token::try_from(token).map_err(ReadError::Token)
    }

    fn failure(&self) -> Result<Failure, ReadError> {
        let error = self.want(self.data.error.as_ref(), "error")?;
        Ok(Failure::new(error.message()))
    }

    fn payload(&self, bytes: Option<Bytes>, field: &'static str) -> Result<Payload, ReadError> {
        Ok(self.want(bytes, field)?.0)
    }

    fn want<T>(&self, value: Option<T>, field: &'static str) -> Result<T, ReadError> {
        value.ok_or_else(|| ReadError::MissingField {
            event: self.event.event_type.clone(),
            field,
        })
    }

    fn unknown(&self) -> ReadError {
        ReadError::UnknownEvent {
            event: self.event.event_type.clone(),
        }
    }
}

fn undefined() -> Payload {
    payload::encode(&Undefined).expect("undefined can always be written")
}
