//! The rows of runs, in the file.

use rewake_store::core::id::RunId;
use rewake_store::judge::Rows;
use rewake_store::{RunRow, ScopeId, StoreError, decode_row, encode_row};
use rusqlite::Row;

use crate::fault::damaged;
use crate::kept::{Indexed, Remembered};
use crate::newest::Newest;
use crate::tables::{Tables, Trouble, bytes, time};

impl Tables<'_> {
    /// Most writes change the body alone, or the body and the wake-up. A statement that does not name
    /// an indexed column leaves its index, and the pages that is on, alone.
    pub(crate) fn put_run(&mut self, run: RunId, row: Box<RunRow>) -> Result<(), StoreError> {
        let (id, body) = (run.to_bytes(), encode_row(&*row));
        let now = Indexed::of(&row);
        let Indexed { wake_at, parked } = now;
        // Whoever writes a run has looked for it, so one of which nothing is known is new.
        let known = self.remembered.as_mut().and_then(|all| all.indexed(run));
        let changed = match known {
            Some(same) if same == now => {
                self.change("UPDATE runs SET body = ?2 WHERE run = ?1", (id, &body))?
            }
            Some(same) if same.parked == parked => self.change(
                "UPDATE runs SET wake_at = ?2, body = ?3 WHERE run = ?1",
                (id, wake_at, &body),
            )?,
            Some(_) => self.change(
                "UPDATE runs SET wake_at = ?2, parked = ?3, body = ?4 WHERE run = ?1",
                (id, wake_at, parked, &body),
            )?,
            None => 0,
        };
        if changed == 0 {
            self.insert_run(run, &row, &body)?;
        }
        if let Some(remembered) = &mut self.remembered {
            remembered.put_run(run, row);
        }
        Ok(())
    }

    fn insert_run(&mut self, run: RunId, row: &RunRow, body: &[u8]) -> Result<(), StoreError> {
        let Indexed { wake_at, parked } = Indexed::of(row);
        self.execute(
            "INSERT INTO runs (run, scope, wake_at, parked, parent, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (run) DO UPDATE
             SET wake_at = excluded.wake_at, parked = excluded.parked, body = excluded.body",
            (
                run.to_bytes(),
                row.scope.0,
                wake_at,
                parked,
                row.parent.map(|parent| parent.run.to_bytes()),
                body,
            ),
        )?;
        if let Some(remembered) = &mut self.remembered {
            remembered.newest.begins(run);
        }
        Ok(())
    }

    /// A run's row, if it is of this scope.
    pub(crate) fn run_in(
        &mut self,
        scope: ScopeId,
        run: RunId,
    ) -> Result<Option<RunRow>, StoreError> {
        let seen = self.look_at(run, |row| (row.scope == scope).then(|| row.clone()))?;
        Ok(seen.flatten())
    }

    /// A run's row in the file. That a run is new, the writer knows as a rule.
    pub(crate) fn find_run(&mut self, run: RunId) -> Result<Option<Box<RunRow>>, StoreError> {
        if self.remembered.is_some() && self.is_new(run)? {
            return Ok(None);
        }
        self.read_run(run)
    }

    /// True where the writer knows that neither a row nor a log of the run is there.
    fn is_new(&mut self, run: RunId) -> Result<bool, StoreError> {
        let is_known = |all: &Remembered| all.newest.is_known();
        if !self.remembered.as_ref().is_some_and(is_known) {
            let last = self.last_run()?;
            if let Some(remembered) = &mut self.remembered {
                remembered.newest = Newest::after(last);
            }
        }
        let is_new = |all: &Remembered| all.newest.is_new(run);
        Ok(self.remembered.as_ref().is_some_and(is_new))
    }

    /// The last run that there is anything of.
    fn last_run(&mut self) -> Result<Option<RunId>, StoreError> {
        let sql = "SELECT max(run) FROM (SELECT max(run) AS run FROM runs
                   UNION ALL SELECT max(run) FROM frames)";
        let last = self.look_up(sql, [], |row| row.get::<_, Option<[u8; 16]>>(0))?;
        Ok(last.flatten().map(RunId::from_bytes))
    }

    fn read_run(&mut self, run: RunId) -> Result<Option<Box<RunRow>>, StoreError> {
        let found = self
            .look_up(
                "SELECT scope, wake_at, parked, body, parent FROM runs WHERE run = ?1",
                [run.to_bytes()],
                |row| Ok(run_row(run, row)),
            )?
            .transpose()
            .map_err(|trouble| self.stored(trouble))?;
        if found.is_none() && self.has_log(run)? {
            let what = format!("run `{run}`");
            return Err(damaged(&what, "it has a log and no row"));
        }
        Ok(found.map(Box::new))
    }

    fn has_log(&mut self, run: RunId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM frames WHERE run = ?1 LIMIT 1";
        let found = self.look_up(sql, [run.to_bytes()], |_| Ok(()))?;
        Ok(found.is_some())
    }
}

/// Reads `scope, wake_at, parked, body, parent` of a run.
pub(crate) fn run_row(run: RunId, row: &Row<'_>) -> Result<RunRow, Trouble> {
    let found: RunRow =
        decode_row(bytes(row, 3)?).map_err(|source| StoreError::corrupt_run(run, source))?;
    let agrees = row.get::<_, u32>(0)? == found.scope.0
        && row.get::<_, Option<i64>>(1)? == found.wake_at.map(time)
        && row.get::<_, bool>(2)? == found.parked.is_some()
        && row.get::<_, Option<[u8; 16]>>(4)? == found.parent.map(|parent| parent.run.to_bytes());
    if agrees {
        Ok(found)
    } else {
        let what = format!("run `{run}`");
        Err(damaged(&what, "its columns do not agree with its row").into())
    }
}
