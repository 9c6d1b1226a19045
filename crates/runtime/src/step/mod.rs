//! Steps: how one attempt is run, and what follows from how it ended.

pub(crate) mod abort;
mod attempt;
mod context;
mod policy;
pub mod respond;

pub use abort::{Abort, Aborted, Aborts};
pub use context::{InsideStep, StepContext};

pub(crate) use attempt::{Attempt, AttemptOutcome, Place, run_attempt};
pub(crate) use policy::{Circumstances, Verdict, judge_attempt, judge_lost_attempt};
