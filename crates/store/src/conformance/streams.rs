//! Answers to webhooks: the first stands.

use super::event::{payload, run_completed, step};
use super::request::{answer, answer_refused};
use super::stage::{Log, Stage};
use crate::request::{Answer, AnswerRefusal, Answered};
use crate::row::ChunkRow;

fn by(log: Log<'_>, n: u8, text: &str) -> Answer {
    Answer {
        scope: log.stage.scope,
        run: log.run,
        stream: "answer".to_owned(),
        chunk: ChunkRow {
            writer: Some(step(n)),
            payload: payload(text),
        },
    }
}

async fn stands(log: Log<'_>, stream: &str) -> Option<ChunkRow> {
    let store = &log.stage.store;
    let chunk = store.first_chunk(log.stage.scope, log.run, stream.to_owned());
    chunk.await.expect("the stream is read")
}

pub(super) async fn the_first_answer_stands(stage: Stage<'_>) {
    let log = stage.started().await;
    assert_eq!(stands(log, "answer").await, None);
    let first = answer(&stage, by(log, 1, "202")).await;
    assert_eq!(first, Answered { first: true });
    assert_eq!(stands(log, "answer").await, Some(by(log, 1, "202").chunk));
}

pub(super) async fn its_writer_may_repeat_it(stage: Stage<'_>) {
    let log = stage.started().await;
    answer(&stage, by(log, 1, "202")).await;
    let again = answer(&stage, by(log, 1, "500")).await;
    assert_eq!(again, Answered { first: false });
    assert_eq!(stands(log, "answer").await, Some(by(log, 1, "202").chunk));
}

pub(super) async fn its_writer_may_repeat_it_after_the_run_has_ended(stage: Stage<'_>) {
    let log = stage.started().await;
    answer(&stage, by(log, 1, "202")).await;
    log.worker([run_completed()]).ok().await;
    let again = answer(&stage, by(log, 1, "202")).await;
    assert_eq!(again, Answered { first: false });
}

pub(super) async fn another_writer_is_refused(stage: Stage<'_>) {
    let log = stage.started().await;
    answer(&stage, by(log, 1, "202")).await;
    let refusal = answer_refused(&stage, by(log, 2, "202")).await;
    assert_eq!(refusal, AnswerRefusal::AlreadyAnswered);
}

pub(super) async fn a_writer_that_is_no_step_may_not_repeat_it(stage: Stage<'_>) {
    let log = stage.started().await;
    let mut request = by(log, 1, "202");
    request.chunk.writer = None;
    answer(&stage, request.clone()).await;
    let refusal = answer_refused(&stage, request).await;
    assert_eq!(refusal, AnswerRefusal::AlreadyAnswered);
}

pub(super) async fn other_streams_are_answered_apart(stage: Stage<'_>) {
    let log = stage.started().await;
    answer(&stage, by(log, 1, "202")).await;
    let request = Answer {
        stream: "other".to_owned(),
        ..by(log, 2, "404")
    };
    let chunk = request.chunk.clone();
    assert_eq!(answer(&stage, request).await, Answered { first: true });
    assert_eq!(stands(log, "other").await, Some(chunk));
}

pub(super) async fn a_run_that_has_ended_or_never_was_is_not_answered(stage: Stage<'_>) {
    let ended = stage.started().await;
    ended.worker([run_completed()]).ok().await;
    let never = stage.log(stage.run_id());
    for log in [ended, never] {
        let refusal = answer_refused(&stage, by(log, 1, "202")).await;
        assert_eq!(refusal, AnswerRefusal::RunEnded { run: log.run });
    }
}
