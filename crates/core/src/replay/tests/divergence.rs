//! Divergence: code that no longer matches its log, and what makes no difference.

use super::driver::Driver;
use super::log::{
    Log, chosen, drawn, hook, hook_created, hook_disposed, run_completed, step, step_completed,
    step_created, step_started, wait, wait_created,
};
use super::program::{Op, Worker};
use crate::event::{Disposal, EventKind, Position, Writer};
use crate::id::{HookId, Place};
use crate::replay::{Divergence, Found, HookRequest};
use crate::samples::{payload, run, token};

fn step_op(name: &str) -> Op {
    Op::Step(name.to_owned())
}

/// The log of a workflow that calls `a`, then `b`, and waits for `b`.
fn a_then_b() -> Log {
    let (a, b) = (step(0, "a"), step(1, "b"));
    Log::begun()
        .worker(step_created(a, "a"))
        .frame(
            Writer::Worker,
            vec![step_started(a, 1), step_completed(a, "1")],
        )
        .worker(step_created(b, "b"))
}

fn parted(program: &[Op], log: &Log) -> Option<(Position, String)> {
    let replayed = Worker::new(program, 1).replay(log.frames());
    let divergence = replayed.err()?;
    assert_eq!(divergence.code(), "REPLAY_PARTED");
    Some((divergence.position(), divergence.to_string()))
}

fn at(position: u64, text: &str) -> (Position, String) {
    let text = format!("at event {position} the log has {text}");
    (Position(position), text)
}

#[test]
fn the_code_that_wrote_a_log_follows_it() {
    assert_eq!(parted(&[step_op("a"), step_op("b")], &a_then_b()), None);
    let more = [step_op("a"), step_op("b"), step_op("c")];
    assert_eq!(parted(&more, &a_then_b()), None, "what comes later is free");
}

#[test]
fn a_renamed_step_parts() {
    assert_eq!(
        parted(&[step_op("a"), step_op("other")], &a_then_b()),
        Some(at(6, "step `b`, but the workflow asked for step `other`"))
    );
}

#[test]
fn a_step_that_became_a_sleep_or_a_hook_parts() {
    assert_eq!(
        parted(&[step_op("a"), Op::Sleep(1)], &a_then_b()),
        Some(at(6, "step `b`, but the workflow asked for a sleep"))
    );
    let ask = super::program::Ask {
        token: Some("t".to_owned()),
        is_webhook: false,
        expires_ms: None,
    };
    assert_eq!(
        parted(&[step_op("a"), Op::Hook(0, ask)], &a_then_b()),
        Some(at(
            6,
            "step `b`, but the workflow asked for a hook with token `t`"
        ))
    );
}

#[test]
fn a_call_taken_out_parts_at_its_record() {
    assert_eq!(
        parted(&[step_op("b")], &a_then_b()),
        Some(at(3, "step `a`, but the workflow asked for step `b`"))
    );
}

#[test]
fn a_call_put_in_parts_at_the_first_record_behind_it() {
    assert_eq!(
        parted(&[step_op("a"), step_op("new"), step_op("b")], &a_then_b()),
        Some(at(6, "step `b`, but the workflow asked for step `new`"))
    );
}

#[test]
fn an_early_end_parts() {
    assert_eq!(
        parted(&[step_op("a")], &a_then_b()),
        Some(at(6, "step `b`, but the workflow came to its end"))
    );
}

#[test]
fn code_that_waits_for_something_else_parts() {
    let mut driver = Driver::begun();
    driver.by_worker(step_created(step(0, "a"), "a"));
    assert_eq!(
        driver.parted().1,
        "at event 3 the log has step `a`, but the workflow waits without having asked for it"
    );
}

#[test]
fn a_call_shifted_by_one_in_front_of_it_is_told_from_itself() {
    let mut driver = Driver::begun();
    driver.machine.place();
    driver.call_step("a");
    driver.by_worker(step_created(step(0, "a"), "a"));
    assert_eq!(
        driver.parted(),
        at(
            3,
            "step `a`, but the workflow asked for the same in another place: a call before it was put \
             in or taken out"
        )
    );
}

