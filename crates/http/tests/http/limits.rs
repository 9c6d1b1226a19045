//! Too large, too slow, too many: refused, and nothing is left of it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode};
use http_body_util::channel::Channel;
use rewake_runtime::webhook::Settings;
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
