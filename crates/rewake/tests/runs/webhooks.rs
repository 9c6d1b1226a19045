//! Webhooks through the handle: three ways to answer, and what is refused.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use rewake::prelude::*;
use rewake::{AnswerError, BadSignature, Limit, OpenError, Unverifiable, WebhookError};

use crate::probe::Probe;
use crate::stage::{Stage, count, hook, on_every_stage, resume};

on_every_stage!(
    a_request_is_accepted_and_arrives_as_it_was_sent,
    every_caller_gets_the_static_response,
    a_workflow_answers_by_itself,
    a_step_answers_for_the_workflow,
    a_step_that_is_tried_again_repeats_its_answer,
    the_first_answer_stands,
    who_is_not_in_manual_mode_cannot_answer,
    a_request_is_only_answered_in_a_run,
    a_run_that_ends_without_an_answer_is_an_error_of_the_caller,
    a_caller_waits_so_long_and_the_run_goes_on,
    a_token_of_no_webhook_is_not_found_and_nothing_is_appended,
    a_webhook_that_is_closed_is_not_found,
    a_webhook_wants_a_public_url,
    requests_at_the_same_time_are_answered_each_with_its_own,
    a_request_that_came_between_two_processes_is_answered_by_nobody_and_read,
    only_signed_requests_get_in_and_each_delivery_once,
    a_process_without_the_secret_takes_nothing_until_it_has_it,
    a_header_that_is_none_cannot_be_signed,
    limits_of_requests_are_those_of_the_handle,
    options_of_a_webhook_with_which_nothing_could_be_done_are_refused,
);

/// Registers a webhook and makes its token known under `known`.
async fn known_as(known: &str, webhook: &WebhookReceiver) -> anyhow::Result<HookReceiver<u64>> {
    let about = (webhook.token(), webhook.url());
    Ok(create_hook().token(known).metadata(&about).await?)
}

/// The token and the URL of the webhook that is known as `t`.
async fn webhook(rewake: &Rewake) -> (String, String) {
    let about = hook(rewake, "t").await.metadata.unwrap();
    serde_json::from_value(about).unwrap()
}

fn post(body: &str) -> Request<Bytes> {
    let request = Request::post("/any?page=7").header("x-kind", "Note");
    request
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap()
}

fn reply(status: StatusCode, body: impl Into<String>) -> Response<String> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    article: String,
    pieces: u32,
}

#[workflow]
async fn accepts() -> anyhow::Result<(WebhookRequest, Order, Order, String)> {
    let mut requests = create_webhook().await?;
    let _known = known_as("t", &requests).await?;
    let json = requests.recv().await?;
    let form = requests.recv().await?.form()?;
    let text = requests.recv().await?.text()?.to_owned();
    Ok((json.clone(), json.json()?, form, text))
}

async fn a_request_is_accepted_and_arrives_as_it_was_sent(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(accepts()).await.unwrap();
    let (token, url) = webhook(&rewake).await;
    let route = "http://localhost:3000/.well-known/workflow/v1/webhook/";
    assert_eq!(url, format!("{route}{token}"));
    for body in [
        r#"{"article":"ink","pieces":2}"#,
        "article=pen&pieces=3",
        "grüße",
    ] {
        let accepted = rewake.resume_webhook(&token, post(body)).await.unwrap();
        assert_eq!(accepted.status(), StatusCode::ACCEPTED);
        assert!(accepted.body().is_empty());
    }
    let (request, json, form, text) = run.result().await.unwrap();
    assert_eq!(request.method(), Method::POST);
    assert_eq!(request.headers()["x-kind"], "Note");
    assert!(request.url().ends_with("?page=7"), "{}", request.url());
    assert_eq!((&*json.article, json.pieces), ("ink", 2));
    assert_eq!((&*form.article, form.pieces), ("pen", 3));
    assert_eq!(text, "grüße");
    assert_eq!(count(&rewake, &run, "hook_received").await, 3);
}

