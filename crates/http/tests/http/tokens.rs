//! Where no live webhook has the token, there is one answer.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Method, StatusCode};
use rewake_runtime::webhook::Settings;
use tower::ServiceExt;

use crate::world::{ROUTE, Setup, World, take_all, take_one};

async fn post_to(world: &World, path: &str) -> crate::world::Answer {
    let mut request = world.request(Method::POST, "x");
    *request.uri_mut() = path.parse().unwrap();
    world.call(request).await
}

#[tokio::test]
async fn hostile_paths_are_all_the_same() {
    let world = World::open(Settings::default(), take_all).await;
    let overlong = "a".repeat(513);
    let token = &world.token;
    let tails = [
        String::new(),
        "unknown".to_owned(),
        overlong,
        "%".to_owned(),
        "%zz".to_owned(),
        "%ff%fe".to_owned(),
        "%00".to_owned(),
        "%0d%0aset-cookie:x".to_owned(),
        "..".to_owned(),
        "%2e%2e%2f".to_owned(),
        "%e2%80%ae".to_owned(),
        format!("{token}%00"),
        format!("{token}%20"),
        format!("%20{token}"),
        format!("a%2f{token}"),
        token.to_lowercase(),
        "*".to_owned(),
        "/".to_owned(),
        format!("/{token}"),
        format!("a/{token}"),
        format!("{token}/"),
        format!("{token}/a"),
        format!("../webhook/{token}"),
        format!("./{token}"),
        format!("%2f{token}"),
        format!("{token}%2f"),
        format!("{token};a=b"),
        format!("%c0%af{token}"),
        format!("%{token}"),
        format!("{token}%"),
        format!("{token}%2"),
        format!("%2500{token}"),
    ];
    let first = post_to(&world, &format!("{ROUTE}/nobody")).await;
    for tail in tails {
        let answer = post_to(&world, &format!("{ROUTE}/{tail}")).await;
        answer.is_not_found();
        assert_eq!(answer, first, "{tail}");
    }
    assert_eq!(world.received().await, 0);
}

#[tokio::test]
async fn a_token_may_be_percent_encoded() {
    let world = World::open(Settings::default(), take_one).await;
    let encoded: Vec<String> = world.token.bytes().map(|b| format!("%{b:02x}")).collect();
    let encoded = encoded.concat();
    let answer = post_to(&world, &format!("{ROUTE}/{encoded}")).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(world.returned().await.len(), 1);
}

#[tokio::test]
async fn a_hook_that_is_no_webhook_is_not_there() {
    let mut setup = Setup::from(Settings::default());
    setup.is_webhook = false;
    let world = World::open(setup, take_all).await;
    let nobody = post_to(&world, &format!("{ROUTE}/nobody")).await;
    for method in [Method::POST, Method::GET, Method::OPTIONS] {
        let answer = world.call(world.request(method, "x")).await;
        answer.is_not_found();
        assert_eq!(answer, nobody);
    }
    assert_eq!(world.received().await, 0);
}

#[tokio::test]
async fn a_webhook_whose_run_has_ended_is_not_there() {
    let world = World::open(Settings::default(), take_one).await;
    assert_eq!(world.post("").await.status, StatusCode::ACCEPTED);
    world.returned().await;
    world.post("").await.is_not_found();
    assert_eq!(world.received().await, 1);
}

#[tokio::test]
async fn a_webhook_whose_time_has_run_out_is_not_there() {
    let mut setup = Setup::from(Settings::default());
    setup.expires_in = Some(Duration::from_mins(1));
    let world = World::open(setup, take_all).await;
    assert_eq!(world.post("").await.status, StatusCode::ACCEPTED);
    world.clock.advance(Duration::from_mins(1));
    world.post("").await.is_not_found();
    assert_eq!(world.received().await, 1);
}

#[tokio::test]
async fn the_routes_of_an_application_are_its_own() {
    #[derive(Clone)]
    struct State;
    let world = World::open(Settings::default(), take_one).await;
    let app: Router = Router::new()
        .route("/", axum::routing::get(async || "hello"))
        .merge(rewake_http::router(world.engine.clone()))
        .with_state(State);
    let get = |path: String| http::Request::get(path).body(Body::empty()).unwrap();
    let hello = app.clone().oneshot(get("/".to_owned())).await.unwrap();
    assert_eq!(hello.status(), StatusCode::OK);
    let elsewhere = app
        .clone()
        .oneshot(get("/elsewhere".to_owned()))
        .await
        .unwrap();
    assert!(elsewhere.headers().get("cache-control").is_none());
    let webhook = app.oneshot(get(world.path())).await.unwrap();
    assert_eq!(webhook.status(), StatusCode::METHOD_NOT_ALLOWED);
}
