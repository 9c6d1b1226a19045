//! Adoption: hooks that stand in the log before the workflow asks for them.

use super::driver::Driver;
use super::log::{chosen, hook_created, hook_expired, hook_received};
use crate::event::{Correlation, EventKind};
use crate::id::HookId;
use crate::replay::{Fed, Registration};
use crate::samples::{at, run_created, token};

fn waiting() -> HookId {
    HookId::mint(at(1), 77)
}

/// A run that began with a hook for token `t` and the payload `first` in it.
fn admitted() -> Driver {
    let mut driver = Driver::new();
    driver.by_outsider(run_created());
    assert_eq!(
        driver.outsider(hook_created(waiting(), chosen("t"))),
        Fed::Nothing
    );
    assert_eq!(
        driver.outsider(hook_received(waiting(), "first")),
        Fed::Nothing
    );
    assert_eq!(driver.worker(EventKind::RunStarted), Fed::Poll(None));
    driver
}

fn adopted() -> Registration {
    Registration::Registered {
        hook: waiting(),
        token: token("t"),
    }
}

#[test]
fn the_first_hook_with_the_token_adopts_the_one_that_waits_and_leaves_no_record() {
    let mut driver = admitted();
    let asked = driver.ask_for_hook(chosen("t"));
    assert_eq!(driver.record_names(), [""; 0]);
    assert_eq!(driver.machine.take_registration(asked), Some(adopted()));
    assert_eq!(driver.receive(waiting()).as_deref(), Some("first"));
    let woken = Fed::Poll(Some(Correlation::Hook(waiting())));
    assert_eq!(driver.outsider(hook_received(waiting(), "next")), woken);
    assert_eq!(driver.receive(waiting()).as_deref(), Some("next"));
    driver.append();
    driver.assert_nothing_more();
}

#[test]
fn another_token_adopts_nothing() {
    let mut driver = admitted();
    driver.ask_for_hook(chosen("other"));
    assert_eq!(driver.record_names(), ["hook_created"]);
}

#[test]
fn only_the_first_adopts() {
    let mut driver = admitted();
    let first = driver.ask_for_hook(chosen("t"));
    driver.ask_for_hook(chosen("t"));
    assert_eq!(driver.record_names(), ["hook_created"]);
    assert_eq!(driver.machine.take_registration(first), Some(adopted()));
}

#[test]
fn an_adopted_hook_is_disposed_of_under_its_own_id() {
    for take_it in [true, false] {
        let mut driver = admitted();
        let asked = driver.ask_for_hook(chosen("t"));
        if take_it {
            assert_eq!(driver.machine.take_registration(asked), Some(adopted()));
            driver.machine.dispose_hook(waiting());
        } else {
            driver.machine.abandon_hook(asked);
        }
        let records: Vec<_> = driver.machine.records().cloned().collect();
        let disposed = super::log::hook_disposed(waiting(), crate::event::Disposal::Dropped);
        assert_eq!(records, [disposed]);
        driver.append();
        driver.assert_nothing_more();
    }
}

#[test]
fn a_hook_that_expired_before_it_was_adopted_still_gives_what_it_took() {
    let mut driver = admitted();
    let woken = Fed::Poll(Some(Correlation::Hook(waiting())));
    assert_eq!(driver.outsider(hook_expired(waiting())), woken);
    let asked = driver.ask_for_hook(chosen("t"));
    assert_eq!(driver.machine.take_registration(asked), Some(adopted()));
    assert_eq!(driver.receive(waiting()).as_deref(), Some("first"));
    assert_eq!(driver.receive(waiting()).as_deref(), Some("<expired>"));
    driver.append();
    driver.machine.dispose_hook(waiting());
    driver.assert_nothing_more();
}

#[test]
fn a_hook_that_nobody_adopts_is_no_divergence() {
    let mut driver = admitted();
    driver.machine.finish(Ok(crate::samples::payload("done")));
    driver.append();
    driver.assert_nothing_more();
}
