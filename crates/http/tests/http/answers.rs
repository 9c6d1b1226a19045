//! What callers are answered: accepted, always the same, or what the workflow says.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode};
use rewake_runtime::core::entity::RunStatus;
use rewake_runtime::core::event::Failure;
use rewake_runtime::core::payload::{self, Payload};
use rewake_runtime::webhook::{Request, RespondWith, Response, Settings};
use rewake_runtime::{AnswerError, Limits, RunOutcome, WebhookDelivery, WorkflowBody};

use crate::world::{Desk, PUBLIC_URL, Setup, World, response, take_all, take_one, take_two};

fn manual() -> Settings {
    Settings {
        respond_with: RespondWith::Manual,
        ..Settings::default()
    }
}

/// Answers two requests, the second first, each with its own body.
fn answer_backwards(mut desk: Desk) -> WorkflowBody {
    Box::pin(async move {
        let requests = vec![desk.next().await, desk.next().await];
        for request in requests.iter().rev() {
            let body = String::from_utf8(request.body.to_vec()).unwrap();
            let answer = desk.answer(request, 201, &format!("to {body}")).await;
            answer.unwrap();
        }
        Ok(payload::encode(&requests).unwrap())
    })
}

fn answer_twice(mut desk: Desk) -> WorkflowBody {
    Box::pin(async move {
        let request = desk.next().await;
        assert_eq!(desk.answer(&request, 200, "first").await, Ok(()));
        let second = desk.answer(&request, 200, "second").await;
        assert_eq!(second, Err(AnswerError::AlreadyAnswered));
        Ok(payload::encode(&()).unwrap())
    })
}

fn answer_from_a_step(mut desk: Desk) -> WorkflowBody {
    Box::pin(async move {
        let request = payload::encode(&desk.next().await).unwrap();
        Ok(desk.step("answer_and_fail", request).await)
    })
}

fn answer_binary(mut desk: Desk) -> WorkflowBody {
    Box::pin(async move {
        let request = desk.next().await;
        let mut answer = http::Response::new(Bytes::from_static(b"\x00\xff\x01"));
        *answer.status_mut() = StatusCode::IM_A_TEAPOT;
        let headers = answer.headers_mut();
        headers.append("set-cookie", HeaderValue::from_static("a=1"));
        headers.append("set-cookie", HeaderValue::from_static("b=2"));
        headers.insert("content-length", HeaderValue::from_static("1"));
        headers.insert("cache-control", HeaderValue::from_static("max-age=60"));
        let answer = Response::try_from(answer).unwrap();
        let answer = payload::encode(&answer).unwrap();
        desk.answer_with(&request, &answer).await.unwrap();
        Ok(payload::encode(&()).unwrap())
    })
}

fn answer_nonsense(mut desk: Desk) -> WorkflowBody {
    Box::pin(async move {
        let request = desk.next().await;
        let nonsense = Payload::from_bytes(*b"devl[7]");
        desk.answer_with(&request, &nonsense).await.unwrap();
        Ok(payload::encode(&()).unwrap())
    })
}

/// Answers two requests by the same means, and reads nothing more.
fn answer_both(mut desk: Desk) -> WorkflowBody {
    Box::pin(async move {
        let first = desk.next().await;
        assert_eq!(desk.answer(&first, 200, "attempt 1").await, Ok(()));
        let second = desk.next().await;
        let second = desk.answer(&second, 200, "second").await;
        assert_eq!(second, Err(AnswerError::AlreadyAnswered));
        desk.wait_for_ever().await;
        Ok(payload::encode(&()).unwrap())
    })
}

fn answer_both_from_steps(mut desk: Desk) -> WorkflowBody {
    Box::pin(async move {
        for _ in 0..2 {
            let request = payload::encode(&desk.next().await).unwrap();
            desk.step("answer_and_fail", request).await;
        }
        Ok(payload::encode(&()).unwrap())
    })
}

fn fail(mut desk: Desk) -> WorkflowBody {
    Box::pin(async move {
        desk.next().await;
        Err(Failure::new("broken"))
    })
}