#[test]
fn what_came_after_a_later_record_was_met_is_not_what_was_found_instead() {
    let mut driver = Driver::begun();
    driver.by_worker(step_created(step(0, "a"), "a"));
    driver.machine.place();
    let b = driver.call_step("b");
    driver.by_worker(step_created(b, "b"));
    driver.call_step("c");
    assert_eq!(
        driver.parted(),
        at(
            3,
            "step `a`, but the workflow waits without having asked for it"
        )
    );
}

#[test]
fn the_first_of_several_records_left_is_reported() {
    let mut driver = Driver::begun();
    // Ids are hashes, so the order of ids is not the order of the log.
    for place in 0..20 {
        driver.by_worker(wait_created(wait(place), 9_000));
    }
    assert_eq!(driver.parted().0, Position(3));
}

/// Feeds the record of a hook where the workflow asked for `asked` at place 0.
fn hook_record(asked: HookRequest, record: HookRequest) -> Result<(), Divergence> {
    let mut driver = Driver::begun();
    let h = HookId::derive(run(), Place(0), "");
    driver.machine.create_hook(h, asked);
    driver
        .try_feed(Writer::Worker, hook_created(h, record))
        .map(|_| ())
}

#[test]
fn a_hook_is_compared_by_how_its_token_came_and_by_its_door() {
    let webhook = || HookRequest {
        is_webhook: true,
        ..drawn(1)
    };
    let text = |asked, record| hook_record(asked, record).unwrap_err().to_string();
    assert_eq!(
        text(webhook(), drawn(2)),
        "at event 3 the log has a hook with a random token, but the workflow asked for a webhook"
    );
    assert_eq!(
        text(drawn(2), webhook()),
        "at event 3 the log has a webhook, but the workflow asked for a hook with a random token"
    );
    assert_eq!(
        text(chosen("a"), chosen("b")),
        "at event 3 the log has a hook with token `b`, but the workflow asked for a hook with token \
         `a`"
    );
    assert_eq!(
        text(chosen("a"), drawn(2)),
        "at event 3 the log has a hook with a random token, but the workflow asked for a hook with \
         token `a`"
    );
}

#[test]
fn a_drawn_token_is_no_chosen_one() {
    assert_eq!(
        hook_record(drawn(1), chosen("a")).unwrap_err().to_string(),
        "at event 3 the log has a hook with token `a`, but the workflow asked for a hook with a random \
         token"
    );
}

#[test]
fn of_two_mismatches_in_one_poll_the_first_stands() {
    let mut driver = Driver::begun();
    let (a, b) = (hook(0, "a"), hook(1, "b"));
    driver.by_worker(hook_created(a, chosen("a")));
    driver.by_worker(hook_created(b, chosen("b")));
    driver.machine.create_hook(a, drawn(1));
    driver.machine.create_hook(b, drawn(1));
    assert_eq!(driver.parted().0, Position(3));
}

#[test]
fn where_a_command_and_its_record_differ_the_first_record_left_is_the_place() {
    let mut driver = Driver::begun();
    driver.by_worker(step_created(step(7, "gone"), "gone"));
    let h = HookId::derive(run(), Place(0), "");
    driver.machine.create_hook(h, drawn(1));
    let webhook = HookRequest {
        is_webhook: true,
        ..drawn(2)
    };
    let record = hook_created(h, webhook);
    let parted = driver.try_feed(Writer::Worker, record).unwrap_err();
    assert_eq!(
        parted.to_string(),
        "at event 3 the log has step `gone`, but the workflow asked for a hook with a random token"
    );
}

#[test]
fn the_metadata_and_expiry_of_a_hook_are_not_compared() {
    let asked = HookRequest {
        metadata: Some(payload("one")),
        ..super::log::expiring("t", 1)
    };
    assert_eq!(hook_record(asked, chosen("t")), Ok(()));
}

#[test]
fn a_conflict_over_another_token_parts() {
    let mut driver = Driver::begun();
    let h = HookId::derive(run(), Place(0), "");
    driver.machine.create_hook(h, chosen("a"));
    let conflict = super::log::hook_conflict(h, "b", run());
    let parted = driver.try_feed(Writer::Worker, conflict).unwrap_err();
    assert_eq!(
        parted.to_string(),
        "at event 3 the log has a hook in conflict over token `b`, but the workflow asked for a hook \
         with token `a`"
    );
}

