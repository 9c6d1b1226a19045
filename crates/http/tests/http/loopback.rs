//! The same route behind a real listener.

use http::StatusCode;
use rewake_runtime::webhook::{RespondWith, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::world::{World, response, take_all, take_one};

/// Sends bytes to a listener of the world's router, and reads until it hangs up.
async fn exchange(world: &World, sent: &[u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = world.router.clone();
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(sent).await.unwrap();
    let mut received = Vec::new();
    stream.read_to_end(&mut received).await.unwrap();
    server.abort();
    String::from_utf8_lossy(&received).into_owned()
}

fn head(world: &World, method: &str, more: &str) -> String {
    let path = world.path();
    format!("{method} {path}?x=1 HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n{more}\r\n")
}

#[tokio::test]
async fn a_request_goes_through_a_socket() {
    let world = World::open(Settings::default(), take_one).await;
    let sent = head(&world, "POST", "content-length: 5\r\n") + "hello";
    let received = exchange(&world, sent.as_bytes()).await;
    assert!(
        received.starts_with("HTTP/1.1 202 Accepted\r\n"),
        "{received}"
    );
    assert!(
        received.contains("cache-control: no-store\r\n"),
        "{received}"
    );
    let request = world.returned().await.remove(0);
    assert_eq!(request.body, "hello");
    assert!(request.url.starts_with("https://app.example/"));
    assert!(request.url.ends_with("?x=1"));
}

#[tokio::test]
async fn a_response_whose_length_was_wrong_goes_through_a_socket() {
    let mut wrong = http::Response::from(response(200, "whole"));
    wrong
        .headers_mut()
        .insert("content-length", http::HeaderValue::from_static("2"));
    let settings = Settings {
        respond_with: RespondWith::Static(Box::new(wrong.try_into().unwrap())),
        ..Settings::default()
    };
    let world = World::open(settings, take_one).await;
    let sent = head(&world, "POST", "transfer-encoding: chunked\r\n") + "2\r\nhi\r\n0\r\n\r\n";
    let received = exchange(&world, sent.as_bytes()).await;
    assert!(received.starts_with("HTTP/1.1 200 OK\r\n"), "{received}");
    assert!(received.ends_with("\r\n\r\nwhole"), "{received}");
    assert_eq!(world.returned().await[0].body, "hi");
}

#[tokio::test]
async fn a_body_that_is_announced_too_long_is_refused_before_it_is_sent() {
    let world = World::open(Settings::default(), take_all).await;
    let sent = head(&world, "POST", "content-length: 99999999\r\n");
    let received = exchange(&world, sent.as_bytes()).await;
    let status = StatusCode::PAYLOAD_TOO_LARGE;
    assert!(
        received.starts_with(&format!("HTTP/1.1 {status}\r\n")),
        "{received}"
    );
    assert_eq!(world.received().await, 0);
}

#[tokio::test]
async fn head_gets_no_body() {
    let world = World::open(Settings::default(), take_all).await;
    for (token, status) in [
        (world.token.clone(), "200 OK"),
        ("nobody".to_owned(), "404 Not Found"),
    ] {
        let sent = head(&world, "HEAD", "").replace(&world.token, &token);
        let received = exchange(&world, sent.as_bytes()).await;
        assert!(
            received.starts_with(&format!("HTTP/1.1 {status}\r\n")),
            "{received}"
        );
        assert!(received.ends_with("\r\n\r\n"), "{received}");
    }
    assert_eq!(world.received().await, 0);
}
