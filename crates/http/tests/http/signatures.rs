//! Signed requests: only what the sender has signed gets in, and it gets in once.

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use rewake_runtime::WorkflowBody;
use rewake_runtime::core::payload;
use rewake_runtime::webhook::{RespondWith, Scheme, Secrets, Settings, Verify};
use sha2::Sha256;

use crate::world::{Answer, Desk, START_SECONDS, Setup, World, take_all, take_one};

/// A key as the schemes use it, and what stands in its header.
const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";
const BODY: &[u8] = br#"{"id":"evt_7","event_id":"Ev7","text":"gr\u00fcezi"}"#;

fn schemes() -> [Scheme; 5] {
    [
        Scheme::StandardWebhooks,
        Scheme::Stripe,
        Scheme::Github,
        Scheme::Slack,
        hmac_sha256(),
    ]
}

fn hmac_sha256() -> Scheme {
    let header = HeaderName::from_static("x-signature");
    Scheme::HmacSha256 { header }
}

/// The value of a secret whose key is this.
fn secret(scheme: &Scheme, key: &[u8]) -> Vec<u8> {
    match scheme {
        Scheme::StandardWebhooks => format!("whsec_{}", STANDARD.encode(key)).into_bytes(),
        Scheme::Stripe | Scheme::Github | Scheme::Slack | Scheme::HmacSha256 { .. } => key.to_vec(),
    }
}

fn mac(key: &[u8], pieces: &[&[u8]]) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    let signed = pieces.iter().fold(mac, Mac::chain_update);
    signed.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    base16ct::lower::encode_string(bytes)
}