#[workflow]
async fn thanks(n: usize) -> anyhow::Result<usize> {
    let response = reply(StatusCode::CREATED, "thank you");
    let mut requests = create_webhook().respond_with(response).await?;
    let _known = known_as("t", &requests).await?;
    for _ in 0..n {
        requests.recv().await?;
    }
    Ok(n)
}

async fn every_caller_gets_the_static_response(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(thanks(3)).await.unwrap();
    let (token, _) = webhook(&rewake).await;
    for body in ["a", "b", "c"] {
        let response = rewake.resume_webhook(&token, post(body)).await.unwrap();
        assert_eq!(response.status(), StatusCode::CREATED);
        assert_eq!(response.body(), "thank you");
    }
    assert_eq!(run.result().await.unwrap(), 3);
}

#[workflow]
async fn doubles(n: usize) -> anyhow::Result<()> {
    let mut requests = create_webhook().manual().await?;
    let _known = known_as("t", &requests).await?;
    for _ in 0..n {
        let request = requests.recv().await?;
        let number: u64 = request.text()?.parse()?;
        let answer = reply(StatusCode::OK, (number * 2).to_string());
        request.respond_with(answer).await?;
    }
    Ok(())
}

async fn a_workflow_answers_by_itself(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(doubles(2)).await.unwrap();
    let (token, _) = webhook(&rewake).await;
    for (number, answer) in [("21", "42"), ("4", "8")] {
        let response = rewake.resume_webhook(&token, post(number)).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.body(), answer);
    }
    run.result().await.unwrap();
}

#[step(backoff = "1ms")]
async fn answers(
    request: WebhookRequest,
    fail_first: bool,
    #[provided] probe: Probe,
) -> anyhow::Result<()> {
    let attempt = probe.note("answered");
    let answer = reply(StatusCode::IM_A_TEAPOT, format!("attempt {attempt}"));
    request.respond_with(answer).await?;
    anyhow::ensure!(attempt > 1 || !fail_first, "after the answer");
    Ok(())
}

#[workflow]
async fn has_it_answered(fail_first: bool) -> anyhow::Result<()> {
    let mut requests = create_webhook().manual().await?;
    let _known = known_as("t", &requests).await?;
    let request = requests.recv().await?;
    Ok(answers(request, fail_first).await?)
}

async fn a_step_answers_for_the_workflow(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(has_it_answered(false)).await.unwrap();
    let (token, _) = webhook(&rewake).await;
    let response = rewake.resume_webhook(&token, post("")).await.unwrap();
    assert_eq!(response.status(), StatusCode::IM_A_TEAPOT);
    assert_eq!(response.body(), "attempt 1");
    run.result().await.unwrap();
}

async fn a_step_that_is_tried_again_repeats_its_answer(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(has_it_answered(true)).await.unwrap();
    let (token, _) = webhook(&rewake).await;
    let response = rewake.resume_webhook(&token, post("")).await.unwrap();
    assert_eq!(response.body(), "attempt 1", "the first answer stands");
    run.result().await.unwrap();
    assert_eq!(stage.probe.times("answered"), 2);
}

#[workflow]
async fn answers_twice() -> anyhow::Result<Vec<Result<(), String>>> {
    let mut requests = create_webhook().manual().await?;
    let _known = known_as("t", &requests).await?;
    let request = requests.recv().await?;
    let mut answered = Vec::new();
    for body in ["first", "second"] {
        let done = request.respond_with(reply(StatusCode::OK, body)).await;
        answered.push(done.map_err(|error| error.to_string()));
    }
    Ok(answered)
}

async fn the_first_answer_stands(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(answers_twice()).await.unwrap();
    let (token, _) = webhook(&rewake).await;
    let response = rewake.resume_webhook(&token, post("")).await.unwrap();
    assert_eq!(response.body(), "first");
    let already = Err(AnswerError::AlreadyAnswered.to_string());
    assert_eq!(run.result().await.unwrap(), [Ok(()), already]);
}

#[workflow]
async fn answers_unasked() -> anyhow::Result<String> {
    let mut requests = create_webhook().await?;
    let _known = known_as("t", &requests).await?;
    let request = requests.recv().await?;
    let answered = request.respond_with(reply(StatusCode::OK, "")).await;
    Ok(answered.unwrap_err().to_string())
}

