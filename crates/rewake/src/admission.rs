//! Payloads for tokens that perhaps nobody holds: `resume_or_start` and `post`.

use std::time::{Duration, SystemTime};

use rewake_core::id::RunId;
use rewake_core::payload;
use rewake_runtime::{AdmitError, PostError, Resume, ResumeOrStart as ToAdmit};
use serde::Serialize;

use crate::call::WorkflowCall;
use crate::handle::Rewake;
use crate::hook::Hook;
use crate::request::{Request, boxed, request_future};
use crate::time::days;

/// How long a posted payload is kept where nothing is said.
const KEPT: Duration = days(1);

/// A payload that a run has got.
#[derive(Clone, Debug, PartialEq)]
pub struct Admission {
    /// The run.
    pub run_id: RunId,
    /// Its hook that took the payload.
    pub hook: Hook,
    /// True where the run was started for it.
    pub started: bool,
}

/// What became of a payload that was posted.
#[derive(Clone, Debug, PartialEq)]
pub enum Posted {
    /// A live hook took it.
    Delivered(Hook),
    /// It is kept for whoever opens the token in time.
    Kept {
        /// Until when.
        until: SystemTime,
    },
}

impl Rewake {
    /// Hands a payload to the live hook of a token, or starts a run that owns the token and finds the
    /// payload waiting when its code makes the hook. It is one transaction: of ten thousand callers
    /// at once, one starts the run, and every payload is read once.
    ///
    /// A payload that the run leaves unread, because its receiver was dropped or it ended meanwhile,
    /// starts the run that this call would have started, in the transaction that leaves it. It
    /// starts one run at most: one that fails before it reads what it was started for lists it as
    /// [unread](crate::Run::unread).
    ///
    /// The workflow makes the hook as always, with this token chosen; what it says about metadata
    /// and expiry has no effect on a hook that was there before.
    ///
    /// # Errors
    ///
    /// [`AdmitError`]; its `may_have_happened` says whether something may have happened.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves open whether the payload was taken; an idempotency key makes a repeat safe.
    ///
    /// # Examples
    ///
    /// ```
    /// use rewake::prelude::*;
    ///
    /// #[workflow]
    /// async fn sum(account: String, n: u32) -> anyhow::Result<u64> {
    ///     let mut amounts = create_hook::<u64>().token(format!("account:{account}")).await?;
    ///     let mut sum = 0;
    ///     for _ in 0..n {
    ///         sum += amounts.recv().await?;
    ///     }
    ///     Ok(sum)
    /// }
    ///
    /// # fn main() -> anyhow::Result<()> {
    /// # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
    /// let rewake = Rewake::open("sqlite::memory:").await?;
    /// let call = || sum("ada".into(), 2);
    /// let first = rewake.resume_or_start("account:ada", &10, call()).await?;
    /// let second = rewake.resume_or_start("account:ada", &32, call()).await?;
    /// assert!(first.started && !second.started);
    /// assert_eq!(first.run_id, second.run_id);
    /// assert_eq!(rewake.get_run::<u64>(first.run_id).result().await?, 42);
    /// # rewake.shutdown(seconds(1)).await?;
    /// # anyhow::Ok(())
    /// # })
    /// # }
    /// ```
    pub fn resume_or_start<P: Serialize + ?Sized, T>(
        &self,
        token: impl Into<String>,
        payload: &P,
        call: WorkflowCall<T>,
    ) -> ResumeOrStart {
        let workflow = call.definition().name.to_owned();
        let encoded = payload::encode(payload).and_then(|payload| {
            let resume = Resume {
                token: token.into(),
                payload,
                key: None,
            };
            let input = call.into_input()?;
            Ok(ToAdmit {
                resume,
                workflow,
                input,
            })
        });
        let args = AdmitArgs {
            rewake: self.clone(),
            request: encoded.map_err(|error| AdmitError::NotEncodable {
                reason: error.to_string(),
            }),
        };
        ResumeOrStart {
            request: Request::new(args, |args| boxed(resume_or_start(args))),
        }
    }

