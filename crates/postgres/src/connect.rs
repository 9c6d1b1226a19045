//! Connections: how each is opened, and what it is told.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::try_join_all;
use rewake_store::Durability;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, Config, Notification, Row, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::OpenError;
use crate::fault::trouble;
use crate::options::Options;
use crate::sql::{Sql, TEXTS};
use crate::target::Target;
use crate::tls;

/// How connections are made.
#[derive(Clone)]
pub(crate) struct Connector {
    config: Config,
    tls: MakeRustlsConnect,
    settings: String,
    silence: Duration,
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
    /// How long none may come while one is waited for.
    silence: Duration,
    /// The task that reads and writes the socket.
    task: AbortHandle,
}

impl Connector {
    pub(crate) fn new(options: &Options) -> Result<Self, OpenError> {
        let Target { mut config, trust } = Target::parse(&options.url)?;
        if config.get_application_name().is_none() {
            config.application_name("rewake");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(options.patience);
        }
        Ok(Self {
            config,
            tls: tls::connector(&trust)?,
            settings: settings(options),
            // The server breaks a statement off before that.
            silence: options.statement_timeout + options.lock_timeout,
        })
    }

    /// For what may be lost: no commit waits for the disk, and none for a lock either.
    pub(crate) fn for_hints(mut self) -> Self {
        self.settings += "SET synchronous_commit = off; SET lock_timeout = 500;";
        self
    }

    /// A connection with the settings of a session, and nothing prepared.
    pub(crate) async fn bare(&self) -> Result<(Client, AbortHandle), tokio_postgres::Error> {
        self.bare_with(None).await
    }

    /// The same, with somebody who hears what others notify.
    async fn bare_with(
        &self,
        ear: Option<Hear>,
    ) -> Result<(Client, AbortHandle), tokio_postgres::Error> {
        let (client, mut connection) = self.config.connect(self.tls.clone()).await?;
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
        client.batch_execute(&self.settings).await?;
        Ok((client, task.abort_handle()))
    }

    pub(crate) async fn lane(&self, ear: Option<Hear>) -> Result<Lane, tokio_postgres::Error> {
        let (client, task) = self.bare_with(ear).await?;
        let statements = try_join_all(TEXTS.iter().map(|text| client.prepare(text))).await?;
        Ok(Lane {
            client,
            statements,
            answers: AtomicU64::new(0),
            silence: self.silence,
            task,
        })
    }
}

impl Lane {
    pub(crate) async fn rows(
        &self,
        sql: Sql,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        let statement = &self.statements[sql as usize];
        self.answer(self.client.query(statement, params)).await
    }

    /// How many rows were written.
    pub(crate) async fn execute(
        &self,
        sql: Sql,
        params: &[Param<'_>],
    ) -> Result<u64, tokio_postgres::Error> {
        let statement = &self.statements[sql as usize];
        self.answer(self.client.execute(statement, params)).await
    }

    /// A statement that is not worth preparing on every connection.
    pub(crate) async fn ask(
        &self,
        text: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        self.client.query(text, params).await
    }

    /// A statement without parameters and rows, such as those that begin and end transactions.
    pub(crate) async fn say(&self, text: &str) -> Result<(), tokio_postgres::Error> {
        self.answer(self.client.batch_execute(text)).await
    }

    /// Waits for an answer. A connection by which nothing comes for too long is given up: a network
    /// that swallows everything would not say so.
    async fn answer<A>(
        &self,
        asked: impl Future<Output = Result<A, tokio_postgres::Error>>,
    ) -> Result<A, tokio_postgres::Error> {
        let mut asked = pin!(asked);
        loop {
            let before = self.answers.load(Ordering::Relaxed);
            if let Ok(answer) = timeout(self.silence, asked.as_mut()).await {
                self.answers.fetch_add(1, Ordering::Relaxed);
                return answer;
            }
            // Answers come in order, so those to what was asked before may have taken the time.
            if self.answers.load(Ordering::Relaxed) == before {
                tracing::warn!("the database has not answered; the connection is given up");
                self.task.abort();
                return asked.await;
            }
        }
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.client.is_closed()
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        // The server hears of it by the end of the socket; what was open is undone.
        self.task.abort();
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
