//! Bits that flip in what is stored: every one is noticed, and named.

use futures::executor::block_on;
use rewake_store::core::id::RunId;
use rewake_store::{
    Answer, ChunkRow, Create, Deliver, DeliveryKey, Failed, Log, Queries, Sessions, StartKey,
    StoreError, Streams,
};
use rusqlite::Connection;

use super::log::{Run, Stage, event_id, payload};

/// Another connection to the file of an open store: what a failing disk would do.
struct Rot {
    connection: Connection,
}

impl Rot {
    fn of(stage: &Stage) -> Self {
        let connection = Connection::open(stage.path()).unwrap();
        connection
            .execute_batch("PRAGMA synchronous = OFF")
            .unwrap();
        Self { connection }
    }

    fn put(&self, table: &str, body: &[u8]) {
        let sql = format!("UPDATE {table} SET body = ?1");
        assert_eq!(self.connection.execute(&sql, [body]).unwrap(), 1);
    }

    /// Flips every bit of the only body in a table, and cuts it everywhere.
    fn spoil(&self, table: &str, corrupt: impl Fn() -> StoreError) {
        let sql = format!("SELECT body FROM {table}");
        let body: Vec<u8> = self
            .connection
            .query_row(&sql, [], |row| row.get(0))
            .unwrap();
        let flips = (0..body.len() * 8).map(|bit| {
            let mut spoiled = body.clone();
            spoiled[bit / 8] ^= 1 << (bit % 8);
            spoiled
        });
        let cuts = (0..body.len()).map(|len| body[..len].to_vec());
        for spoiled in flips.chain(cuts) {
            self.put(table, &spoiled);
            let error = corrupt();
            assert_eq!(error.code(), "STORE_CORRUPT", "{table}: {error}");
        }
        self.put(table, &body);
    }
}

