//! Waits: three states, all events.

use crate::entity::{Wait, WaitStatus};
use crate::event::EventKind;
use crate::samples::{self, at, event};
use crate::transition::{IllegalTransition, wait};

const CREATED: u64 = 10;
const ENDED: u64 = 30;
const NOW: u64 = 90;

fn waiting(created_ms: u64) -> Wait {
    Wait {
        id: samples::wait(),
        resume_at: at(7_000),
        status: WaitStatus::Waiting,
        created_at: at(created_ms),
        ended_at: None,
    }
}

fn ended(status: WaitStatus, ms: u64) -> Wait {
    Wait {
        status,
        ended_at: Some(at(ms)),
        ..waiting(CREATED)
    }
}

const STATES: [Option<WaitStatus>; 4] = [
    None,
    Some(WaitStatus::Waiting),
    Some(WaitStatus::Completed),
    Some(WaitStatus::Cancelled),
];

fn entity(status: WaitStatus) -> Wait {
    match status {
        WaitStatus::Waiting => waiting(CREATED),
        WaitStatus::Completed | WaitStatus::Cancelled => ended(status, ENDED),
    }
}

fn expected(state: Option<WaitStatus>, event: &'static str) -> Result<Wait, IllegalTransition> {
    let wait = samples::wait();
    Err(match (event, state) {
        ("wait_created", None) => return Ok(waiting(NOW)),
        ("wait_created", Some(_)) => IllegalTransition::WaitExists { wait },
        ("wait_completed" | "wait_cancelled", None) => {
            IllegalTransition::WaitMissing { event, wait }
        }
        ("wait_completed", Some(WaitStatus::Waiting)) => {
            return Ok(ended(WaitStatus::Completed, NOW));
        }
        ("wait_cancelled", Some(WaitStatus::Waiting)) => {
            return Ok(ended(WaitStatus::Cancelled, NOW));
        }
        ("wait_cancelled", Some(WaitStatus::Completed)) => {
            return Ok(ended(WaitStatus::Completed, ENDED));
        }
        ("wait_completed" | "wait_cancelled", Some(_)) => {
            IllegalTransition::WaitEnded { event, wait }
        }
        (event, _) => IllegalTransition::Misrouted {
            event,
            entity: "wait",
        },
    })
}

#[test]
fn every_event_in_every_state_has_its_answer() {
    for kind in samples::every_kind() {
        for state in STATES {
            let before = state.map(entity);
            assert_eq!(
                wait(before.as_ref(), event(&kind, NOW)),
                expected(state, kind.name()),
                "{state:?}, then {}",
                kind.name()
            );
        }
    }
}

#[test]
fn a_wait_may_end_before_its_time() {
    let kind = EventKind::WaitCompleted {
        wait: samples::wait(),
    };
    let early = wait(Some(&waiting(CREATED)), event(&kind, CREATED)).unwrap();
    assert_eq!(early, ended(WaitStatus::Completed, CREATED));
}

#[test]
fn giving_up_a_wait_that_somebody_ended_meanwhile_changes_nothing() {
    let kind = EventKind::WaitCancelled {
        wait: samples::wait(),
    };
    let completed = ended(WaitStatus::Completed, ENDED);
    assert_eq!(wait(Some(&completed), event(&kind, NOW)), Ok(completed));
}
