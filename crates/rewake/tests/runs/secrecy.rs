//! Random tokens and secrets show nowhere: not in traces, not in errors, not where things are printed.

use std::error::Error;
use std::fmt::Debug;
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{Method, Request, Response, StatusCode};
use rewake::Limit;
use rewake::prelude::*;
use sha2::Sha256;
use tower::ServiceExt;

use crate::stage::{Stage, logged, on_every_stage};

on_every_stage!(
    tokens_and_secrets_show_nowhere,
    nor_where_a_store_is_gone,
    nor_where_a_run_parts_from_its_log,
);

/// What is looked for: what senders sign with, and what they send.
const SIGNING: &str = "signing-7f3b1c";
const BODY: &str = "body-9d20ee";
const HEADER: &str = "header-51ac08";
const KEY: &str = "key-e4471b";

/// Everything that was said while the test ran.
#[derive(Debug, Default)]
struct Said {
    secrets: Vec<String>,
    texts: Vec<String>,
}

impl Said {
    fn new(traces: &Traces) -> Self {
        traces.0.lock().unwrap().clear();
        let secrets = [SIGNING, BODY, HEADER, KEY].map(str::to_owned).to_vec();
        Self {
            secrets,
            texts: Vec::new(),
        }
    }

    /// How something is printed.
    fn print(&mut self, what: &dyn Debug) {
        self.texts.push(format!("{what:?}"));
        self.texts.push(format!("{what:#?}"));
    }

    /// Whatever came of something.
    fn outcome<T: Debug, E: Error + 'static>(&mut self, outcome: Result<T, E>) {
        match outcome {
            Ok(value) => self.print(&value),
            Err(error) => self.error(&error),
        }
    }

    /// An error in full, with its sources.
    fn error(&mut self, error: &(dyn Error + 'static)) {
        self.print(&error);
        let mut next = Some(error);
        while let Some(error) = next {
            self.texts.push(error.to_string());
            next = error.source();
        }
    }

    fn check(&self, traces: &Traces) {
        let traces = String::from_utf8(traces.0.lock().unwrap().clone()).unwrap();
        assert!(self.secrets.len() > 4 && !self.texts.is_empty());
        for secret in &self.secrets {
            assert!(
                !traces.contains(secret),
                "`{secret}` is in the traces:\n{traces}"
            );
            for text in &self.texts {
                assert!(!text.contains(secret), "`{secret}` is in `{text}`");
            }
        }
    }
}

/// Everything that is traced in this process, down to the least.
#[derive(Clone, Debug, Default)]
struct Traces(Arc<Mutex<Vec<u8>>>);

impl Traces {
    fn of_this_process() -> Self {
        static TRACES: OnceLock<Traces> = OnceLock::new();
        let install = || {
            let traces = Self::default();
            let written = traces.clone();
            tracing_subscriber::fmt()
                .with_max_level(tracing::Level::TRACE)
                .with_ansi(false)
                .with_writer(move || written.clone())
                .init();
            traces
        };
        TRACES.get_or_init(install).clone()
    }

    fn contain(&self, text: &str) -> bool {
        String::from_utf8_lossy(&self.0.lock().unwrap()).contains(text)
    }
}

impl Write for Traces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How a workflow's own things are printed; it answers one request and reads one payload.
#[workflow]
async fn keeps_quiet() -> anyhow::Result<Vec<String>> {
    let webhook = create_webhook()
        .manual()
        .verify(Verify::hmac_sha256("x-signature", "s"));
    let mut printed = vec![format!("{webhook:?}")];
    let webhook = webhook
        .answer_within(Duration::from_millis(300))
        .dedup("x-id");
    let mut calls = webhook.await?;
    let hook = create_hook::<Vec<String>>();
    printed.push(format!("{hook:?}"));
    let mut payloads = hook.await?;
    let taken = create_hook::<u8>().token(payloads.token().as_str());
    let conflict = taken.await.unwrap_err();
    printed.push(format!("{conflict:?} {conflict}"));
    let call = calls.recv().await?;
    let answer = call.respond_with(Response::new("fine"));
    printed.push(format!("{calls:?} {payloads:?} {call:?} {answer:?}"));
    answer.await?;
    let again = call.respond_with(Response::new("again")).await.unwrap_err();
    printed.push(format!("{again:?} {again}"));
    payloads.recv().await?;
    calls.close().await;
    payloads.close().await;
    let closed = payloads.recv().await.unwrap_err();
    printed.push(format!("{closed:?} {closed} {:?}", calls.recv().await));
    Ok(printed)
}

