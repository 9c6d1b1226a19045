//! Which methods resume, and what the others are answered.

use http::{Method, StatusCode};
use rewake_runtime::webhook::{RespondWith, Settings};

use crate::world::{World, take_all};

#[tokio::test]
async fn what_carries_something_resumes() {
    let world = World::open(Settings::default(), take_all).await;
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let answer = world.call(world.request(method, "")).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
    }
    assert_eq!(world.received().await, 4);
}

#[tokio::test]
async fn other_methods_are_refused_with_those_that_are_not() {
    let world = World::open(Settings::default(), take_all).await;
    let odd = Method::from_bytes(b"PROPFIND").unwrap();
    for method in [Method::GET, Method::TRACE, Method::CONNECT, odd] {
        let answer = world.call(world.request(method, "")).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.problem(), "METHOD_NOT_ALLOWED");
        assert_eq!(
            answer.headers["allow"],
            "POST, PUT, PATCH, DELETE, HEAD, OPTIONS"
        );
    }
    assert_eq!(world.received().await, 0);
}

#[tokio::test]
async fn a_webhook_says_what_resumes_it() {
    let odd = Method::from_bytes(b"PROPFIND").unwrap();
    let settings = Settings {
        methods: Some(vec![Method::PUT, Method::GET, Method::HEAD, odd.clone()]),
        ..Settings::default()
    };
    let world = World::open(settings, take_all).await;
    for method in [Method::GET, Method::PUT] {
        let answer = world.call(world.request(method, "")).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
    }
    for method in [Method::POST, Method::DELETE, odd] {
        let answer = world.call(world.request(method, "")).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.headers["allow"], "GET, PUT, HEAD, OPTIONS");
    }
    assert_eq!(world.received().await, 2);
}

#[tokio::test]
async fn head_and_options_look_and_do_not_resume() {
    let manual = Settings {
        respond_with: RespondWith::Manual,
        ..Settings::default()
    };
    for settings in [Settings::default(), manual] {
        let world = World::open(settings, take_all).await;
        let head = world.call(world.request(Method::HEAD, "")).await;
        assert_eq!((head.status, &head.body[..]), (StatusCode::OK, &b""[..]));
        head.is_not_stored();
        let options = world.call(world.request(Method::OPTIONS, "")).await;
        assert_eq!(options.status, StatusCode::NO_CONTENT);
        assert_eq!(options.body, "");
        assert_eq!(
            options.headers["allow"],
            "POST, PUT, PATCH, DELETE, HEAD, OPTIONS"
        );
        options.is_not_stored();
        assert_eq!(world.received().await, 0);
    }
}

#[tokio::test]
async fn where_no_webhook_is_no_method_says_so_otherwise() {
    let world = World::open(Settings::default(), take_all).await;
    for method in [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
        Method::TRACE,
    ] {
        let mut request = world.request(method, "");
        *request.uri_mut() = format!("{}X", world.path()).parse().unwrap();
        world.call(request).await.is_not_found();
    }
    let mut request = world.request(Method::HEAD, "");
    *request.uri_mut() = format!("{}X", world.path()).parse().unwrap();
    let head = world.call(request).await;
    assert_eq!(
        (head.status, &head.body[..]),
        (StatusCode::NOT_FOUND, &b""[..])
    );
    head.is_not_stored();
}