fn of<T: std::fmt::Debug, R: std::error::Error>(answer: Result<T, Failed<R>>) -> StoreError {
    match answer {
        Err(Failed::Store(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn keyed(run: Run<'_>) -> Deliver {
    let mut request = run.delivery(&payload(10));
    request.key = Some(DeliveryKey {
        key: "payment-1".to_owned(),
        digest: None,
    });
    request
}

fn started(run: Run<'_>) -> Create {
    let mut request = run.creation();
    request.id = event_id();
    request.key = Some(StartKey {
        key: "order-1".to_owned(),
        digest: [7; 32],
    });
    request
}

#[test]
fn every_flipped_bit_of_a_run_is_noticed() {
    let stage = Stage::relaxed();
    let run = stage.run();
    let rot = Rot::of(&stage);
    rot.spoil("runs", || {
        block_on(stage.store.run(stage.scope, run.id)).unwrap_err()
    });
    // Nothing is written on such a row either.
    rot.spoil("runs", || of(block_on(run.deliver(&payload(1)))));
    assert_eq!(run.frames().len(), 1);
}

#[test]
fn every_flipped_bit_of_a_log_is_noticed() {
    let stage = Stage::relaxed();
    let run = stage.run();
    let frames = || {
        stage.store.frames(
            stage.scope,
            run.id,
            rewake_store::core::event::Position::START,
            1,
        )
    };
    Rot::of(&stage).spoil("frames", || block_on(frames()).unwrap_err());
    assert_eq!(run.frames().len(), 1);
}

#[test]
fn every_flipped_bit_of_a_hook_is_noticed() {
    let stage = Stage::relaxed();
    let run = stage.run();
    let rot = Rot::of(&stage);
    rot.spoil("tokens", || {
        block_on(stage.store.token(stage.scope, run.token())).unwrap_err()
    });
    rot.spoil("tokens", || of(block_on(run.deliver(&payload(1)))));
    assert_eq!(run.frames().len(), 1);
}

#[test]
fn every_flipped_bit_of_a_key_is_noticed() {
    let stage = Stage::relaxed();
    let run = stage.run();
    block_on(stage.store.deliver(keyed(run))).unwrap();
    Rot::of(&stage).spoil("keys", || of(block_on(stage.store.deliver(keyed(run)))));
    assert_eq!(run.frames().len(), 2);
}

#[test]
fn every_flipped_bit_of_a_start_key_is_noticed() {
    let stage = Stage::relaxed();
    let id = super::log::run_id();
    let run = Run {
        store: &stage.store,
        scope: stage.scope,
        id,
    };
    block_on(stage.store.create(started(run))).unwrap();
    let again = || {
        let id = super::log::run_id();
        stage.store.create(started(Run { id, ..run }))
    };
    Rot::of(&stage).spoil("start_keys", || of(block_on(again())));
    assert_eq!(block_on(again()).unwrap().run, id);
}

#[test]
fn every_flipped_bit_of_a_chunk_is_noticed() {
    let stage = Stage::relaxed();
    let run = stage.run();
    let stream = || "answer".to_owned();
    block_on(stage.store.answer(Answer {
        scope: stage.scope,
        run: run.id,
        stream: stream(),
        chunk: ChunkRow {
            writer: None,
            payload: payload(10),
        },
    }))
    .unwrap();
    Rot::of(&stage).spoil("chunks", || {
        block_on(stage.store.first_chunk(stage.scope, run.id, stream())).unwrap_err()
    });
}

#[test]
fn every_flipped_bit_of_a_scope_or_a_count_is_noticed() {
    let stage = Stage::relaxed();
    block_on(stage.store.begin_session()).unwrap();
    let rot = Rot::of(&stage);
    // Not a new project: the old one's runs would be out of sight.
    rot.spoil("scopes", || {
        block_on(
            stage
                .store
                .scope("shop".to_owned(), "production".to_owned()),
        )
        .unwrap_err()
    });
    rot.spoil("meta", || {
        block_on(stage.store.begin_session()).unwrap_err()
    });
    assert_eq!(block_on(stage.store.begin_session()), Ok(1));
}

#[test]
fn columns_that_do_not_agree_with_their_row_are_noticed() {
    let stage = Stage::relaxed();
    let run = stage.run();
    let rot = Rot::of(&stage);
    for (spoil, mend) in [
        (
            "UPDATE runs SET wake_at = wake_at + 1",
            "UPDATE runs SET wake_at = wake_at - 1",
        ),
        ("UPDATE runs SET parked = 1", "UPDATE runs SET parked = 0"),
        ("UPDATE frames SET first = 9", "UPDATE frames SET first = 1"),
        (
            "UPDATE runs SET scope = scope + 1",
            "UPDATE runs SET scope = scope - 1",
        ),
    ] {
        rot.connection.execute_batch(spoil).unwrap();
        let frames = stage.store.frames(
            stage.scope,
            run.id,
            rewake_store::core::event::Position::START,
            1,
        );
        let error = block_on(frames).unwrap_err();
        assert_eq!(error.code(), "STORE_CORRUPT", "{spoil}: {error}");
        rot.connection.execute_batch(mend).unwrap();
    }
    for spoil in [
        "UPDATE scopes SET project = 'other'",
        "UPDATE scopes SET id = 7",
    ] {
        rot.connection.execute_batch(spoil).unwrap();
        let scope = stage
            .store
            .scope("shop".to_owned(), "production".to_owned());
        assert_eq!(
            block_on(scope).unwrap_err().code(),
            "STORE_CORRUPT",
            "{spoil}"
        );
        rot.connection
            .execute_batch("UPDATE scopes SET project = 'shop', id = 0")
            .unwrap();
    }
}

#[test]
fn a_run_whose_row_is_hidden_is_not_taken_for_a_new_one() {
    let stage = Stage::relaxed();
    let run = stage.run();
    let rot = Rot::of(&stage);
    rot.connection
        .execute_batch("UPDATE runs SET run = zeroblob(16)")
        .unwrap();
    let error = block_on(stage.store.run(stage.scope, run.id)).unwrap_err();
    assert_eq!(error.code(), "STORE_CORRUPT", "{error}");
    let again = of(block_on(stage.store.create(run.creation())));
    assert_eq!(again.code(), "STORE_CORRUPT", "{again}");
}

#[test]
fn a_hole_in_a_log_is_noticed() {
    let stage = Stage::relaxed();
    let run = stage.run();
    for _ in 0..3 {
        block_on(run.deliver(&payload(10))).unwrap();
    }
    let rot = Rot::of(&stage);
    for missing in [1, 3, 5] {
        let sql = format!(
            "CREATE TABLE kept AS SELECT * FROM frames WHERE first = {missing};
             DELETE FROM frames WHERE first = {missing}"
        );
        rot.connection.execute_batch(&sql).unwrap();
        let frames = stage.store.frames(
            stage.scope,
            run.id,
            rewake_store::core::event::Position::START,
            usize::MAX,
        );
        let answer = block_on(frames);
        assert!(
            matches!(answer, Err(StoreError::Corrupt { .. })),
            "without {missing}: {answer:?}"
        );
        rot.connection
            .execute_batch("INSERT INTO frames SELECT * FROM kept; DROP TABLE kept")
            .unwrap();
    }
    assert_eq!(run.frames().len(), 4);
    let unknown = RunId::from_bytes([9; 16]);
    assert_eq!(block_on(stage.store.run(stage.scope, unknown)), Ok(None));
}