fn call(body: &str, signed: bool) -> Request<Bytes> {
    let mac = Hmac::<Sha256>::new_from_slice(SIGNING.as_bytes()).unwrap();
    let mac = mac.chain_update(body).finalize().into_bytes();
    let signature = if signed {
        base16ct::lower::encode_string(&mac)
    } else {
        "00".repeat(32)
    };
    let request = Request::post("/")
        .header("x-signature", signature)
        .header("x-password", HEADER)
        .header("x-id", KEY);
    request
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap()
}

/// The tokens of a run's live hooks: the hook's, then the webhook's.
async fn tokens<T>(rewake: &Rewake, run: &Run<T>, said: &mut Said) -> (String, String) {
    let hooks = rewake.hooks().run(run.id()).await.unwrap().data;
    said.print(&hooks);
    let token = |is_webhook| {
        let hook = hooks.iter().find(|hook| hook.is_webhook == is_webhook);
        hook.unwrap().token.to_string()
    };
    let (hook, webhook) = (token(false), token(true));
    said.secrets.extend([hook.clone(), webhook.clone()]);
    (hook, webhook)
}

async fn tokens_and_secrets_show_nowhere(stage: Stage) {
    let traces = Traces::of_this_process();
    let mut said = Said::new(&traces);
    let builder = stage
        .builder()
        .secret("s", SIGNING)
        .limit(Limit::Payload, 20_000);
    said.print(&builder);
    let rewake = builder.build().await.unwrap();
    let run = rewake.start(keeps_quiet()).await.unwrap();
    logged(&rewake, &run, "hook_conflict", 1).await;
    let (hook, webhook) = tokens(&rewake, &run, &mut said).await;
    refused_hooks(&rewake, &hook, &webhook, &mut said).await;
    refused_calls(&rewake, &hook, &webhook, &mut said).await;
    let answer = rewake
        .resume_webhook(&webhook, call(BODY, true))
        .await
        .unwrap();
    said.print(&answer);
    let resumed = rewake.resume_hook(&hook, &[BODY]).idempotency_key(KEY);
    said.print(&resumed);
    said.print(&resumed.await.unwrap().unwrap().token);
    said.texts.extend(run.result().await.unwrap());
    said.print(&(&rewake, &run, rewake.runs().await.unwrap()));
    // What has ended is found no more.
    let gone = rewake.resume_webhook(&webhook, call("other", false)).await;
    said.error(&gone.unwrap_err());
    assert_eq!(rewake.resume_hook(&hook, &"x").await, Ok(None));
    rewake.shutdown(Duration::ZERO).await.unwrap();
    said.outcome(rewake.resume_hook(&hook, &"x").await);
    // The traces are listened to.
    assert!(traces.contain("a webhook's request was refused"));
    said.check(&traces);
}

async fn refused_hooks(rewake: &Rewake, hook: &str, webhook: &str, said: &mut Said) {
    let large = vec![BODY; 10_000];
    let refused = [
        rewake.resume_hook(webhook, &BODY).await,
        rewake.resume_hook(hook, &()).await,
        rewake.resume_hook(hook, &large).await,
        rewake.resume_hook(format!("{hook}\n"), &BODY).await,
        rewake.resume_hook(hook.repeat(100), &BODY).await,
    ];
    for refused in refused {
        said.error(&refused.unwrap_err());
    }
    let long = rewake.get_hook_by_token(hook.repeat(100)).await;
    said.error(&long.unwrap_err());
}

