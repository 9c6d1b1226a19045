//! Payloads, arguments and results: what goes in comes out, and what cannot is refused.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rewake::prelude::*;
use rewake::{Limit, ResumeError, StartError};
use rewake_core::payload::Date;
use serde_bytes::ByteBuf;

use crate::stage::{Stage, count, hook, on_every_stage, parked, resume};

on_every_stage!(
    every_kind_of_value_comes_out_as_it_went_in,
    null_is_refused,
    a_payload_that_cannot_be_encoded_is_refused_and_appends_nothing,
    a_payload_that_is_too_large_is_refused_and_appends_nothing,
    arguments_that_are_too_large_start_nothing,
    arguments_that_cannot_be_encoded_start_nothing,
    arguments_that_do_not_fit_park_the_run,
    a_result_of_another_type_is_an_error_of_the_reader,
    a_result_that_cannot_be_encoded_fails_the_run,
    a_result_that_is_too_large_fails_the_run,
);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Unit,
    Newtype(i64),
    Tuple(u8, String),
    Struct { wide: f64, high: Option<f64> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::option_option,
    reason = "that nested options come back is what is tested"
)]
struct Everything {
    flag: bool,
    smallest: i64,
    largest: u64,
    huge: u128,
    tiny: i128,
    float: f64,
    zero: f64,
    letter: char,
    text: String,
    bytes: ByteBuf,
    no_bytes: ByteBuf,
    date: Date,
    time: SystemTime,
    span: Duration,
    nested: Option<Option<u8>>,
    nothing: Option<Option<u8>>,
    some_nothing: Option<Option<u8>>,
    unit: (),
    list: Vec<Option<String>>,
    map: BTreeMap<String, Vec<u8>>,
    by_number: HashMap<u32, bool>,
    by_pair: BTreeMap<(u8, String), i8>,
    shapes: Vec<Shape>,
    uuid: uuid::Uuid,
}

fn everything() -> Everything {
    Everything {
        flag: true,
        smallest: i64::MIN,
        largest: u64::MAX,
        huge: u128::MAX,
        tiny: i128::MIN,
        float: std::f64::consts::PI,
        zero: -0.0,
        letter: 'ß',
        text: "tab\t, \"quotes\", \u{1F980}, \u{2028}, \0".into(),
        bytes: ByteBuf::from((0..=255).collect::<Vec<u8>>()),
        no_bytes: ByteBuf::new(),
        date: Date::from_ms(-1).unwrap(),
        time: UNIX_EPOCH + Duration::new(1_763_281_896, 123_456_789),
        span: Duration::new(u64::MAX, 999_999_999),
        nested: Some(Some(3)),
        nothing: None,
        some_nothing: Some(None),
        unit: (),
        list: vec![None, Some(String::new()), Some("x".into())],
        map: BTreeMap::from([(String::new(), vec![]), ("a b".into(), vec![0, 255])]),
        by_number: HashMap::from([(7, true)]),
        by_pair: BTreeMap::from([((1, "x".into()), -1)]),
        shapes: vec![
            Shape::Unit,
            Shape::Newtype(-5),
            Shape::Tuple(1, "t".into()),
            Shape::Struct {
                wide: 0.1,
                high: None,
            },
        ],
        uuid: uuid::Uuid::from_u128(0x1234_5678),
    }
}

#[step]
async fn mirror(everything: Everything) -> Result<Everything, std::convert::Infallible> {
    Ok(everything)
}

#[workflow]
async fn mirrors(token: String, by_argument: Everything) -> anyhow::Result<Vec<Everything>> {
    let mut hook = create_hook::<Everything>().token(token).await?;
    let by_hook = hook.recv().await?;
    let by_step = mirror(by_argument.clone()).await?;
    Ok(vec![by_argument, by_hook, by_step])
}

async fn every_kind_of_value_comes_out_as_it_went_in(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake
        .start(mirrors("t".into(), everything()))
        .await
        .unwrap();
    resume(&rewake, "t", &everything()).await;
    for got in run.result().await.unwrap() {
        assert_eq!(got, everything());
        assert!(got.zero.is_sign_negative());
    }
}

#[workflow]
async fn takes_anything(token: String) -> anyhow::Result<Option<u64>> {
    let mut hook = create_hook::<Option<u64>>().token(token).await?;
    Ok(hook.recv().await?)
}

/// Whatever is refused leaves the hook alive and the log as it was.
async fn refused<P: Serialize + ?Sized>(rewake: &Rewake, payload: &P) -> ResumeError {
    let run = rewake.start(takes_anything("t".into())).await.unwrap();
    hook(rewake, "t").await;
    let error = rewake.resume_hook("t", payload).await.unwrap_err();
    assert!(!error.may_have_happened());
    assert_eq!(count(rewake, &run, "hook_received").await, 0);
    resume(rewake, "t", &Some(1)).await;
    assert_eq!(run.result().await.unwrap(), Some(1));
    error
}

