//! How cost grows: with the history of a run, with the size of a payload, with the runs that wait, with
//! the callers at once.
//!
//! Each row is one size. Beside the ratio to its floor it says how many times the smallest size's it is.

mod callers;
mod history;
mod size;
mod waiting;

use anyhow::Result;

use crate::bench::Bench;
use crate::report::Row;

const NAME: &str = "growth";

pub(crate) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = history::run(bench).await?;
    rows.extend(size::run(bench).await?);
    rows.extend(waiting::run(bench).await?);
    rows.extend(callers::run(bench).await?);
    Ok(rows)
}

/// The sizes to measure: all but the largest where it is to be quick.
fn sizes(bench: &Bench, all: &[u64]) -> Vec<u64> {
    let some = all.len() - usize::from(bench.quick);
    all[..some].to_vec()
}

/// Adds to each row how many times the first one's it is.
fn over_smallest(rows: Vec<Row>) -> Vec<Row> {
    let first = rows.first().map_or(f64::NAN, |row| row.value);
    let over = |row: Row| {
        let times = row.value / first;
        row.detail("over the smallest", times)
    };
    rows.into_iter().map(over).collect()
}

/// For each size what all rounds found of it, put together.
fn by_size<T>(rounds: Vec<Vec<T>>, join: impl Fn(T, T) -> T) -> Vec<T> {
    let joined = rounds.into_iter().reduce(|all, round| {
        all.into_iter()
            .zip(round)
            .map(|(a, b)| join(a, b))
            .collect()
    });
    joined.unwrap_or_default()
}
