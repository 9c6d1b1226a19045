//! Runs that move from one process to another.
//!
//! `cargo run -p cluster` starts a PostgreSQL of its own, three workers and a client. Six parcels
//! travel: each is a run of one workflow, and some worker carries it from station to station. Then a
//! worker is killed, as `kill -9` does, and the others go on with its parcels.
//!
//! Where there is a PostgreSQL already, the two halves are started by hand, on as many machines as
//! one likes: `cluster worker NAME postgres://…`, and `cluster client postgres://…`.

mod crew;
mod parcel;
mod say;
mod show;
mod worker;

use anyhow::bail;
use rewake_postgres::private_server::{PrivateServer, Settings};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match *arguments {
        [] => whole_show().await,
        ["worker", name, store] => worker::work(name, store).await,
        ["client", store] => show::deliver(store, None).await,
        _ => bail!("without arguments this shows itself; else: `worker NAME URL` or `client URL`"),
    }
}

/// Everything in one command.
async fn whole_show() -> anyhow::Result<()> {
    say::starting();
    let server =
        tokio::task::spawn_blocking(|| PrivateServer::start(&Settings::default())).await??;
    let database = server.database()?;
    let store = database.url();
    let crew = crew::Crew::start(&["Ada", "Ben", "Cleo"], &store)?;
    show::deliver(&store, Some(crew)).await?;
    // Last, with all that it holds.
    drop((database, server));
    Ok(())
}
