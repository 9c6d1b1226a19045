//! Scopes, and the sessions of the process that works on the store.

use rewake_store::copy::ScopeRow;
use rewake_store::core::id::RunId;
use rewake_store::{Corrupt, ScopeId, StoreError, decode_row, encode_row};
use rusqlite::Row;

use crate::fault::damaged;
use crate::tables::{Enough, Tables, Trouble, bytes};

const NOT_ENDED: &str = "sessions_not_ended";

impl Tables<'_> {
    /// The number of a project and environment, if it has one.
    ///
    /// Every scope is read, so that one whose name was damaged is not taken for a new one: there are
    /// few.
    pub(crate) fn find_scope(
        &mut self,
        project: &str,
        environment: &str,
    ) -> Result<Option<ScopeId>, StoreError> {
        let mut found = None;
        self.scan(
            "SELECT id, project, environment, body FROM scopes",
            &[],
            |row| {
                let known = scope_row(row)?;
                if known.project == project && known.environment == environment {
                    found = Some(known.scope);
                }
                Ok(Enough::No)
            },
        )?;
        Ok(found)
    }

    /// The number of a project and environment, made if it is new.
    pub(crate) fn scope(
        &mut self,
        project: &str,
        environment: &str,
    ) -> Result<ScopeId, StoreError> {
        if let Some(found) = self.find_scope(project, environment)? {
            return Ok(found);
        }
        let next = self
            .look_up("SELECT coalesce(max(id) + 1, 0) FROM scopes", [], |row| {
                row.get::<_, u32>(0)
            })?
            .unwrap_or_default();
        self.put_scope(&ScopeRow {
            scope: ScopeId(next),
            project: project.to_owned(),
            environment: environment.to_owned(),
        })?;
        Ok(ScopeId(next))
    }

    pub(crate) fn put_scope(&mut self, row: &ScopeRow) -> Result<(), StoreError> {
        let (id, project, environment) = (row.scope.0, &*row.project, &*row.environment);
        let body = encode_row(&(id, project, environment));
        self.execute(
            "INSERT INTO scopes (id, project, environment, body) VALUES (?1, ?2, ?3, ?4)",
            (id, project, environment, body),
        )
    }

    pub(crate) fn begin_session(&mut self) -> Result<u32, StoreError> {
        let before = self
            .look_up("SELECT body FROM meta WHERE key = ?1", [NOT_ENDED], |row| {
                Ok(decode_row::<u32>(bytes(row, 0)?))
            })?
            .transpose()
            .map_err(|source| StoreError::Corrupt {
                what: "the count of sessions".to_owned(),
                source,
            })?
            .unwrap_or_default();
        self.put_sessions(before.saturating_add(1))?;
        Ok(before)
    }

    pub(crate) fn end_session(&mut self) -> Result<(), StoreError> {
        self.put_sessions(0)
    }

    fn put_sessions(&mut self, not_ended: u32) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO meta (key, body) VALUES (?1, ?2)
             ON CONFLICT (key) DO UPDATE SET body = excluded.body",
            (NOT_ENDED, encode_row(&not_ended)),
        )
    }

    pub(crate) fn count_crashes(
        &mut self,
        scope: ScopeId,
        runs: &[RunId],
    ) -> Result<Vec<u32>, StoreError> {
        let mut counts = Vec::with_capacity(runs.len());
        for run in runs {
            let Some(mut row) = self.run_in(scope, *run)? else {
                counts.push(0);
                continue;
            };
            row.crashes = row.crashes.saturating_add(1);
            counts.push(row.crashes);
            self.put_run(*run, Box::new(row))?;
        }
        Ok(counts)
    }
}

/// Reads `id, project, environment, body`.
pub(crate) fn scope_row(row: &Row<'_>) -> Result<ScopeRow, Trouble> {
    let columns = (row.get(0)?, row.get(1)?, row.get(2)?);
    let body: (u32, String, String) = decode_row(bytes(row, 3)?).map_err(scope_damaged)?;
    if body != columns {
        return Err(damaged("a project", "its columns do not agree with its row").into());
    }
    let (id, project, environment) = body;
    Ok(ScopeRow {
        scope: ScopeId(id),
        project,
        environment,
    })
}

fn scope_damaged(source: Corrupt) -> StoreError {
    StoreError::Corrupt {
        what: "a project".to_owned(),
        source,
    }
}
