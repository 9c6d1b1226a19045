//! Queries: which runs there are, which hooks are live, and what the mailbox keeps.

use std::time::SystemTime;

use rewake_core::entity::RunStatus;
use rewake_core::id::{InvalidId, RunId};
use rewake_runtime::{HookFilter, QueryError, RunView};
use rewake_store::RunFilter;

use crate::handle::Rewake;
use crate::hook::ListedHook;
use crate::request::{Request, boxed, request_future};

/// How many entries a page has unless told otherwise.
pub(crate) const PAGE: usize = 100;

/// A page of a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The entries.
    pub data: Vec<T>,
    /// Where the next page begins; none at the end.
    pub cursor: Option<String>,
}

impl Rewake {
    /// The runs there are, newest first.
    pub fn runs(&self) -> Runs {
        let args = RunsArgs {
            rewake: self.clone(),
            filter: RunFilter::default(),
            before: Ok(None),
            limit: PAGE,
        };
        Runs {
            request: Request::new(args, |args| boxed(runs(args))),
        }
    }

    /// The live hooks there are: of one run, with tokens of one beginning, or all, by run, newest
    /// first.
    pub fn hooks(&self) -> Hooks {
        let args = HooksArgs {
            rewake: self.clone(),
            filter: HookFilter::default(),
            cursor: None,
            limit: PAGE,
        };
        Hooks {
            request: Request::new(args, |args| boxed(hooks(args))),
        }
    }
}

struct RunsArgs {
    rewake: Rewake,
    filter: RunFilter,
    before: Result<Option<RunId>, InvalidId>,
    limit: usize,
}

/// A query of runs.
#[derive(Debug)]
#[must_use = "a query is asked when this is awaited"]
pub struct Runs {
    request: Request<RunsArgs, Result<Page<RunView>, QueryError>>,
}

impl Runs {
    /// Only runs of this workflow.
    pub fn workflow(self, name: impl Into<String>) -> Self {
        let change = |args: &mut RunsArgs| args.filter.workflow = Some(name.into());
        Self {
            request: self.request.with(change),
        }
    }

    /// Only runs that have this attribute; given again, only runs that have all of them.
    pub fn attribute(self, key: impl Into<String>, value: impl Into<String>) -> Self {
        let change = |args: &mut RunsArgs| {
            args.filter.attributes.insert(key.into(), value.into());
        };
        Self {
            request: self.request.with(change),
        }
    }

    /// Only runs in this state.
    pub fn status(self, status: RunStatus) -> Self {
        let change = |args: &mut RunsArgs| args.filter.status = Some(status);
        Self {
            request: self.request.with(change),
        }
    }

    /// Only child runs of this run, detached ones included.
    pub fn parent(self, run: RunId) -> Self {
        let change = |args: &mut RunsArgs| args.filter.parent = Some(run);
        Self {
            request: self.request.with(change),
        }
    }

    /// At most so many; 100 unless said.
    pub fn limit(self, limit: usize) -> Self {
        Self {
            request: self.request.with(|args| args.limit = limit),
        }
    }

    /// Goes on where another page ended.
    pub fn cursor(self, cursor: impl AsRef<str>) -> Self {
        let change = |args: &mut RunsArgs| args.before = cursor.as_ref().parse().map(Some);
        Self {
            request: self.request.with(change),
        }
    }
}

/// A payload that the mailbox keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The token it was posted to, shortened: who knows a token can resume.
    pub token: String,
    /// Its length in bytes, as encoded.
    pub len: usize,
    /// When it was posted.
    pub posted_at: SystemTime,
    /// Until when it is kept.
    pub until: SystemTime,
}

struct MailboxArgs {
    rewake: Rewake,
    after: Result<Option<u64>, QueryError>,
    limit: usize,
}

/// A query of the mailbox.
#[derive(Debug)]
#[must_use = "a query is asked when this is awaited"]
pub struct Mailbox {
    request: Request<MailboxArgs, Result<Page<Mail>, QueryError>>,
}

impl Rewake {
    /// The payloads that are kept for whoever opens their tokens, oldest first.
    pub fn mailbox(&self) -> Mailbox {
        let args = MailboxArgs {
            rewake: self.clone(),
            after: Ok(None),
            limit: PAGE,
        };
        Mailbox {
            request: Request::new(args, |args| boxed(mailbox(args))),
        }
    }
}