#[tokio::test]
async fn a_request_is_accepted_without_a_body() {
    let world = World::open(Settings::default(), take_one).await;
    let answer = world.post("hello").await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(answer.body, "");
    answer.is_not_stored();
    let returned = world.returned().await;
    assert_eq!(returned[0].body, "hello");
    assert_eq!(returned[0].answer_to, None);
}

#[tokio::test]
async fn every_request_gets_the_static_response() {
    let mut thanks = http::Response::new(Bytes::from_static(b"\x80thanks"));
    *thanks.status_mut() = StatusCode::NON_AUTHORITATIVE_INFORMATION;
    thanks
        .headers_mut()
        .insert("x-kind", HeaderValue::from_static("static"));
    let thanks = Response::try_from(thanks).unwrap();
    let settings = Settings {
        respond_with: RespondWith::Static(Box::new(thanks)),
        ..Settings::default()
    };
    let world = World::open(settings, take_two).await;
    for body in ["one", "two"] {
        let answer = world.post(body).await;
        assert_eq!(answer.status.as_u16(), 203);
        assert_eq!(answer.headers["x-kind"], "static");
        assert_eq!(&answer.body[..], b"\x80thanks");
        answer.is_not_stored();
    }
    assert_eq!(world.returned().await.len(), 2);
}

#[tokio::test]
async fn two_callers_at_once_get_their_own_answers() {
    let world = World::open(manual(), answer_backwards).await;
    let (one, two) = (
        world.calling(world.request(Method::POST, "one")),
        world.calling(world.request(Method::POST, "two")),
    );
    let (one, two) = (one.await, two.await);
    assert_eq!((one.status.as_u16(), &one.body[..]), (201, &b"to one"[..]));
    assert_eq!((two.status.as_u16(), &two.body[..]), (201, &b"to two"[..]));
    one.is_not_stored();
    let streams: Vec<_> = world
        .returned()
        .await
        .into_iter()
        .map(|r| r.answer_to)
        .collect();
    assert!(streams[0].as_ref().unwrap().starts_with("strm_"));
    assert_ne!(streams[0], streams[1]);
}

#[tokio::test]
async fn the_first_answer_stands() {
    let world = World::open(manual(), answer_twice).await;
    assert_eq!(world.post("").await.body, "first");
    let outcome = world.engine.outcome(world.run).await.unwrap();
    assert!(matches!(outcome, RunOutcome::Completed(_)), "{outcome:?}");
}

#[tokio::test]
async fn a_step_may_repeat_its_answer_and_the_first_stands() {
    let world = World::open(manual(), answer_from_a_step).await;
    assert_eq!(world.post("").await.body, "attempt 1");
    let outcome = world.engine.outcome(world.run).await.unwrap();
    assert!(matches!(outcome, RunOutcome::Completed(_)), "{outcome:?}");
}

#[tokio::test]
async fn an_answer_arrives_as_it_was_given_but_for_what_is_between_us_and_the_caller() {
    let world = World::open(manual(), answer_binary).await;
    let answer = world.post("").await;
    assert_eq!(answer.status, StatusCode::IM_A_TEAPOT);
    assert_eq!(&answer.body[..], b"\x00\xff\x01");
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
    assert_ne!(
        answer.headers.get("content-length"),
        Some(&HeaderValue::from_static("1"))
    );
    answer.is_not_stored();
}

#[tokio::test]
async fn an_answer_that_is_no_response_is_our_fault() {
    let world = World::open(manual(), answer_nonsense).await;
    let answer = world.post("").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.problem(), "UNREADABLE_ANSWER");
}

#[tokio::test]
async fn a_run_that_ends_without_an_answer_is_a_bad_gateway() {
    for script in [take_one, fail] {
        let world = World::open(manual(), script).await;
        let answer = world.post("").await;
        assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
        assert_eq!(answer.problem(), "RUN_ENDED");
    }
}

#[tokio::test]
async fn a_run_that_is_cancelled_is_a_bad_gateway() {
    let world = World::open(manual(), take_all).await;
    let answer = world.calling(world.request(Method::POST, ""));
    world
        .clock
        .until_somebody_sleeps(Settings::ANSWER_WITHIN)
        .await;
    world.engine.cancel(world.run, None).await.unwrap();
    assert_eq!(answer.await.problem(), "RUN_ENDED");
}

