//! Layouts, byte for byte those of the SDK, and what comes back.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use rewake_core::payload::{self, Payload};

use super::{Request, RespondWith, Response, Scheme, Settings, Verify};

fn text<T: serde::Serialize>(value: &T) -> String {
    String::from_utf8(payload::encode(value).unwrap().as_bytes().to_vec()).unwrap()
}

fn devl(text: &str) -> Payload {
    Payload::from_bytes(format!("devl{text}").into_bytes())
}

fn get(url: &str) -> Request {
    Request::new(Method::GET, url)
}

fn response(status: u16, body: &'static [u8]) -> Response {
    let response = http::Response::builder().status(status);
    Response::try_from(response.body(Bytes::from_static(body)).unwrap()).unwrap()
}

#[test]
fn a_request_has_the_layout_of_the_sdk() {
    let mut request = get("https://e.com/p");
    request.headers.insert("a", HeaderValue::from_static("1"));
    assert_eq!(
        text(&(&request,)),
        r#"devl[[1],["Request",2],{"method":3,"url":4,"headers":5,"body":10,"duplex":11},"GET","https://e.com/p",["Headers",6],[7],[8,9],"a","1",null,"half"]"#
    );
}

#[test]
fn a_body_and_the_place_for_an_answer_have_the_layout_of_the_sdk() {
    let mut request = get("u");
    request.body = Bytes::from_static(&[1, 2, 255]);
    request.answer_to = Some("strm_1".to_owned());
    assert_eq!(
        text(&request),
        r#"devl[["Request",1],{"method":2,"url":3,"headers":4,"body":6,"duplex":10,"responseWritable":11},"GET","u",["Headers",5],[],["ReadableStream",7],{"bodyInit":8},["Uint8Array",9],"AQL/","half",["WritableStream",12],{"name":13},"strm_1"]"#
    );
    let back: Request = payload::decode(&payload::encode(&request).unwrap()).unwrap();
    assert_eq!(back, request);
}

#[test]
fn a_response_has_the_layout_of_the_sdk() {
    assert_eq!(
        text(&(response(204, b""),)),
        r#"devl[[1],["Response",2],{"type":3,"url":4,"status":5,"statusText":4,"headers":6,"body":8,"redirected":9},"default","",204,["Headers",7],[],null,false]"#
    );
}

#[test]
fn a_response_keeps_everything_a_caller_sees() {
    let mut built = http::Response::new(Bytes::from_static(b"\x00\xff"));
    *built.status_mut() = http::StatusCode::CREATED;
    built
        .headers_mut()
        .append("set-cookie", HeaderValue::from_static("a=1"));
    built
        .headers_mut()
        .append("set-cookie", HeaderValue::from_static("b=2"));
    let response = Response::try_from(built).unwrap();
    let back: Response = payload::decode(&payload::encode(&response).unwrap()).unwrap();
    assert_eq!(back, response);
    assert_eq!(back.headers().get_all("set-cookie").iter().count(), 2);
}

#[test]
fn a_response_of_the_sdk_may_hold_text() {
    let written = r#"[["Response",1],{"type":2,"url":3,"status":4,"statusText":5,"headers":6,"body":8,"redirected":11},"default","",200,"Fine",["Headers",7],[],["ReadableStream",9],{"bodyInit":10},"hello",false]"#;
    let response: Response = payload::decode(&devl(written)).unwrap();
    assert_eq!(response.body(), &Bytes::from_static(b"hello"));
    assert_eq!(response.status_text(), "Fine");
    let back: Response = payload::decode(&payload::encode(&response).unwrap()).unwrap();
    assert_eq!(back, response);
}

#[test]
fn a_body_that_lies_elsewhere_is_refused() {
    let written = r#"[["Response",1],{"status":2,"headers":3,"body":5},200,["Headers",4],[],["ReadableStream",6],{"name":7},"strm_1"]"#;
    let error = payload::decode::<Response>(&devl(written)).unwrap_err();
    assert!(error.to_string().contains("bodyInit"), "{error}");
}

#[test]
fn a_status_that_ends_no_exchange_is_refused() {
    for status in [100, 101, 600, 999] {
        let response = http::Response::builder().status(status);
        let response = response.body(Bytes::new()).unwrap();
        assert_eq!(Response::try_from(response).unwrap_err().status, status);
        let written = format!(
            r#"[["Response",1],{{"status":2,"headers":3,"body":5}},{status},["Headers",4],[],null]"#
        );
        let error = payload::decode::<Response>(&devl(&written)).unwrap_err();
        assert!(error.to_string().contains("ends no exchange"), "{error}");
    }
}

#[test]
fn headers_are_ordered_by_name_and_repeats_as_they_came() {
    let mut request = get("u");
    for (name, value) in [("x-b", "2"), ("x-a", "9"), ("x-b", "1")] {
        request
            .headers
            .append(name, HeaderValue::from_static(value));
    }
    let written = text(&request);
    let (a, b) = (written.find("x-a").unwrap(), written.find("x-b").unwrap());
    assert!(a < b, "{written}");
    let back: Request = payload::decode(&payload::encode(&request).unwrap()).unwrap();
    let values: Vec<_> = back.headers.get_all("x-b").iter().collect();
    assert_eq!(values, ["2", "1"]);
}

