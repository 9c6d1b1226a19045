//! Why a run does not go on at this moment: what it waits for, since when, and what would wake it.

use std::fmt;

use http::Method;
use rewake_core::entity::{Entities, RunStatus, Step, Wait};
use rewake_core::id::{HookId, RunId, StepId, WaitId};
use rewake_core::payload::Date;
use rewake_core::time::Timestamp;
use rewake_store::{Parked, RunRow, TokenRow};
use serde::{Serialize, Serializer};

use super::Engine;
use crate::error::QueryError;
use crate::webhook::{Settings, url};

/// What a run waits for. As JSON its fields are in camel case and its times are written as
/// JavaScript writes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Why {
    /// The run.
    pub run_id: RunId,
    /// Its workflow.
    pub workflow: String,
    /// How far it has come.
    pub status: RunStatus,
    /// Why nothing is done for it, where it is parked. Its hooks take payloads all the same.
    pub parked: Option<WhyParked>,
    /// That somebody asked for it to be cancelled, as long as it has not ended.
    pub cancel_requested: Option<CancelRequested>,
    /// What it waits for; empty once it has ended.
    pub reasons: Vec<Reason>,
}

/// Somebody asked for a run to be cancelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CancelRequested {
    /// Why, in their words.
    pub reason: Option<String>,
    /// What becomes of the request, for a person.
    pub then: String,
}

/// Why nothing is done for a run until a person or another build comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WhyParked {
    /// The build that could not follow. Another one may still take the run.
    pub build: String,
    /// A stable name of what happened.
    pub code: String,
    /// What happened and what to do.
    pub reason: String,
    /// Since when.
    #[serde(serialize_with = "date")]
    pub since: Timestamp,
}

/// One thing that a run waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "kind"
)]
#[non_exhaustive]
pub enum Reason {
    /// It must not begin before a time.
    Begin {
        /// When it may.
        #[serde(serialize_with = "date")]
        until: Timestamp,
    },
    /// Something has happened that its workflow has not reacted to: a worker whose build knows the
    /// workflow takes it up.
    Worker {
        /// When it happened.
        #[serde(serialize_with = "date")]
        since: Timestamp,
        /// True where this build could.
        known_here: bool,
    },
    /// A payload for a hook.
    Hook(AwaitedHook),
    /// It is being cancelled: its shields go on, or its undo calls run.
    CleanUp {
        /// Since when.
        #[serde(serialize_with = "date")]
        since: Timestamp,
        /// When what has not ended by then is given up.
        #[serde(serialize_with = "date")]
        until: Timestamp,
    },
    /// The end of a sleep.
    Sleep {
        /// The wait.
        wait_id: WaitId,
        /// When it began.
        #[serde(serialize_with = "date")]
        since: Timestamp,
        /// When it ends.
        #[serde(serialize_with = "date")]
        until: Timestamp,
    },
    /// The end of a child run.
    Child {
        /// The step that it is to this run.
        step_id: StepId,
        /// The child: what it waits for is told of it.
        run_id: RunId,
        /// Its workflow.
        workflow: String,
        /// When it began.
        #[serde(serialize_with = "date")]
        since: Timestamp,
    },
    /// The result of a step.
    Step {
        /// The step.
        step_id: StepId,
        /// The name of its function.
        name: String,
        /// When it was called.
        #[serde(serialize_with = "date")]
        since: Timestamp,
        /// The attempt under way or last made; zero before the first.
        attempt: u32,
        /// How many attempts it may have.
        max_attempts: u32,
        /// When the next attempt may begin, between two of them.
        #[serde(serialize_with = "date")]
        retry_at: Option<Timestamp>,
        /// How the last attempt failed, if one has.
        last_error: Option<String>,
    },
}

/// A live hook that a run waits for.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AwaitedHook {
    /// The hook.
    pub hook_id: HookId,
    /// Its token; shortened where it is a credential because it was drawn at random.
    pub token: String,
    /// True for webhooks.
    pub is_webhook: bool,
    /// Since when it takes payloads.
    #[serde(serialize_with = "date")]
    pub since: Timestamp,
    /// Until when it does.
    #[serde(serialize_with = "date")]
    pub until: Option<Timestamp>,
    /// How many payloads have come that the workflow has not read.
    pub unread: u64,
    /// What would wake the run: a call, or a command line for a webhook. With the token as
    /// [`token`](Self::token) shows it.
    pub wakes: String,
    #[serde(skip)]
    exact: String,
}

impl AwaitedHook {
    /// [`wakes`](Self::wakes) with the whole token, to be copied as it is. Who sees it can resume.
    pub fn exact_call(&self) -> &str {
        &self.exact
    }
}