#[tokio::test]
async fn a_caller_waits_so_long_and_the_run_goes_on() {
    let settings = Settings {
        answer_within: Some(Duration::from_millis(1_234)),
        ..manual()
    };
    let unless_said = (manual(), Settings::ANSWER_WITHIN);
    for (settings, within) in [unless_said, (settings, Duration::from_millis(1_234))] {
        let world = World::open(settings, take_two).await;
        let answer = world.calling(world.request(Method::POST, "one"));
        world.clock.pass(within).await;
        let answer = answer.await;
        assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT);
        assert_eq!(answer.problem(), "NO_ANSWER");
        let run = world.engine.run(world.run).await.unwrap().unwrap();
        assert_eq!(run.status, RunStatus::Running);
        world.post("two").await;
        assert_eq!(world.returned().await.len(), 2);
    }
}

#[tokio::test]
async fn too_many_callers_are_turned_away_before_their_requests_are_taken() {
    let mut setup = Setup::from(manual());
    setup.limits = Limits {
        waiting_callers: 1,
        ..Limits::default()
    };
    let world = World::open(setup, take_two).await;
    let first = world.calling(world.request(Method::POST, "one"));
    world
        .clock
        .until_somebody_sleeps(Settings::ANSWER_WITHIN)
        .await;
    let second = world.post("two").await;
    assert_eq!(second.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(second.problem(), "TOO_MANY_CALLERS");
    assert_eq!(world.received().await, 1);
    world.clock.pass(Settings::ANSWER_WITHIN).await;
    assert_eq!(first.await.problem(), "NO_ANSWER");
    // The place is free again.
    assert_eq!(world.post("two").await.problem(), "RUN_ENDED");
}

/// As where a key was forgotten, and the same request came again since.
#[tokio::test]
async fn whoever_comes_after_the_answer_hears_it_when_it_is_given_again() {
    for script in [answer_both, answer_both_from_steps] {
        let world = World::open(manual(), script).await;
        let caller = world.engine.caller().unwrap();
        let stream = world.engine.answer_stream(&world.token, Some("1"));
        for _ in 0..2 {
            let mut request = Request::new(Method::POST, PUBLIC_URL);
            request.answer_to = Some(stream.to_string());
            let listening = caller.listen(world.run);
            let delivered = world.engine.deliver_webhook(WebhookDelivery {
                token: world.token.clone(),
                payload: payload::encode(&request).unwrap(),
                key: None,
            });
            let delivered = delivered.await.unwrap().unwrap();
            assert!(delivered.new);
            // Time stands still, so nobody is told by its end.
            let answer = caller.answer(world.run, stream, Settings::ANSWER_WITHIN, Some(listening));
            let answer: Response = payload::decode(&answer.await.unwrap()).unwrap();
            assert_eq!(http::Response::from(answer).body(), "attempt 1");
        }
    }
}

#[tokio::test]
async fn settings_that_cannot_be_read_refuse_the_request_before_it_is_recorded() {
    for metadata in [
        &b"devl[{\"respondWith\":1},\"automatic\"]"[..],
        b"devl[{\"respondWith\":1},7]",
    ] {
        let mut setup = Setup::from(Settings::default());
        setup.metadata = Some(Payload::from_bytes(metadata));
        let world = World::open(setup, take_one).await;
        let answer = world.post("").await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.problem(), "INVALID_SETTINGS");
        assert_eq!(world.received().await, 0);
    }
}

#[tokio::test]
async fn metadata_without_settings_accepts() {
    for metadata in [None, Some(Payload::from_bytes(*b"devl[\"note\"]"))] {
        let mut setup = Setup::from(Settings::default());
        setup.metadata = metadata;
        let world = World::open(setup, take_one).await;
        assert_eq!(world.post("").await.status, StatusCode::ACCEPTED);
        assert_eq!(world.returned().await.len(), 1);
    }
}

#[tokio::test]
async fn a_response_without_a_body_has_none() {
    let settings = Settings {
        respond_with: RespondWith::Static(Box::new(response(204, "a body"))),
        ..Settings::default()
    };
    let world = World::open(settings, take_one).await;
    let answer = world.post("").await;
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (204, &b""[..]));
}
