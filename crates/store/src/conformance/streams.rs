//! Answers to webhooks: the first stands.

use super::event::{
    payload, run_completed, step, step_completed, step_created, step_failed, step_started,
};
use super::request::{Appending, answer, answer_refused};
use super::stage::{Log, Stage};
use crate::request::{Answer, AnswerRefusal, Answered, Append, AppendRefusal};
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

/// The whole of a step that does no more than answer.
fn answered_by(log: Log<'_>, n: u8) -> Appending<'_> {
    log.worker([step_created(n), step_started(n), step_completed(n)])
        .answering(n, "answer", "202")
}

pub(super) async fn an_answer_is_given_with_the_record_of_its_step(stage: Stage<'_>) {
    let log = stage.started().await;
    let appended = answered_by(log, 1).answering(1, "other", "404").ok().await;
    assert_eq!(appended.stood, []);
    assert_eq!(log.events().await.len(), 5);
    assert_eq!(stands(log, "answer").await, Some(by(log, 1, "202").chunk));
    assert_eq!(stands(log, "other").await, Some(by(log, 1, "404").chunk));
}

pub(super) async fn an_answer_comes_with_the_end_of_its_run(stage: Stage<'_>) {
    let log = stage.started().await;
    let end = log.worker([run_completed()]);
    end.answering(1, "answer", "202").ok().await;
    assert_eq!(stands(log, "answer").await, Some(by(log, 1, "202").chunk));
}

pub(super) async fn an_append_whose_answer_another_has_given_leaves_nothing(stage: Stage<'_>) {
    let log = stage.started().await;
    answer(&stage, by(log, 1, "202")).await;
    // One that could be given goes with it.
    let both = answered_by(log, 2).answering(2, "other", "404");
    let already = AppendRefusal::AlreadyAnswered { step: step(2) };
    assert_eq!(both.refused().await, already);
    assert_eq!(stands(log, "other").await, None);
}

pub(super) async fn an_append_that_is_refused_gives_no_answer(stage: Stage<'_>) {
    let log = stage.started().await;
    log.worker([step_created(2)]).ok().await;
    let late = answered_by(log, 1).building_on(2).refused().await;
    assert!(matches!(late, AppendRefusal::WorkerMoved { .. }));
    assert_eq!(stands(log, "answer").await, None);
    let ended = stage.started().await;
    ended.worker([run_completed()]).ok().await;
    let late = answered_by(ended, 1).refused().await;
    assert!(matches!(late, AppendRefusal::RunEnded { .. }));
}

pub(super) async fn of_two_answers_to_one_request_in_one_append_none_is_given(stage: Stage<'_>) {
    let log = stage.started().await;
    let twice = answered_by(log, 1).answering(2, "answer", "404");
    let already = AppendRefusal::AlreadyAnswered { step: step(2) };
    assert_eq!(twice.refused().await, already);
}

pub(super) async fn what_the_step_of_an_append_had_answered_before_stands(stage: Stage<'_>) {
    let log = stage.started().await;
    answer(&stage, by(log, 1, "500")).await;
    let appended = answered_by(log, 1).ok().await;
    assert_eq!(appended.stood, [step(1)]);
    assert_eq!(stands(log, "answer").await, Some(by(log, 1, "500").chunk));
}

pub(super) async fn an_append_that_is_repeated_says_that_its_answers_stand(stage: Stage<'_>) {
    let log = stage.started().await;
    let request = answered_by(log, 1).request().await;
    let first = stage.store.append(request.clone()).await;
    assert_eq!(first.expect("it is appended").stood, []);
    // Meanwhile the run goes on.
    log.worker([step_created(2), step_failed(2)]).ok().await;
    let repeat = Append {
        repeat: true,
        ..request
    };
    let again = stage.store.append(repeat).await;
    assert_eq!(again.expect("it is answered again").stood, [step(1)]);
    assert_eq!(log.events().await.len(), 7);
}