impl fmt::Debug for AwaitedHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwaitedHook")
            .field("hook_id", &self.hook_id)
            .field("wakes", &self.wakes)
            .field("unread", &self.unread)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// What a run waits for; none where there is no such run.
    ///
    /// # Errors
    ///
    /// [`QueryError`] where the store cannot be read, or the log is not legal.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it changes nothing.
    pub async fn why(&self, run: RunId) -> Result<Option<Why>, QueryError> {
        let Some(row) = self.inner.store.run(self.inner.scope, run).await? else {
            return Ok(None);
        };
        let (mut reasons, mut cancel_requested) = (Vec::new(), None);
        if !row.status.is_terminal() {
            let entities = self.entities(run).await?;
            reasons.extend(self.to_be_taken_up(&row, &entities));
            for hook in self.live_rows(run).await? {
                let taken = row.taken.iter().find(|taken| taken.hook == hook.hook);
                let taken = taken.map_or(0, |taken| taken.count);
                reasons.push(Reason::Hook(self.awaited(&hook, taken)));
            }
            reasons.extend(entities.pending_waits().map(|wait| awaited_time(run, wait)));
            cancel_requested = asked_to_cancel(&row, &entities);
            reasons.extend(entities.open_steps().map(awaited_step));
        }
        Ok(Some(Why {
            run_id: run,
            workflow: row.workflow,
            status: row.status,
            parked: row.parked.map(WhyParked::from),
            cancel_requested,
            reasons,
        }))
    }

    fn to_be_taken_up(&self, row: &RunRow, entities: &Entities) -> Option<Reason> {
        let run = entities.run()?;
        if let (None, Some(until)) = (run.started_at, run.not_before)
            && until > self.inner.host.clock.now()
        {
            return Some(Reason::Begin { until });
        }
        let known_here = self.inner.registry.workflow(&row.workflow).is_some();
        row.is_ready().then_some(Reason::Worker {
            since: row.last_at,
            known_here,
        })
    }

    fn awaited(&self, hook: &TokenRow, taken: u64) -> AwaitedHook {
        let token = if hook.chosen {
            hook.token.to_string()
        } else {
            hook.token.shortened()
        };
        AwaitedHook {
            hook_id: hook.hook,
            wakes: self.call_that_resumes(hook, &token),
            exact: self.call_that_resumes(hook, hook.token.as_str()),
            token,
            is_webhook: hook.is_webhook,
            since: hook.created_at,
            until: hook.expires_at,
            unread: hook.received.saturating_sub(taken),
        }
    }

    fn call_that_resumes(&self, hook: &TokenRow, token: &str) -> String {
        if !hook.is_webhook {
            return format!("rewake.resume_hook({token:?}, &payload).await?");
        }
        let settings = Settings::read(hook.metadata.as_ref()).unwrap_or_default();
        let methods = settings.methods.unwrap_or_default();
        let method = methods.first().unwrap_or(&Method::POST);
        let public_url = self.inner.public_url.as_deref().unwrap_or_default();
        format!("curl -X {method} '{}'", url(public_url, token))
    }
}

fn asked_to_cancel(row: &RunRow, entities: &Entities) -> Option<CancelRequested> {
    let run = entities.run().filter(|run| run.cancel_requested)?;
    let then = if row.parked.is_some() {
        "its shields and undo calls need the code, so it is cancelled once a build that fits lets it go \
         on; `terminate` ends it at once, without them"
    } else {
        "it ends once its shields and undo calls have; `terminate` ends it at once, without them"
    };
    Some(CancelRequested {
        reason: run.cancel_reason.clone(),
        then: then.to_owned(),
    })
}

fn awaited_time(run: RunId, wait: &Wait) -> Reason {
    let (since, until) = (wait.created_at, wait.resume_at);
    if WaitId::clean_up(run).contains(&wait.id) {
        return Reason::CleanUp { since, until };
    }
    Reason::Sleep {
        wait_id: wait.id,
        since,
        until,
    }
}

fn awaited_step(step: &Step) -> Reason {
    if let Some(child) = step.child {
        return Reason::Child {
            step_id: step.id,
            run_id: child.run,
            workflow: step.name.clone(),
            since: step.created_at,
        };
    }
    Reason::Step {
        step_id: step.id,
        name: step.name.clone(),
        since: step.created_at,
        attempt: step.attempt,
        max_attempts: step.max_attempts(),
        retry_at: step.retry_at,
        last_error: step.error.as_ref().map(|error| error.message.clone()),
    }
}

impl From<Parked> for WhyParked {
    fn from(parked: Parked) -> Self {
        Self {
            build: parked.build,
            code: parked.code,
            reason: parked.reason,
            since: parked.at,
        }
    }
}

/// As JavaScript writes it: `2025-11-16T08:31:36.123Z`; nothing for a time that it does not have.
fn date<T: Copy + Into<Option<Timestamp>>, S: Serializer>(
    at: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let at: Option<Timestamp> = (*at).into();
    let ms = at.and_then(|at| i64::try_from(at.as_millis()).ok());
    let date = ms.and_then(Date::from_ms).map(|date| date.to_string());
    date.serialize(serializer)
}
