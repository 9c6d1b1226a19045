//! The refusals in words: every variant's message and code.

use std::collections::BTreeSet;

use crate::entity::RunStatus;
use crate::samples::{hook, run, step, wait};
use crate::transition::IllegalTransition;

const EVENT: &str = "step_completed";

/// The refusal after `refusal`: a new one does not compile until it has its place here.
fn following(refusal: &IllegalTransition) -> Option<IllegalTransition> {
    use IllegalTransition as Illegal;
    let (event, run, step, hook, wait) = (EVENT, run(), step(), hook(), wait());
    Some(match refusal {
        Illegal::RunMissing { .. } => Illegal::RunExists { run },
        Illegal::RunExists { .. } => Illegal::RunStarted { run },
        Illegal::RunStarted { .. } => Illegal::RunNotStarted { event },
        Illegal::RunNotStarted { .. } => Illegal::RunEnded {
            event,
            status: RunStatus::Failed,
        },
        Illegal::RunEnded { .. } => Illegal::StepExists { step },
        Illegal::StepExists { .. } => Illegal::StepMissing { event, step },
        Illegal::StepMissing { .. } => Illegal::StepNotStarted { event, step },
        Illegal::StepNotStarted { .. } => Illegal::StepEnded { event, step },
        Illegal::StepEnded { .. } => Illegal::StepIsChild { event, step },
        Illegal::StepIsChild { .. } => Illegal::AttemptOutOfOrder {
            step,
            last: 2,
            found: 4,
        },
        Illegal::AttemptOutOfOrder { .. } => Illegal::HookExists { hook },
        Illegal::HookExists { .. } => Illegal::HookMissing { event, hook },
        Illegal::HookMissing { .. } => Illegal::HookEnded { event, hook },
        Illegal::HookEnded { .. } => Illegal::WaitExists { wait },
        Illegal::WaitExists { .. } => Illegal::WaitMissing { event, wait },
        Illegal::WaitMissing { .. } => Illegal::WaitEnded { event, wait },
        Illegal::WaitEnded { .. } => Illegal::Misrouted {
            event,
            entity: "wait",
        },
        Illegal::Misrouted { .. } => return None,
    })
}

fn every_refusal() -> Vec<IllegalTransition> {
    let first = IllegalTransition::RunMissing { event: EVENT };
    std::iter::successors(Some(first), following).collect()
}

#[test]
fn every_refusal_says_what_came_and_what_stands_against_it() {
    let said: Vec<_> = every_refusal()
        .iter()
        .map(|refusal| format!("{} {refusal}", refusal.code()))
        .collect();
    let (run, step, hook, wait) = (run(), step(), hook(), wait());
    let expected = [
        "RUN_MISSING `step_completed` comes before the run exists".to_owned(),
        format!("RUN_EXISTS run `{run}` exists already"),
        format!("RUN_STARTED run `{run}` has begun already"),
        "RUN_NOT_STARTED `step_completed` comes before the run has begun".to_owned(),
        "RUN_ENDED `step_completed` comes after the run has ended as failed".to_owned(),
        format!("STEP_EXISTS step `{step}` exists already"),
        format!("STEP_MISSING `step_completed` names step `{step}`, which does not exist"),
        format!(
            "STEP_NOT_STARTED `step_completed` names step `{step}`, of which no attempt is under way"
        ),
        format!("STEP_ENDED `step_completed` comes after step `{step}` has ended"),
        format!(
            "STEP_IS_CHILD `step_completed` names step `{step}`, which is a child run and has no attempts"
        ),
        format!("ATTEMPT_OUT_OF_ORDER attempt 4 of step `{step}` does not follow attempt 2"),
        format!("HOOK_EXISTS hook `{hook}` exists already"),
        format!("HOOK_MISSING `step_completed` names hook `{hook}`, which does not exist"),
        format!("HOOK_ENDED `step_completed` comes after hook `{hook}` has ended"),
        format!("WAIT_EXISTS wait `{wait}` exists already"),
        format!("WAIT_MISSING `step_completed` names wait `{wait}`, which does not exist"),
        format!("WAIT_ENDED `step_completed` comes after wait `{wait}` has ended"),
        "MISROUTED `step_completed` is not about a wait".to_owned(),
    ];
    assert_eq!(said, expected);
}

#[test]
fn codes_are_distinct_and_messages_are_fragments() {
    let refusals = every_refusal();
    let codes: BTreeSet<_> = refusals.iter().map(IllegalTransition::code).collect();
    assert_eq!(codes.len(), refusals.len());
    for refusal in refusals {
        assert!(!refusal.to_string().ends_with('.'), "{refusal}");
    }
}
