//! Calling off: steps whose result nobody waits for any more, because their run is cancelled, has
//! failed or has ended.

use rewake_core::entity::RunStatus;
use rewake_core::id::{RunId, StepId};
use rewake_core::replay::Machine;

use super::Driver;
use crate::dispatch::Message;
use crate::step::AttemptOutcome;

impl Driver {
    /// Tells the attempts that are under way for nobody, and begins no others.
    pub(super) fn call_off(&mut self) {
        if self.attempts.is_empty() {
            return;
        }
        let Some(reason) = self.executor.with(|machine| reason(machine)) else {
            return;
        };
        let (executor, attempts) = (&self.executor, &mut self.attempts);
        attempts.call_off(|step| executor.with(|machine| machine.wants(step)), &reason);
    }

    pub(super) fn wants(&self, step: StepId) -> bool {
        self.executor.with(|machine| machine.wants(step))
    }

    /// The run has ended: nobody reads how attempts end from here on.
    pub(super) fn discard_ends(&self) {
        self.mailbox.close();
        while let Some(message) = self.mailbox.try_recv() {
            if let Message::AttemptEnded {
                step,
                attempt,
                outcome,
            } = message
            {
                report_discarded(self.run, step, attempt, outcome != AttemptOutcome::Aborted);
            }
        }
    }
}

/// Says that an attempt ended when nobody waited for it any more, if it ended by itself.
pub(super) fn report_discarded(run: RunId, step: StepId, attempt: u32, by_itself: bool) {
    if by_itself {
        tracing::warn!(
            %run,
            %step,
            attempt,
            "the step ended when its run no longer waited for it; what it returned is discarded"
        );
    }
}

/// Why steps are called off; none where none is.
fn reason(machine: &Machine) -> Option<String> {
    if !machine.calls_off() {
        return None;
    }
    let run = machine.entities().run()?;
    let asked = run.cancel_requested || run.status == RunStatus::Cancelled;
    let what = match run.status {
        RunStatus::Completed => "the run has completed",
        RunStatus::Failed => "the run has failed",
        RunStatus::Cancelled | RunStatus::Pending | RunStatus::Running if asked => {
            "the run is cancelled"
        }
        RunStatus::Cancelled | RunStatus::Pending | RunStatus::Running => {
            "the run's workflow has returned"
        }
    };
    Some(match run.cancel_reason.as_deref().filter(|_| asked) {
        Some(reason) => format!("{what}: {reason}"),
        None => what.to_owned(),
    })
}
