//! Too large, too slow, too many: refused, and nothing is left of it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode};
use http_body_util::channel::Channel;
use rewake_runtime::core::event::EventKind;
use rewake_runtime::core::payload;
use rewake_runtime::webhook::{Request, RespondWith, Settings};
use rewake_runtime::{Limits, WorkflowBody};

use crate::world::{Desk, Setup, World, take_all, take_one};

const LIMIT: usize = 4_000;

fn small() -> Setup {
    let mut setup = Setup::from(Settings::default());
    setup.limits = Limits {
        payload: LIMIT,
        ..Limits::default()
    };
    setup
}

/// A body that goes on for ever, and counts what was taken of it.
struct Endless(Arc<AtomicUsize>);

impl HttpBody for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        self.0.fetch_add(100, Ordering::SeqCst);
        let frame = http_body::Frame::data(Bytes::from_static(&[7; 100]));
        Poll::Ready(Some(Ok(frame)))
    }
}

async fn is_too_large(world: &World, request: http::Request<Body>) {
    let answer = world.call(request).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.problem(), "PAYLOAD_TOO_LARGE");
    assert_eq!(world.received().await, 0);
}

#[tokio::test]
async fn a_body_that_says_it_is_too_long_is_not_read() {
    let world = World::open(small(), take_all).await;
    let taken = Arc::new(AtomicUsize::new(0));
    let body = Body::new(Endless(Arc::clone(&taken)));
    let mut request = world.request(Method::POST, body);
    let long = HeaderValue::from_static("3001");
    request.headers_mut().insert("content-length", long);
    is_too_large(&world, request).await;
    assert_eq!(taken.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_body_that_does_not_say_is_read_a_bit_beyond_the_limit() {
    let world = World::open(small(), take_all).await;
    let taken = Arc::new(AtomicUsize::new(0));
    let body = Body::new(Endless(Arc::clone(&taken)));
    is_too_large(&world, world.request(Method::POST, body)).await;
    let taken = taken.load(Ordering::SeqCst);
    assert!((3_001..=3_200).contains(&taken), "{taken}");
}

#[tokio::test]
async fn the_limit_counts_the_request_as_encoded() {
    let world = World::open(small(), take_one).await;
    // In base64 these fit, but not with method, URL and headers.
    is_too_large(&world, world.request(Method::POST, vec![0; 2_990])).await;
    let mut request = world.request(Method::POST, "");
    let long = HeaderValue::try_from("x".repeat(LIMIT)).unwrap();
    request.headers_mut().insert("x-long", long);
    is_too_large(&world, request).await;
    let answer = world.post(vec![0; 2_000]).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(world.returned().await[0].body.len(), 2_000);
}

#[tokio::test]
async fn the_largest_request_that_is_taken_has_as_many_bytes_as_are_allowed() {
    let encoded = |body: usize| {
        let mut request = Request::new(Method::POST, "");
        request.body = vec![0; body].into();
        payload::encode(&request).unwrap().len()
    };
    // In base64 every third byte adds a group of four.
    let step = |body: usize| encoded(body + 1) - encoded(body);
    let world = World::open(small(), take_all).await;
    let url = format!("{}{}", crate::world::PUBLIC_URL, world.path());
    let largest = (0..LIMIT)
        .rev()
        .find(|body| encoded(*body) + url.len() <= LIMIT)
        .unwrap();
    assert!(step(largest) > 0 && encoded(largest) + url.len() + 4 > LIMIT);
    let answer = world.post(vec![0; largest]).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let answer = world.post(vec![0; largest + 1]).await;
    assert_eq!(answer.problem(), "PAYLOAD_TOO_LARGE");
    assert_eq!(world.received().await, 1);
}

#[tokio::test]
async fn size_comes_before_the_token() {
    let world = World::open(small(), take_all).await;
    for method in [Method::POST, Method::TRACE] {
        let mut request = world.request(method, vec![0; LIMIT]);
        *request.uri_mut() = format!("{}X", world.path()).parse().unwrap();
        is_too_large(&world, request).await;
    }
}

#[tokio::test]
async fn a_body_that_takes_too_long_is_given_up() {
    let world = World::open(Settings::default(), take_all).await;
    let (mut sender, body) = Channel::<Bytes, Infallible>::new(1);
    sender.send_data(Bytes::from_static(b"half")).await.unwrap();
    let answer = world.calling(world.request(Method::POST, Body::new(body)));
    world.clock.pass(Limits::default().body_time).await;
    let answer = answer.await;
    assert_eq!(answer.status, StatusCode::REQUEST_TIMEOUT);
    assert_eq!(answer.problem(), "BODY_TOO_SLOW");
    assert_eq!(world.received().await, 0);
}

#[tokio::test]
async fn how_long_a_body_may_take_can_be_set() {
    let mut setup = Setup::from(Settings::default());
    setup.limits.body_time = Duration::from_millis(70);
    let world = World::open(setup, take_all).await;
    let (mut sender, body) = Channel::<Bytes, Infallible>::new(1);
    let answer = world.calling(world.request(Method::POST, Body::new(body)));
    let limit = Duration::from_millis(70);
    world.clock.until_somebody_sleeps(limit).await;
    // A byte from time to time does not help.
    for _ in 0..7 {
        sender.send_data(Bytes::from_static(b"x")).await.unwrap();
        world.clock.advance(Duration::from_millis(10));
    }
    assert_eq!(answer.await.problem(), "BODY_TOO_SLOW");
    assert_eq!(world.received().await, 0);
}

#[tokio::test]
async fn a_body_that_arrives_in_time_is_taken_whole() {
    let world = World::open(Settings::default(), take_one).await;
    let (mut sender, body) = Channel::<Bytes, Infallible>::new(1);
    let answer = world.calling(world.request(Method::POST, Body::new(body)));
    world
        .clock
        .until_somebody_sleeps(Limits::default().body_time)
        .await;
    sender.send_data(Bytes::from_static(b"one ")).await.unwrap();
    sender.send_data(Bytes::from_static(b"two")).await.unwrap();
    drop(sender);
    assert_eq!(answer.await.status, StatusCode::ACCEPTED);
    assert_eq!(world.returned().await[0].body, "one two");
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_nothing() {
    let world = World::open(Settings::default(), take_all).await;
    let (mut sender, body) = Channel::<Bytes, std::io::Error>::new(2);
    sender.send_data(Bytes::from_static(b"half")).await.unwrap();
    sender.abort(std::io::Error::other("the line is dead"));
    let answer = world
        .call(world.request(Method::POST, Body::new(body)))
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.problem(), "BODY_UNREADABLE");
    assert_eq!(world.received().await, 0);
}

fn take_nothing(desk: Desk) -> WorkflowBody {
    Box::pin(async move {
        desk.wait_for_ever().await;
        unreachable!("nobody wakes it")
    })
}

#[tokio::test]
async fn a_webhook_that_is_full_says_so() {
    let mut setup = Setup::from(Settings::default());
    setup.limits.unread.count = 2;
    let world = World::open(setup, take_nothing).await;
    for _ in 0..2 {
        assert_eq!(world.post("").await.status, StatusCode::ACCEPTED);
    }
    let answer = world.post("").await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.problem(), "HOOK_FULL");
    assert_eq!(world.received().await, 2);
}

#[tokio::test]
async fn a_webhook_is_full_also_by_the_bytes_that_it_holds() {
    let mut setup = Setup::from(Settings::default());
    setup.limits.unread.bytes = 5_000;
    let world = World::open(setup, take_nothing).await;
    let mut taken = 0;
    while world.post(vec![0; 600]).await.status == StatusCode::ACCEPTED {
        taken += 1;
    }
    let answer = world.post(vec![0; 600]).await;
    assert_eq!(answer.problem(), "HOOK_FULL");
    let events = world.engine.events(world.run).await.unwrap();
    let bytes: Vec<usize> = events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::HookReceived { payload, .. } => Some(payload.len()),
            _ => None,
        })
        .collect();
    assert_eq!(bytes.len(), taken);
    let held: usize = bytes.iter().sum();
    assert!(held <= 5_000 && held + bytes[0] > 5_000, "{held}");
    // What is smaller still has room.
    assert_eq!(world.post("").await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_thousand_callers_wait_and_the_next_is_told_that_there_is_no_room() {
    let manual = Settings {
        respond_with: RespondWith::Manual,
        ..Settings::default()
    };
    let world = World::open(manual, take_all).await;
    let callers: Vec<_> = (0..1_000)
        .map(|n| world.router_call(world.request(Method::POST, n.to_string())))
        .collect();
    while world.received().await < 1_000 {
        tokio::task::yield_now().await;
    }
    let answer = world.post("").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.problem(), "TOO_MANY_CALLERS");
    assert_eq!(world.received().await, 1_000);
    // One that gives up leaves its place to another.
    let mut callers = callers.into_iter();
    let gone = callers.next().unwrap();
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    let last = world.router_call(world.request(Method::POST, ""));
    while world.received().await < 1_001 {
        tokio::task::yield_now().await;
    }
    world.engine.cancel(world.run, None).await.unwrap();
    assert_eq!(last.await.unwrap().problem(), "RUN_ENDED");
    for caller in callers {
        assert_eq!(caller.await.unwrap().problem(), "RUN_ENDED");
    }
}
