//! Child runs: how they begin, what is recorded of their ends, and what an end leaves for the other
//! side.
//!
//! Two runs that exist are never changed in one transaction. A child's end leaves a row that its
//! parent's worker takes up; a parent's end leaves the parent due until its children were told.

use std::collections::BTreeMap;

use rewake_core::event::{CreatedBy, EventKind, Frame, Parent, Position, Writer};
use rewake_core::id::RunId;
use rewake_core::time::Timestamp;

use super::effect;
use super::rows::{Rows, Verdict, Write};
use crate::error::{Failed, StoreError};
use crate::lineage::ChildBegins;
use crate::request::{Append, AppendRefusal};
use crate::row::{OwedRow, RunRow, ScopeId};

type Refused = Failed<AppendRefusal>;

/// What an append changes about child runs.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) writes: Vec<Write>,
    /// How many attached children begin.
    attached: u32,
    /// How many ends of attached children are recorded.
    settled: u32,
}

impl Changes {
    /// What the append asks for: the beginnings of the children that its events record, and the end
    /// of what was owed.
    pub(super) fn new(
        rows: &mut impl Rows,
        request: &Append,
        at: Timestamp,
    ) -> Result<Self, Refused> {
        let mut changes = Self::default();
        let begin = request.kin.begin.iter();
        let mut begin: BTreeMap<_, _> = begin.map(|begins| (begins.run, begins)).collect();
        for kind in &request.events {
            let EventKind::StepCreated {
                child: Some(child), ..
            } = kind
            else {
                continue;
            };
            // Each record has a beginning of its own.
            let missing = AppendRefusal::ChildMissing { child: child.run };
            let begins = begin.remove(&child.run);
            let begins = begins.ok_or(Failed::Refused(missing))?;
            changes.begin(rows, request, kind, begins, at)?;
            changes.attached += u32::from(!child.detached);
        }
        for child in &request.kin.settled {
            changes.settle(rows, request, *child)?;
        }
        Ok(changes)
    }

    fn begin(
        &mut self,
        rows: &mut impl Rows,
        request: &Append,
        record: &EventKind,
        begins: &ChildBegins,
        at: Timestamp,
    ) -> Result<(), Refused> {
        let run = begins.run;
        if rows.look_at(run, |_| ())?.is_some() {
            return Err(Failed::Refused(AppendRefusal::ChildExists { child: run }));
        }
        let Some(frame) = first_frame(request.run, record, begins, at) else {
            return Ok(());
        };
        let mut row = first_row(request.scope, &frame);
        row.node = request.node().filter(|_| begins.begins);
        self.writes.push(Write::frame(run, &frame));
        self.writes.push(Write::Run(run, Box::new(row)));
        Ok(())
    }

    fn settle(
        &mut self,
        rows: &mut impl Rows,
        request: &Append,
        child: RunId,
    ) -> Result<(), Refused> {
        if !rows.is_owed(request.scope, request.run, child)? {
            return Err(Failed::Refused(AppendRefusal::NotOwed { child }));
        }
        let gone = Write::OwedGone(request.scope, request.run, child);
        self.writes.push(gone);
        self.settled += 1;
        Ok(())
    }

    /// Brings the count of the run's row up to what changes.
    pub(super) const fn count(&self, row: &mut RunRow) {
        row.children = (row.children + self.attached).saturating_sub(self.settled);
    }
}

/// What the log of a child begins with: its record in the parent's log says which workflow and with
/// which arguments.
fn first_frame(
    parent: RunId,
    record: &EventKind,
    begins: &ChildBegins,
    at: Timestamp,
) -> Option<Frame> {
    let EventKind::StepCreated {
        step,
        name,
        input,
        child: Some(child),
        ..
    } = record
    else {
        return None;
    };
    let created = EventKind::RunCreated {
        workflow: name.clone(),
        input: input.clone(),
        build: begins.build.clone(),
        seed: begins.seed,
        flags: begins.flags,
        parent: Some(Parent {
            run: parent,
            step: *step,
            detached: child.detached,
        }),
        not_before: None,
        continued_from: None,
        attributes: begins.attributes.clone(),
        created_by: CreatedBy::Start,
    };
    let started = begins.begins.then_some(EventKind::RunStarted);
    Some(Frame {
        first: Position::START.next(),
        at,
        id: begins.id,
        writer: Writer::Outsider,
        events: std::iter::once(created).chain(started).collect(),
        taken: Vec::new(),
    })
}

fn first_row(scope: ScopeId, frame: &Frame) -> RunRow {
    let mut row = effect::blank(scope, &frame.events, frame.at);
    effect::advance(&mut row, frame);
    row.wake_at = Some(frame.at);
    row
}

/// What the end of a run leaves: for its parent how it ended, and for its children that they must be
/// told. What was still owed to it concerns nobody any more.
pub(super) fn end(
    rows: &mut impl Rows,
    run: RunId,
    row: &mut RunRow,
    frame: Option<&Frame>,
) -> Result<Vec<Write>, StoreError> {
    let mut writes = Vec::new();
    let Some(frame) = frame.filter(|_| row.status.is_terminal()) else {
        return Ok(writes);
    };
    if row.children > 0 {
        row.wake_at = Some(frame.at);
        writes.push(Write::OwedAllGone(row.scope, run));
    }
    if let Some(owed) = owed(rows, run, row, frame)? {
        writes.push(Write::Owed(Box::new(owed)));
    }
    Ok(writes)
}

/// How the run ended, for a parent that waits for it.
fn owed(
    rows: &mut impl Rows,
    run: RunId,
    row: &RunRow,
    frame: &Frame,
) -> Result<Option<OwedRow>, StoreError> {
    let Some(parent) = row.parent.filter(|parent| !parent.detached) else {
        return Ok(None);
    };
    let end = frame.events.iter().find(|kind| kind.is_terminal());
    // One that goes on in another run has not ended for its parent: that run belongs to it now.
    let Some(end) = end.filter(|end| !matches!(end, EventKind::RunContinued { .. })) else {
        return Ok(None);
    };
    let waits = rows.look_at(parent.run, |parent| !parent.status.is_terminal())?;
    if waits != Some(true) {
        return Ok(None);
    }
    Ok(Some(OwedRow {
        scope: row.scope,
        parent: parent.run,
        step: parent.step,
        child: run,
        end: end.clone(),
    }))
}

/// Judges the note that the children of a run which has ended were told.
///
/// # Errors
///
/// A [`StoreError`] of `rows`.
pub fn children_told(
    rows: &mut impl Rows,
    scope: ScopeId,
    run: RunId,
) -> Result<Verdict<()>, StoreError> {
    let row = rows.run(run)?.filter(|row| row.scope == scope);
    let ended = row.filter(|row| row.status.is_terminal() && row.children > 0);
    let writes = ended.map_or_else(Vec::new, |mut row| {
        row.children = 0;
        row.wake_at = None;
        // Where its end and a child's were judged at the same time, on two machines.
        vec![Write::OwedAllGone(scope, run), Write::Run(run, row)]
    });
    Ok(Verdict { writes, answer: () })
}
