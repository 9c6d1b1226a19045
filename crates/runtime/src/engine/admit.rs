//! Resuming whoever holds a token, or starting the run that shall hold it.

use rewake_core::event::Fallback;
use rewake_core::id::{HookId, RunId};
use rewake_core::payload::Payload;
use rewake_core::token::Token;
use rewake_store::{Admit, AdmitRefusal, Failed};

use super::{Engine, Hook, Resume};
use crate::dispatch::{Expected, Message};
use crate::error::AdmitError;

/// What is to be delivered, and the run to start where nobody takes it.
#[derive(Clone, Debug)]
pub struct ResumeOrStart {
    /// What is to be delivered, and to whom.
    pub resume: Resume,
    /// The workflow's name.
    pub workflow: String,
    /// Its arguments, as an array.
    pub input: Payload,
}

/// A payload that was admitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// The run that has it.
    pub run: RunId,
    /// The hook that took it.
    pub hook: Hook,
    /// True where the run was started for it.
    pub started: bool,
}

impl Engine {
    /// Hands a payload to the live hook of a token, or starts a run that owns the token and finds the
    /// payload waiting. When this returns, the payload is on stable storage in exactly one run.
    ///
    /// # Errors
    ///
    /// [`AdmitError`]; its `may_have_happened` says whether something may have happened.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves open whether the payload was admitted; a key makes a repeat safe.
    pub async fn resume_or_start(&self, request: ResumeOrStart) -> Result<Admission, AdmitError> {
        let engine = self.clone();
        let admitted = async move { engine.resume_or_start_now(request).await };
        self.inner.see_through(admitted).await
    }

    async fn resume_or_start_now(&self, request: ResumeOrStart) -> Result<Admission, AdmitError> {
        let inner = &self.inner;
        let token = self.check_start(&request)?;
        let admit = self.admit(request, token.clone());
        let own = admit.fallback.run;
        let expected = Expected::new(inner, own);
        loop {
            match inner.store.admit(admit.clone()).await {
                Ok(admitted) => {
                    let run = admitted.hook.run;
                    match (admitted.frame, expected) {
                        (Some(frame), Some(expected)) if run == own => expected.begin(frame),
                        (Some(frame), _) if admitted.started => {
                            inner.tell(run, Message::Frame(frame));
                        }
                        (Some(frame), _) => inner.inform(run, Message::Frame(frame)),
                        (None, _) => {}
                    }
                    return Ok(Admission {
                        run,
                        hook: inner.hook(admitted.hook),
                        started: admitted.started,
                    });
                }
                // It is gone then, or somebody else's; both are as good.
                Err(Failed::Refused(AdmitRefusal::HookOverdue { run, hook })) => {
                    inner.expire(run, hook, token.clone()).await?;
                }
                Err(Failed::Refused(refusal)) => return Err(refusal.into()),
                Err(Failed::Store(error)) => return Err(inner.failed(error).into()),
            }
        }
    }

    /// What can be said without the store.
    fn check_start(&self, request: &ResumeOrStart) -> Result<Token, AdmitError> {
        let inner = &self.inner;
        if inner.is_stopping() {
            return Err(AdmitError::ShuttingDown);
        }
        let token = inner.check_payload(&request.resume)?;
        if request.input.len() > inner.limits.payload {
            let (len, limit) = (request.input.len(), inner.limits.payload);
            return Err(AdmitError::TooLarge { len, limit });
        }
        if !inner.client_only && inner.registry.workflow(&request.workflow).is_none() {
            let name = request.workflow.clone();
            return Err(AdmitError::UnknownWorkflow { name });
        }
        Ok(token)
    }

    /// Everything that a new run needs is minted before the first try, so that a repeat finds the
    /// first answer, and whoever leaves the payload unread can start it.
    fn admit(&self, request: ResumeOrStart, token: Token) -> Admit {
        let inner = &self.inner;
        let now = inner.host.clock.now();
        let draw = || inner.host.entropy.draw();
        let fallback = Fallback {
            workflow: request.workflow,
            input: request.input,
            build: inner.build.clone(),
            run: inner.mint.run(),
            seed: draw().to_be_bytes(),
            flags: 0,
            hook: HookId::mint(now, draw()),
            event: inner.event_id(),
        };
        let key = request.resume.delivery_key();
        Admit {
            scope: inner.scope,
            token,
            id: inner.event_id(),
            payload: request.resume.payload,
            key,
            fallback,
            // Where this process drives the run at once, its beginning shares the commit.
            begins: !inner.client_only,
            node: inner.node(),
            limit: inner.limits.unread,
            repeat: false,
        }
    }
}
