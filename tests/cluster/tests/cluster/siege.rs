//! Four workers and four clients, and everything that can happen to them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rewake::{Rewake, RunId};
use rewake_cluster::workflows::{Letter, conversation};
use rewake_postgres::private_server::Stop;

use crate::checker;
use crate::process::Process;
use crate::proxy::{Fault, Proxy};
use crate::stage::Stage;
use crate::time::{length, now};

const WORKERS: usize = 4;
const CLIENTS: usize = 4;
const TOKENS: usize = 32;

/// What may happen.
#[derive(Debug, Clone, Copy)]
enum Blow {
    /// A worker is killed, and another comes.
    Kill,
    /// A worker stands still until others have its runs, and goes on as if nothing had been.
    Freeze,
    /// The database is stopped in order and started again.
    Restart,
    /// The database is stopped at once and recovers.
    Crash,
    /// Every process of the database is killed, and it recovers.
    KillDatabase,
    /// The network does this for a while.
    Network(Fault),
}

pub(crate) fn of_processes() {
    let mut stage = Stage::new();
    let blows = [
        Blow::Kill,
        Blow::Freeze,
        Blow::Restart,
        Blow::Kill,
        Blow::Crash,
        Blow::Freeze,
        Blow::KillDatabase,
    ];
    besiege(&mut stage, &blows, None);
}

pub(crate) fn of_the_network() {
    let mut stage = Stage::new();
    let proxy = Proxy::start(&stage.runtime, stage.server.address());
    stage.go_through(proxy.address());
    let blows = [
        Blow::Network(Fault::Delay(Duration::from_millis(200))),
        Blow::Network(Fault::CutAfter(700)),
        Blow::Network(Fault::BlackHole),
        Blow::Network(Fault::CutAfter(20_000)),
        Blow::Kill,
    ];
    besiege(&mut stage, &blows, Some(&proxy));
}

/// Those who take part.
struct Cast {
    workers: Vec<Process>,
    hired: usize,
    tokens: BTreeSet<String>,
    takeovers: Vec<(&'static str, Duration)>,
}

/// Lets blows fall, all of them at least once, until the time is over; then checks.
fn besiege(stage: &mut Stage, blows: &[Blow], proxy: Option<&Proxy>) {
    let tokens: BTreeSet<_> = (0..TOKENS).map(|number| format!("talk:{number}")).collect();
    let mut cast = Cast {
        workers: Vec::new(),
        hired: 0,
        tokens,
        takeovers: Vec::new(),
    };
    for _ in 0..WORKERS {
        cast.hire(stage);
    }
    let runs = stage.ask(async |rewake| start(rewake, &cast.tokens).await);
    let count = TOKENS.to_string();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let name = format!("client-{number}");
            stage.start("client", &name, &[("--tokens", &count)])
        })
        .collect();
    stage.watch.until_done_for(&cast.tokens, "nobody");
    let until = now() + length(20);
    let mut fallen = 0;
    while fallen < blows.len() || now() < until {
        cast.take(stage, blows[fallen % blows.len()], proxy);
        fallen += 1;
    }
    for client in clients {
        client.end();
    }
    let noted = stage.noted();
    let total = stage.ask(async |rewake| {
        end(rewake, &cast.tokens).await;
        checker::check_conversations(rewake, &runs, &noted).await
    });
    for worker in cast.workers {
        worker.end();
    }
    #[expect(clippy::print_stderr, reason = "a siege says what it came to")]
    {
        let takeovers = cast.takeovers;
        eprintln!(
            "{fallen} blows, {total} letters, each delivered once; taken over: {takeovers:?}"
        );
    }
}

impl Cast {
    fn hire(&mut self, stage: &mut Stage) {
        self.hired += 1;
        let name = format!("worker-{}", self.hired);
        self.workers.push(stage.start("worker", &name, &[]));
    }

    /// Takes one blow, and waits until every conversation has gone on after it.
    fn take(&mut self, stage: &mut Stage, blow: Blow, proxy: Option<&Proxy>) {
        match blow {
            Blow::Kill => {
                let worker = self.workers.remove(0);
                let name = worker.name.clone();
                let held = stage.watch.tokens_of(&name);
                worker.kill();
                let taken = stage.watch.until_done_for(&held, &name);
                self.takeovers.push(("killed", taken));
                self.hire(stage);
            }
            Blow::Freeze => {
                let worker = self.workers.remove(0);
                let held = stage.watch.tokens_of(&worker.name);
                worker.freeze();
                let taken = stage.watch.until_done_for(&held, &worker.name);
                self.takeovers.push(("frozen", taken));
                worker.thaw();
                self.workers.push(worker);
            }
            Blow::Restart => {
                stage.server.stop(Stop::Fast).unwrap();
                stage.server.start_again().unwrap();
            }
            Blow::Crash => {
                stage.server.stop(Stop::Immediate).unwrap();
                stage.server.start_again().unwrap();
            }
            Blow::KillDatabase => {
                stage.server.kill().unwrap();
                stage.server.start_again().unwrap();
            }
            Blow::Network(fault) => {
                let proxy = proxy.expect("who breaks the network has one");
                proxy.set(fault);
                proxy.until_felt();
                proxy.set(Fault::None);
            }
        }
        stage.watch.until_done_for(&self.tokens, "nobody");
    }
}

/// Starts the conversations, and waits until each can be resumed.
async fn start(rewake: &Rewake, tokens: &BTreeSet<String>) -> BTreeMap<String, RunId> {
    let mut runs = BTreeMap::new();
    for token in tokens {
        let run = rewake.start(conversation(token.clone())).await.unwrap();
        runs.insert(token.clone(), run.id());
    }
    for token in tokens {
        while rewake.get_hook_by_token(token).await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
    }
    runs
}

/// Ends the conversations.
async fn end(rewake: &Rewake, tokens: &BTreeSet<String>) {
    for token in tokens {
        let hook = rewake.resume_hook(token, &Letter::Enough).await.unwrap();
        assert!(
            hook.is_some(),
            "{token}: the conversation goes on until it is ended"
        );
    }
}
