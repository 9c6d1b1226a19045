//! Operations in halves.
//!
//! F32 and Fmax are what the rows of whole operations cost. An engine cannot write them so where
//! the workflow's answer to a payload is written once the payload is on stable storage. What a
//! program without an engine makes of the same is no floor that a bound counts in: it tells how
//! much of a miss is the engine's.

use std::iter;
use std::mem;
use std::time::Duration;

use anyhow::Result;

use super::Floor;
use crate::callers::per_second;
use crate::clock;

/// Operations in two halves, each half in a transaction of its own: the second waits until the
/// first is on stable storage.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Halves {
    /// So many of an operation's rows are its first half.
    pub(crate) first: usize,
    /// So many halves are in a transaction, as many first as second ones.
    pub(crate) together: u64,
}

impl Floor {
    /// Operations a second.
    pub(super) fn in_halves(&mut self, halves: Halves) -> Result<f64> {
        let all = self.script.writes.len();
        let (mut done, mut took) = (0, Duration::ZERO);
        let mut begun = 0..0;
        self.each_with(halves.together / 2, |ground, script, coming| {
            let ending = mem::replace(&mut begun, coming.clone());
            done += ending.end - ending.start;
            let parts = [(coming, 0..halves.first), (ending, halves.first..all)];
            let before = clock::now();
            ground.transaction(script, parts)?;
            took += before.elapsed();
            Ok(())
        })?;
        // Those that are begun come to their end, too.
        done += begun.end - begun.start;
        if let Some(ground) = &self.ground {
            let before = clock::now();
            ground.transaction(&self.script, iter::once((begun, halves.first..all)))?;
            took += before.elapsed();
        }
        Ok(per_second(done, took))
    }
}

#[cfg(test)]
mod tests {
    use rewake::Durability;

    use super::*;
    use crate::script::{Existing, Schema, Script, Write};

    const SCHEMA: [&str; 3] = [
        "CREATE TABLE frames (run, first, body, PRIMARY KEY (run, first))",
        "CREATE TABLE runs (run PRIMARY KEY, scope, wake_at, parked, body)",
        "CREATE TABLE tokens (scope, token, body, PRIMARY KEY (scope, token))",
    ];

    #[test]
    fn what_is_begun_comes_to_its_end() {
        let run = |due| Write::Run { bytes: 8, due };
        let frame = Write::Frame(8);
        let script = Script {
            writes: vec![
                frame.clone(),
                run(true),
                Write::Token(8),
                frame.clone(),
                run(false),
                Write::TokenGone,
            ],
            existing: Some(Existing {
                runs: 1_000,
                each: 1,
                writes: vec![frame, run(false), Write::Token(8)],
            }),
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("floor").join("store.db");
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        let schema = Schema(SCHEMA.map(str::to_owned).to_vec());
        let span = Duration::from_mins(1);
        let mut floor = Floor::new(&path, &schema, &script, Durability::Relaxed, span);
        let halves = Halves {
            first: 3,
            together: 64,
        };
        assert!(floor.in_halves(halves).unwrap() > 0.0);
        let connection = &floor.ground.unwrap().connection;
        let count = |what: &str| -> u32 {
            let sql = format!("SELECT count(*) FROM {what}");
            connection.query_row(&sql, [], |row| row.get(0)).unwrap()
        };
        // As long as a transaction's operations are left: of a thousand by 32, eight are not begun.
        assert_eq!(count("tokens"), 8);
        assert_eq!(count("frames"), 1_000 + 2 * 992);
        assert_eq!(count("runs WHERE wake_at IS NOT NULL"), 0);
    }
}
