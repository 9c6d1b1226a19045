//! What of a request its workflow gets.

use http::{HeaderName, HeaderValue, Method};
use rewake_runtime::core::payload;
use rewake_runtime::webhook::{Request, Settings};

use crate::world::{PUBLIC_URL, World, take_one};

async fn returned(world: &World) -> Request {
    world.returned().await.remove(0)
}

#[tokio::test]
async fn method_url_and_body_arrive_as_they_were_sent() {
    let world = World::open(Settings::default(), take_one).await;
    let body: Vec<u8> = (0..=255).collect();
    let mut request = world.request(Method::PATCH, body.clone());
    let path = format!("{}?a=1&b=%20x&a=2", world.path());
    *request.uri_mut() = path.parse().unwrap();
    world.call(request).await;
    let request = returned(&world).await;
    assert_eq!(request.method, Method::PATCH);
    assert_eq!(request.url, format!("{PUBLIC_URL}{path}"));
    assert_eq!(request.body, body);
}

#[tokio::test]
async fn what_a_request_says_of_its_host_is_not_trusted() {
    let world = World::open(Settings::default(), take_one).await;
    let mut request = world.request(Method::POST, "");
    let path = world.path();
    *request.uri_mut() = format!("http://evil.example{path}?q").parse().unwrap();
    for name in ["host", "x-forwarded-host", "forwarded"] {
        let evil = HeaderValue::from_static("evil.example");
        request.headers_mut().insert(name, evil);
    }
    world.call(request).await;
    assert_eq!(returned(&world).await.url, format!("{PUBLIC_URL}{path}?q"));
}

#[tokio::test]
async fn headers_arrive_all_but_credentials() {
    let world = World::open(Settings::default(), take_one).await;
    let mut request = world.request(Method::POST, "");
    let headers = request.headers_mut();
    for (name, value) in [
        ("x-many", &b"2"[..]),
        ("X-Many", b"1"),
        ("authorization", b"Bearer secret"),
        ("cookie", b"secret"),
        ("x-bytes", b"\xff\xfe"),
        ("content-type", b"text/plain"),
    ] {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_bytes(value).unwrap());
    }
    world.call(request).await;
    let headers = returned(&world).await.headers;
    let many: Vec<_> = headers.get_all("x-many").iter().collect();
    assert_eq!(many, ["2", "1"]);
    assert_eq!(headers["x-bytes"].as_bytes(), b"\xff\xfe");
    assert_eq!(headers["content-type"], "text/plain");
    assert_eq!(headers.keys().count(), 3, "{headers:?}");
}

#[tokio::test]
async fn a_webhook_names_the_headers_it_keeps() {
    let settings = Settings {
        headers: Some(vec![http::header::AUTHORIZATION]),
        ..Settings::default()
    };
    let world = World::open(settings, take_one).await;
    let mut request = world.request(Method::POST, "");
    for name in ["authorization", "cookie", "x-other"] {
        let value = HeaderValue::from_static("kept?");
        request.headers_mut().insert(name, value);
    }
    world.call(request).await;
    let headers = returned(&world).await.headers;
    assert_eq!(headers.keys().count(), 1);
    assert!(headers.contains_key("authorization"));
}

#[tokio::test]
async fn a_request_can_be_handed_to_a_step() {
    let world = World::open(Settings::default(), take_one).await;
    world.post("twice").await;
    let request = returned(&world).await;
    let arguments = payload::encode(&(&request, 1)).unwrap();
    let (again, _): (Request, u8) = payload::decode(&arguments).unwrap();
    assert_eq!(again, request);
}

#[tokio::test]
async fn a_token_does_not_show_when_a_request_is_printed() {
    let world = World::open(Settings::default(), take_one).await;
    world.post("").await;
    let shown = format!("{:?}", returned(&world).await);
    assert!(!shown.contains(&world.token), "{shown}");
}
