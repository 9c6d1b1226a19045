//! Many requests in flight at once: each is judged alone, in order of arrival, against what those
//! before it left, whether or not a store commits them together. A refused one leaves nothing. An
//! outsider's may go before workers' that came earlier, so none comes behind one of the same run here.

use std::fmt::Debug;

use futures_util::future::{join_all, join3, join5};
use rewake_core::event::{EventKind, Position};

use super::event::{
    hook_created, hook_received, payload, run_created, run_terminated, size, step, step_created,
};
use super::stage::{Log, Stage};
use crate::error::Failed;
use crate::request::{
    Answer, AnswerRefusal, Append, AppendRefusal, CreateRefusal, Deliver, DeliverRefusal,
};
use crate::role::StoreFuture;
use crate::row::ChunkRow;

/// The answers of requests that are all handed over before the first is answered.
async fn together<A, R: std::error::Error + 'static>(
    asks: impl IntoIterator<Item = StoreFuture<A, Failed<R>>>,
) -> Vec<Result<A, Failed<R>>> {
    join_all(asks).await
}

/// Of these, only the first was answered; the refusals of the others.
fn the_first_won<A: Debug, R: std::error::Error + 'static>(
    answers: Vec<Result<A, Failed<R>>>,
) -> (A, Vec<R>) {
    let mut answers = answers.into_iter();
    let first = answers.next().expect("there are some");
    let refused = |answer| match answer {
        Err(Failed::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    };
    (
        first.expect("the first wins"),
        answers.map(refused).collect(),
    )
}

pub(super) async fn appends_in_one_request_are_judged_each_alone(stage: Stage<'_>) {
    let (log, other) = (stage.started().await, stage.started().await);
    let requests = vec![
        log.worker([step_created(1)]).request().await,
        log.worker([step_created(2)]).request().await,
        other.worker([]).reacted(2).request().await,
    ];

    let answers = stage.store.append_all(requests).await;

    let moved = AppendRefusal::WorkerMoved {
        run: log.run,
        expected: Position(0),
        actual: Position(3),
    };
    let heads = answers.expect("the store serves").into_iter();
    let heads: Vec<_> = heads
        .map(|answer| answer.map(|answer| answer.head))
        .collect();
    assert_eq!(heads, [Ok(Position(3)), Err(moved), Ok(Position(2))]);
    assert_eq!(log.events().await[2..], [step_created(1)]);
    assert_eq!(other.row().await.reacted, Position(2));
}

pub(super) async fn a_refused_one_in_the_middle_leaves_the_others_be(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let other = stage.started().await;
    let wins = other.worker([step_created(1)]).request().await;
    let loses = other.worker([step_created(2)]).request().await;

    let deliver = |token, text| stage.store.deliver(stage.deliver(token, text).request);
    let (first, none, wins, loses, last) = join5(
        deliver("approve", "a"),
        deliver("orders", "b"),
        stage.store.append(wins),
        stage.store.append(loses),
        deliver("approve", "c"),
    )
    .await;

    assert_eq!(first.map(|first| first.position), Ok(Position(4)));
    assert_eq!(none, Err(Failed::Refused(DeliverRefusal::NoHook)));
    assert_eq!(wins.map(|wins| wins.head), Ok(Position(3)));
    let moved = AppendRefusal::WorkerMoved {
        run: other.run,
        expected: Position(0),
        actual: Position(3),
    };
    assert_eq!(loses, Err(Failed::Refused(moved)));
    assert_eq!(last.map(|last| last.position), Ok(Position(5)));
    let delivered = [hook_received(1, "a"), hook_received(1, "c")];
    assert_eq!(log.events().await[3..], delivered);
    assert_eq!(other.events().await[2..], [step_created(1)]);
}

pub(super) async fn each_sees_what_those_before_it_left(stage: Stage<'_>) {
    let begins = |n| [run_created(), hook_created(n, "approve")];
    let (first, second) = (stage.create(begins(1)), stage.create(begins(2)));
    let (old, new) = (first.request.run, second.request.run);
    let ending = stage.log(old).outsider([run_terminated()]);
    let ending = ending.releasing(&["approve"]).request().await;

    let deliver = |text| stage.store.deliver(stage.deliver("approve", text).request);
    let (first, a, ended, second, b) = join5(
        stage.store.create(first.request),
        deliver("a"),
        stage.store.append(ending),
        stage.store.create(second.request),
        deliver("b"),
    )
    .await;

    assert_eq!(first.map(|created| created.run), Ok(old));
    assert_eq!(a.map(|a| (a.hook.run, a.position)), Ok((old, Position(3))));
    assert_eq!(ended.map(|ended| ended.head), Ok(Position(4)));
    assert_eq!(second.map(|created| created.run), Ok(new));
    assert_eq!(b.map(|b| (b.hook.run, b.position)), Ok((new, Position(3))));
}

pub(super) async fn of_many_that_want_one_token_the_first_has_it(stage: Stage<'_>) {
    let begins = |n| stage.create([run_created(), hook_created(n, "approve")]);
    let asks: Vec<_> = (1..=8).map(|n| begins(n).request).collect();
    let answers = together(asks.into_iter().map(|ask| stage.store.create(ask))).await;
    let (first, refused) = the_first_won(answers);
    let owner = first.run;
    assert_eq!(refused, vec![CreateRefusal::TokenTaken { owner }; 7]);
    assert_eq!(stage.log(owner).row().await.live_hooks, 1);
}

pub(super) async fn of_many_workers_on_one_position_the_first_goes_on(stage: Stage<'_>) {
    let log = stage.started().await;
    let mut asks = Vec::new();
    for n in 1..=8 {
        asks.push(log.worker([step_created(n)]).request().await);
    }
    let answers = together(asks.into_iter().map(|ask| stage.store.append(ask))).await;
    let (_, refused) = the_first_won(answers);
    let moved = AppendRefusal::WorkerMoved {
        run: log.run,
        expected: Position(0),
        actual: Position(3),
    };
    assert_eq!(refused, vec![moved; 7]);
    assert_eq!(log.events().await[2..], [step_created(1)]);
}

pub(super) async fn of_many_under_one_key_one_is_taken(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let asks = (0..8).map(|_| stage.deliver("approve", "yes").key("k", 1).request);
    let answers = together(asks.map(|ask| stage.store.deliver(ask))).await;
    let answers = answers.into_iter();
    let answers = answers.map(|answer| answer.expect("the payload is taken"));
    let answers = answers.map(|answer| (answer.position, answer.frame.is_some()));
    let expected = (0..8).map(|n| (Position(4), n == 0));
    assert!(answers.eq(expected));
    assert_eq!(log.events().await[3..].len(), 1);
}

pub(super) async fn of_many_starts_under_one_key_one_begins(stage: Stage<'_>) {
    let asks = (0..8).map(|_| stage.create([run_created()]).key("order-7", 1).request);
    let asks: Vec<_> = asks.collect();
    let first = asks[0].run;
    let never = asks[1].run;
    let answers = together(asks.into_iter().map(|ask| stage.store.create(ask))).await;
    let found = |answer: Result<crate::request::Created, _>| answer.map(|created| created.run);
    assert!(answers.into_iter().map(found).all(|run| run == Ok(first)));
    assert_eq!(stage.store.run(stage.scope, never).await, Ok(None));
}

pub(super) async fn payloads_stand_in_the_order_they_were_handed_over(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let texts: Vec<_> = (0..40).map(|n| format!("payload {n}")).collect();
    let asks = texts
        .iter()
        .map(|text| stage.deliver("approve", text).request);
    let answers = together(asks.map(|ask| stage.store.deliver(ask))).await;
    let positions = answers
        .into_iter()
        .map(|answer| answer.map(|a| a.position.0));
    assert!(positions.eq((4..44).map(Ok)));
    let expected: Vec<_> = texts.iter().map(|text| hook_received(1, text)).collect();
    assert_eq!(log.events().await[3..], expected);
}

pub(super) async fn a_bound_holds_among_them(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let asks = (0..5).map(|_| stage.deliver("approve", "yes").limit(3, 1_000).request);
    let answers = together(asks.map(|ask| stage.store.deliver(ask))).await;
    let full = Failed::Refused(DeliverRefusal::Full {
        count: 3,
        bytes: 3 * size(&payload("yes")),
    });
    let positions = answers
        .into_iter()
        .map(|answer| answer.map(|a| a.position.0));
    let expected = [Ok(4), Ok(5), Ok(6), Err(full.clone()), Err(full)];
    assert!(positions.eq(expected));
    assert_eq!(log.row().await.head, Position(6));
}

pub(super) async fn one_that_is_handed_over_twice_is_done_once(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let create = stage.create([run_created(), EventKind::RunStarted]).request;
    let append = Append {
        repeat: true,
        ..log.worker([step_created(1)]).request().await
    };
    let deliver = Deliver {
        repeat: true,
        ..stage.deliver("approve", "yes").request
    };
    let all = || {
        let store = &stage.store;
        join3(
            store.create(create.clone()),
            store.deliver(deliver.clone()),
            store.append(append.clone()),
        )
    };

    let (first, second) = futures_util::future::join(all(), all()).await;

    assert_eq!(first, second);
    let (created, delivered, appended) = first;
    assert!(created.is_ok_and(|created| created.frame.is_some()));
    assert!(delivered.is_ok_and(|delivered| delivered.position == Position(4)));
    assert!(appended.is_ok_and(|appended| appended.head == Position(5)));
    let expected = [hook_received(1, "yes"), step_created(1)];
    assert_eq!(log.events().await[3..], expected);
}

pub(super) async fn of_many_answers_the_first_stands(stage: Stage<'_>) {
    let log = stage.started().await;
    let asks = (1..=4).map(|n| answer_by(log, n));
    let answers = together(asks.map(|ask| stage.store.answer(ask))).await;
    let (first, refused) = the_first_won(answers);
    assert!(first.first);
    assert_eq!(refused, vec![AnswerRefusal::AlreadyAnswered; 3]);
    let stands = stage
        .store
        .first_chunk(stage.scope, log.run, "answer".to_owned());
    assert_eq!(stands.await, Ok(Some(answer_by(log, 1).chunk)));
}

fn answer_by(log: Log<'_>, n: u8) -> Answer {
    Answer {
        scope: log.stage.scope,
        run: log.run,
        stream: "answer".to_owned(),
        chunk: ChunkRow {
            writer: Some(step(n)),
            payload: payload("202"),
        },
    }
}