impl Mailbox {
    /// At most so many; 100 unless said.
    pub fn limit(self, limit: usize) -> Self {
        Self {
            request: self.request.with(|args| args.limit = limit),
        }
    }

    /// Goes on where another page ended.
    pub fn cursor(self, cursor: impl AsRef<str>) -> Self {
        let place = cursor.as_ref().parse().map(Some);
        let change = |args: &mut MailboxArgs| {
            args.after = place.map_err(|_| QueryError::InvalidPlace);
        };
        Self {
            request: self.request.with(change),
        }
    }
}

request_future!(Mailbox, Result<Page<Mail>, QueryError>);

async fn mailbox(args: MailboxArgs) -> Result<Page<Mail>, QueryError> {
    let (after, limit) = (args.after?, args.limit);
    let mail = args.rewake.engine().mailbox(after, limit).await?;
    let last = mail.last().filter(|_| mail.len() == limit);
    Ok(Page {
        cursor: last.map(|mail| mail.place.to_string()),
        data: mail.into_iter().map(Mail::from).collect(),
    })
}

impl From<rewake_runtime::Mail> for Mail {
    fn from(mail: rewake_runtime::Mail) -> Self {
        Self {
            token: mail.token,
            len: mail.len,
            posted_at: mail.posted_at.into(),
            until: mail.until.into(),
        }
    }
}

request_future!(Runs, Result<Page<RunView>, QueryError>);

async fn runs(args: RunsArgs) -> Result<Page<RunView>, QueryError> {
    let page = args
        .rewake
        .engine()
        .runs(args.filter, args.before?, args.limit)
        .await?;
    Ok(Page {
        data: page.runs,
        cursor: page.next.map(|run| run.to_string()),
    })
}

struct HooksArgs {
    rewake: Rewake,
    filter: HookFilter,
    cursor: Option<String>,
    limit: usize,
}

/// A query of live hooks.
///
/// # Examples
///
/// ```
/// use rewake::prelude::*;
///
/// #[workflow]
/// async fn review(doc: String) -> anyhow::Result<bool> {
///     let mut decisions = create_hook::<bool>().token(format!("review:{doc}")).await?;
///     Ok(decisions.recv().await?)
/// }
///
/// # fn main() -> anyhow::Result<()> {
/// # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
/// let rewake = Rewake::open("sqlite::memory:").await?;
/// let run = rewake.start(review("handbook".into())).await?;
/// let hook = loop {
///     let page = rewake.hooks().prefix("review:").await?;
///     if let Some(hook) = page.data.into_iter().next() {
///         break hook;
///     }
///     tokio::task::yield_now().await;
/// };
/// assert_eq!((hook.run_id, hook.token.as_ref()), (run.id(), "review:handbook"));
/// # rewake.shutdown(seconds(1)).await?;
/// # anyhow::Ok(())
/// # })
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a query is asked when this is awaited"]
pub struct Hooks {
    request: Request<HooksArgs, Result<Page<ListedHook>, QueryError>>,
}

impl Hooks {
    /// Only hooks of this run.
    pub fn run(self, run: RunId) -> Self {
        self.with(|args| args.filter.run = Some(run))
    }

    /// Only hooks whose token was chosen by the workflow and begins like this, in order of the
    /// tokens. Random tokens are never looked through: who could, could guess one.
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        self.with(|args| args.filter.prefix = Some(prefix.into()))
    }

    /// At most so many, at least one; 100 unless said.
    pub fn limit(self, limit: usize) -> Self {
        self.with(|args| args.limit = limit)
    }

    /// Goes on where another page of the same query ended.
    pub fn cursor(self, cursor: impl Into<String>) -> Self {
        self.with(|args| args.cursor = Some(cursor.into()))
    }

    fn with(self, change: impl FnOnce(&mut HooksArgs)) -> Self {
        Self {
            request: self.request.with(change),
        }
    }
}

request_future!(Hooks, Result<Page<ListedHook>, QueryError>);

async fn hooks(args: HooksArgs) -> Result<Page<ListedHook>, QueryError> {
    let engine = args.rewake.engine();
    let page = engine.hooks(args.filter, args.cursor, args.limit).await?;
    Ok(Page {
        data: page.hooks.into_iter().map(ListedHook::from).collect(),
        cursor: page.next,
    })
}