async fn who_is_not_in_manual_mode_cannot_answer(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(answers_unasked()).await.unwrap();
    let (token, _) = webhook(&rewake).await;
    rewake.resume_webhook(&token, post("")).await.unwrap();
    let error = run.result().await.unwrap();
    assert_eq!(error, AnswerError::NotManual.to_string());
    assert!(error.contains("`.manual()`"), "{error}");
}

#[workflow]
async fn hands_out_its_request() -> anyhow::Result<WebhookRequest> {
    let answer_within = Duration::from_millis(1);
    let webhook = create_webhook().manual().answer_within(answer_within);
    let mut requests = webhook.await?;
    let _known = known_as("t", &requests).await?;
    Ok(requests.recv().await?)
}

async fn a_request_is_only_answered_in_a_run(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(hands_out_its_request()).await.unwrap();
    let (token, _) = webhook(&rewake).await;
    rewake.resume_webhook(&token, post("")).await.unwrap_err();
    let request = run.result().await.unwrap();
    let answered = request.respond_with(reply(StatusCode::OK, "")).await;
    assert_eq!(answered, Err(AnswerError::NotInRun));
}

#[workflow]
async fn never_answers() -> anyhow::Result<String> {
    let mut requests = create_webhook().manual().await?;
    let _known = known_as("t", &requests).await?;
    Ok(requests.recv().await?.text()?.to_owned())
}

async fn a_run_that_ends_without_an_answer_is_an_error_of_the_caller(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(never_answers()).await.unwrap();
    let (token, _) = webhook(&rewake).await;
    let error = rewake.resume_webhook(&token, post("x")).await.unwrap_err();
    assert_eq!(error, WebhookError::RunEnded);
    assert_eq!(run.result().await.unwrap(), "x");
}

#[workflow]
async fn answers_late() -> anyhow::Result<bool> {
    let answer_within = Duration::from_millis(20);
    let webhook = create_webhook().manual().answer_within(answer_within);
    let mut requests = webhook.await?;
    let mut known = known_as("t", &requests).await?;
    let request = requests.recv().await?;
    known.recv().await?;
    let answered = request.respond_with(reply(StatusCode::OK, "late")).await;
    Ok(answered.is_ok())
}

async fn a_caller_waits_so_long_and_the_run_goes_on(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(answers_late()).await.unwrap();
    let (token, _) = webhook(&rewake).await;
    let error = rewake.resume_webhook(&token, post("")).await.unwrap_err();
    assert_eq!(error, WebhookError::NoAnswer);
    resume(&rewake, "t", &1).await;
    assert!(run.result().await.unwrap());
}

async fn a_token_of_no_webhook_is_not_found_and_nothing_is_appended(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(thanks(1)).await.unwrap();
    let (token, _) = webhook(&rewake).await;
    // `t` is a hook, and no webhook.
    for unknown in ["t", "nobody", "", &"x".repeat(10_000), "a\nb"] {
        let error = rewake.resume_webhook(unknown, post("")).await.unwrap_err();
        assert_eq!(error, WebhookError::NotFound, "{unknown}");
    }
    assert_eq!(count(&rewake, &run, "hook_received").await, 0);
    rewake.resume_webhook(&token, post("")).await.unwrap();
    run.result().await.unwrap();
    // And with its run it is gone.
    let error = rewake.resume_webhook(&token, post("")).await.unwrap_err();
    assert_eq!(error, WebhookError::NotFound);
}

#[workflow]
async fn closes_its_webhook() -> anyhow::Result<Option<WebhookRequest>> {
    let mut requests = create_webhook().await?;
    let mut known = known_as("t", &requests).await?;
    known.recv().await?;
    requests.close().await;
    known.recv().await?;
    let read = requests.recv().await?;
    anyhow::ensure!(requests.recv().await == Err(HookError::Closed));
    Ok(Some(read))
}

