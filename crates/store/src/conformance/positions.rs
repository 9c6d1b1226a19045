//! Positions and times in a log.

use rewake_core::event::{EventKind, Frame, Position};
use rewake_core::id::EventId;

use super::event::{cancel_requested, run_created, step_created, step_started, wait_created};
use super::stage::{Log, Stage};

pub(super) async fn positions_are_contiguous_across_writers(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    log.worker([step_created(1), step_started(1)]).ok().await;
    log.outsider([cancel_requested()]).ok().await;
    let delivered = stage.deliver("approve", "yes").ok().await;
    log.worker([wait_created(1, stage.at(10))]).ok().await;

    let spans: Vec<_> = spans(&log.frames().await);
    assert_eq!(spans, [(1, 2), (3, 3), (4, 5), (6, 6), (7, 7), (8, 8)]);
    assert_eq!(delivered.position, Position(7));
    assert_eq!(log.row().await.head, Position(8));
}

fn spans(frames: &[Frame]) -> Vec<(u64, u64)> {
    let span = |frame: &Frame| (frame.first.0, frame.last().0);
    frames.iter().map(span).collect()
}

pub(super) async fn every_log_has_positions_of_its_own(stage: Stage<'_>) {
    let (one, other) = (stage.started().await, stage.started().await);
    one.worker([step_created(1)]).ok().await;
    let answer = other.worker([step_created(2)]).ok().await;
    assert_eq!(answer.head, Position(3));
}

pub(super) async fn since_gives_the_frames_of_others_and_then_its_own(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    stage.deliver("approve", "yes").ok().await;
    log.outsider([cancel_requested()]).ok().await;

    let answer = log.worker([step_created(1)]).since(3).ok().await;

    let stored = log.frames().await;
    assert_eq!(spans(&stored), [(1, 2), (3, 3), (4, 4), (5, 5), (6, 6)]);
    assert_eq!(answer.frames, stored[2..]);
    assert_eq!(answer.head, Position(6));
}

pub(super) async fn since_without_events_gives_the_frames_of_others(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let delivered = stage.deliver("approve", "yes").ok().await;
    let answer = log.worker([]).since(3).ok().await;
    assert_eq!(answer.frames, Vec::from_iter(delivered.frame));
    assert_eq!(answer.head, Position(4));
}

pub(super) async fn since_the_end_gives_its_own_frame_only(stage: Stage<'_>) {
    let log = stage.started().await;
    let answer = log.worker([step_created(1)]).since(2).ok().await;
    assert_eq!(spans(&answer.frames), [(3, 3)]);
}

pub(super) async fn since_the_middle_of_a_frame_gives_those_after_it(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let answer = log.worker([step_created(1)]).since(1).ok().await;
    assert_eq!(spans(&answer.frames), [(3, 3), (4, 4)]);
}

pub(super) async fn the_events_of_an_append_have_ids_that_count_up(stage: Stage<'_>) {
    let creating = stage.create([run_created(), EventKind::RunStarted]);
    let id = creating.request.id;
    let log = stage.log(creating.ok().await.run);
    let frames = log.frames().await;
    let ids: Vec<EventId> = frames[0].iter().map(|event| event.id).collect();
    assert_eq!(ids, [id, id.plus(1)]);
}

pub(super) async fn time_never_goes_back_when_the_clock_does(stage: Stage<'_>) {
    stage.clock(50);
    let log = stage.with_hook(1, "approve").await;
    stage.clock_back();

    log.worker([step_created(1)]).ok().await;
    log.outsider([cancel_requested()]).ok().await;
    stage.deliver("approve", "yes").ok().await;

    assert_eq!(times(log).await, [stage.at(50); 5]);
    assert_eq!(log.row().await.last_at, stage.at(50));
}

pub(super) async fn time_goes_on_with_the_clock(stage: Stage<'_>) {
    let log = stage.started().await;
    stage.clock(20);
    log.worker([step_created(1)]).ok().await;
    assert_eq!(times(log).await, [stage.at(0), stage.at(20)]);
}

async fn times(log: Log<'_>) -> Vec<rewake_core::time::Timestamp> {
    log.frames().await.iter().map(|frame| frame.at).collect()
}