#[test]
fn a_close_is_no_drop() {
    let mut driver = Driver::begun();
    let h = driver.register(chosen("t"));
    driver.machine.close_hook(h);
    driver.by_worker(hook_disposed(h, Disposal::Dropped));
    assert_eq!(
        driver.parted().1,
        "at event 4 the log has a hook dropped, but the workflow asked for a hook closed"
    );
}

#[test]
fn a_receiver_kept_that_the_log_has_as_dropped_parts_and_the_other_way_round() {
    let mut driver = Driver::begun();
    let h = driver.register(chosen("t"));
    driver.by_worker(hook_disposed(h, Disposal::Closed));
    driver.machine.dispose_hook(h);
    assert_eq!(
        driver.parted().1,
        "at event 4 the log has a hook closed, but the workflow asked for a hook dropped"
    );
}

#[test]
fn a_hook_or_wait_that_the_log_has_as_given_up_before_it_ended_by_itself_must_be_given_up() {
    let mut driver = Driver::begun();
    let h = driver.register(super::log::expiring("t", 500));
    driver.by_outsider(super::log::hook_expired(h));
    driver.machine.dispose_hook(h);
    let dropped = hook_disposed(h, Disposal::Dropped);
    let parted = driver.try_feed(Writer::Worker, dropped).unwrap_err();
    let waits = "but the workflow waits without having asked for it";
    assert_eq!(
        parted.to_string(),
        format!("at event 5 the log has a hook dropped, {waits}")
    );

    let mut driver = Driver::begun();
    let w = driver.begin_wait(9_000);
    driver.append();
    driver.by_outsider(super::log::wait_completed(w));
    assert!(driver.machine.take_wait(w));
    let given_up = super::log::wait_cancelled(w);
    let parted = driver.try_feed(Writer::Worker, given_up).unwrap_err();
    assert_eq!(
        parted.to_string(),
        format!("at event 5 the log has a sleep given up, {waits}")
    );
}

#[test]
fn a_mismatch_found_by_a_late_call_names_the_place_of_the_record() {
    let mut driver = Driver::begun();
    let h = hook(0, "t");
    driver.by_worker(hook_created(h, chosen("t")));
    let webhook = HookRequest {
        is_webhook: true,
        ..chosen("t")
    };
    driver.machine.create_hook(h, webhook);
    assert_eq!(driver.machine.rest().unwrap_err().position(), Position(3));
}

#[test]
fn no_report_shows_a_drawn_token() {
    let mut driver = Driver::begun();
    let h = HookId::derive(run(), Place(0), "");
    driver.by_worker(hook_created(h, drawn(12_345)));
    driver.ask_for_hook(drawn(54_321));
    driver.machine.close_hook(h);
    driver.call_step("a");
    let webhook = HookRequest {
        is_webhook: true,
        ..drawn(12_345)
    };
    let parted = hook_record(webhook, drawn(54_321)).unwrap_err();
    for entropy in [12_345, 54_321] {
        let secret = crate::token::Token::random(entropy);
        assert!(!format!("{parted} {parted:?}").contains(secret.as_str()));
    }
}

#[test]
fn every_record_is_described() {
    let described = |record: &EventKind| {
        let found = Found::new(record);
        found.to_string()
    };
    let texts: Vec<_> = crate::samples::every_kind().iter().map(described).collect();
    assert!(texts.iter().all(|text| !text.contains('{')), "{texts:?}");
    assert!(texts.contains(&"asked for patch `v2`".to_owned()));
    assert!(texts.contains(&"asked for attributes being set".to_owned()));
    assert!(texts.contains(&"asked for a sleep given up".to_owned()));
    assert!(texts.contains(&"asked for `hook_received`".to_owned()));
    assert_eq!(described(&run_completed("x")), "came to its end");
    let hidden = hook_created(hook(0, ""), drawn(1));
    assert_eq!(described(&hidden), "asked for a hook with a random token");
    assert_eq!(token("t").as_str(), "t");
}