async fn a_webhook_that_is_closed_is_not_found(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(closes_its_webhook()).await.unwrap();
    let (token, _) = webhook(&rewake).await;
    rewake
        .resume_webhook(&token, post("in time"))
        .await
        .unwrap();
    resume(&rewake, "t", &1).await;
    crate::stage::logged(&rewake, &run, "hook_disposed", 1).await;
    let error = rewake
        .resume_webhook(&token, post("late"))
        .await
        .unwrap_err();
    assert_eq!(error, WebhookError::NotFound);
    resume(&rewake, "t", &2).await;
    let read = run.result().await.unwrap().unwrap();
    assert_eq!(read.text(), Ok("in time"));
}

#[workflow]
async fn wants_a_url() -> anyhow::Result<String> {
    Ok(create_webhook().await.unwrap_err().to_string())
}

async fn a_webhook_wants_a_public_url(stage: Stage) {
    let builder = Rewake::builder().store(stage.store());
    let rewake = builder.provide(stage.probe.clone()).build().await.unwrap();
    let run = rewake.start(wants_a_url()).await.unwrap();
    let error = run.result().await.unwrap();
    assert!(error.contains(".public_url("), "{error}");
}

async fn requests_at_the_same_time_are_answered_each_with_its_own(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(doubles(12)).await.unwrap();
    let (token, _) = webhook(&rewake).await;
    let calls = (0..12).map(|n| {
        let (rewake, token) = (rewake.clone(), token.clone());
        tokio::spawn(async move {
            let response = rewake.resume_webhook(token, post(&n.to_string()));
            let response = response.await.unwrap();
            assert_eq!(*response.body(), (n * 2).to_string());
        })
    });
    futures::future::try_join_all(calls).await.unwrap();
    run.result().await.unwrap();
}

async fn a_request_that_came_between_two_processes_is_answered_by_nobody_and_read(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(answers_late()).await.unwrap();
    let (token, _) = webhook(&rewake).await;
    rewake.shutdown(Duration::ZERO).await.unwrap();
    let client = stage.builder().client_only().build().await.unwrap();
    let error = client.resume_webhook(&token, post("")).await.unwrap_err();
    assert_eq!(error, WebhookError::NoAnswer);
    client.shutdown(Duration::ZERO).await.unwrap();

    let rewake = stage.open().await;
    resume(&rewake, "t", &1).await;
    let run = rewake.get_run::<bool>(run.id());
    assert!(run.result().await.unwrap());
    assert_eq!(count(&rewake, &run, "hook_received").await, 2);
}

#[workflow]
async fn is_greeted(n: usize) -> anyhow::Result<Vec<String>> {
    let mut greetings = create_webhook().verify(Verify::github("hub")).await?;
    let _known = known_as("t", &greetings).await?;
    let mut all = Vec::new();
    for _ in 0..n {
        all.push(greetings.recv().await?.text()?.to_owned());
    }
    Ok(all)
}

/// The example in GitHub's documentation.
fn greeting(body: &str, delivery: &str) -> Request<Bytes> {
    let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let mut request = post(body);
    let headers = request.headers_mut();
    headers.insert("x-hub-signature-256", signature.parse().unwrap());
    headers.insert("x-github-delivery", delivery.parse().unwrap());
    request
}

const GITHUBS: &str = "It's a Secret to Everybody";

async fn only_signed_requests_get_in_and_each_delivery_once(stage: Stage) {
    let builder = stage.builder().secret("hub", "an old one");
    let rewake = builder.secret("hub", GITHUBS).build().await.unwrap();
    let run = rewake.start(is_greeted(2)).await.unwrap();
    let (token, _) = webhook(&rewake).await;
    for wrong in [greeting("Hello, World?", "1"), post("Hello, World!")] {
        let error = rewake.resume_webhook(&token, wrong).await.unwrap_err();
        assert!(matches!(error, WebhookError::NotSigned(_)), "{error:?}");
        assert!(!error.may_have_happened());
    }
    let wrong = rewake.resume_webhook(&token, greeting("", "1")).await;
    let wrong = wrong.unwrap_err();
    assert_eq!(wrong, WebhookError::NotSigned(BadSignature::Wrong));
    assert_eq!(count(&rewake, &run, "hook_received").await, 0);
    for delivery in ["1", "1", "2"] {
        let accepted = rewake
            .resume_webhook(&token, greeting("Hello, World!", delivery))
            .await;
        assert_eq!(accepted.unwrap().status(), StatusCode::ACCEPTED);
    }
    assert_eq!(run.result().await.unwrap(), ["Hello, World!"; 2]);
    assert_eq!(count(&rewake, &run, "hook_received").await, 2);
}

