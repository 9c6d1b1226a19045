//! Listening: which channels the nodes of this process have, and what comes by them.
//!
//! A node has a channel of its own, for its runs, and one together with all of its project, for what
//! nobody has. Where notifications get lost, as behind some poolers, nodes find everything by looking;
//! the log says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rewake_store::core::event::Position;
use rewake_store::{News, NodeId, ScopeId};
use tokio_postgres::Notification;

use super::inbox::Inboxes;
use crate::connect::{Hear, Lane};
use crate::name::Name;

/// How long a connection may take to hear itself.
const ECHO: Duration = Duration::from_secs(5);

/// What is notified by a process to itself, to hear whether it hears.
const ECHO_PAYLOAD: &str = "echo";

/// What hears for the nodes of this process.
pub(crate) struct Ear {
    prefix: String,
    inboxes: Arc<Inboxes>,
    echoed: Arc<AtomicBool>,
}

impl Ear {
    pub(super) fn new(schema: &str, inboxes: Arc<Inboxes>) -> Self {
        Self {
            prefix: format!("rewake_{}_", Name::of(schema, "channel").text()),
            inboxes,
            echoed: Arc::default(),
        }
    }

    /// What the names of all channels begin with.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// What a connection does with what it hears.
    pub(crate) fn hear(&self) -> Hear {
        let (prefix, inboxes) = (self.prefix.clone(), Arc::clone(&self.inboxes));
        let echoed = Arc::clone(&self.echoed);
        Box::new(move |notice| {
            if notice.payload() == ECHO_PAYLOAD {
                echoed.store(true, Ordering::Release);
            } else if let Some(channel) = notice.channel().strip_prefix(&prefix) {
                pass_on(&inboxes, channel, notice);
            }
        })
    }

    /// Listens for all nodes of this process. What was notified before is not known: they look.
    pub(crate) async fn listen(&self, lane: &Lane) -> Result<(), tokio_postgres::Error> {
        let nodes = self.inboxes.all();
        for (node, inbox) in &nodes {
            lane.say(&self.listening(*node, inbox.scope)).await?;
            inbox.tell(News::Cold);
        }
        if let Some((node, _)) = nodes.first() {
            self.echoed.store(false, Ordering::Release);
            let echo = format!("NOTIFY \"{}{}\", '{ECHO_PAYLOAD}'", self.prefix, node.0);
            lane.say(&echo).await?;
            tokio::spawn(expect_echo(Arc::clone(&self.echoed)));
        }
        Ok(())
    }

    /// What a connection says to listen for a node.
    pub(super) fn listening(&self, node: NodeId, scope: ScopeId) -> String {
        let prefix = &self.prefix;
        format!(
            "LISTEN \"{prefix}{}\"; LISTEN \"{prefix}all_{}\"",
            node.0, scope.0
        )
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a connection is outside of what an engine's clock is about: the world is waited for"
)]
async fn expect_echo(echoed: Arc<AtomicBool>) {
    tokio::time::sleep(ECHO).await;
    if !echoed.load(Ordering::Acquire) {
        tracing::warn!(
            "the database's notifications do not arrive, as behind a pooler of transactions; \
             what other nodes do is found by looking, about once a second"
        );
    }
}

/// What is notified of one run.
pub(super) fn payload(news: News) -> String {
    match news {
        News::Log { run, head } => format!("{run} {head}"),
        News::Owed { run } => run.to_string(),
        News::Cold => String::new(),
    }
}

fn pass_on(inboxes: &Inboxes, channel: &str, notice: &Notification) {
    if let Some(scope) = channel.strip_prefix("all_") {
        if let Ok(scope) = scope.parse() {
            inboxes.tell_all(ScopeId(scope), News::Cold);
        }
        return;
    }
    let inbox = channel.parse().ok().and_then(|id| inboxes.get(NodeId(id)));
    if let (Some(inbox), Some(news)) = (inbox, read(notice.payload())) {
        inbox.tell(news);
    }
}

/// What a payload says; nothing where a later build says what this one does not know.
fn read(payload: &str) -> Option<News> {
    match payload.split_once(' ') {
        None => Some(News::Owed {
            run: payload.parse().ok()?,
        }),
        Some((run, head)) => Some(News::Log {
            run: run.parse().ok()?,
            head: Position(head.parse().ok()?),
        }),
    }
}

#[cfg(test)]
mod tests {
    use rewake_store::core::id::RunId;

    use super::*;

    #[test]
    fn what_is_notified_is_read_again() {
        let run = RunId::from_bytes([7; 16]);
        let head = Position(12);
        for news in [News::Log { run, head }, News::Owed { run }] {
            assert_eq!(read(&payload(news)), Some(news));
        }
        for unknown in ["", "x", "x 1", &format!("{run} x")] {
            assert_eq!(read(unknown), None);
        }
    }
}
