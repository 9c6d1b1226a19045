//! The tables read and filled as a whole.

use std::collections::BTreeMap;

use super::tables::{Tables, damaged, decode};
use crate::copy::{AnyRow, RowKind, ScopeRow, Tally};
use crate::error::StoreError;
use crate::wire::decode_row;

impl Tables {
    /// Every row, kind by kind, each kind in order.
    pub(super) fn rows(&self) -> Result<Vec<AnyRow>, StoreError> {
        let mut rows: Vec<AnyRow> = self.scopes().map(AnyRow::Scope).collect();
        for (run, bytes) in &self.runs {
            rows.push(AnyRow::Run(*run, decode(*run, bytes)?));
        }
        for ((run, _), bytes) in &self.frames {
            rows.push(AnyRow::Frame(*run, decode(*run, bytes)?));
        }
        for bytes in self.tokens.values() {
            let row = decode_row(bytes).map_err(|source| damaged("a hook", source))?;
            rows.push(AnyRow::Token(row));
        }
        for ((scope, token, key), bytes) in &self.keys {
            let row = decode_row(bytes).map_err(|source| damaged("a delivery key", source))?;
            rows.push(AnyRow::Key(*scope, token.clone(), key.clone(), row));
        }
        for bytes in self.forgets.values() {
            let row = decode_row(bytes);
            let row = row.map_err(|source| damaged("what is to be forgotten", source))?;
            rows.push(AnyRow::Forget(row));
        }
        for ((scope, key), bytes) in &self.start_keys {
            let row = decode_row(bytes).map_err(|source| damaged("a start key", source))?;
            rows.push(AnyRow::StartKey(*scope, key.clone(), row));
        }
        for ((_, parent, _), bytes) in &self.owed {
            rows.push(AnyRow::Owed(decode(*parent, bytes)?));
        }
        for ((run, stream), bytes) in &self.chunks {
            rows.push(AnyRow::Chunk(*run, stream.clone(), decode(*run, bytes)?));
        }
        for ((_, place), bytes) in &self.mail {
            let row = decode_row(bytes).map_err(|source| damaged("the mailbox", source))?;
            rows.push(AnyRow::Mail(*place, row));
        }
        Ok(rows)
    }

    fn scopes(&self) -> impl Iterator<Item = ScopeRow> {
        let rows = self.scopes.iter().map(|((project, environment), scope)| {
            let row = ScopeRow {
                scope: *scope,
                project: project.clone(),
                environment: environment.clone(),
            };
            (*scope, row)
        });
        let in_order: BTreeMap<_, _> = rows.collect();
        in_order.into_values()
    }

    pub(super) fn put_scope(&mut self, row: ScopeRow) {
        self.scopes
            .insert((row.project, row.environment), row.scope);
    }

    pub(super) fn tally(&self) -> Tally {
        let count = |kind| match kind {
            RowKind::Scope => self.scopes.len(),
            RowKind::Run => self.runs.len(),
            RowKind::Frame => self.frames.len(),
            RowKind::Token => self.tokens.len(),
            RowKind::Key => self.keys.len(),
            RowKind::Forget => self.forgets.len(),
            RowKind::StartKey => self.start_keys.len(),
            RowKind::Owed => self.owed.len(),
            RowKind::Chunk => self.chunks.len(),
            RowKind::Mail => self.mail.len(),
        };
        let counts = RowKind::ALL.into_iter();
        counts.map(|kind| (kind, count(kind) as u64)).collect()
    }

    /// Takes over what was copied. What is known of nodes and sessions is this store's own.
    pub(super) fn fill(&mut self, with: Self) {
        let nodes = std::mem::take(&mut self.nodes);
        let sessions_not_ended = self.sessions_not_ended;
        *self = Self {
            sessions_not_ended,
            nodes,
            ..with
        };
    }
}
