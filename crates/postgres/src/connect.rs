//! Connections: how each is opened, and what it is told.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::try_join_all;
use rewake_store::Durability;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_postgres::types::ToSql;
use tokio_postgres::{
    AsyncMessage, Client, Config, Connection, Notification, Row, SimpleQueryMessage, Statement,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::OpenError;
use crate::fault::{Unreached, trouble};
use crate::options::Options;
use crate::sql::{Sql, TEXTS};
use crate::target::{self, Target};
use crate::tls;

/// The setting by which a connection knows its session. The server keeps any that has a dot.
const MARK: &str = "rewake.session";

/// How long a beat may go without an answer.
const BEAT_PATIENCE: Duration = Duration::from_millis(1_500);

/// What the driver has where a connection string says nothing about idle connections.
const UNSAID_IDLE: Duration = Duration::from_hours(2);

/// How connections are made.
#[derive(Clone)]
pub(crate) struct Connector {
    hosts: Vec<(String, Config)>,
    /// How long one host may take.
    each: Duration,
    tls: MakeRustlsConnect,
    settings: String,
    /// How long a statement may go without an answer.
    longest: Duration,
}

/// A parameter of a statement.
pub(crate) type Param<'p> = &'p (dyn ToSql + Sync);

/// A parameter that a statement keeps until it is sent.
pub(crate) type OwnedParam = Box<dyn ToSql + Sync + Send>;

/// Hears what others notify.
pub(crate) type Hear = Box<dyn Fn(&Notification) + Send>;

/// One connection, with every statement prepared. Many may ask at once: what they send goes out
/// without waiting for what comes in, and is served in order.
#[derive(Debug)]
pub(crate) struct Lane {
    client: Client,
    statements: Vec<Statement>,
    /// How many answers have come.
    answers: AtomicU64,
    longest: Duration,
    task: Task,
}

/// A connection that has been told nothing yet.
pub(crate) struct Bare {
    pub(crate) client: Client,
    task: Task,
}

/// The task that reads and writes a socket. The server hears of its end by that of the socket; what
/// was open is undone.
#[derive(Debug)]
struct Task(AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Connector {
    pub(crate) fn new(options: &Options) -> Result<Self, OpenError> {
        let Target { mut config, trust } = Target::parse(&options.url)?;
        let many = u32::try_from(config.get_hosts().len()).unwrap_or(u32::MAX);
        let each = match config.get_connect_timeout() {
            Some(each) => *each,
            None if many < 2 => options.patience,
            // Whoever waits comes to the last, and may begin anew.
            None => options.patience / many.saturating_add(1),
        };
        complete(&mut config, options, each);
        Ok(Self {
            hosts: target::hosts(&config),
            each,
            tls: tls::connector(&trust)?,
            settings: settings(options),
            longest: options.statement_timeout.saturating_add(options.patience),
        })
    }

    /// For what may be lost: no commit waits for the disk, and hardly for a lock.
    pub(crate) fn for_hints(mut self) -> Self {
        self.settings += "SET synchronous_commit = off; SET lock_timeout = 500;";
        self
    }

    /// For what says that a process lives: it must not take long, nor wait behind anything that does.
    pub(crate) fn for_beats(self) -> Self {
        let mut connector = self.for_hints();
        connector.settings += "SET statement_timeout = 1000;";
        connector.longest = BEAT_PATIENCE;
        connector
    }

    /// A connection to the first host that has one.
    pub(crate) async fn bare(&self) -> Result<Bare, Unreached> {
        self.bare_with(None).await
    }

    /// The same, with somebody who hears what others notify.
    async fn bare_with(&self, ear: Option<Hear>) -> Result<Bare, Unreached> {
        let mut unreached = None;
        for (name, config) in &self.hosts {
            let connecting = Box::pin(config.connect(self.tls.clone()));
            let connected = timeout(self.each, connecting).await;
            let why = match connected {
                Ok(Ok((client, connection))) => return Ok(Bare::new(client, connection, ear)),
                Ok(Err(error)) => Unreached::from(error),
                Err(_) => Unreached::silent(),
            };
            unreached = Some(Unreached::beside(unreached, why.of(name)));
        }
        Err(unreached.unwrap_or_else(Unreached::silent))
    }

    /// Tells a connection the settings of a session.
    pub(crate) async fn settle(&self, bare: &Bare) -> Result<(), Unreached> {
        Ok(bare.client.batch_execute(&self.settings).await?)
    }

    pub(crate) async fn lane(&self, ear: Option<Hear>) -> Result<Lane, Unreached> {
        let bare = self.bare_with(ear).await?;
        self.lane_of(bare).await
    }

    pub(crate) async fn lane_of(&self, bare: Bare) -> Result<Lane, Unreached> {
        self.settle(&bare).await?;
        let Bare { client, task } = bare;
        let statements = try_join_all(TEXTS.iter().map(|text| client.prepare(text))).await?;
        Ok(Lane {
            client,
            statements,
            answers: AtomicU64::new(0),
            longest: self.longest,
            task,
        })
    }
}

impl Bare {
    fn new<S, T>(client: Client, mut connection: Connection<S, T>, ear: Option<Hear>) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let task = tokio::spawn(async move {
            while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
                match (message, &ear) {
                    (Ok(AsyncMessage::Notification(notice)), Some(ear)) => ear(&notice),
                    (Ok(_), _) => {}
                    (Err(error), _) => {
                        tracing::debug!(%error, "a connection to the database has ended");
                        return;
                    }
                }
            }
        });
        Self {
            client,
            task: Task(task.abort_handle()),
        }
    }

    /// Leaves a mark on the session, if there is none of this connection's yet, and reads it.
    async fn mark(&self, text: Option<&str>) -> Result<Option<String>, Unreached> {
        let sql = text.map_or_else(
            || format!("SELECT current_setting('{MARK}', true)"),
            |text| format!("SELECT set_config('{MARK}', '{text}', false)"),
        );
        let said = self.client.simple_query(&sql).await?;
        Ok(said.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        }))
    }
}