/// A request as its sender signs it.
#[derive(Clone, Debug)]
struct Sent {
    /// The headers that the signature is about.
    headers: Vec<(&'static str, Vec<u8>)>,
    /// Headers beside it.
    others: Vec<(&'static str, Vec<u8>)>,
    body: Vec<u8>,
}

fn sign(scheme: &Scheme, key: &[u8], at: u64, body: &[u8]) -> Sent {
    let at = at.to_string();
    let time = at.as_bytes();
    let header = |name, value: String| (name, value.into_bytes());
    let headers = match scheme {
        Scheme::StandardWebhooks => {
            let signature = STANDARD.encode(mac(key, &[b"msg_7.", time, b".", body]));
            vec![
                header("webhook-id", "msg_7".to_owned()),
                header("webhook-timestamp", at.clone()),
                header("webhook-signature", format!("v1,{signature}")),
            ]
        }
        Scheme::Stripe => {
            let signature = hex(&mac(key, &[time, b".", body]));
            vec![header("stripe-signature", format!("t={at},v1={signature}"))]
        }
        Scheme::Github => {
            let signature = hex(&mac(key, &[body]));
            vec![header("x-hub-signature-256", format!("sha256={signature}"))]
        }
        Scheme::Slack => {
            let signature = hex(&mac(key, &[b"v0:", time, b":", body]));
            vec![
                header("x-slack-request-timestamp", at.clone()),
                header("x-slack-signature", format!("v0={signature}")),
            ]
        }
        Scheme::HmacSha256 { .. } => vec![header("x-signature", hex(&mac(key, &[body])))],
    };
    Sent {
        headers,
        others: vec![("x-github-delivery", b"d-7".to_vec())],
        body: body.to_vec(),
    }
}

/// A webhook that wants this scheme, on a handle with these values of its secret.
async fn open(scheme: &Scheme, values: &[Vec<u8>], settings: Settings) -> World {
    open_with(scheme, values, settings, take_all).await
}

async fn open_with(
    scheme: &Scheme,
    values: &[Vec<u8>],
    settings: Settings,
    script: crate::world::Script,
) -> World {
    let verify = Verify {
        scheme: scheme.clone(),
        secret: "sender".to_owned(),
    };
    let mut setup = Setup::from(Settings {
        verify: Some(verify),
        ..settings
    });
    let mut secrets = Secrets::default();
    for value in values {
        secrets.add("sender", value.clone());
    }
    setup.secrets = secrets;
    World::open(setup, script).await
}

async fn usual(scheme: &Scheme) -> World {
    open(scheme, &[secret(scheme, KEY)], Settings::default()).await
}

async fn send(world: &World, sent: &Sent) -> Answer {
    let mut request = world.request(Method::POST, sent.body.clone());
    add(&mut request, sent);
    world.call(request).await
}

fn add(request: &mut http::Request<Body>, sent: &Sent) {
    for (name, value) in sent.headers.iter().chain(&sent.others) {
        let value = HeaderValue::from_bytes(value).unwrap();
        request.headers_mut().append(*name, value);
    }
}

fn is_refused(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.problem(), "NOT_SIGNED");
    let problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(
        problem["detail"],
        "the request is not signed as the webhook wants it"
    );
}

/// Everything that differs from the request in one place.
fn changed(sent: &Sent) -> Vec<(String, Sent)> {
    let mut all = Vec::new();
    let mut add = |what: String, change: &dyn Fn(&mut Sent)| {
        let mut other = sent.clone();
        change(&mut other);
        all.push((what, other));
    };
    for at in 0..sent.body.len() {
        for bit in 0..8 {
            add(format!("bit {bit} of byte {at} of the body"), &|sent| {
                sent.body[at] ^= 1 << bit;
            });
        }
        add(format!("the body without byte {at}"), &|sent| {
            sent.body.remove(at);
        });
    }
    add("a longer body".to_owned(), &|sent| sent.body.push(b' '));
    add("no body".to_owned(), &|sent| sent.body.clear());
    for (n, (name, value)) in sent.headers.iter().enumerate() {
        for at in 0..value.len() {
            add(format!("byte {at} of {name}"), &|sent| {
                sent.headers[n].1[at] ^= 1;
            });
            add(format!("{name} without byte {at}"), &|sent| {
                sent.headers[n].1.remove(at);
            });
        }
        add(format!("{name} longer"), &|sent| {
            sent.headers[n].1.push(b'0');
        });
        add(format!("{name} empty"), &|sent| sent.headers[n].1.clear());
        add(format!("no {name}"), &|sent| drop(sent.headers.remove(n)));
        add(format!("{name} twice"), &|sent| {
            let again = sent.headers[n].clone();
            sent.headers.push(again);
        });
        add(format!("another {name} first"), &|sent| {
            sent.headers.insert(0, (name, b"7".to_vec()));
        });
    }
    all
}

#[tokio::test]
async fn a_change_anywhere_in_what_is_signed_is_refused_and_leaves_no_trace() {
    for scheme in schemes() {
        let world = usual(&scheme).await;
        let sent = sign(&scheme, KEY, START_SECONDS, BODY);
        let before = world.engine.events(world.run).await.unwrap().len();
        let changed = changed(&sent);
        assert!(changed.len() > 500, "{scheme:?}");
        for (what, other) in changed {
            let answer = send(&world, &other).await;
            assert_eq!(
                answer.status,
                StatusCode::UNAUTHORIZED,
                "{scheme:?}: {what}"
            );
            is_refused(&answer);
        }
        for at in 0..KEY.len() {
            let mut key = KEY.to_vec();
            key[at] ^= 1;
            is_refused(&send(&world, &sign(&scheme, &key, START_SECONDS, BODY)).await);
        }
        let after = world.engine.events(world.run).await.unwrap().len();
        assert_eq!(after, before, "{scheme:?}");
        assert_eq!(send(&world, &sent).await.status, StatusCode::ACCEPTED);
        assert_eq!(world.received().await, 1);
    }
}

#[tokio::test]
async fn a_time_is_good_for_five_minutes_in_both_directions() {
    for scheme in [Scheme::StandardWebhooks, Scheme::Stripe, Scheme::Slack] {
        for (at, status) in [
            (START_SECONDS - 301, 401),
            (START_SECONDS - 300, 202),
            (START_SECONDS + 300, 202),
            (START_SECONDS + 301, 401),
            (0, 401),
            (u64::MAX, 401),
        ] {
            let world = usual(&scheme).await;
            let answer = send(&world, &sign(&scheme, KEY, at, BODY)).await;
            assert_eq!(answer.status.as_u16(), status, "{scheme:?} {at}");
            let received = usize::from(status == 202);
            assert_eq!(world.received().await, received, "{scheme:?} {at}");
        }
    }
}

#[tokio::test]
async fn the_engines_clock_decides_what_is_stale() {
    let world = usual(&Scheme::Stripe).await;
    let sent = sign(&Scheme::Stripe, KEY, START_SECONDS, BODY);
    world
        .clock
        .advance(std::time::Duration::from_millis(300_001));
    is_refused(&send(&world, &sent).await);
}

#[tokio::test]
async fn a_time_that_is_no_number_is_refused_also_where_it_is_signed() {
    for time in [
        "+1763280000",
        " 1763280000",
        "1763280000.0",
        "",
        "now",
        "1e9",
    ] {
        let world = usual(&Scheme::Slack).await;
        let signature = hex(&mac(KEY, &[b"v0:", time.as_bytes(), b":", BODY]));
        let headers = vec![
            ("x-slack-request-timestamp", time.as_bytes().to_vec()),
            ("x-slack-signature", format!("v0={signature}").into_bytes()),
        ];
        let sent = Sent {
            headers,
            others: Vec::new(),
            body: BODY.to_vec(),
        };
        is_refused(&send(&world, &sent).await);
    }
}

#[tokio::test]
async fn what_is_signed_cannot_be_cut_in_another_place() {
    let world = usual(&Scheme::StandardWebhooks).await;
    let time = START_SECONDS.to_string();
    let body = format!("{time}.later");
    let sent = sign(
        &Scheme::StandardWebhooks,
        KEY,
        START_SECONDS,
        body.as_bytes(),
    );
    let mut moved = sent.clone();
    moved.headers[0].1 = format!("msg_7.{time}").into_bytes();
    moved.body = b"later".to_vec();
    is_refused(&send(&world, &moved).await);
    assert_eq!(send(&world, &sent).await.status, StatusCode::ACCEPTED);
}

/// An example of a signed request: its secret, the time when it was signed, its headers and body.
struct Example {
    scheme: Scheme,
    secret: &'static str,
    seconds: u64,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
}

/// From the specification.
fn standard_webhooks() -> Example {
    Example {
        scheme: Scheme::StandardWebhooks,
        secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        seconds: 1_614_265_330,
        headers: &[
            ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
            ("webhook-timestamp", "1614265330"),
            (
                "webhook-signature",
                "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            ),
        ],
        body: r#"{"test": 2432232314}"#,
    }
}

/// From GitHub's documentation.
fn github() -> Example {
    Example {
        scheme: Scheme::Github,
        secret: "It's a Secret to Everybody",
        seconds: START_SECONDS,
        headers: &[(
            "X-Hub-Signature-256",
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        )],
        body: "Hello, World!",
    }
}

/// From Slack's documentation.
fn slack() -> Example {
    Example {
        scheme: Scheme::Slack,
        secret: "8f742231b10e8888abcd99yyyzzz85a5",
        seconds: 1_531_420_618,
        headers: &[
            ("X-Slack-Request-Timestamp", "1531420618"),
            (
                "X-Slack-Signature",
                "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
            ),
        ],
        body: "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow\
            &channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner\
            &command=%2Fwebhook-collect&text=\
            &response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F\
            96rGlfmibIGlgcZRskXaIFfN\
            &trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
    }
}

/// As Stripe's documentation describes it, which gives no whole example: the signature was made by
/// another implementation, Python's `hmac`.
fn stripe() -> Example {
    Example {
        scheme: Scheme::Stripe,
        secret: "whsec_rewake_test_secret",
        seconds: 1_492_774_577,
        headers: &[(
            "Stripe-Signature",
            "t=1492774577,v1=6877a9033a583ace34c13da13febc38aa6d3bfa7be7454d9f562a160d71967fc,\
             v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39",
        )],
        body: r#"{"id":"evt_1NG8Du2eZvKYlo2CUI79vXWy","object":"event","type":"payment_intent.succeeded"}"#,
    }
}

/// From RFC 4231, test case 2; upper case, as some senders have it.
fn rfc_4231() -> Example {
    Example {
        scheme: hmac_sha256(),
        secret: "Jefe",
        seconds: START_SECONDS,
        headers: &[(
            "X-Signature",
            "SHA256=5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843",
        )],
        body: "what do ya want for nothing?",
    }
}

#[tokio::test]
async fn the_documented_examples_are_accepted() {
    for example in [standard_webhooks(), github(), slack(), stripe(), rfc_4231()] {
        let scheme = &example.scheme;
        let world = open(scheme, &[example.secret.into()], Settings::default()).await;
        world.clock.set_seconds(example.seconds);
        let mut request = world.request(Method::POST, example.body);
        for &(name, value) in example.headers {
            let value = HeaderValue::from_static(value);
            request.headers_mut().insert(name, value);
        }
        let answer = world.call(request).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{scheme:?}");
        assert_eq!(world.received().await, 1);
    }
}

#[tokio::test]
async fn of_several_signatures_one_has_to_be_right() {
    let wrong = "0".repeat(64);
    let world = usual(&Scheme::Stripe).await;
    let right = hex(&mac(
        KEY,
        &[START_SECONDS.to_string().as_bytes(), b".", BODY],
    ));
    for (signatures, status) in [
        (format!("v1={wrong},v1={right}"), 202),
        (format!("v1={right},v1={wrong},v0={wrong}"), 202),
        (format!("v1={wrong},v0={right}"), 401),
        (format!("v0={right}"), 401),
        (String::new(), 401),
        (format!("t={START_SECONDS},v1={right}"), 401),
    ] {
        let mut sent = sign(&Scheme::Stripe, KEY, START_SECONDS, BODY);
        sent.headers[0].1 = format!("t={START_SECONDS},{signatures}").into_bytes();
        let answer = send(&world, &sent).await;
        assert_eq!(answer.status.as_u16(), status, "{signatures}");
    }
    let world = usual(&Scheme::StandardWebhooks).await;
    let sent = sign(&Scheme::StandardWebhooks, KEY, START_SECONDS, BODY);
    let right = String::from_utf8(sent.headers[2].1.clone()).unwrap();
    for (signatures, status) in [
        (format!("v1a,{} v1,AAAA {right}", "A".repeat(86)), 202),
        (format!("{right} v1,AAAA"), 202),
        (right.replace("v1,", "v1a,"), 401),
        (right.replace("v1,", ""), 401),
    ] {
        let mut sent = sent.clone();
        sent.headers[2].1 = signatures.clone().into_bytes();
        let answer = send(&world, &sent).await;
        assert_eq!(answer.status.as_u16(), status, "{signatures}");
    }
}

#[tokio::test]
async fn while_a_secret_is_changed_both_values_are_good() {
    let new = b"another key, of thirty-two bytes";
    for scheme in schemes() {
        let values = [secret(&scheme, KEY), secret(&scheme, new)];
        let world = open(&scheme, &values, Settings::default()).await;
        for (n, key) in [KEY, &new[..]].into_iter().enumerate() {
            let mut sent = sign(&scheme, key, START_SECONDS, format!("{n}").as_bytes());
            if matches!(scheme, Scheme::StandardWebhooks) {
                // Both are deliveries of one id otherwise.
                let body = sent.body.clone();
                let time = START_SECONDS.to_string();
                let id = format!("msg_{n}");
                let pieces: [&[u8]; 5] = [id.as_bytes(), b".", time.as_bytes(), b".", &body];
                let signature = STANDARD.encode(mac(key, &pieces));
                sent.headers[0].1 = id.clone().into_bytes();
                sent.headers[2].1 = format!("v1,{signature}").into_bytes();
            }
            sent.others[0].1 = vec![b'0'; n + 1];
            assert_eq!(
                send(&world, &sent).await.status,
                StatusCode::ACCEPTED,
                "{scheme:?} {n}"
            );
        }
        is_refused(&send(&world, &sign(&scheme, b"a third", START_SECONDS, BODY)).await);
        assert_eq!(world.received().await, 2, "{scheme:?}");
    }
}

#[tokio::test]
async fn a_process_without_the_secret_says_so_and_not_that_the_sender_is_wrong() {
    for scheme in schemes() {
        let world = open(&scheme, &[], Settings::default()).await;
        for key in [KEY, b"wrong"] {
            let answer = send(&world, &sign(&scheme, key, START_SECONDS, BODY)).await;
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(answer.problem(), "CANNOT_VERIFY");
            let said = String::from_utf8(answer.body.to_vec()).unwrap();
            // Which secret it is, is for the operator alone.
            assert!(!said.contains("sender"), "{said}");
        }
        assert_eq!(world.received().await, 0);
    }
}

#[tokio::test]
async fn a_value_that_is_no_secret_of_the_scheme_verifies_nothing() {
    let scheme = Scheme::StandardWebhooks;
    for value in ["whsec_", "whsec_no base64", "whsec_QUI"] {
        let world = open(&scheme, &[value.into()], Settings::default()).await;
        let answer = send(&world, &sign(&scheme, KEY, START_SECONDS, BODY)).await;
        assert_eq!(answer.problem(), "CANNOT_VERIFY", "{value}");
        // Beside a good value it does no harm, but who is not verified may still be right.
        let values = [value.into(), secret(&scheme, KEY)];
        let world = open(&scheme, &values, Settings::default()).await;
        let good = send(&world, &sign(&scheme, KEY, START_SECONDS, BODY)).await;
        assert_eq!(good.status, StatusCode::ACCEPTED, "{value}");
        let other = send(&world, &sign(&scheme, b"other", START_SECONDS, BODY)).await;
        assert_eq!(other.problem(), "CANNOT_VERIFY", "{value}");
    }
}

#[tokio::test]
async fn a_scheme_that_this_build_does_not_know_takes_nothing() {
    for verify in [
        serde_json::json!({"scheme": "post_quantum", "secret": "s"}),
        serde_json::json!({"scheme": "stripe", "secret": "s", "and": "a certificate"}),
        serde_json::json!({"scheme": "stripe"}),
        serde_json::json!({"scheme": "hmac_sha256", "secret": "s"}),
        serde_json::json!({"scheme": "hmac_sha256", "secret": "s", "header": "no header"}),
        serde_json::json!("stripe"),
    ] {
        let settings = Settings {
            others: [("verify".to_owned(), verify.clone())].into(),
            ..Settings::default()
        };
        let world = World::open(settings, take_one).await;
        let answer = world.post("").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{verify}");
        assert_eq!(answer.problem(), "CANNOT_VERIFY");
        assert_eq!(world.received().await, 0);
    }
}

#[tokio::test]
async fn a_redelivery_is_known_by_the_id_of_its_scheme() {
    for scheme in schemes() {
        let world = usual(&scheme).await;
        // Senders sign each try with its own time.
        for at in [START_SECONDS, START_SECONDS + 5] {
            let sent = sign(&scheme, KEY, at, BODY);
            assert_eq!(send(&world, &sent).await.status, StatusCode::ACCEPTED);
        }
        let deliveries = match scheme {
            Scheme::HmacSha256 { .. } => 2,
            Scheme::StandardWebhooks | Scheme::Stripe | Scheme::Github | Scheme::Slack => 1,
        };
        assert_eq!(world.received().await, deliveries, "{scheme:?}");
    }
}

#[tokio::test]
async fn without_an_id_signature_and_time_tell_deliveries_apart() {
    let no_ids = [
        "command=%2Fdeploy",
        "[]",
        r#"{"id":""}"#,
        r#"{"event_id":7}"#,
    ];
    for scheme in [Scheme::Slack, Scheme::Stripe] {
        for body in no_ids {
            let world = usual(&scheme).await;
            for at in [START_SECONDS, START_SECONDS, START_SECONDS + 1] {
                let sent = sign(&scheme, KEY, at, body.as_bytes());
                assert_eq!(send(&world, &sent).await.status, StatusCode::ACCEPTED);
            }
            assert_eq!(world.received().await, 2, "{scheme:?} {body}");
        }
    }
}

#[tokio::test]
async fn a_header_that_the_webhook_names_goes_before_the_schemes_own() {
    let settings = Settings {
        dedup: Some(HeaderName::from_static("x-id")),
        ..Settings::default()
    };
    let scheme = Scheme::StandardWebhooks;
    let world = open(&scheme, &[secret(&scheme, KEY)], settings).await;
    for id in ["1", "2", "2"] {
        let mut sent = sign(&scheme, KEY, START_SECONDS, BODY);
        sent.others.push(("x-id", id.into()));
        assert_eq!(send(&world, &sent).await.status, StatusCode::ACCEPTED);
    }
    assert_eq!(world.received().await, 2);
}

#[tokio::test]
async fn long_ids_are_kept_apart() {
    let world = usual(&Scheme::Github).await;
    let long = "d".repeat(10_000);
    for id in [&*long, &*long, &long[1..], &long[..256], &long[..255]] {
        let mut sent = sign(&Scheme::Github, KEY, START_SECONDS, BODY);
        sent.others[0].1 = id.into();
        assert_eq!(send(&world, &sent).await.status, StatusCode::ACCEPTED);
    }
    assert_eq!(world.received().await, 4);
}

/// Answers the first request when a second has come.
fn answer_late(mut desk: Desk) -> WorkflowBody {
    Box::pin(async move {
        let first = desk.next().await;
        let second = desk.next().await;
        desk.answer(&first, 200, "late").await.unwrap();
        desk.answer(&second, 200, "soon").await.unwrap();
        Ok(payload::encode(&()).unwrap())
    })
}

#[tokio::test]
async fn a_redelivery_waits_for_the_answer_of_the_first_and_gets_it_after_the_end() {
    let manual = Settings {
        respond_with: RespondWith::Manual,
        ..Settings::default()
    };
    let scheme = Scheme::Slack;
    let world = open_with(&scheme, &[secret(&scheme, KEY)], manual, answer_late).await;
    let request = |at: u64, body: &str| {
        let sent = sign(&scheme, KEY, at, body.as_bytes());
        let mut request = world.request(Method::POST, sent.body.clone());
        add(&mut request, &sent);
        request
    };
    let one = r#"{"event_id":"Ev1"}"#;
    let first = world.calling(request(START_SECONDS, one));
    world
        .clock
        .until_somebody_sleeps(Settings::ANSWER_WITHIN)
        .await;
    let again = world.calling(request(START_SECONDS + 1, one));
    let second = world.call(request(START_SECONDS, "text=two")).await;
    assert_eq!(second.body, "soon");
    let (first, again) = (first.await, again.await);
    assert_eq!((first.body, again.body), ("late".into(), "late".into()));
    assert_eq!(world.received().await, 2);
    world.engine.outcome(world.run).await.unwrap();
    assert_eq!(
        world.call(request(START_SECONDS + 2, one)).await.body,
        "late"
    );
    // What was not there before is not there now, signed or not.
    world
        .call(request(START_SECONDS, r#"{"event_id":"Ev3"}"#))
        .await
        .is_not_found();
    let mut wrong = request(START_SECONDS, one);
    wrong
        .headers_mut()
        .insert("x-slack-signature", HeaderValue::from_static("v0=7"));
    world.call(wrong).await.is_not_found();
}

#[tokio::test]
async fn the_signature_is_checked_after_token_and_method_and_before_the_delivery_key() {
    let scheme = Scheme::Github;
    let world = usual(&scheme).await;
    let sent = sign(&scheme, KEY, START_SECONDS, BODY);
    assert_eq!(send(&world, &sent).await.status, StatusCode::ACCEPTED);
    let mut wrong = sent.clone();
    wrong.headers[0].1 = b"sha256=00".to_vec();
    // Of a delivery that was answered, too.
    is_refused(&send(&world, &wrong).await);
    let mut request = world.request(Method::GET, wrong.body.clone());
    add(&mut request, &wrong);
    assert_eq!(
        world.call(request).await.status,
        StatusCode::METHOD_NOT_ALLOWED
    );
    let mut request = world.request(Method::POST, wrong.body.clone());
    *request.uri_mut() = format!("{}X", world.path()).parse().unwrap();
    world.call(request).await.is_not_found();
    let large = vec![0; 2 << 20];
    let request = world.request(Method::POST, large);
    assert_eq!(
        world.call(request).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    for method in [Method::HEAD, Method::OPTIONS] {
        let answer = world.call(world.request(method, "")).await;
        assert!(answer.status.is_success(), "looking up needs no signature");
    }
    assert_eq!(world.received().await, 1);
}