    /// Hands a payload to the live hook of a token, or keeps it for whoever opens the token within
    /// [`keep_for`](PostPayload::keep_for) (a day, unless said): a mailbox that exists before the run
    /// does. The hook gets what is kept for it the moment it is made, oldest first. A payload that its
    /// receiver leaves unread returns to the mailbox for the rest of its time.
    ///
    /// # Errors
    ///
    /// [`PostError`]; its `may_have_happened` says whether something may have happened.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves open whether the payload was taken; an idempotency key makes a repeat safe.
    ///
    /// # Examples
    ///
    /// ```
    /// use rewake::{Posted, prelude::*};
    ///
    /// #[workflow]
    /// async fn greet() -> anyhow::Result<String> {
    ///     let mut names = create_hook::<String>().token("name").await?;
    ///     Ok(format!("hello, {}", names.recv().await?))
    /// }
    ///
    /// # fn main() -> anyhow::Result<()> {
    /// # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
    /// let rewake = Rewake::open("sqlite::memory:").await?;
    /// let posted = rewake.post("name", "Ada").keep_for(hours(1)).await?;
    /// assert!(matches!(posted, Posted::Kept { .. }));
    /// let run = rewake.start(greet()).await?;
    /// assert_eq!(run.result().await?, "hello, Ada");
    /// # rewake.shutdown(seconds(1)).await?;
    /// # anyhow::Ok(())
    /// # })
    /// # }
    /// ```
    pub fn post<P: Serialize + ?Sized>(
        &self,
        token: impl Into<String>,
        payload: &P,
    ) -> PostPayload {
        let encoded = payload::encode(payload).map(|payload| Resume {
            token: token.into(),
            payload,
            key: None,
        });
        let args = PostArgs {
            rewake: self.clone(),
            resume: encoded.map_err(|error| PostError::NotEncodable {
                reason: error.to_string(),
            }),
            keep_for: KEPT,
        };
        PostPayload {
            request: Request::new(args, |args| boxed(post(args))),
        }
    }
}

struct AdmitArgs {
    rewake: Rewake,
    request: Result<ToAdmit, AdmitError>,
}

/// A payload on its way to a hook, or to a run that is started for it.
#[derive(Debug)]
#[must_use = "nothing is resumed or started until this is awaited"]
pub struct ResumeOrStart {
    request: Request<AdmitArgs, Result<Admission, AdmitError>>,
}

impl ResumeOrStart {
    /// The same key again delivers and starts nothing and gives the same answer; another payload
    /// under it is refused. A key has 1 to 512 bytes and no control characters.
    pub fn idempotency_key(self, key: impl Into<String>) -> Self {
        let change = |args: &mut AdmitArgs| {
            if let Ok(request) = &mut args.request {
                request.resume.key = Some(key.into());
            }
        };
        Self {
            request: self.request.with(change),
        }
    }
}

request_future!(ResumeOrStart, Result<Admission, AdmitError>);

async fn resume_or_start(args: AdmitArgs) -> Result<Admission, AdmitError> {
    let engine = args.rewake.engine();
    let admission = engine.resume_or_start(args.request?).await?;
    Ok(Admission {
        run_id: admission.run,
        hook: admission.hook.into(),
        started: admission.started,
    })
}

struct PostArgs {
    rewake: Rewake,
    resume: Result<Resume, PostError>,
    keep_for: Duration,
}

/// A payload on its way to a hook, or to the mailbox.
#[derive(Debug)]
#[must_use = "nothing is posted until this is awaited"]
pub struct PostPayload {
    request: Request<PostArgs, Result<Posted, PostError>>,
}

impl PostPayload {
    /// How long the payload is kept where nobody takes it at once: some time, and 90 days at most.
    pub fn keep_for(self, span: Duration) -> Self {
        Self {
            request: self.request.with(|args| args.keep_for = span),
        }
    }

    /// The same key again delivers and keeps nothing and gives the same answer; another payload
    /// under it is refused. A key has 1 to 512 bytes and no control characters.
    pub fn idempotency_key(self, key: impl Into<String>) -> Self {
        let change = |args: &mut PostArgs| {
            if let Ok(resume) = &mut args.resume {
                resume.key = Some(key.into());
            }
        };
        Self {
            request: self.request.with(change),
        }
    }
}

request_future!(PostPayload, Result<Posted, PostError>);

async fn post(args: PostArgs) -> Result<Posted, PostError> {
    let engine = args.rewake.engine();
    let posted = engine.post(args.resume?, args.keep_for).await?;
    Ok(match posted {
        rewake_runtime::Posted::Delivered(hook) => Posted::Delivered(hook.into()),
        rewake_runtime::Posted::Kept { until } => Posted::Kept {
            until: until.into(),
        },
    })
}
