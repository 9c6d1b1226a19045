//! What every workload is given: where to work, how much, and how the floor is measured beside it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use rewake::Durability;

use crate::floor::Floor;
use crate::place::Place;
use crate::report::Floors;
use crate::script::{Look, Schema, Script};
use crate::world::{Setting, World};

/// How often the engine is measured; the floor once more.
const ROUNDS: usize = 2;

/// The circumstances of a workload.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) place: Place,
    pub(crate) quick: bool,
}

impl Bench {
    /// How much of something: the small number where it is to be quick.
    pub(crate) const fn scale(&self, full: u64, quick: u64) -> u64 {
        if self.quick { quick } else { full }
    }

    /// After this long, what rode along with nothing else is on record.
    #[expect(clippy::unused_self, reason = "read as a circumstance of the workload")]
    pub(crate) const fn lazily(&self) -> Duration {
        Duration::from_millis(200)
    }

    /// A file for an engine.
    pub(crate) fn file(&self) -> Result<PathBuf> {
        self.place.file("engine")
    }

    /// Measures the engine between floors: floor, engine, floor, engine, floor.
    pub(crate) async fn beside_floor<T, F>(
        &self,
        profile: &Profile,
        durability: Durability,
        engine: impl Fn() -> F,
    ) -> Result<(Vec<T>, Floors)>
    where
        F: Future<Output = Result<T>>,
    {
        let span = Duration::from_millis(self.scale(1_000, 150));
        let path = self.place.file("floor")?;
        let mut floor = Floor::new(&path, &profile.schema, &profile.script, durability, span)?;
        let mut floors = Floors(vec![floor.measure()?]);
        let mut found = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            found.push(engine().await?);
            floors.0.push(floor.measure()?);
        }
        Ok((found, floors))
    }
}

/// What the engine writes for an operation, and the schema it writes to.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) schema: Schema,
    pub(crate) script: Script,
}

impl Bench {
    /// Has the engine do an operation once, and looks at what that left.
    pub(crate) async fn probe<F>(&self, act: impl FnOnce(World) -> F) -> Result<Profile>
    where
        F: Future<Output = Result<(World, Script)>>,
    {
        let world = World::open(&self.place.file("probe")?, &Setting::default()).await?;
        let (world, script) = act(world).await?;
        let schema = Look::into(&world.path)?.schema()?;
        world.close().await?;
        Ok(Profile { schema, script })
    }
}
