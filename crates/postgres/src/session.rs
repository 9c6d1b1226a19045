//! Scopes, and the sessions of the processes that work on the store.

use rewake_store::core::id::RunId;
use rewake_store::{ScopeId, StoreError};

use crate::fault::damaged;
use crate::id::scope_of;
use crate::lookup::{Lookup, Plan};
use crate::reach::Readers;
use crate::row::column;
use crate::sight::Sight;
use crate::sql::Sql;

/// The number of a project and environment, made if it is new.
pub(crate) async fn scope(
    readers: &Readers,
    project: &str,
    environment: &str,
) -> Result<ScopeId, StoreError> {
    loop {
        let found = readers
            .ask(Sql::Scope, &[&project.as_bytes(), &environment.as_bytes()])
            .await?;
        if let Some(row) = found.first() {
            return scope_of(column(row, 0)?);
        }
    }
}

/// Carries out a statement of a session, and reads the count it answers.
pub(crate) async fn count(readers: &Readers, sql: Sql) -> Result<u32, StoreError> {
    let counted = readers.change(sql, &[]).await?;
    let Some(row) = counted.first() else {
        return Err(damaged("the count of sessions", "there is none"));
    };
    let counted: i64 = column(row, 0)?;
    Ok(u32::try_from(counted).unwrap_or(u32::MAX))
}

/// What counting unclean ends of runs needs.
pub(crate) fn names(runs: &[RunId]) -> Plan {
    runs.iter().map(|run| Lookup::Held(*run)).collect()
}

pub(crate) fn count_crashes(
    sight: &mut Sight,
    scope: ScopeId,
    runs: &[RunId],
) -> Result<Vec<u32>, StoreError> {
    // All are looked at before the first is changed.
    let mut rows = Vec::with_capacity(runs.len());
    for run in runs {
        rows.push(sight.run_in(scope, *run)?);
    }
    let mut counts = Vec::with_capacity(runs.len());
    for (run, row) in runs.iter().zip(rows) {
        counts.push(row.map_or(0, |mut row| {
            row.crashes = row.crashes.saturating_add(1);
            let crashes = row.crashes;
            sight.runs.put(*run, Some(row));
            crashes
        }));
    }
    Ok(counts)
}
