//! Abort controllers: what a workflow aborts, and steps hear of.

use std::fmt;
use std::sync::Arc;

use rewake_core::id::{AbortId, StepId};
use rewake_core::payload;

use super::context::Context;
use crate::step::{Abort, abort};

/// A controller in the workflow's hands. Its signal can be given to steps of the same run.
pub struct Controller {
    context: Arc<Context>,
    id: AbortId,
    abort: Abort,
}

impl Controller {
    /// Makes a controller: it takes its place in the run here, and leaves no record.
    pub fn new(context: Arc<Context>) -> Self {
        let id = context.with(|machine| {
            let place = machine.place();
            AbortId::derive(machine.run(), place)
        });
        let abort = Abort::default();
        context.aborts().add(id, abort.clone());
        Self { context, id, abort }
    }

    /// The controller's id: the same in every replay.
    pub const fn id(&self) -> AbortId {
        self.id
    }

    /// What its signal says.
    pub const fn signal(&self) -> &Abort {
        &self.abort
    }

    /// Aborts. Whoever has the signal in this process hears it at once, and it goes on record as a
    /// call of a built-in step; each replay comes by here again and tells those who begin later. The
    /// first reason stands.
    ///
    /// # Panics
    ///
    /// Outside the workflow that made it.
    pub fn abort(&self, reason: String) {
        // A destructor may come by while the body is put away: that is no act of the workflow's.
        if self.context.is_put_away() {
            return;
        }
        self.context.expect_current("an abort controller");
        if self.abort.is_aborted() {
            return;
        }
        let Ok(input) = payload::step_input(&(self.id, &reason)) else {
            unreachable!("an id and a text can be encoded");
        };
        self.context.with(|machine| {
            let place = machine.place();
            let step = StepId::derive(machine.run(), place, abort::NAME);
            machine.create_step(step, abort::NAME.to_owned(), input, abort::OPTIONS);
            machine.abandon_step(step);
        });
        self.abort.abort(reason);
    }
}

impl fmt::Debug for Controller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Controller")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
