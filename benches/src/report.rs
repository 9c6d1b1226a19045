//! What was found: rows of a table, and the same as JSON.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::floor::Measure;
use crate::latency::Percentiles;

/// A floor moved more than this while the engine was measured: what was measured means nothing.
const MOST_DRIFT: f64 = 1.5;

/// One figure, beside its floor and its bound.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) workload: &'static str,
    pub(crate) what: String,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    /// The floor it is set beside, in the same unit, and its name.
    pub(crate) floor: Option<f64>,
    pub(crate) floor_name: Option<&'static str>,
    /// The headline: the figure over its floor.
    pub(crate) ratio: Option<f64>,
    pub(crate) bound: Option<String>,
    pub(crate) holds: Option<bool>,
    /// The floors differ too much for the figure to mean anything.
    pub(crate) void: bool,
    pub(crate) percentiles: Option<Percentiles>,
    /// What else is worth knowing, by name.
    pub(crate) details: BTreeMap<&'static str, f64>,
}

impl Row {
    pub(crate) fn new(
        workload: &'static str,
        what: impl Into<String>,
        value: f64,
        unit: &'static str,
    ) -> Self {
        Self {
            workload,
            what: what.into(),
            value,
            unit,
            floor: None,
            floor_name: None,
            ratio: None,
            bound: None,
            holds: None,
            void: false,
            percentiles: None,
            details: BTreeMap::new(),
        }
    }

    /// Sets it beside a floor.
    pub(crate) fn beside(mut self, floors: &Floors, which: Which) -> Self {
        let floor = floors.median(which);
        self.floor = Some(floor);
        self.floor_name = Some(which.name());
        self.ratio = Some(self.value / floor);
        self.void = floors.drift(which) > MOST_DRIFT;
        self.details.insert("floor drift", floors.drift(which));
        self
    }

    /// The most it may be, and how that came about.
    pub(crate) fn at_most(mut self, most: f64, bound: &str) -> Self {
        self.holds = Some(self.holds.unwrap_or(true) && self.value <= most);
        self.add_bound("≤", bound);
        self
    }

    /// The least it may be, and how that came about.
    pub(crate) fn at_least(mut self, least: f64, bound: &str) -> Self {
        self.holds = Some(self.holds.unwrap_or(true) && self.value >= least);
        self.add_bound("≥", bound);
        self
    }

    fn add_bound(&mut self, relation: &str, bound: &str) {
        let bound = format!("{relation} {bound}");
        self.bound = Some(match self.bound.take() {
            Some(before) => format!("{before}, {bound}"),
            None => bound,
        });
    }

    pub(crate) fn percentiles(mut self, percentiles: Percentiles) -> Self {
        self.percentiles = Some(percentiles);
        self
    }

    pub(crate) fn detail(mut self, name: &'static str, value: f64) -> Self {
        self.details.insert(name, value);
        self
    }
}

/// Which floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    F1,
    F32,
    Max,
    /// Only some workloads have this one and the two below.
    Halves,
    /// A lone operation without a backlog.
    LoneAlone,
    /// A lone operation beside one.
    LoneBeside,
}

impl Which {
    const fn name(self) -> &'static str {
        match self {
            Self::F1 => "F1",
            Self::F32 => "F32",
            Self::Max => "Fmax",
            Self::Halves => "in halves",
            Self::LoneAlone => "a lone operation",
            Self::LoneBeside => "a lone operation beside a backlog",
        }
    }

    fn of(self, measure: &Measure) -> f64 {
        match self {
            Self::F1 => measure.f1,
            Self::F32 => measure.f32,
            Self::Max => measure.max,
            Self::Halves => measure.halves.unwrap_or(f64::NAN),
            Self::LoneAlone => measure.lone.map_or(f64::NAN, |lone| lone.alone),
            Self::LoneBeside => measure.lone.map_or(f64::NAN, |lone| lone.beside),
        }
    }
}

/// The floor before, between and after.
#[derive(Clone, Debug, Default)]
pub(crate) struct Floors(pub(crate) Vec<Measure>);

impl Floors {
    pub(crate) fn median(&self, which: Which) -> f64 {
        median(self.0.iter().map(|measure| which.of(measure)).collect())
    }

    pub(crate) fn drift(&self, which: Which) -> f64 {
        let all = || self.0.iter().map(|measure| which.of(measure));
        all().fold(0.0, f64::max) / all().fold(f64::INFINITY, f64::min)
    }
}

/// The middle one; of an even number, the smaller of the two.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len().saturating_sub(1) / 2;
    values.get(middle).copied().unwrap_or(f64::NAN)
}

/// All rows, as a person reads them.
#[derive(Debug)]
pub(crate) struct Table<'r>(pub(crate) &'r [Row]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<12} {:<44} {:>12} {:<9} {:>8} {:>14}  {:<7} bound",
            "workload", "what", "measured", "unit", "ratio", "floor", "holds"
        )?;
        for row in self.0 {
            let ratio = row.ratio.map(|ratio| format!("{ratio:.2}"));
            let floor = row.floor.zip(row.floor_name);
            let floor = floor.map(|(value, name)| format!("{name} {}", number(value)));
            let holds = match (row.void, row.holds) {
                (true, _) => "VOID",
                (false, Some(true)) => "yes",
                (false, Some(false)) => "NO",
                (false, None) => "",
            };
            writeln!(
                f,
                "{:<12} {:<44} {:>12} {:<9} {:>8} {:>14}  {:<7} {}",
                row.workload,
                row.what,
                number(row.value),
                row.unit,
                ratio.unwrap_or_default(),
                floor.unwrap_or_default(),
                holds,
                row.bound.as_deref().unwrap_or_default()
            )?;
        }
        Ok(())
    }
}

fn number(value: f64) -> String {
    if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 1.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floors(f1: &[f64]) -> Floors {
        let measure = |f1: &f64| Measure {
            halves: None,
            lone: None,
            f1: *f1,
            f32: 1.0,
            max: 1.0,
        };
        Floors(f1.iter().map(measure).collect())
    }

    #[test]
    fn a_floor_that_moved_voids_the_row() {
        let row = |f1: &[f64]| Row::new("w", "x", 100.0, "µs").beside(&floors(f1), Which::F1);
        assert!(!row(&[50.0, 60.0, 75.0]).void);
        assert!(row(&[50.0, 60.0, 76.0]).void);
        assert_eq!(row(&[50.0, 60.0, 75.0]).ratio, Some(100.0 / 60.0));
    }

    #[test]
    fn every_bound_must_hold() {
        let row = Row::new("w", "x", 100.0, "1/s");
        assert_eq!(row.clone().at_least(90.0, "a").holds, Some(true));
        assert_eq!(
            row.clone().at_least(110.0, "a").at_least(90.0, "b").holds,
            Some(false)
        );
        let both = row.at_least(90.0, "a").at_most(95.0, "b");
        assert_eq!(both.holds, Some(false));
        assert_eq!(both.bound.as_deref(), Some("≥ a, ≤ b"));
    }
}
