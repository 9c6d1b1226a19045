//! What may come of a new user, each with the letters and the days on which they are sent. The log of
//! each story is kept, and every later build must be able to follow it.

use std::time::Duration;

use drip::{Letter, activation_of, ask_a_person, onboard, send};
use rewake::testing::{TestRewake, TestRewakeBuilder};
use rewake::{FatalError, Run, days, hours};

/// Letters arrive.
pub(crate) fn post() -> TestRewakeBuilder {
    TestRewake::builder()
        .mock(send, |_| Ok(()))
        .mock(ask_a_person, |_| Ok(()))
}

async fn signed_up(rewake: &TestRewake) -> Run<String> {
    rewake.start(onboard("ada".into(), days(1))).await.unwrap()
}

async fn does_something(rewake: &TestRewake) {
    rewake.wait_for_hook(activation_of("ada")).await;
    let heard = rewake.resume_hook(activation_of("ada"), "flown").await;
    assert!(heard.unwrap().is_some());
}

/// Holds that it ends so, with letters that were sent so long after the beginning, and keeps the log.
async fn comes_to(
    rewake: &TestRewake,
    run: &Run<String>,
    log: &str,
    ending: &str,
    sent: &[Duration],
) {
    let result = run.result().await;
    assert_eq!(result.unwrap_or_else(|error| error.to_string()), ending);
    let began = run.snapshot().await.unwrap().created_at;
    let steps = rewake.steps(run.id()).await.unwrap().data;
    let after = steps
        .iter()
        .map(|step| step.created_at.duration_since(began.into()));
    assert_eq!(after.map(Result::unwrap).collect::<Vec<_>>(), sent);
    rewake
        .golden(format!("tests/golden/{log}.log"), run.id())
        .await;
}

#[tokio::test]
async fn who_does_nothing_is_written_three_times_and_then_called() {
    let rewake = post().build().await;
    let run = signed_up(&rewake).await;
    let ending = "ada will be called by a person";
    let sent = [0, 1, 4, 11].map(days);
    comes_to(&rewake, &run, "called", ending, &sent).await;
    let letters = rewake.calls(send).into_iter().map(|(_, letter)| letter);
    let all = [Letter::Welcome, Letter::Tips, Letter::Reminder];
    assert_eq!(letters.collect::<Vec<_>>(), all);
    assert_eq!(rewake.calls(ask_a_person), [("ada".to_owned(),)]);
}

#[tokio::test]
async fn who_does_something_on_the_first_day_still_gets_the_tips() {
    let rewake = post().build().await;
    let run = signed_up(&rewake).await;
    does_something(&rewake).await;
    let sent = [0, 1].map(days);
    comes_to(&rewake, &run, "at-once", "ada has flown", &sent).await;
}

#[tokio::test]
async fn who_does_something_after_the_tips_is_not_reminded() {
    let rewake = post().build().await;
    let run = signed_up(&rewake).await;
    rewake.wait_for_sleep().await;
    rewake.advance(days(2)).await;
    does_something(&rewake).await;
    let sent = [0, 1].map(days);
    comes_to(&rewake, &run, "after-the-tips", "ada has flown", &sent).await;
}

#[tokio::test]
async fn who_does_something_once_reminded_is_not_called() {
    let rewake = post().build().await;
    let run = signed_up(&rewake).await;
    rewake.wait_for_sleep().await;
    rewake.advance(days(10)).await;
    does_something(&rewake).await;
    let ending = "ada has flown, once reminded";
    let sent = [0, 1, 4].map(days);
    comes_to(&rewake, &run, "reminded", ending, &sent).await;
}

#[tokio::test]
async fn who_unsubscribes_hears_nothing_more() {
    let rewake = post().build().await;
    let run = signed_up(&rewake).await;
    rewake.wait_for_sleep().await;
    rewake.advance(days(2)).await;
    assert!(run.cancel("unsubscribed").await.unwrap());
    let ending = "the run was cancelled: unsubscribed";
    let sent = [0, 1].map(days);
    comes_to(&rewake, &run, "unsubscribed", ending, &sent).await;
    let too_late = rewake.resume_hook(activation_of("ada"), "flown").await;
    assert_eq!(too_late.unwrap(), None);
}

#[tokio::test]
async fn an_address_that_is_none_ends_it() {
    let rewake = post()
        .mock(send, |_| Err(FatalError::new("no such user").into()))
        .build()
        .await;
    let run = signed_up(&rewake).await;
    let ending = "the run failed: step `drip::onboard::send` failed: no such user";
    comes_to(&rewake, &run, "no-address", ending, &[days(0)]).await;
}

#[tokio::test]
async fn a_mail_server_that_is_down_for_a_while_delays_the_letters() {
    let rewake = post()
        .mock(send, |(_, letter)| {
            if letter == Letter::Tips && rewake::step_metadata().attempt < 7 {
                return Err("the mail server is down".into());
            }
            Ok(())
        })
        .build()
        .await;
    let began = rewake.now();
    let run = signed_up(&rewake).await;
    let ending = "ada will be called by a person";
    let result = run.result().await;
    assert_eq!(result.unwrap(), ending);
    rewake.golden("tests/golden/delayed.log", run.id()).await;
    let took = rewake.now().duration_since(began).unwrap();
    // Six pauses, each twice the one before and up to a quarter longer.
    assert!(
        took > days(11) + hours(1) && took < days(11) + hours(2),
        "{took:?}"
    );
    assert_eq!(rewake.calls(send).len(), 9);
}

#[tokio::test]
async fn a_mail_server_that_stays_down_fails_it() {
    let rewake = post()
        .mock(send, |_| Err("the mail server is down".into()))
        .build()
        .await;
    let run = signed_up(&rewake).await;
    let ending = "the run failed: step `drip::onboard::send` failed: the mail server is down";
    comes_to(&rewake, &run, "no-mail", ending, &[days(0)]).await;
    assert_eq!(rewake.calls(send).len(), 11);
}
