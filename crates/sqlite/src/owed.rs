//! What the ends of child runs have left for their parents.

use rewake_store::core::id::RunId;
use rewake_store::{OwedRow, ScopeId, StoreError, decode_row, encode_row};
use rusqlite::Row;

use crate::fault::damaged;
use crate::page::{rows, run_id};
use crate::tables::{Enough, Tables, Trouble, bytes};

impl Tables<'_> {
    pub(crate) fn put_owed(&mut self, row: &OwedRow) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO owed (scope, parent, child, body) VALUES (?1, ?2, ?3, ?4)",
            (
                row.scope.0,
                row.parent.to_bytes(),
                row.child.to_bytes(),
                encode_row(row),
            ),
        )
    }

    pub(crate) fn drop_owed(
        &mut self,
        scope: ScopeId,
        parent: RunId,
        child: RunId,
    ) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM owed WHERE scope = ?1 AND parent = ?2 AND child = ?3",
            (scope.0, parent.to_bytes(), child.to_bytes()),
        )
    }

    pub(crate) fn drop_all_owed(
        &mut self,
        scope: ScopeId,
        parent: RunId,
    ) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM owed WHERE scope = ?1 AND parent = ?2",
            (scope.0, parent.to_bytes()),
        )
    }

    pub(crate) fn has_owed(
        &mut self,
        scope: ScopeId,
        parent: RunId,
        child: RunId,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM owed WHERE scope = ?1 AND parent = ?2 AND child = ?3";
        let params = (scope.0, parent.to_bytes(), child.to_bytes());
        let found = self.look_up(sql, params, |_| Ok(()))?;
        Ok(found.is_some())
    }

    /// What children owe to a run, in order of their ids, about `max_bytes` of it.
    pub(crate) fn owed(
        &mut self,
        scope: ScopeId,
        parent: RunId,
        max_bytes: usize,
    ) -> Result<Vec<OwedRow>, StoreError> {
        let mut owed = Vec::new();
        let mut room = max_bytes;
        let sql = "SELECT child, body FROM owed WHERE scope = ?1 AND parent = ?2 ORDER BY child";
        self.scan(sql, &[&scope.0, &parent.to_bytes()], |row| {
            let body = bytes(row, 1)?;
            owed.push(owed_row(scope, parent, row)?);
            Ok(match room.checked_sub(body.len()) {
                Some(left) => {
                    room = left;
                    Enough::No
                }
                None => Enough::Yes,
            })
        })?;
        Ok(owed)
    }

    /// The runs to which something is owed, in order of id.
    pub(crate) fn owed_runs(
        &mut self,
        scope: ScopeId,
        after: Option<RunId>,
        limit: usize,
    ) -> Result<Vec<RunId>, StoreError> {
        let mut parents = Vec::new();
        let after = after.map(|run| run.to_bytes().to_vec()).unwrap_or_default();
        let sql = "SELECT DISTINCT parent FROM owed
                   WHERE scope = ?1 AND parent > ?2 ORDER BY parent LIMIT ?3";
        self.scan(sql, &[&scope.0, &after, &rows(limit)], |row| {
            parents.push(run_id(row, 0)?);
            Ok(Enough::No)
        })?;
        Ok(parents)
    }
}

/// Reads `child, body`.
pub(crate) fn owed_row(scope: ScopeId, parent: RunId, row: &Row<'_>) -> Result<OwedRow, Trouble> {
    let child = run_id(row, 0)?;
    let found: OwedRow =
        decode_row(bytes(row, 1)?).map_err(|source| StoreError::corrupt_run(child, source))?;
    if (found.scope, found.parent, found.child) != (scope, parent, child) {
        let what = format!("what run `{child}` owes");
        return Err(damaged(&what, "it belongs to another place").into());
    }
    Ok(found)
}
