//! Three webhooks of Rewake, and senders that sign as GitHub, Stripe and Slack do.
//!
//! `cargo run -p webhooks` serves. It prints a URL for each webhook, and a command that sends to it,
//! such as `cargo run -p webhooks -- send slack URL deploy shop`. Everything that was received is in
//! `webhooks.db`: kill the process, start it again, and the same URLs go on working.

mod desk;
mod say;
mod send;
mod sign;

use std::path::PathBuf;

use anyhow::Context;
use rewake::{Rewake, RunId, RunStatus, WorkflowCall};
use tokio::net::TcpListener;

use desk::{Journal, commands, payment, release};

/// Where the router has the webhooks.
const ROUTE: &str = "/.well-known/workflow/v1/webhook/";

/// What the command line says.
struct Options {
    db: PathBuf,
    port: u16,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match &args[..] {
        [verb, sender, url, text @ ..] if verb == "send" => send::run(sender, url, &text.join(" ")),
        args => serve(options(args)?).await,
    }
}

async fn serve(options: Options) -> anyhow::Result<()> {
    let listener = listen(options.port).await?;
    let base = format!("http://{}", listener.local_addr()?);
    let rewake = Rewake::builder()
        .store(format!("sqlite:{}", options.db.display()))
        .public_url(&base)
        .provide(Journal::beside(&options.db))
        // Real ones come from where an application keeps its secrets.
        .secret("github", sign::GITHUB)
        .secret("stripe", sign::STRIPE)
        .secret("slack", sign::SLACK)
        .build()
        .await?;
    say::opened(&options.db, &base);
    take_up_or_start(&rewake, &base, "release", || release("shop".into())).await?;
    take_up_or_start(&rewake, &base, "payment", || payment("order-7".into())).await?;
    take_up_or_start(&rewake, &base, "commands", commands).await?;

    axum::serve(listener, rewake.router())
        .with_graceful_shutdown(async {
            let _signal = tokio::signal::ctrl_c().await;
        })
        .await?;
    say::stopping();
    rewake.shutdown(std::time::Duration::from_secs(5)).await?;
    Ok(())
}

/// Tells where the unfinished run of a workflow waits; starts one where there is none.
async fn take_up_or_start(
    rewake: &Rewake,
    base: &str,
    workflow: &str,
    call: impl FnOnce() -> WorkflowCall<String>,
) -> anyhow::Result<()> {
    let run = match unfinished(rewake, workflow).await? {
        Some(run) => {
            for hook in rewake.hooks().run(run).await?.data {
                say::waits(workflow, &format!("{base}{ROUTE}{}", hook.token));
            }
            rewake.get_run(run)
        }
        None => rewake.start(call()).await?,
    };
    tokio::spawn(say::the_end_of(run));
    Ok(())
}

async fn unfinished(rewake: &Rewake, workflow: &str) -> anyhow::Result<Option<RunId>> {
    let runs = rewake.runs().await?.data;
    let unfinished = runs.into_iter().find(|run| {
        let named = run.workflow.ends_with(&format!("::{workflow}"));
        named && matches!(run.status, RunStatus::Pending | RunStatus::Running)
    });
    Ok(unfinished.map(|run| run.run))
}

/// The port asked for, or the next free one.
async fn listen(port: u16) -> anyhow::Result<TcpListener> {
    for port in port..port.saturating_add(100) {
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)).await {
            return Ok(listener);
        }
    }
    anyhow::bail!("no free port from {port} on; name another with --port")
}

fn options(args: &[String]) -> anyhow::Result<Options> {
    let mut options = Options {
        db: "webhooks.db".into(),
        port: 3000,
    };
    for pair in args.chunks(2) {
        let [name, value] = pair else {
            anyhow::bail!("`{}` wants a value", pair[0]);
        };
        match name.as_str() {
            "--db" => options.db = value.into(),
            "--port" => options.port = value.parse().context("`--port` wants a number")?,
            _ => anyhow::bail!(
                "unknown option `{name}`; there are --db FILE, --port NUMBER, and `send SENDER URL`"
            ),
        }
    }
    Ok(options)
}
