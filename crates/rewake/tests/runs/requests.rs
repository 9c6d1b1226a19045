//! The rows of the conformance list of the two seed functions that are about requests, on every store.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use rewake::prelude::*;
use rewake::{AnswerError, WebhookError};

use crate::stage::{Stage, count, on_every_stage};

on_every_stage!(
    row_11_a_plain_hook_is_not_found_as_a_webhook,
    row_12_the_default_answer_is_202_after_the_write,
    row_13_a_static_answer_is_given_to_every_request,
    row_14_the_workflow_answers_in_manual_mode,
    row_14_a_step_answers_in_manual_mode_and_the_first_answer_stands,
    row_15_a_run_that_ends_without_answering_ends_the_wait,
    row_16_an_answer_that_cannot_be_is_an_error_before_any_event,
    row_17_method_url_headers_and_body_arrive_as_they_were_sent,
    row_18_a_body_can_be_read_as_often_as_one_likes,
    row_19_the_public_route_gives_the_same_404_for_whatever_is_not_there,
    a_webhook_that_answers_by_itself_cannot_be_answered,
);

/// Waits until the run has a webhook; its token.
async fn webhook<T>(rewake: &Rewake, run: &Run<T>) -> String {
    loop {
        let hooks = rewake.hooks().run(run.id()).await.unwrap().data;
        if let Some(hook) = hooks.iter().find(|hook| hook.is_webhook) {
            return hook.token.to_string();
        }
        tokio::task::yield_now().await;
    }
}

