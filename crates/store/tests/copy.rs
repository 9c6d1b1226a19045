//! Copying a store into another one, between stores in memory.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that cannot go on fails its test"
)]

use std::sync::Arc;

use futures_executor::block_on;
use rewake_store::conformance::copied::{ask, made_up, read};
use rewake_store::copy::{AnyRow, CopyError, CopyIn, InHand, NotEmpty, RowKind, Tally, copy};
use rewake_store::core::event::Position;
use rewake_store::core::id::RunId;
use rewake_store::core::time::Timestamp;
use rewake_store::memory::MemoryStore;
use rewake_store::{Corrupt, ScopeId, Sessions, StoreError, StoreFuture};

fn store() -> MemoryStore {
    MemoryStore::new(Arc::new(|| Timestamp::ZERO))
}

fn filled(rows: Vec<AnyRow>) -> MemoryStore {
    let store = store();
    copied(rows, store.copy_in().unwrap()).unwrap();
    store
}

fn copied(rows: Vec<AnyRow>, target: Box<dyn CopyIn>) -> Result<Tally, CopyError> {
    block_on(copy(Box::new(InHand::new(rows)), target, &mut |_| {}))
}

/// The rows as they are in the target: no node has a run.
fn without_nodes(mut rows: Vec<AnyRow>) -> Vec<AnyRow> {
    for row in &mut rows {
        if let AnyRow::Run(_, row) = row {
            row.node = None;
        }
    }
    rows
}

fn tally(rows: &[AnyRow]) -> Tally {
    rows.iter().map(|row| (row.kind(), 1)).collect()
}

fn run_of(rows: &[AnyRow], number: usize) -> RunId {
    let runs = rows.iter().filter_map(|row| match row {
        AnyRow::Run(run, _) => Some(*run),
        _ => None,
    });
    runs.into_iter().nth(number).unwrap()
}

/// The text of an error and of its cause.
fn said(error: &CopyError) -> String {
    let cause = std::error::Error::source(error).unwrap();
    format!("{error}: {}", cause.source().unwrap_or(cause))
}

#[test]
fn the_target_holds_what_the_source_holds_and_answers_alike() {
    for seed in 0..40 {
        let rows = made_up(seed);
        let source = filled(rows.clone());
        let target = store();
        let mut pages = 0;
        let copied = block_on(copy(
            source.copy_out().unwrap(),
            target.copy_in().unwrap(),
            &mut |_| pages += 1,
        ));
        assert_eq!(copied, Ok(tally(&rows)), "seed {seed}");
        assert!(pages >= RowKind::ALL.len() - 1, "seed {seed}");
        let found = block_on(read(&mut *target.copy_out().unwrap())).unwrap();
        // Not shown where they differ: they fill a book.
        assert!(found == without_nodes(rows.clone()), "seed {seed}");
        let asked = [&source, &target].map(|store| block_on(ask(store, &rows)).unwrap());
        assert!(asked[0] == asked[1], "seed {seed}");
    }
}

#[test]
fn an_empty_store_is_copied_to_an_empty_one() {
    let target = store();
    let source = store().copy_out().unwrap();
    let copied = block_on(copy(source, target.copy_in().unwrap(), &mut |_| {}));
    assert_eq!(copied, Ok(Tally::default()));
    drop(target.copy_in().unwrap());
}

#[test]
fn a_target_that_holds_anything_is_refused_and_says_what() {
    let rows = made_up(3);
    let target = filled(rows.clone());
    let refused = target.copy_in().err().unwrap();
    let found = tally(&rows);
    assert_eq!(refused, NotEmpty { found });
    assert!(refused.to_string().contains(" runs, "), "{refused}");
    let named = store();
    block_on(named.scope("shop".to_owned(), "production".to_owned())).unwrap();
    let refused = named.copy_in().err().unwrap();
    assert_eq!(refused.found.to_string(), "1 scopes");
}

#[test]
fn nothing_is_seen_of_a_copy_that_is_not_finished() {
    let rows = made_up(4);
    let target = store();
    let mut filling = target.copy_in().unwrap();
    block_on(filling.load(rows)).unwrap();
    drop(filling);
    drop(target.copy_in().unwrap());
}

#[test]
fn a_new_scope_gets_a_number_that_no_copied_one_has() {
    let target = filled(made_up(5));
    let number = target.scope("another".to_owned(), "production".to_owned());
    assert_eq!(block_on(number), Ok(ScopeId(8)));
}

