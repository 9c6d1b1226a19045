//! Queries: which runs there are, and which hooks of a run are live.

use rewake_core::entity::RunStatus;
use rewake_core::id::{InvalidId, RunId};
use rewake_runtime::{QueryError, RunView};
use rewake_store::RunFilter;

use crate::handle::Rewake;
use crate::hook::Hook;
use crate::request::{Request, boxed, request_future};

/// How many entries a page has unless told otherwise.
const PAGE: usize = 100;

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

    /// The live hooks of a run, oldest first.
    ///
    /// # Errors
    ///
    /// [`QueryError`] where the store cannot be read.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it changes nothing.
    pub async fn live_hooks(&self, run: RunId) -> Result<Vec<Hook>, QueryError> {
        Ok(self
            .engine()
            .live_hooks(run)
            .await?
            .into_iter()
            .map(Hook::from)
            .collect())
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

    /// Only runs in this state.
    pub fn status(self, status: RunStatus) -> Self {
        let change = |args: &mut RunsArgs| args.filter.status = Some(status);
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
