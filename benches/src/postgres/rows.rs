//! Which rows the engine writes for an operation, learned by looking at what it left.

use anyhow::{Context, Result};
use rewake_postgres::private_server::{Database, PrivateServer};

use crate::notes::{self, WAITS};
use crate::workflows::{steps, token, waits};

use super::world::World;

/// The rows of one operation, by their sizes in bytes. Each frame comes with a change of its run's row.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    /// The frames that are added.
    pub(super) frames: Vec<usize>,
    /// The run's row.
    pub(super) run: usize,
    /// The token's row, where the operation changes one.
    pub(super) token: Option<usize>,
    /// The frame that ends the run, in an operation that goes on until then.
    last: usize,
}

impl Rows {
    /// What is written until a resume is accepted.
    pub(super) async fn of_a_resume(server: &PrivateServer) -> Result<Self> {
        let database = server.database()?;
        let world = World::open(&database).await?;
        notes::forget(1);
        let run = world.rewake.start(waits(0)).await?;
        notes::until(WAITS).await;
        let before = frames(&database)?.len();
        let row = size(&database, "SELECT octet_length(body) FROM rewake.runs")?;
        let hook = size(&database, "SELECT octet_length(body) FROM rewake.tokens")?;
        world
            .rewake
            .resume_hook(token(0), &0_u64)
            .await?
            .context("it waits")?;
        run.result().await?;
        let after = frames(&database)?;
        world.close().await?;
        let frame = |at: usize| after.get(at).copied().context("a resume leaves two frames");
        Ok(Self {
            frames: vec![frame(before)?],
            run: row,
            token: Some(hook),
            last: frame(before + 1)?,
        })
    }

    /// The same, until the run has ended.
    pub(super) fn until_the_end(mut self) -> Self {
        self.frames.push(self.last);
        self
    }

    /// One step of a run that takes many.
    pub(super) async fn of_a_step(server: &PrivateServer) -> Result<Self> {
        let database = server.database()?;
        let world = World::open(&database).await?;
        world.rewake.start(steps(50)).await?.result().await?;
        let frames = frames(&database)?;
        let run = size(&database, "SELECT octet_length(body) FROM rewake.runs")?;
        world.close().await?;
        let step = frames
            .get(frames.len() / 2)
            .copied()
            .context("steps leave frames")?;
        Ok(Self {
            frames: vec![step],
            run,
            token: None,
            last: 0,
        })
    }
}

/// The sizes of the frames of the one run in a database, in order.
fn frames(database: &Database) -> Result<Vec<usize>> {
    let sql = "SELECT octet_length(body) FROM rewake.frames ORDER BY first";
    let said = database.query(sql)?;
    said.lines()
        .map(|line| line.parse().context("a size is a number"))
        .collect()
}

fn size(database: &Database, sql: &str) -> Result<usize> {
    database
        .query(sql)?
        .parse()
        .context("there is one such row")
}
