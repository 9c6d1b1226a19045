//! The main job of Rewake, to be killed and started again at any moment.
//!
//! A document is reviewed: the workflow asks a reviewer and waits for the decision (a *hook*), then
//! has it published and waits for the print shop to report (a *webhook*). Everything it has done is
//! in `approval.db`; kill the process while it waits, start it again, and it goes on where it was.

mod review;
mod routes;
mod say;

use std::path::PathBuf;

use anyhow::Context;
use rewake::{Rewake, RunStatus};
use tokio::net::TcpListener;

use review::{Journal, review};

/// What the command line says.
struct Options {
    db: PathBuf,
    port: u16,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = options(std::env::args().skip(1))?;
    let listener = listen(options.port).await?;
    let base = format!("http://{}", listener.local_addr()?);

    let rewake = Rewake::builder()
        .store(format!("sqlite:{}", options.db.display()))
        .public_url(&base)
        .provide(Journal::beside(&options.db))
        .workflow(review)
        .build()
        .await?;
    say::opened(&options.db, &base);
    let app = routes::router(&rewake, &base);
    take_up_or_start(&rewake, &base).await?;

    axum::serve(listener, app)
        .with_graceful_shutdown(async {
            let _signal = tokio::signal::ctrl_c().await;
        })
        .await?;
    say::stopping();
    rewake.shutdown(std::time::Duration::from_secs(5)).await?;
    Ok(())
}

/// Tells what an earlier process left waiting; starts a review where nothing waits.
async fn take_up_or_start(rewake: &Rewake, base: &str) -> anyhow::Result<()> {
    let waiting = rewake.runs().status(RunStatus::Running).await?.data;
    for run in &waiting {
        let hooks = rewake.hooks().run(run.run).await?.data;
        say::taken_up(run, &hooks, base);
        tokio::spawn(say::the_end_of(rewake.get_run(run.run)));
    }
    if waiting.is_empty() {
        let number = rewake.runs().await?.data.len() + 1;
        routes::start(rewake, &format!("handbook-{number}")).await?;
    }
    Ok(())
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

fn options(mut args: impl Iterator<Item = String>) -> anyhow::Result<Options> {
    let mut options = Options {
        db: "approval.db".into(),
        port: 3000,
    };
    while let Some(arg) = args.next() {
        let value = args
            .next()
            .with_context(|| format!("`{arg}` wants a value"))?;
        match arg.as_str() {
            "--db" => options.db = value.into(),
            "--port" => options.port = value.parse().context("`--port` wants a number")?,
            _ => anyhow::bail!("unknown option `{arg}`; there are --db FILE and --port NUMBER"),
        }
    }
    Ok(options)
}
