//! Somebody is in the way.

use std::time::Duration;

use futures::executor::block_on;
use futures::future::join_all;
use rewake_store::{Failed, Log, StoreError};

use super::session::Session;
use super::stage::Stage;

#[test]
fn a_run_that_somebody_holds_holds_up_nobody_else() {
    let stage = Stage::on(
        rewake_postgres::private_server::Database::new().unwrap(),
        |options| options.lock_timeout(Duration::from_millis(50)),
    );
    let (held, free) = (stage.run(), stage.run());
    let session = Session::holding(&stage.database, &held.lock());

    let asks = [held, free].map(|run| stage.store.deliver(run.delivery()));
    let mut answers = block_on(join_all(asks)).into_iter();

    let refused = answers.next().unwrap().unwrap_err();
    let said = matches!(&refused, Failed::Store(StoreError::Unavailable { .. }));
    assert!(said, "{refused}");
    assert_eq!(answers.next().unwrap().unwrap().position.0, 4);
    session.end();
    assert_eq!(held.deliver().unwrap().position.0, 4);
}

#[test]
fn a_question_that_takes_too_long_is_broken_off() {
    let stage = Stage::on(
        rewake_postgres::private_server::Database::new().unwrap(),
        |options| {
            options
                .readers(1)
                .statement_timeout(Duration::from_millis(50))
        },
    );
    let run = stage.run();
    assert_eq!(run.head(), 3);
    let session = Session::holding(
        &stage.database,
        "LOCK TABLE rewake.frames IN ACCESS EXCLUSIVE MODE",
    );
    let frames = stage.store.frames(
        stage.scope,
        run.id,
        rewake_store::core::event::Position::START,
        usize::MAX,
    );
    let broken_off = block_on(frames).unwrap_err();
    assert!(
        matches!(broken_off, StoreError::Unavailable { .. }),
        "{broken_off}"
    );
    session.end();
    assert_eq!(run.head(), 3);
}
