//! A commit fails: the caller is told that nobody knows, and when the store serves again, the same ids
//! get an answer and are written once. A store that owns its files serves nothing until it is opened
//! again.

use std::fmt::Debug;

use rewake_core::id::{EventId, RunId};

use super::event::{payload, run_created, step, step_created};
use super::harness::Injury;
use super::stage::Stage;
use crate::error::{Failed, StoreError};
use crate::request::{Answer, Answered, Append, Deliver};
use crate::role::{Store, StoreFuture};
use crate::row::ChunkRow;

/// Asks while the commit fails, and once more when the store serves again.
async fn asked<A: Debug, R: std::error::Error + 'static>(
    stage: &mut Stage<'_>,
    ask: impl Fn(&dyn Store) -> StoreFuture<A, Failed<R>>,
) -> A {
    stage.injure(&Injury::Commit);
    let unknown = ask(&*stage.store).await;
    let said = matches!(&unknown, Err(Failed::Store(error)) if error.may_have_happened());
    assert!(said, "{unknown:?}");
    if stage.fails_shut() {
        let shut = ask(&*stage.store).await;
        let closed = matches!(&shut, Err(Failed::Store(StoreError::Closed { .. })));
        assert!(closed, "{shut:?}");
        let question = stage.store.begin_session().await;
        let closed = matches!(&question, Err(StoreError::Closed { .. }));
        assert!(closed, "{question:?}");
        stage.reopen_failed();
    }
    ask(&*stage.store).await.expect("the repeat is answered")
}

/// The log goes on without a gap and holds the request once.
async fn stands_once(stage: &Stage<'_>, run: RunId, id: EventId) {
    let frames = stage.log(run).frames().await;
    let own = frames.iter().filter(|frame| frame.id == id);
    assert_eq!(own.count(), 1);
    for pair in frames.windows(2) {
        assert_eq!(pair[0].last().next(), pair[1].first);
    }
}

pub(super) async fn a_start_is_there_once_when_it_is_repeated(mut stage: Stage<'_>) {
    let request = stage.create([run_created()]).key("order-7", 1).request;
    let created = asked(&mut stage, |store| store.create(request.clone())).await;
    assert_eq!(created.run, request.run);
    stands_once(&stage, request.run, request.id).await;
}

pub(super) async fn an_append_is_there_once_when_it_is_repeated(mut stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let (run, before) = (log.run, log.frames().await);
    let request = Append {
        repeat: true,
        ..log.worker([step_created(1)]).request().await
    };
    let appended = asked(&mut stage, |store| store.append(request.clone())).await;
    assert_eq!(appended.head.0, 4);
    stands_once(&stage, run, request.id).await;
    assert_eq!(stage.log(run).frames().await[..before.len()], before);
}

pub(super) async fn a_payload_is_there_once_when_it_is_repeated(mut stage: Stage<'_>) {
    let run = stage.with_hook(1, "approve").await.run;
    let request = Deliver {
        repeat: true,
        ..stage.deliver("approve", "yes").key("k", 1).request
    };
    let delivered = asked(&mut stage, |store| store.deliver(request.clone())).await;
    assert_eq!(delivered.position.0, 4);
    stands_once(&stage, run, request.id).await;
}

pub(super) async fn an_answer_stands_when_it_is_repeated(mut stage: Stage<'_>) {
    let request = Answer {
        scope: stage.scope,
        run: stage.started().await.run,
        stream: "answer".to_owned(),
        chunk: ChunkRow {
            writer: Some(step(1)),
            payload: payload("202"),
        },
    };
    let Answered { first: _ } = asked(&mut stage, |store| store.answer(request.clone())).await;
    let Answer {
        scope,
        run,
        stream,
        chunk,
    } = request;
    let stands = stage.store.first_chunk(scope, run, stream);
    assert_eq!(stands.await, Ok(Some(chunk)));
}
