//! Shrinking finds the small case behind a planted fault.

use futures_util::FutureExt;
use rewake_core::event::{EventKind, Position};
use rewake_core::id::EventId;
use rewake_core::time::Timestamp;
use rewake_store::{Deliver, Store};

use super::*;
use crate::fault::Fate;
use crate::scenario::Sabotage;
use crate::shadow::number_of;

/// The first seed whose scenario fails with a store that is broken like this.
fn first_failing(sabotage: Sabotage) -> Scenario {
    failing(sabotage).next().unwrap()
}

fn failing(sabotage: Sabotage) -> impl Iterator<Item = Scenario> {
    let broken = move |seed| Scenario {
        sabotage: Some(sabotage),
        ..Scenario::of(seed)
    };
    let fails = |scenario: &Scenario| play(scenario, false).is_err();
    (0..5_000).map(broken).filter(fails)
}

/// Delivers what was delivered once more, to a hook that had received something before.
fn deliver_again(store: &dyn Store, request: &Deliver, _: Fate) {
    let row = store.token(request.scope, request.token.clone());
    let Some(row) = row.now_or_never().unwrap().unwrap() else {
        return;
    };
    let frames = store.frames(request.scope, row.run, Position::START, usize::MAX);
    let frames = frames.now_or_never().unwrap().unwrap();
    let events = frames.iter().flat_map(|frame| &frame.events);
    let received = events
        .filter(|kind| matches!(kind, EventKind::HookReceived { hook, .. } if *hook == row.hook));
    if received.count() != 2 {
        return;
    }
    let number = number_of(&request.payload).unwrap_or_default();
    let again = Deliver {
        id: EventId::mint(Timestamp::ZERO, u128::from(number)),
        key: None,
        ..request.clone()
    };
    let _again = store.deliver(again).now_or_never();
}

/// The same, where the answer to the first gets lost.
fn deliver_again_unheard(store: &dyn Store, request: &Deliver, fate: Fate) {
    if fate == Fate::AnswerLost {
        let again = Deliver {
            id: EventId::mint(Timestamp::ZERO, 7),
            key: None,
            ..request.clone()
        };
        let _again = store.deliver(again).now_or_never();
    }
}

#[test]
fn a_planted_fault_shrinks_to_the_little_that_shows_it() {
    let scenario = first_failing(deliver_again);
    let acts = scenario.acts.len();
    let small = smallest(scenario).unwrap();
    assert_eq!(small.statement, Statement::Delivered, "{small}");
    // One start of a program that opens a hook and waits, and at most two deliveries.
    assert!(small.acts() <= 3 && small.acts() < acts, "{small}");
    assert!(small.ops() <= 3, "{small}");
    assert_eq!(small.faults(), 0, "{small}");
}

#[test]
fn a_fault_that_it_takes_stays() {
    // How far one scenario shrinks is luck: what is left may lie at another place than what goes.
    let shrunk = failing(deliver_again_unheard).take(3).map(smallest);
    let small = shrunk.flatten().min_by_key(Shrunk::acts).unwrap();
    assert_eq!(small.statement, Statement::Delivered, "{small}");
    let lost = |fault: &&Fault| matches!(fault, Fault::Request(_, Fate::AnswerLost));
    assert_eq!(
        listed(&small.scenario).iter().filter(lost).count(),
        1,
        "{small}"
    );
    // Its process has to start, and its request to be told apart from that of a process before it.
    assert!(small.faults() <= 6, "{small}");
    assert!(small.acts() <= 3 && small.ops() <= 3, "{small}");
}

#[test]
fn the_same_scenario_shrinks_to_the_same_case() {
    let scenario = first_failing(deliver_again_unheard);
    let (first, second) = (smallest(scenario.clone()), smallest(scenario));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first.to_json(), second.to_json());
    assert_eq!(first.trace, second.trace);
}

#[test]
fn what_went_wrong_is_listed_whole() {
    for seed in 0..20 {
        let scenario = Scenario {
            sabotage: Some(deliver_again),
            ..Scenario::of(seed)
        };
        let Err(failure) = play(&scenario, true) else {
            continue;
        };
        let listed = Scenario {
            plan: Plan::Listed(failure.faults.clone()),
            ..scenario
        };
        let again = play(&listed, true).unwrap_err();
        assert_eq!(again.trace, failure.trace, "seed {seed}");
    }
}

#[test]
fn a_case_is_read_as_it_was_written() {
    let scenario = Scenario::of(3);
    let json = serde_json::to_string(&scenario).unwrap();
    let direct = play(&scenario, true).unwrap();
    assert_eq!(play_case(&json).unwrap(), direct);
    let problem = play_case("{}").unwrap_err().problem;
    assert!(problem.contains("this is no case"), "{problem}");
}

#[test]
fn a_scenario_that_holds_is_not_shrunk() {
    assert!(smallest(Scenario::of(1)).is_none());
}