fn post(body: &'static str) -> Request<&'static str> {
    let uri = "/.well-known/workflow/v1/webhook/any?size=2&size=3";
    let request = Request::builder().method(Method::POST).uri(uri);
    request
        .header("X-Kind", "one")
        .header("x-kind", "two")
        .body(body)
        .unwrap()
}

#[workflow]
async fn takes_one(token: String) -> anyhow::Result<String> {
    let mut hook = create_hook::<String>().token(token).await?;
    Ok(hook.recv().await?)
}

async fn row_11_a_plain_hook_is_not_found_as_a_webhook(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(takes_one("plain".into())).await.unwrap();
    while rewake.get_hook_by_token("plain").await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    let error = rewake.resume_webhook("plain", post("x")).await.unwrap_err();
    assert!(matches!(error, WebhookError::NotFound), "{error}");
    assert_eq!(count(&rewake, &run, "hook_received").await, 0);
}

#[workflow]
async fn reads_text() -> anyhow::Result<String> {
    let mut requests = create_webhook().await?;
    Ok(requests.recv().await?.text()?.to_owned())
}

async fn row_12_the_default_answer_is_202_after_the_write(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(reads_text()).await.unwrap();
    let token = webhook(&rewake, &run).await;
    let answer = rewake.resume_webhook(&token, post("tea")).await.unwrap();
    assert_eq!(
        (answer.status(), answer.body()),
        (StatusCode::ACCEPTED, &Bytes::new())
    );
    assert_eq!(count(&rewake, &run, "hook_received").await, 1);
    assert_eq!(run.result().await.unwrap(), "tea");
}

#[workflow]
async fn answers_the_same() -> anyhow::Result<usize> {
    let teapot = Response::builder()
        .status(418)
        .header("x-pot", "short")
        .body("stout")?;
    let mut requests = create_webhook().respond_with(teapot).await?;
    let first = requests.recv().await?.bytes().len();
    Ok(first + requests.recv().await?.bytes().len())
}

async fn row_13_a_static_answer_is_given_to_every_request(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(answers_the_same()).await.unwrap();
    let token = webhook(&rewake, &run).await;
    for body in ["one", "three"] {
        let answer = rewake.resume_webhook(&token, post(body)).await.unwrap();
        assert_eq!(answer.status(), StatusCode::IM_A_TEAPOT);
        assert_eq!(answer.headers()["x-pot"], "short");
        assert_eq!(&answer.body()[..], b"stout");
    }
    assert_eq!(run.result().await.unwrap(), 8);
}

#[workflow]
async fn echoes() -> anyhow::Result<()> {
    let mut requests = create_webhook().manual().await?;
    let request = requests.recv().await?;
    let answer = Response::builder().status(201).header("x-made", "here");
    request
        .respond_with(answer.body(request.bytes().clone())?)
        .await?;
    Ok(())
}

async fn row_14_the_workflow_answers_in_manual_mode(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(echoes()).await.unwrap();
    let token = webhook(&rewake, &run).await;
    let answer = rewake.resume_webhook(&token, post("tea")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(answer.headers()["x-made"], "here");
    assert_eq!(&answer.body()[..], b"tea");
    run.result().await.unwrap();
}

#[step]
async fn answer(request: WebhookRequest) -> anyhow::Result<()> {
    request.respond_with(Response::new("from a step")).await?;
    // The same step may repeat it: the first answer stands.
    request.respond_with(Response::new("again")).await?;
    Ok(())
}

#[workflow]
async fn lets_a_step_answer() -> anyhow::Result<bool> {
    let mut requests = create_webhook().manual().await?;
    let request = requests.recv().await?;
    answer(request.clone()).await?;
    let second = request.respond_with(Response::new("too late")).await;
    Ok(matches!(second, Err(AnswerError::AlreadyAnswered)))
}

async fn row_14_a_step_answers_in_manual_mode_and_the_first_answer_stands(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(lets_a_step_answer()).await.unwrap();
    let token = webhook(&rewake, &run).await;
    let answer = rewake.resume_webhook(&token, post("")).await.unwrap();
    assert_eq!(&answer.body()[..], b"from a step");
    assert!(run.result().await.unwrap(), "the second answer was taken");
}

#[workflow]
async fn says_nothing() -> anyhow::Result<()> {
    let mut requests = create_webhook().manual().await?;
    requests.recv().await?;
    Ok(())
}

async fn row_15_a_run_that_ends_without_answering_ends_the_wait(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(says_nothing()).await.unwrap();
    let token = webhook(&rewake, &run).await;
    let error = rewake.resume_webhook(&token, post("")).await.unwrap_err();
    assert!(matches!(error, WebhookError::RunEnded), "{error}");
    run.result().await.unwrap();
}

#[workflow]
async fn answers_impossibly() -> anyhow::Result<String> {
    let interim = Response::builder().status(101).body("")?;
    match create_webhook().respond_with(interim).await {
        Err(HookError::NotEncodable { reason }) => Ok(reason),
        other => anyhow::bail!("{other:?}"),
    }
}

async fn row_16_an_answer_that_cannot_be_is_an_error_before_any_event(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(answers_impossibly()).await.unwrap();
    let reason = run.result().await.unwrap();
    assert!(
        reason.contains("101") && reason.contains("200 to 599"),
        "{reason}"
    );
    assert_eq!(count(&rewake, &run, "hook_created").await, 0);
}

#[workflow]
async fn describes() -> anyhow::Result<(String, String, Vec<String>, Vec<u8>)> {
    let mut requests = create_webhook()
        .methods([Method::POST, Method::GET])
        .await?;
    let request = requests.recv().await?;
    let kinds = request.headers().get_all("x-kind").iter();
    let kinds = kinds.map(|kind| Ok(kind.to_str()?.to_owned()));
    Ok((
        request.method().to_string(),
        request.url().to_owned(),
        kinds.collect::<anyhow::Result<_>>()?,
        request.bytes().to_vec(),
    ))
}

async fn row_17_method_url_headers_and_body_arrive_as_they_were_sent(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(describes()).await.unwrap();
    let token = webhook(&rewake, &run).await;
    let (parts, _) = post("").into_parts();
    let binary = Bytes::from_static(&[0, 159, 146, 150]);
    let request = Request::from_parts(parts, binary.clone());
    rewake.resume_webhook(&token, request).await.unwrap();
    let (method, url, kinds, body) = run.result().await.unwrap();
    assert_eq!(method, "POST");
    assert_eq!(
        url,
        "http://localhost:3000/.well-known/workflow/v1/webhook/any?size=2&size=3"
    );
    assert_eq!(kinds, ["one", "two"]);
    assert_eq!(body, binary);
}

#[workflow]
async fn reads_twice() -> anyhow::Result<(String, u32)> {
    let mut requests = create_webhook().await?;
    let request = requests.recv().await?;
    Ok((request.text()?.to_owned(), request.json()?))
}

async fn row_18_a_body_can_be_read_as_often_as_one_likes(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(reads_twice()).await.unwrap();
    let token = webhook(&rewake, &run).await;
    rewake.resume_webhook(&token, post("42")).await.unwrap();
    assert_eq!(run.result().await.unwrap(), ("42".into(), 42));
}

async fn row_19_the_public_route_gives_the_same_404_for_whatever_is_not_there(stage: Stage) {
    use tower::ServiceExt;

    let rewake = stage.open().await;
    let run = rewake.start(takes_one("plain".into())).await.unwrap();
    while rewake.get_hook_by_token("plain").await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    let mut answers = Vec::new();
    for token in ["nobody", "plain", "%ff", ""] {
        let uri = format!("/.well-known/workflow/v1/webhook/{token}");
        let request = Request::post(uri)
            .body(axum::body::Body::from("x"))
            .unwrap();
        let answer = rewake.router::<()>().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{token}");
        answers.push(
            axum::body::to_bytes(answer.into_body(), 4_096)
                .await
                .unwrap(),
        );
    }
    assert!(
        answers.windows(2).all(|pair| pair[0] == pair[1]),
        "{answers:?}"
    );
    assert_eq!(count(&rewake, &run, "hook_received").await, 0);
}

#[workflow]
async fn answers_although_it_need_not() -> anyhow::Result<bool> {
    let mut requests = create_webhook().await?;
    let request = requests.recv().await?;
    let answer = request.respond_with(Response::new("")).await;
    Ok(matches!(answer, Err(AnswerError::NotManual)))
}

async fn a_webhook_that_answers_by_itself_cannot_be_answered(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(answers_although_it_need_not()).await.unwrap();
    let token = webhook(&rewake, &run).await;
    rewake.resume_webhook(&token, post("")).await.unwrap();
    assert!(run.result().await.unwrap());
}