async fn refused_calls(rewake: &Rewake, hook: &str, webhook: &str, said: &mut Said) {
    let mut traced = call(BODY, true);
    *traced.method_mut() = Method::TRACE;
    let large = BODY.repeat(10_000);
    let requests = [
        (webhook, call(BODY, false), 401),
        (webhook, traced, 405),
        (webhook, call(&large, true), 413),
        (hook, call(BODY, true), 404),
    ];
    for (token, request, status) in requests {
        let error = rewake.resume_webhook(token, request.clone()).await;
        said.error(&error.unwrap_err());
        let path = format!("/.well-known/workflow/v1/webhook/{token}");
        let mut request = request.map(axum::body::Body::from);
        *request.uri_mut() = path.parse().unwrap();
        let answer = rewake.router::<()>().oneshot(request).await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
        said.print(&answer.headers());
        let body = axum::body::to_bytes(answer.into_body(), 1 << 20)
            .await
            .unwrap();
        said.texts.push(String::from_utf8(body.to_vec()).unwrap());
    }
}

#[workflow]
async fn never_reads() -> anyhow::Result<()> {
    let _calls = create_webhook()
        .manual()
        .verify(Verify::hmac_sha256("x-signature", "s"))
        .await?;
    let _payloads = create_hook::<u8>().await?;
    sleep(hours(1)).await;
    Ok(())
}

async fn nor_where_a_store_is_gone(stage: Stage) {
    let traces = Traces::of_this_process();
    let mut said = Said::new(&traces);
    let rewake = stage.builder().build().await.unwrap();
    let run = rewake.start(never_reads()).await.unwrap();
    logged(&rewake, &run, "wait_created", 1).await;
    let (hook, webhook) = tokens(&rewake, &run, &mut said).await;
    // The secret is not there: who operates this is told its name, and callers are not.
    let path = format!("/.well-known/workflow/v1/webhook/{webhook}");
    let mut request = call(BODY, true).map(axum::body::Body::from);
    *request.uri_mut() = path.parse().unwrap();
    let answer = rewake.router::<()>().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(traces.contain("the handle has no secret `s`"));
    rewake.shutdown(Duration::ZERO).await.unwrap();
    // A store in memory goes on; a file is closed.
    said.outcome(rewake.resume_hook(&hook, &BODY).await);
    said.outcome(rewake.resume_webhook(&webhook, call(BODY, true)).await);
    said.outcome(rewake.get_hook_by_token(&webhook).await);
    said.outcome(rewake.start(never_reads()).await);
    said.check(&traces);
}

/// The runs for which the code has changed, one bit each.
static CHANGED: AtomicUsize = AtomicUsize::new(0);
static NEXT: AtomicUsize = AtomicUsize::new(0);

#[workflow]
async fn changes_its_mind(own: usize) -> anyhow::Result<()> {
    if CHANGED.load(Ordering::SeqCst) & (1 << own) != 0 {
        sleep(hours(1)).await;
    }
    let _calls = create_webhook().await?;
    create_hook::<String>().await?.recv().await?;
    Ok(())
}

async fn nor_where_a_run_parts_from_its_log(stage: Stage) {
    let traces = Traces::of_this_process();
    let mut said = Said::new(&traces);
    let own = NEXT.fetch_add(1, Ordering::SeqCst);
    let rewake = stage.open().await;
    let run = rewake.start(changes_its_mind(own)).await.unwrap();
    logged(&rewake, &run, "hook_created", 2).await;
    let (hook, _) = tokens(&rewake, &run, &mut said).await;
    rewake.shutdown(Duration::ZERO).await.unwrap();

    CHANGED.fetch_or(1 << own, Ordering::SeqCst);
    let rewake = stage.builder().build_id("new").build().await.unwrap();
    let run = rewake.get_run::<()>(run.id());
    rewake.resume_hook(&hook, &BODY).await.unwrap().unwrap();
    said.error(&run.result().await.unwrap_err());
    said.print(&rewake.runs().await.unwrap());
    assert!(traces.contain("parked"));
    said.check(&traces);
}