async fn null_is_refused(stage: Stage) {
    let rewake = stage.open().await;
    assert_eq!(refused(&rewake, &()).await, ResumeError::NullPayload);
    let none = None::<u64>;
    assert_eq!(refused(&rewake, &none).await, ResumeError::NullPayload);
    let null = serde_json::Value::Null;
    let error = refused(&rewake, &null).await;
    assert_eq!(error, ResumeError::NullPayload);
    assert!(error.to_string().contains("send a value"), "{error}");
    // Also where nobody would take it.
    let error = rewake.resume_hook("nobody", &()).await.unwrap_err();
    assert_eq!(error, ResumeError::NullPayload);
}

/// A value that its own `Serialize` refuses.
struct Unwritable;

impl Serialize for Unwritable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("this value cannot be written"))
    }
}

impl<'de> Deserialize<'de> for Unwritable {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Ok(Self)
    }
}

async fn a_payload_that_cannot_be_encoded_is_refused_and_appends_nothing(stage: Stage) {
    let rewake = stage.open().await;
    let error = refused(&rewake, &Unwritable).await;
    assert!(matches!(error, ResumeError::NotEncodable { .. }), "{error}");
    assert!(error.to_string().contains("this value cannot be written"));
}

async fn a_payload_that_is_too_large_is_refused_and_appends_nothing(stage: Stage) {
    let rewake = stage.builder().limit(Limit::Payload, 100);
    let rewake = rewake.build().await.unwrap();
    let error = refused(&rewake, &"x".repeat(200)).await;
    assert!(
        matches!(error, ResumeError::TooLarge { limit: 100, .. }),
        "{error}"
    );
    assert_eq!(error.code(), "PAYLOAD_TOO_LARGE");
}

#[workflow]
async fn takes_text(text: String) -> anyhow::Result<usize> {
    Ok(text.len())
}

async fn arguments_that_are_too_large_start_nothing(stage: Stage) {
    let rewake = stage.open().await;
    let large = "x".repeat(1 << 20);
    let id = rewake.start(takes_text("x".into())).await.unwrap().id();
    let before = runs(&rewake).await;
    let error = rewake.start(takes_text(large)).await.unwrap_err();
    assert!(matches!(error, StartError::TooLarge { .. }), "{error}");
    assert!(!error.may_have_happened());
    assert_eq!(runs(&rewake).await, before);
    assert_eq!(before, [id]);
}

async fn runs(rewake: &Rewake) -> Vec<rewake::RunId> {
    let page = rewake
        .engine()
        .runs(rewake_store::RunFilter::default(), None, 100);
    let runs = page.await.unwrap().runs;
    runs.into_iter().map(|view| view.run).collect()
}

#[workflow]
async fn takes_the_unwritable(_what: Unwritable) -> anyhow::Result<()> {
    Ok(())
}

async fn arguments_that_cannot_be_encoded_start_nothing(stage: Stage) {
    let rewake = stage.open().await;
    let error = rewake.start(takes_the_unwritable(Unwritable)).await;
    let error = error.unwrap_err();
    assert!(matches!(error, StartError::NotEncodable { .. }), "{error}");
    assert!(error.to_string().contains("this value cannot be written"));
    assert!(runs(&rewake).await.is_empty());
}

async fn arguments_that_do_not_fit_park_the_run(stage: Stage) {
    let rewake = stage.open().await;
    let input = rewake_core::payload::encode(&(7_u64,)).unwrap();
    let start = rewake_runtime::Start::new("runs::payloads::takes_text", input);
    let started = rewake.engine().start(start).await.unwrap();
    let run = rewake.get_run::<usize>(started.run);
    let (code, reason) = parked(&run).await;
    assert_eq!(code, "ARGUMENTS_DO_NOT_FIT");
    assert!(reason.contains("runs::payloads::takes_text"), "{reason}");
}

async fn a_result_of_another_type_is_an_error_of_the_reader(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(takes_text("four".into())).await.unwrap();
    let misread = rewake.get_run::<String>(run.id());
    let error = misread.result().await.unwrap_err();
    assert!(matches!(error, RunError::Decode { .. }), "{error}");
    assert_eq!(run.result().await.unwrap(), 4);
}

#[workflow]
async fn gives_the_unwritable() -> anyhow::Result<Unwritable> {
    Ok(Unwritable)
}

async fn a_result_that_cannot_be_encoded_fails_the_run(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(gives_the_unwritable()).await.unwrap();
    let error = run.result().await.map(drop).unwrap_err();
    let RunError::Failed { message, .. } = error else {
        panic!("{error}");
    };
    assert!(
        message.contains("this value cannot be written"),
        "{message}"
    );
}

#[workflow]
async fn gives_much(bytes: usize) -> anyhow::Result<String> {
    Ok("x".repeat(bytes))
}

async fn a_result_that_is_too_large_fails_the_run(stage: Stage) {
    let rewake = stage.builder().limit(Limit::Payload, 1_000);
    let rewake = rewake.build().await.unwrap();
    let run = rewake.start(gives_much(900)).await.unwrap();
    assert_eq!(run.result().await.unwrap().len(), 900);
    let run = rewake.start(gives_much(1_000)).await.unwrap();
    let error = run.result().await.unwrap_err();
    let RunError::Failed { message, .. } = error else {
        panic!("{error}");
    };
    assert!(message.contains("more than the 1000 allowed"), "{message}");
}
