//! What every workload is given: where to work, how much, and how the floor is measured beside it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use rewake::Durability;

use crate::floor::{Also, Floor, Measure};
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
    pub(crate) only: Option<String>,
}

impl Bench {
    /// True where a part of a workload is to be measured.
    pub(crate) fn wants(&self, part: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == part)
    }

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

    /// Where the last file for an engine stands.
    pub(crate) fn path(&self) -> PathBuf {
        self.place.path("engine")
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
        let floor = self.floor(profile, durability)?;
        between(floor, Floor::measure, engine).await
    }

    /// The same, where of the floor only F1 is wanted.
    pub(crate) async fn beside_f1<T, F>(
        &self,
        profile: &Profile,
        engine: impl Fn() -> F,
    ) -> Result<(Vec<T>, Floors)>
    where
        F: Future<Output = Result<T>>,
    {
        let floor = self.floor(profile, Durability::Full)?;
        between(floor, Floor::measure_f1, engine).await
    }

    fn floor(&self, profile: &Profile, durability: Durability) -> Result<Floor> {
        let span = Duration::from_millis(self.scale(1_000, 150));
        let path = self.place.file("floor")?;
        let (schema, script) = (&profile.schema, &profile.script);
        Ok(Floor::new(&path, schema, script, durability, span).with(profile.also))
    }
}

async fn between<T, F>(
    mut floor: Floor,
    measure: fn(&mut Floor) -> Result<Measure>,
    engine: impl Fn() -> F,
) -> Result<(Vec<T>, Floors)>
where
    F: Future<Output = Result<T>>,
{
    let mut floors = Floors(vec![measure(&mut floor)?]);
    let mut found = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        found.push(engine().await?);
        floors.0.push(measure(&mut floor)?);
    }
    Ok((found, floors))
}

/// What the engine writes for an operation, and the schema it writes to.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) schema: Schema,
    pub(crate) script: Script,
    /// What is to be measured with the floor as well.
    pub(crate) also: Also,
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
        Ok(Profile {
            schema,
            script,
            also: Also::default(),
        })
    }
}
