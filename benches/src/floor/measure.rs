//! What is measured: F1, F32 and Fmax.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use rewake::Durability;

use super::ground::Ground;
use super::halves::Halves;
use super::lone::Lone;
use crate::callers::per_second;
use crate::clock;
use crate::latency::Latency;
use crate::script::{Schema, Script};

/// The group sizes that are tried for the best rate.
const GROUPS: [u64; 6] = [32, 64, 128, 256, 512, 1024];

/// What one measurement gave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measure {
    /// One transaction, one operation: the median in microseconds.
    pub(crate) f1: f64,
    /// Operations a second, 32 in a transaction.
    pub(crate) f32: f64,
    /// Operations a second at the best size of a transaction.
    pub(crate) max: f64,
    /// Operations a second in halves, where that was asked for.
    pub(crate) halves: Option<f64>,
    /// A lone operation, where that was asked for.
    pub(crate) lone: Option<Lone>,
}

/// What is measured as well, and no bound counts in.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Also {
    /// Operations in halves.
    pub(crate) halves: Option<Halves>,
    /// An operation that comes once in so long.
    pub(crate) lone: Option<Duration>,
}

/// What is written, and where.
#[derive(Debug)]
pub(crate) struct Floor {
    path: PathBuf,
    schema: Schema,
    pub(super) script: Script,
    durability: Durability,
    also: Also,
    /// How long each part of a measurement takes.
    pub(super) span: Duration,
    /// The file as it stands.
    pub(super) ground: Option<Ground>,
}

impl Floor {
    /// A floor under the operations that `script` describes.
    pub(crate) fn new(
        path: &Path,
        schema: &Schema,
        script: &Script,
        durability: Durability,
        span: Duration,
    ) -> Self {
        Self {
            path: path.to_owned(),
            schema: schema.clone(),
            script: script.clone(),
            durability,
            also: Also::default(),
            span,
            ground: None,
        }
    }

    /// Measures this as well.
    pub(crate) fn with(self, also: Also) -> Self {
        Self { also, ..self }
    }

    /// Measures the machine as it is now.
    pub(crate) fn measure(&mut self) -> Result<Measure> {
        let f1 = self.one_by_one()?.p50();
        let f32 = self.rate(32)?;
        let mut max = f32;
        // Of a few transactions no rate can be told.
        let most = self.script.left(0) / 8;
        for group in GROUPS.into_iter().filter(|group| *group <= most) {
            max = f64::max(max, self.rate(group)?);
        }
        let halves = self.also.halves.map(|halves| self.in_halves(halves));
        let lone = self.also.lone.map(|every| self.lone(every, max));
        Ok(Measure {
            f1,
            f32,
            max,
            halves: halves.transpose()?,
            lone: lone.transpose()?,
        })
    }

    /// Measures only what one operation takes: of large ones, many together would fill the disk.
    pub(crate) fn measure_f1(&mut self) -> Result<Measure> {
        Ok(Measure {
            f1: self.one_by_one()?.p50(),
            f32: f64::NAN,
            max: f64::NAN,
            halves: None,
            lone: None,
        })
    }

    fn one_by_one(&mut self) -> Result<Latency> {
        let mut latency = Latency::new();
        self.each(1, |took| latency.record(took))?;
        Ok(latency)
    }

    /// Operations a second with `group` of them in a transaction.
    fn rate(&mut self, group: u64) -> Result<f64> {
        let (mut done, mut took) = (0, Duration::ZERO);
        self.each(group, |each| {
            done += group;
            took += each;
        })?;
        Ok(per_second(done, took))
    }

    /// Makes transactions of so many operations, and says what each took.
    fn each(&mut self, operations: u64, mut say: impl FnMut(Duration)) -> Result<()> {
        self.each_with(operations, |ground, script, coming| {
            let before = clock::now();
            ground.transaction(script, [(coming, 0..script.writes.len())])?;
            say(before.elapsed());
            Ok(())
        })
    }

    /// Gives so many operations at a time, until the time is over or no run is left that such an
    /// operation could find as it must.
    pub(super) fn each_with(
        &mut self,
        operations: u64,
        mut make: impl FnMut(&Ground, &Script, Range<u64>) -> Result<()>,
    ) -> Result<()> {
        let (script, span) = (self.script.clone(), self.span);
        let ground = self.ground()?;
        let began = clock::now();
        while began.elapsed() < span && script.left(ground.next) >= operations {
            let coming = ground.next..ground.next + operations;
            ground.next = coming.end;
            make(ground, &script, coming)?;
        }
        Ok(())
    }

    /// The file, made anew where less than half of the operations are left that it was laid for.
    pub(super) fn ground(&mut self) -> Result<&mut Ground> {
        let known = self.ground.take();
        let is_good = |ground: &Ground| self.script.left(ground.next) >= self.script.left(0) / 2;
        let ground = match known.filter(is_good) {
            Some(ground) => ground,
            None => Ground::lay(&self.path, &self.schema, &self.script, self.durability)?,
        };
        Ok(self.ground.insert(ground))
    }
}
