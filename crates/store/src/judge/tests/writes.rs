//! Which rows a verdict writes.

use rewake_core::event::EventKind;

use super::fake::{NOW, adding, beginning, delivering, hook_created, hook_dropped, with_hook};
use crate::judge::{Write, append, create, deliver};
use crate::request::Deliver;

/// What each write is about, in order.
fn names(writes: &[Write]) -> Vec<&'static str> {
    let name = |write: &Write| match write {
        Write::Run(..) => "run",
        Write::Frame(..) => "frame",
        Write::Token(_) => "token",
        Write::Release(..) => "release",
        Write::Key(..) => "key",
        Write::KeyGone(..) => "key gone",
        Write::Forget(..) => "forget",
        Write::ForgetGone(..) => "forget gone",
        Write::StartKey(..) => "start key",
        Write::Owed(_) => "owed",
        Write::OwedGone(..) => "owed gone",
        Write::OwedAllGone(..) => "all owed gone",
        Write::Chunk(..) => "chunk",
        Write::Mail(..) => "mail",
        Write::MailGone(..) => "mail gone",
    };
    writes.iter().map(name).collect()
}

#[test]
fn an_append_that_is_not_about_hooks_writes_no_token() {
    let kind = EventKind::RunCancelRequested { reason: None };
    let verdict = append(&mut with_hook(), &adding(2, vec![kind]), NOW).unwrap();
    assert_eq!(names(&verdict.writes), ["frame", "run"]);
}

#[test]
fn a_token_that_passes_on_is_put_over_the_old_row() {
    let events = vec![hook_dropped(1), hook_created(2)];
    let verdict = append(&mut with_hook(), &adding(2, events), NOW).unwrap();
    assert_eq!(names(&verdict.writes), ["token", "frame", "run"]);
}

#[test]
fn a_hook_made_and_given_up_at_once_writes_no_token() {
    let mut rows = with_hook();
    rows.token = None;
    let events = vec![hook_created(2), hook_dropped(2)];
    let verdict = append(&mut rows, &adding(2, events), NOW).unwrap();
    assert_eq!(names(&verdict.writes), ["frame", "run"]);
}

#[test]
fn an_append_of_nothing_writes_the_run_alone() {
    let verdict = append(&mut with_hook(), &adding(2, Vec::new()), NOW).unwrap();
    assert_eq!(names(&verdict.writes), ["run"]);
}

#[test]
fn what_was_answered_before_is_not_written_again() {
    let mut rows = with_hook();
    let request = beginning(vec![EventKind::RunStarted, hook_created(1)]);
    assert_eq!(create(&mut rows, &request, NOW).unwrap().writes, []);

    let request = delivering();
    let verdict = deliver(&mut rows, &request, NOW).unwrap();
    rows.write(verdict.writes);
    let repeat = Deliver {
        repeat: true,
        ..request
    };
    assert_eq!(deliver(&mut rows, &repeat, NOW).unwrap().writes, []);
}
