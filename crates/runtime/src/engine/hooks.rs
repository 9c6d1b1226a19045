//! Which hooks are live: of one run, of all, or with tokens of one beginning.

use std::fmt;
use std::str::FromStr;

use rewake_core::id::{HookId, InvalidId, RunId};
use rewake_core::token::Token;
use rewake_store::{RunFilter, TokenRow};

use super::{Engine, Hook};
use crate::error::QueryError;

/// So many runs are looked at in one go while hooks are gathered from them.
const RUNS: usize = 100;

/// Which live hooks a listing shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HookFilter {
    /// Only those of this run.
    pub run: Option<RunId>,
    /// Only those whose token was chosen by the workflow and begins like this.
    pub prefix: Option<String>,
}

impl HookFilter {
    fn shows(&self, row: &TokenRow) -> bool {
        self.run.is_none_or(|run| run == row.run)
            && self
                .prefix
                .as_ref()
                .is_none_or(|prefix| row.chosen && row.token.as_str().starts_with(prefix))
    }
}

/// A hook in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedHook {
    /// The hook.
    pub hook: Hook,
    /// True where the workflow's code chose the token; one that was drawn is a credential.
    pub chosen: bool,
}

/// A page of live hooks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HookPage {
    /// The hooks.
    pub hooks: Vec<ListedHook>,
    /// Where the next page begins; none at the end.
    pub next: Option<String>,
}

/// The hook that a page ended with. Written with ids, because a random token must not travel in a
/// cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    run: RunId,
    hook: HookId,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.run, self.hook)
    }
}

impl FromStr for Place {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (run, hook) = text.split_once('.').unwrap_or((text, ""));
        Ok(Self {
            run: run.parse()?,
            hook: hook.parse()?,
        })
    }
}

impl Engine {
    /// Live hooks, at most `limit`: those of one run in order of their ids; those with tokens of one
    /// beginning in order of the tokens; all of them by run, newest first. `cursor` is what the page
    /// before gave as `next`, under the same filter.
    ///
    /// # Errors
    ///
    /// [`QueryError`] where the cursor is none, the store cannot be read, or a log is not legal.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it changes nothing.
    pub async fn hooks(
        &self,
        filter: HookFilter,
        cursor: Option<String>,
        limit: usize,
    ) -> Result<HookPage, QueryError> {
        // Nothing is both shown and gone on from on an empty page.
        let limit = limit.max(1);
        if let (None, Some(prefix)) = (filter.run, &filter.prefix) {
            return self.hooks_by_token(prefix, cursor, limit).await;
        }
        let place = cursor.map(|cursor| cursor.parse()).transpose()?;
        self.hooks_by_run(&filter, place, limit).await
    }

    async fn hooks_by_token(
        &self,
        prefix: &str,
        cursor: Option<String>,
        limit: usize,
    ) -> Result<HookPage, QueryError> {
        let inner = &self.inner;
        let mut after = match cursor {
            Some(cursor) => Some(Token::parse(&cursor, inner.limits.token)?),
            None => None,
        };
        let mut page = HookPage::default();
        loop {
            let (prefix, from) = (prefix.to_owned(), after.clone());
            let rows = inner
                .store
                .chosen_tokens(inner.scope, prefix, from, limit + 1)
                .await?;
            let more = rows.len() > limit;
            for row in rows.into_iter().filter(|row| !self.is_overdue(row)) {
                if page.hooks.len() == limit {
                    page.next = after.map(|token| token.to_string());
                    return Ok(page);
                }
                after = Some(row.token.clone());
                page.hooks.push(self.listed(row));
            }
            if !more {
                return Ok(page);
            }
        }
    }

    async fn hooks_by_run(
        &self,
        filter: &HookFilter,
        after: Option<Place>,
        limit: usize,
    ) -> Result<HookPage, QueryError> {
        let mut page = HookPage::default();
        let mut last = after;
        let mut runs = match (filter.run, after) {
            (Some(run), _) => vec![run],
            // What is left of the run that the page before ended in, and then the ones before it.
            (None, Some(place)) => vec![place.run],
            (None, None) => self.runs_with_hooks(None).await?,
        };
        while let Some(end) = runs.last().copied() {
            for run in runs {
                for row in self.live_rows(run).await? {
                    let seen = after.is_some_and(|at| at.run == run && row.hook <= at.hook);
                    if seen || !filter.shows(&row) || self.is_overdue(&row) {
                        continue;
                    }
                    if page.hooks.len() == limit {
                        page.next = last.map(|place| place.to_string());
                        return Ok(page);
                    }
                    last = Some(Place {
                        run,
                        hook: row.hook,
                    });
                    page.hooks.push(self.listed(row));
                }
            }
            runs = match filter.run {
                Some(_) => Vec::new(),
                None => self.runs_with_hooks(Some(end)).await?,
            };
        }
        Ok(page)
    }

    async fn runs_with_hooks(&self, before: Option<RunId>) -> Result<Vec<RunId>, QueryError> {
        let filter = RunFilter {
            with_live_hooks: true,
            ..RunFilter::default()
        };
        let page = self.runs(filter, before, RUNS).await?;
        Ok(page.runs.into_iter().map(|view| view.run).collect())
    }

    /// The rows of a run's live hooks, in order of their ids.
    pub(super) async fn live_rows(&self, run: RunId) -> Result<Vec<TokenRow>, QueryError> {
        let inner = &self.inner;
        let entities = self.entities(run).await?;
        let mut rows = Vec::new();
        if entities.is_live() {
            for hook in entities.live_hooks() {
                let row = inner.store.token(inner.scope, hook.token.clone()).await?;
                rows.extend(row.filter(|row| row.hook == hook.id));
            }
        }
        Ok(rows)
    }

    /// Nobody has put on record yet that the hook's time has run out; for those outside it is over.
    fn is_overdue(&self, row: &TokenRow) -> bool {
        let now = self.inner.host.clock.now();
        row.expires_at.is_some_and(|expiry| expiry <= now)
    }

    fn listed(&self, row: TokenRow) -> ListedHook {
        let chosen = row.chosen;
        ListedHook {
            hook: self.inner.hook(row),
            chosen,
        }
    }
}