async fn a_process_without_the_secret_takes_nothing_until_it_has_it(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(is_greeted(1)).await.unwrap();
    let (token, _) = webhook(&rewake).await;
    let signed = || greeting("Hello, World!", "1");
    let error = rewake.resume_webhook(&token, signed()).await.unwrap_err();
    let name = "hub".to_owned();
    assert_eq!(
        error,
        WebhookError::CannotVerify(Unverifiable::NoSecret { name })
    );
    rewake.shutdown(Duration::ZERO).await.unwrap();

    let without = stage.builder().secret("hub", "").build().await.unwrap_err();
    assert!(matches!(without, OpenError::Engine(_)), "{without:?}");
    assert!(without.to_string().contains("`hub` is empty"), "{without}");

    let rewake = stage
        .builder()
        .secret("hub", GITHUBS)
        .build()
        .await
        .unwrap();
    rewake.resume_webhook(&token, signed()).await.unwrap();
    let run = rewake.get_run::<Vec<String>>(run.id());
    assert_eq!(run.result().await.unwrap(), ["Hello, World!"]);
}

#[workflow]
async fn wants_an_impossible_header() -> anyhow::Result<String> {
    let webhook = create_webhook().verify(Verify::hmac_sha256("no header", "s"));
    Ok(webhook.await.unwrap_err().to_string())
}

async fn a_header_that_is_none_cannot_be_signed(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(wants_an_impossible_header()).await.unwrap();
    let error = run.result().await.unwrap();
    assert!(error.contains("invalid HTTP header name"), "{error}");
}

async fn limits_of_requests_are_those_of_the_handle(stage: Stage) {
    let builder = stage.builder().limit(Limit::BodyMs, 1);
    let rewake = builder.limit(Limit::Payload, 2_000).build().await.unwrap();
    let run = rewake.start(thanks(1)).await.unwrap();
    let (token, _) = webhook(&rewake).await;
    let never = futures::stream::pending::<Result<Bytes, std::io::Error>>();
    let slow = Request::post("/").body(axum::body::Body::from_stream(never));
    let error = rewake
        .resume_webhook(&token, slow.unwrap())
        .await
        .unwrap_err();
    assert_eq!(error, WebhookError::BodyTooSlow);
    let large = post(&"x".repeat(2_000));
    let error = rewake.resume_webhook(&token, large).await.unwrap_err();
    assert_eq!(error, WebhookError::TooLarge { limit: 2_000 });
    rewake.resume_webhook(&token, post("x")).await.unwrap();
    run.result().await.unwrap();
}

#[workflow]
async fn asks_for_nothing() -> anyhow::Result<Vec<String>> {
    let deaf = create_webhook().methods([]).await;
    let hasty = create_webhook()
        .manual()
        .answer_within(Duration::ZERO)
        .await;
    let refused = [deaf, hasty].into_iter().filter_map(Result::err);
    Ok(refused.map(|error| error.to_string()).collect())
}

async fn options_of_a_webhook_with_which_nothing_could_be_done_are_refused(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(asks_for_nothing()).await.unwrap();
    let refused = run.result().await.unwrap();
    assert_eq!(refused.len(), 2, "{refused:?}");
    assert!(refused[0].starts_with("`.methods(…)`: "), "{refused:?}");
    assert!(
        refused[1].starts_with("`.answer_within(…)`: "),
        "{refused:?}"
    );
    assert_eq!(count(&rewake, &run, "hook_created").await, 0);
}
