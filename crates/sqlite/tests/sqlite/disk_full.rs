//! No room on the disk: a clean refusal.

use futures::executor::block_on;
use rewake_sqlite::Options;
use rewake_store::{Failed, StoreError};

use super::clock;
use super::log::{Stage, payload};

#[test]
fn what_finds_no_room_is_refused_and_leaves_nothing() {
    let stage = Stage::with(|path| Options::new(path, clock::ticking()).file_bytes(512 << 10));
    let run = stage.run();
    let mut written = 0;
    let refusal = loop {
        match block_on(run.deliver(&payload(50_000))) {
            Ok(_) => written += 1,
            Err(refusal) => break refusal,
        }
    };
    assert_eq!(refusal, Failed::Store(StoreError::DiskFull));
    assert!(written > 2, "{written} were written");
    assert_eq!(run.frames().len(), written + 1);
    let head = run.row().head;

    // What has room is still served.
    let small = block_on(run.deliver(&payload(1))).unwrap();
    assert_eq!(small.position, head.next());

    // With more room the store goes on where it ended.
    let id = run.id;
    let stage = stage.reopen();
    let run = super::log::Run {
        store: &stage.store,
        scope: stage.scope,
        id,
    };
    block_on(run.deliver(&payload(50_000))).unwrap();
    assert_eq!(run.frames().len(), written + 3);
}