#[test]
fn a_log_with_a_hole_stops_the_copy_and_is_named() {
    let mut rows = made_up(6);
    let (at, run) = rows
        .iter()
        .enumerate()
        .find_map(|(at, row)| match row {
            AnyRow::Frame(run, frame) if frame.first > Position(1) => Some((at, *run)),
            _ => None,
        })
        .unwrap();
    rows.remove(at - 1);
    let target = store();
    let error = copied(rows, target.copy_in().unwrap()).unwrap_err();
    assert_eq!(error.code(), "STORE_CORRUPT");
    assert!(said(&error).contains("hole before position"), "{error:?}");
    assert!(format!("{error:?}").contains(&run.to_string()), "{error:?}");
    drop(target.copy_in().unwrap());
}

#[test]
fn a_log_without_its_end_stops_the_copy_and_is_named() {
    for number in 0..3 {
        let mut rows = made_up(7);
        let run = run_of(&rows, number);
        let last = rows
            .iter()
            .rposition(|row| matches!(row, AnyRow::Frame(of, _) if *of == run));
        rows.remove(last.unwrap());
        let error = copied(rows, store().copy_in().unwrap()).unwrap_err();
        assert!(
            said(&error).contains("its log ends at position"),
            "{error:?}"
        );
        assert!(format!("{error:?}").contains(&run.to_string()), "{error:?}");
    }
}

#[test]
fn a_log_without_a_row_stops_the_copy_and_is_named() {
    for at_the_end in [false, true] {
        let mut rows = made_up(8);
        let runs = rows.iter().filter(|row| row.kind() == RowKind::Run).count();
        let run = run_of(&rows, if at_the_end { runs - 1 } else { 0 });
        rows.retain(|row| !matches!(row, AnyRow::Run(of, _) if *of == run));
        let error = copied(rows, store().copy_in().unwrap()).unwrap_err();
        assert!(said(&error).contains("a log and no row"), "{error:?}");
        assert!(format!("{error:?}").contains(&run.to_string()), "{error:?}");
    }
}

/// A target that forgets a row, or cannot be written.
struct Poor {
    target: Box<dyn CopyIn>,
    forgets: Option<RowKind>,
    fails: Option<RowKind>,
}

impl CopyIn for Poor {
    fn load(&mut self, mut rows: Vec<AnyRow>) -> StoreFuture<()> {
        let kind = rows.first().map(AnyRow::kind);
        if kind == self.fails {
            return Box::pin(async { Err(StoreError::DiskFull) });
        }
        if kind == self.forgets {
            rows.pop();
        }
        self.target.load(rows)
    }

    fn tally(&mut self) -> StoreFuture<Tally> {
        self.target.tally()
    }

    fn finish(self: Box<Self>) -> StoreFuture<()> {
        self.target.finish()
    }
}

#[test]
fn a_row_that_does_not_arrive_is_noticed() {
    for kind in RowKind::ALL {
        let target = store();
        let poor = Poor {
            target: target.copy_in().unwrap(),
            forgets: Some(kind),
            fails: None,
        };
        let rows = made_up(9);
        let read = tally(&rows).of(kind);
        let error = copied(rows, Box::new(poor)).unwrap_err();
        let written = read - 1;
        assert_eq!(
            error,
            CopyError::Miscounted {
                kind,
                read,
                written
            }
        );
        drop(target.copy_in().unwrap());
    }
}

#[test]
fn a_target_that_fails_stops_the_copy() {
    for kind in RowKind::ALL {
        let poor = Poor {
            target: store().copy_in().unwrap(),
            forgets: None,
            fails: Some(kind),
        };
        let error = copied(made_up(10), Box::new(poor)).unwrap_err();
        assert_eq!(error, CopyError::Target(StoreError::DiskFull));
    }
}

#[test]
fn damage_in_the_source_stops_the_copy_with_its_name() {
    struct Damaged;
    impl rewake_store::copy::CopyOut for Damaged {
        fn page(
            &mut self,
            _: RowKind,
            _: Option<rewake_store::copy::RowPlace>,
            _: usize,
        ) -> StoreFuture<Vec<AnyRow>> {
            let error = StoreError::corrupt_run(RunId::from_bytes([1; 16]), Corrupt::Checksum);
            Box::pin(async { Err(error) })
        }
    }
    let target = store().copy_in().unwrap();
    let error = block_on(copy(Box::new(Damaged), target, &mut |_| {})).unwrap_err();
    assert_eq!(error.code(), "STORE_CORRUPT");
    assert!(!error.is_retryable());
}
