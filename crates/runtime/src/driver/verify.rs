//! Verification: each rest is checked by a full replay in a second machine.
//!
//! In tests and debug builds only. It shows nondeterminism at once, and not months later when the run
//! is evicted.

use std::sync::Arc;

use rewake_core::event::{EventKind, Frame};
use rewake_core::id::RunId;
use rewake_core::replay::{Found, Machine};

use super::{Driver, Stop};
use crate::engine::Inner;
use crate::executor::{Executor, Stuck};
use crate::registry::Workflow;
use crate::workflow::Context;

/// Logs longer than this are checked only now and then: each check replays all of it.
const ALWAYS_UP_TO: usize = 128;

impl Driver {
    pub(super) fn verify(&mut self) -> Result<(), Stop> {
        let fed = self.fed();
        let Some(shadow) = &self.shadow else {
            return Ok(());
        };
        let skipped = shadow.len() > ALWAYS_UP_TO && !shadow.len().is_multiple_of(ALWAYS_UP_TO);
        if fed == self.verified || skipped {
            return Ok(());
        }
        self.verified = fed;
        let second = self.replay_again().map_err(|stuck| match stuck {
            // The same code, moments later: nobody has changed it.
            Stuck::Diverged(divergence) => Stuck::Nondeterministic {
                reason: divergence.to_string(),
            },
            stuck => stuck,
        })?;
        let difference = second.with(|second| {
            self.executor.with(|first| {
                if let Some(reason) = other_commands(first, second) {
                    return Some(reason);
                }
                let same_end = first.is_finished() == second.is_finished();
                (!same_end || first.taken() != second.taken())
                    .then(|| "it took other payloads than the run itself".to_owned())
            })
        });
        match difference {
            Some(reason) => Err(Stuck::Nondeterministic { reason }.into()),
            None => Ok(()),
        }
    }

    fn replay_again(&self) -> Result<Executor, Stuck> {
        let mut second = executor(&self.engine, self.run);
        let frames = self.shadow.iter().flatten();
        replay(&mut second, self.workflow.as_deref(), frames)?;
        Ok(second)
    }
}

/// An executor of a run, for a replay that nobody hears of.
pub(crate) fn executor(engine: &Inner, run: RunId) -> Executor {
    let context = Context::new(
        run,
        Arc::clone(&engine.mint),
        engine.public_url.clone(),
        engine.limits.payload,
    );
    let executor = Executor::new(context, None);
    let span = engine.limits.clean_up;
    executor.with(|machine| machine.limit_clean_up(span));
    executor
}

/// Lets a workflow go through a log. Whatever it asks for beyond that is left undone.
pub(crate) fn replay<'a>(
    executor: &mut Executor,
    workflow: Option<&Workflow>,
    frames: impl Iterator<Item = &'a Frame>,
) -> Result<(), Stuck> {
    for frame in frames {
        for event in frame.iter() {
            executor.feed(event)?;
            if let (EventKind::RunCreated { input, .. }, Some(workflow)) = (event.kind, workflow) {
                executor.begin(|| (workflow.run)(input))?;
            }
        }
        executor.with(|machine| machine.feed_taken(frame.first, &frame.taken));
    }
    executor.check_foreign()?;
    executor.with(Machine::rest)?;
    Ok(())
}

/// What the two ask for first that is not the same.
fn other_commands(first: &Machine, second: &Machine) -> Option<String> {
    let (first, second): (Vec<_>, Vec<_>) = (first.records().collect(), second.records().collect());
    let differ = |at: &usize| match (first.get(*at), second.get(*at)) {
        (Some(a), Some(b)) => !same(a, b),
        (None, _) | (_, None) => true,
    };
    let at = (0..first.len().max(second.len())).find(differ)?;
    let found = |records: &[&EventKind]| {
        let record = records.get(at);
        record.map_or(Found::Nothing, |record| Found::new(record))
    };
    let (first, second) = (found(&first), found(&second));
    Some(format!("the run itself {first}, its replay {second}"))
}

/// What is the same in every replay: not times, not drawn tokens.
fn same(a: &EventKind, b: &EventKind) -> bool {
    match (a, b) {
        (
            EventKind::HookCreated {
                hook,
                token,
                chosen,
                ..
            },
            EventKind::HookCreated {
                hook: other,
                token: other_token,
                chosen: other_chosen,
                ..
            },
        ) => hook == other && chosen == other_chosen && (!chosen || token == other_token),
        (a, b) => {
            std::mem::discriminant(a) == std::mem::discriminant(b)
                && a.correlation_id() == b.correlation_id()
        }
    }
}
