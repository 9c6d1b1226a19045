//! A redelivery is answered again, and delivered once.

use http::{HeaderName, Method, StatusCode};
use rewake_runtime::WorkflowBody;
use rewake_runtime::core::payload;
use rewake_runtime::webhook::{RespondWith, Settings};

use crate::world::{Desk, World, response, take_one, take_two};

fn deduplicating(respond_with: RespondWith) -> Settings {
    Settings {
        respond_with,
        dedup: Some(HeaderName::from_static("x-id")),
        ..Settings::default()
    }
}

/// Answers the first request when a second has come.
fn answer_late(mut desk: Desk) -> WorkflowBody {
    Box::pin(async move {
        let first = desk.next().await;
        let second = desk.next().await;
        desk.answer(&first, 200, "late").await.unwrap();
        desk.answer(&second, 200, "soon").await.unwrap();
        Ok(payload::encode(&vec![first, second]).unwrap())
    })
}

fn answer_one(mut desk: Desk) -> WorkflowBody {
    Box::pin(async move {
        let request = desk.next().await;
        desk.answer(&request, 201, "done").await.unwrap();
        Ok(payload::encode(&vec![request]).unwrap())
    })
}

#[tokio::test]
async fn a_redelivery_is_accepted_again_and_delivered_once() {
    let world = World::open(deduplicating(RespondWith::Accepted), take_two).await;
    for body in ["one", "one, changed", "one"] {
        let answer = world.call(world.keyed("1", body)).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
    }
    assert_eq!(world.received().await, 1);
    world.call(world.keyed("2", "two")).await;
    let bodies: Vec<_> = world.returned().await.into_iter().map(|r| r.body).collect();
    assert_eq!(bodies, ["one", "two"]);
}

#[tokio::test]
async fn requests_without_a_delivery_id_are_all_new() {
    let world = World::open(deduplicating(RespondWith::Accepted), take_two).await;
    world.call(world.keyed("", "same")).await;
    world.post("same").await;
    assert_eq!(world.returned().await.len(), 2);
}

#[tokio::test]
async fn a_redelivery_is_answered_also_when_the_run_has_ended() {
    let fixed = RespondWith::Static(Box::new(response(203, "thanks")));
    for (respond_with, status) in [(RespondWith::Accepted, 202), (fixed, 203)] {
        let world = World::open(deduplicating(respond_with), take_one).await;
        let first = world.call(world.keyed("1", "one")).await;
        assert_eq!(first.status.as_u16(), status);
        world.returned().await;
        assert_eq!(world.call(world.keyed("1", "one")).await, first);
        world.call(world.keyed("2", "two")).await.is_not_found();
        world.post("three").await.is_not_found();
        assert_eq!(world.received().await, 1);
    }
}

#[tokio::test]
async fn what_is_remembered_of_a_webhook_answers_nothing_but_redeliveries() {
    let world = World::open(deduplicating(RespondWith::Accepted), take_one).await;
    world.call(world.keyed("1", "one")).await;
    world.returned().await;
    for method in [Method::GET, Method::OPTIONS, Method::TRACE] {
        let mut request = world.keyed("1", "one");
        *request.method_mut() = method;
        world.call(request).await.is_not_found();
    }
    let head = world.call(world.request(Method::HEAD, "")).await;
    assert_eq!(head.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_redelivery_waits_for_the_answer_of_the_first() {
    let world = World::open(deduplicating(RespondWith::Manual), answer_late).await;
    let first = world.calling(world.keyed("1", "one"));
    world
        .clock
        .until_somebody_sleeps(Settings::ANSWER_WITHIN)
        .await;
    let again = world.calling(world.keyed("1", "one"));
    let second = world.call(world.keyed("2", "two")).await;
    assert_eq!(second.body, "soon");
    assert_eq!(first.await.body, "late");
    assert_eq!(again.await.body, "late");
    assert_eq!(world.returned().await.len(), 2);
}

#[tokio::test]
async fn a_redelivery_gets_the_same_answer_after_the_end() {
    let world = World::open(deduplicating(RespondWith::Manual), answer_one).await;
    let first = world.call(world.keyed("1", "one")).await;
    assert_eq!(
        (first.status.as_u16(), &first.body[..]),
        (201, &b"done"[..])
    );
    world.returned().await;
    assert_eq!(world.call(world.keyed("1", "one")).await, first);
    assert_eq!(world.received().await, 1);
}

#[tokio::test]
async fn a_caller_that_hangs_up_changes_nothing() {
    let world = World::open(deduplicating(RespondWith::Manual), answer_late).await;
    let caller = world.router_call(world.keyed("1", "one"));
    world
        .clock
        .until_somebody_sleeps(Settings::ANSWER_WITHIN)
        .await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    assert_eq!(world.received().await, 1);
    assert_eq!(world.call(world.keyed("2", "two")).await.body, "soon");
    assert_eq!(world.call(world.keyed("1", "one")).await.body, "late");
}