/// True where two connections that are open at once are two sessions of the server. Settings and
/// prepared statements of a connection that has none for itself would be everybody's.
pub(crate) async fn are_sessions(first: &Bare, second: &Bare) -> Result<bool, Unreached> {
    first.mark(Some("first")).await?;
    second.mark(Some("second")).await?;
    let kept = first.mark(None).await?;
    Ok(kept.as_deref() == Some("first"))
}

/// What the connection string leaves open.
fn complete(config: &mut Config, options: &Options, each: Duration) {
    if config.get_application_name().is_none() {
        config.application_name("rewake");
    }
    // A name may have several addresses, and the first may be one that nobody answers at.
    config.connect_timeout(each / 3);
    // A server whose machine has gone says nothing: without this, the system waits for a quarter of
    // an hour for what was sent, and for two hours where nothing was.
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(options.patience);
    }
    if config.get_keepalives_idle() >= UNSAID_IDLE {
        // Counted in whole seconds, and the system refuses none.
        config.keepalives_idle(options.patience.max(Duration::from_secs(1)));
    }
}

impl Lane {
    pub(crate) async fn rows(
        &self,
        sql: Sql,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        let statement = &self.statements[sql as usize];
        self.answered(self.client.query(statement, params)).await
    }

    /// How many rows were written.
    pub(crate) async fn execute(
        &self,
        sql: Sql,
        params: &[Param<'_>],
    ) -> Result<u64, tokio_postgres::Error> {
        let statement = &self.statements[sql as usize];
        self.answered(self.client.execute(statement, params)).await
    }

    /// A statement without parameters and rows, such as those that begin and end transactions.
    pub(crate) async fn say(&self, text: &str) -> Result<(), tokio_postgres::Error> {
        self.answered(self.client.batch_execute(text)).await
    }

    /// A statement that is not worth preparing on every connection.
    pub(crate) async fn ask(
        &self,
        text: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        self.client.query(text, params).await
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.client.is_closed()
    }

    /// Waits for what was asked, and gives the connection up where the server does not even break it
    /// off in time: it hangs, or its machine has gone.
    async fn answered<A>(
        &self,
        asked: impl Future<Output = Result<A, tokio_postgres::Error>>,
    ) -> Result<A, tokio_postgres::Error> {
        let mut asked = pin!(asked);
        loop {
            let before = self.answers.load(Ordering::Relaxed);
            if let Ok(answered) = timeout(self.longest, &mut asked).await {
                self.answers.fetch_add(1, Ordering::Relaxed);
                return answered;
            }
            // Answers come in order, so those to what was asked before may have taken the time.
            if self.answers.load(Ordering::Relaxed) == before {
                tracing::warn!("the database does not answer, its connection is given up");
                self.task.0.abort();
                return asked.await;
            }
        }
    }
}

/// What a session is told once. The plans are made once, for arrays of any length: so they must not
/// rest on what the tables happen to hold at that moment.
fn settings(options: &Options) -> String {
    let commit = match options.durability {
        // One that waits for more than the disk is left as it is.
        Durability::Full => {
            "SELECT set_config('synchronous_commit',
                 CASE current_setting('synchronous_commit')
                 WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false);"
        }
        Durability::Relaxed => "SET synchronous_commit = off;",
    };
    format!(
        "{commit}
         SET search_path = {schema};
         SET default_transaction_isolation = 'read committed';
         SET statement_timeout = {statement};
         SET lock_timeout = {lock};
         SET idle_in_transaction_session_timeout = {lock};
         SET client_min_messages = warning;
         SET plan_cache_mode = force_generic_plan;
         SET enable_seqscan = off;
         SET enable_hashjoin = off;
         SET enable_mergejoin = off;
         SET jit = off;",
        schema = quoted(&options.schema),
        statement = milliseconds(options.statement_timeout),
        lock = milliseconds(options.lock_timeout),
    )
}

/// A name as SQL quotes it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// For a setting. Zero would mean no limit.
fn milliseconds(span: Duration) -> i32 {
    i32::try_from(span.as_millis()).unwrap_or(i32::MAX).max(1)
}

/// Refuses a server that may lose or tear what it has answered.
pub(crate) async fn check_durability(client: &Client) -> Result<(), OpenError> {
    for setting in ["fsync", "full_page_writes"] {
        let sql = "SELECT current_setting($1)";
        let row = client.query_one(sql, &[&setting]).await;
        let value: String = row.map_err(|error| trouble(&error))?.get(0);
        if value == "off" {
            return Err(OpenError::NotDurable {
                setting: setting.to_owned(),
            });
        }
    }
    Ok(())
}
