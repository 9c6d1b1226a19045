//! The floor: what the same rows cost on the same server, written by a program without an engine.
//!
//! A transaction goes out in one piece: its begin, one statement for all rows of a table, its commit.
//! This module must not use the engine.

use std::time::Duration;

use anyhow::{Context, Result};
use futures::future::try_join5;
use rewake_postgres::private_server::Database;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Statement};

use crate::callers::per_second;
use crate::clock;
use crate::floor::Measure;
use crate::latency::Latency;

use super::rows::Rows;

/// The group sizes that are tried for the best rate.
const GROUPS: [u64; 5] = [32, 64, 128, 256, 512];
/// So many runs there are; operations go round among them.
const RUNS: u64 = 1024;

/// A connection to write through, and what is written.
pub(super) struct Floor {
    client: Client,
    rows: Rows,
    insert: Statement,
    update: Statement,
    touch: Statement,
    /// The operation that comes next.
    next: u64,
    /// How long each part of a measurement takes.
    span: Duration,
}

impl Floor {
    /// A floor in a database that has the store's tables.
    pub(super) async fn new(database: &Database, rows: &Rows, span: Duration) -> Result<Self> {
        let (client, connection) = tokio_postgres::connect(&database.url(), NoTls).await?;
        tokio::spawn(connection);
        client
            .batch_execute("SET search_path = rewake; SET synchronous_commit = on")
            .await?;
        let insert = "INSERT INTO frames (run, first, body)
            SELECT run::uuid, first, body FROM unnest($1::text[], $2::bigint[], $3::bytea[])
            AS new (run, first, body)";
        let update = "UPDATE runs SET node = 1, workflow = runs.workflow, wake_at = 1,
                parked = NULL, body = new.body
            FROM unnest($1::text[], $2::bytea[]) AS new (run, body) WHERE runs.run = new.run::uuid";
        let touch = "UPDATE tokens SET body = new.body
            FROM unnest($1::bytea[], $2::bytea[]) AS new (token, body)
            WHERE tokens.scope = 0 AND tokens.token = new.token";
        let mut floor = Self {
            insert: client.prepare(insert).await?,
            update: client.prepare(update).await?,
            touch: client.prepare(touch).await?,
            client,
            rows: rows.clone(),
            next: 0,
            span,
        };
        floor.populate().await?;
        Ok(floor)
    }

    /// Puts there what the operations find: runs that wait, each with its token.
    async fn populate(&mut self) -> Result<()> {
        let runs: Vec<_> = (0..RUNS).map(id).collect();
        let bodies = vec![vec![0x5a_u8; self.rows.run]; runs.len()];
        let sql = "INSERT INTO runs (run, scope, node, workflow, wake_at, body)
            SELECT run::uuid, 0, 1, 'rewake_bench::workflows::waits'::bytea, 1, body
            FROM unnest($1::text[], $2::bytea[])
            AS new (run, body)";
        self.client.execute(sql, &[&runs, &bodies]).await?;
        let Some(bytes) = self.rows.token else {
            return Ok(());
        };
        let tokens: Vec<_> = (0..RUNS).map(token).collect();
        let bodies = vec![vec![0x5a_u8; bytes]; runs.len()];
        let sql = "INSERT INTO tokens (scope, token, run, chosen, body)
            SELECT 0, token, run::uuid, true, body
            FROM unnest($1::bytea[], $2::text[], $3::bytea[]) AS new (token, run, body)";
        self.client.execute(sql, &[&tokens, &runs, &bodies]).await?;
        Ok(())
    }

    /// Measures the machine as it is now.
    pub(super) async fn measure(&mut self) -> Result<Measure> {
        let f1 = self.one_by_one().await?.p50();
        let f32 = self.rate(32).await?;
        let mut max = f32;
        for group in GROUPS {
            max = f64::max(max, self.rate(group).await?);
        }
        Ok(Measure {
            f1,
            f32,
            max,
            halves: None,
            lone: None,
        })
    }

    async fn one_by_one(&mut self) -> Result<Latency> {
        let mut latency = Latency::new();
        let began = clock::now();
        while began.elapsed() < self.span {
            let before = clock::now();
            self.transaction(1).await?;
            latency.record(before.elapsed());
        }
        Ok(latency)
    }

    /// Operations a second with `group` of them in a transaction.
    async fn rate(&mut self, group: u64) -> Result<f64> {
        let began = clock::now();
        let mut done = 0;
        while began.elapsed() < self.span {
            self.transaction(group).await?;
            done += group;
        }
        Ok(per_second(done, began.elapsed()))
    }

    async fn transaction(&mut self, operations: u64) -> Result<()> {
        let group: Vec<_> = (self.next..self.next + operations).collect();
        self.next += operations;
        let mut frames = (Vec::new(), Vec::new(), Vec::new());
        for n in &group {
            for (at, bytes) in self.rows.frames.iter().enumerate() {
                frames.0.push(id(n % RUNS));
                frames
                    .1
                    .push(i64::try_from(n * 64 + at as u64).context("few operations")?);
                frames.2.push(vec![0x5a_u8; *bytes]);
            }
        }
        let runs: Vec<_> = group.iter().map(|n| id(n % RUNS)).collect();
        let bodies = vec![vec![0x5a_u8; self.rows.run]; runs.len()];
        let client = &self.client;
        // Polled in this order, so they go out in this order, and in one piece.
        let begin = client.batch_execute("BEGIN");
        let insert = async {
            let new: [&(dyn ToSql + Sync); 3] = [&frames.0, &frames.1, &frames.2];
            client.execute(&self.insert, &new).await
        };
        let update = async { client.execute(&self.update, &[&runs, &bodies]).await };
        let touched = async {
            if let Some(bytes) = self.rows.token {
                let tokens: Vec<_> = group.iter().map(|n| token(n % RUNS)).collect();
                let bodies = vec![vec![0x5a_u8; bytes]; tokens.len()];
                client.execute(&self.touch, &[&tokens, &bodies]).await?;
            }
            Ok(())
        };
        let commit = client.batch_execute("COMMIT");
        try_join5(begin, insert, update, touched, commit).await?;
        Ok(())
    }
}

/// Ids of runs begin with the time, so they come about in order.
fn id(run: u64) -> String {
    let tail = run.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    format!("{run:016x}{tail:016x}")
}

fn token(run: u64) -> Vec<u8> {
    format!("bench:{run}").into_bytes()
}