#[test]
fn header_values_that_are_no_text_come_back() {
    let mut request = get("u");
    let every: Vec<u8> = (32..=255).filter(|byte| *byte != 127).collect();
    let value = HeaderValue::from_bytes(&every).unwrap();
    request.headers.insert("x-bytes", value.clone());
    let back: Request = payload::decode(&payload::encode(&request).unwrap()).unwrap();
    assert_eq!(back.headers.get("x-bytes"), Some(&value));
}

#[test]
fn what_is_no_header_is_refused() {
    for pair in [r#""a b","1""#, r#""a","\n""#, r#""a","\u20ac""#] {
        let written = format!(
            r#"[["Request",1],{{"method":2,"url":3,"headers":4,"body":9}},"GET","u",["Headers",5],[6],[7,8],{pair},null]"#
        );
        let error = payload::decode::<Request>(&devl(&written)).unwrap_err();
        assert!(error.to_string().contains("is no header"), "{error}");
    }
}

#[test]
fn a_request_passes_through_other_formats() {
    let mut request = get("https://e.com/");
    request.body = Bytes::from_static(&[0, 200]);
    request.headers.insert("a", HeaderValue::from_static("1"));
    let json = serde_json::to_string(&request).unwrap();
    assert_eq!(serde_json::from_str::<Request>(&json).unwrap(), request);
}

#[test]
fn settings_come_back_with_what_other_builds_said() {
    let mut headers = HeaderMap::new();
    headers.insert("x-a", HeaderValue::from_static("1"));
    let settings = Settings {
        respond_with: RespondWith::Static(Box::new(response(203, b"thanks"))),
        answer_within: Some(Duration::from_millis(1_500)),
        methods: Some(vec![Method::GET, Method::POST]),
        headers: Some(vec![HeaderName::from_static("x-a")]),
        dedup: Some(HeaderName::from_static("x-id")),
        verify: None,
        others: [("later".to_owned(), serde_json::json!({"a": [1, "b"]}))].into(),
    };
    let metadata = payload::encode(&settings).unwrap();
    assert_eq!(Settings::read(Some(&metadata)).unwrap(), settings);
}

#[test]
fn each_scheme_of_signatures_has_its_place_on_record() {
    let header = HeaderName::from_static("x-sig");
    for (scheme, written) in [
        (
            Scheme::StandardWebhooks,
            r#"[{"verify":1},{"scheme":2,"secret":3},"standard_webhooks","s"]"#,
        ),
        (
            Scheme::Stripe,
            r#"[{"verify":1},{"scheme":2,"secret":3},"stripe","s"]"#,
        ),
        (
            Scheme::Github,
            r#"[{"verify":1},{"scheme":2,"secret":3},"github","s"]"#,
        ),
        (
            Scheme::Slack,
            r#"[{"verify":1},{"scheme":2,"secret":3},"slack","s"]"#,
        ),
        (
            Scheme::HmacSha256 { header },
            r#"[{"verify":1},{"scheme":2,"secret":3,"header":4},"hmac_sha256","s","x-sig"]"#,
        ),
    ] {
        let settings = Settings {
            verify: Some(Verify {
                scheme,
                secret: "s".to_owned(),
            }),
            ..Settings::default()
        };
        assert_eq!(text(&settings), format!("devl{written}"));
        assert_eq!(Settings::read(Some(&devl(written))), Ok(settings));
    }
}

#[test]
fn a_scheme_that_asks_for_more_than_is_known_is_kept_and_not_taken_for_another() {
    for verify in [
        serde_json::json!({"scheme": "later", "secret": "s"}),
        serde_json::json!({"scheme": "slack", "secret": "s", "tolerance": 1}),
        serde_json::json!({"scheme": "slack", "secret": "s", "header": "x-sig"}),
        serde_json::json!(true),
    ] {
        let metadata = payload::encode(&serde_json::json!({"verify": verify})).unwrap();
        let settings = Settings::read(Some(&metadata)).unwrap();
        assert!(settings.is_beyond_verification(), "{verify}");
        assert_eq!(
            (settings.verify, &settings.others["verify"]),
            (None, &verify)
        );
    }
    assert_eq!(
        Settings::read(Some(&devl(r#"[{"verify":1},null]"#))),
        Ok(Settings::default())
    );
}

#[test]
fn metadata_that_sets_nothing_leaves_everything_as_usual() {
    for metadata in [
        "-1",
        "[null]",
        "[true]",
        "[4]",
        "[-4]",
        "[1.5]",
        "-4",
        r#"["x"]"#,
        "[[]]",
        "[[1],2]",
        "[{}]",
        r#"[{"respondWith":-1}]"#,
        r#"[["Uint8Array",1],"AQL/"]"#,
        r#"[["Date",1],"2025-11-16T08:31:36.123Z"]"#,
    ] {
        let settings = Settings::read(Some(&devl(metadata)));
        assert_eq!(settings, Ok(Settings::default()), "{metadata}");
    }
}

#[test]
fn settings_that_mean_nothing_are_refused() {
    for metadata in [
        r#"[{"respondWith":1},"automatic"]"#,
        r#"[{"respondWith":1},7]"#,
        r#"[{"respondWith":1},{"status":2},200]"#,
        r#"[{"respondWith":1},[]]"#,
        r#"[{"answerWithinMs":1},-5]"#,
        r#"[{"methods":1},[2],"NO METHOD"]"#,
        r#"[{"headers":1},[2],"no header"]"#,
        r#"[{"dedup":1},"no header"]"#,
        "no payload at all",
    ] {
        assert!(Settings::read(Some(&devl(metadata))).is_err(), "{metadata}");
    }
}
