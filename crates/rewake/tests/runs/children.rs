//! Child runs: results up, ends down, and nothing lost between the two.

use futures::future::join_all;
use rewake::prelude::*;
use rewake::{Reason, RunId, RunStatus};
use rewake_core::event::EventKind;

use crate::probe::Probe;
use crate::stage::{Stage, count, events, hook, in_time, log, logged, on_every_stage, resume};

on_every_stage!(
    the_result_of_a_child_is_its_parents_to_use,
    a_child_that_fails_says_so_and_names_itself,
    a_child_that_is_cancelled_or_terminated_says_so,
    arguments_are_those_of_the_place_where_the_call_was_written,
    a_child_is_linked_to_its_parent,
    a_child_let_go_of_has_an_id_and_outlives_its_parent,
    every_end_of_a_parent_cancels_its_children,
    the_end_of_a_parent_reaches_grandchildren,
    a_cancelled_parent_finishes_the_shield_that_waits_for_a_child,
    a_child_whose_future_was_dropped_goes_on_and_stays_attached,
    a_child_that_lost_a_race_does_not_disturb_what_follows,
    a_parent_is_told_why_it_waits,
    nesting_needs_no_place_for_a_step,
    many_children_of_one_parent_all_report,
    a_parent_that_is_parked_takes_the_result_later,
);

#[step]
async fn work(n: u64, #[provided] probe: Probe) -> anyhow::Result<u64> {
    probe.note(format!("work {n}"));
    Ok(n * 10)
}

#[workflow]
async fn works(n: u64) -> anyhow::Result<u64> {
    Ok(work(n).await?)
}

#[workflow]
async fn adds(first: u64, second: u64) -> anyhow::Result<u64> {
    let (first, second) =
        futures::try_join!(start_child(works(first)), start_child(works(second)))?;
    Ok(first + second)
}

async fn the_result_of_a_child_is_its_parents_to_use(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(adds(1, 2)).await.unwrap();
    assert_eq!(run.result().await.unwrap(), 30);
    assert_eq!(stage.probe.times("work 1"), 1);
    assert_eq!(stage.probe.times("work 2"), 1);
    let names = events(&rewake, &run).await;
    let expected = [
        "run_created",
        "run_started",
        "step_created",
        "step_created",
        "step_completed",
        "step_completed",
        "run_completed",
    ];
    assert_eq!(names, expected);
}

#[workflow]
async fn fails(n: u64) -> anyhow::Result<u64> {
    use anyhow::Context;
    Err(std::fmt::Error).with_context(|| format!("no ink for {n}"))
}

#[workflow]
async fn sees_failure() -> anyhow::Result<(String, Vec<String>, String)> {
    let error = start_child(fails(7)).await.unwrap_err();
    let text = error.to_string();
    let RunError::Failed {
        child: Some(child),
        message,
        causes,
    } = error
    else {
        anyhow::bail!("{error}");
    };
    anyhow::ensure!(
        text == format!("child run `{child}` failed: {message}"),
        "{text}"
    );
    Ok((message, causes, child.to_string()))
}

async fn a_child_that_fails_says_so_and_names_itself(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(sees_failure()).await.unwrap();
    let (message, causes, child) = run.result().await.unwrap();
    assert_eq!(message, "no ink for 7");
    assert_eq!(causes, [std::fmt::Error.to_string()]);
    assert_eq!(children(&rewake, run.id()).await, [child.parse().unwrap()]);
}

#[workflow]
async fn waits(token: String) -> anyhow::Result<u64> {
    let mut hook = create_hook::<u64>().token(token).await?;
    Ok(hook.recv().await?)
}

#[workflow]
async fn sees_end(token: String) -> anyhow::Result<(Option<String>, bool, String)> {
    match start_child(waits(token)).await {
        Err(RunError::Cancelled {
            child: Some(child),
            reason,
            terminated,
        }) => Ok((reason, terminated, child.to_string())),
        other => anyhow::bail!("{other:?}"),
    }
}

async fn a_child_that_is_cancelled_or_terminated_says_so(stage: Stage) {
    let rewake = stage.open().await;
    for terminated in [false, true] {
        let token = format!("end:{terminated}");
        let run = rewake.start(sees_end(token.clone())).await.unwrap();
        let child = rewake.get_run::<u64>(hook(&rewake, &token).await.run_id);
        let ended = if terminated {
            child.terminate("enough").await
        } else {
            child.cancel("enough").await
        };
        assert!(ended.unwrap());
        let expected = (
            Some("enough".to_owned()),
            terminated,
            child.id().to_string(),
        );
        assert_eq!(run.result().await.unwrap(), expected);
    }
}

#[workflow]
async fn writes_early(n: u64) -> anyhow::Result<u64> {
    let mut list = vec![n];
    let call = start_child(sums(list.clone()));
    list.push(100);
    let late = start_child(sums(list));
    // Polled in the other order: a call has its place from where it is written.
    let (late, early) = futures::try_join!(late, call)?;
    Ok(early * 1_000 + late)
}

#[workflow]
async fn sums(list: Vec<u64>) -> anyhow::Result<u64> {
    Ok(list.into_iter().sum())
}

async fn arguments_are_those_of_the_place_where_the_call_was_written(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(writes_early(3)).await.unwrap();
    assert_eq!(run.result().await.unwrap(), 3_103);
}

/// The ids of a run's children, oldest first, read in small pages.
async fn children(rewake: &Rewake, parent: RunId) -> Vec<RunId> {
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let mut query = rewake.runs().parent(parent).limit(2);
        if let Some(cursor) = &cursor {
            query = query.cursor(cursor);
        }
        let page = query.await.unwrap();
        found.extend(page.data.into_iter().map(|view| view.run));
        cursor = page.cursor;
        if cursor.is_none() {
            found.sort();
            return found;
        }
    }
}

async fn a_child_is_linked_to_its_parent(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(adds(3, 4)).await.unwrap();
    run.result().await.unwrap();
    assert_eq!(run.snapshot().await.unwrap().parent, None);
    let found = children(&rewake, run.id()).await;
    assert_eq!(found.len(), 2);
    let recorded: Vec<_> = log(&rewake, &run).await;
    for child in found {
        let view = rewake.get_run::<u64>(child).snapshot().await.unwrap();
        let parent = view.parent.unwrap();
        assert_eq!((parent.run, parent.detached), (run.id(), false));
        let names_it = |kind: &EventKind| {
            matches!(kind, EventKind::StepCreated { step, child: Some(of), .. }
                if *step == parent.step && of.run == child)
        };
        assert!(recorded.iter().any(|event| names_it(&event.kind)));
    }
}

#[workflow]
async fn lets_go(token: String) -> anyhow::Result<String> {
    let child = start_child(waits(token)).detach().await?;
    Ok(child.to_string())
}

async fn a_child_let_go_of_has_an_id_and_outlives_its_parent(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(lets_go("free".into())).await.unwrap();
    let child: RunId = run.result().await.unwrap().parse().unwrap();
    let child = rewake.get_run::<u64>(child);
    // When the id was given, the child existed.
    assert!(child.exists().await.unwrap());
    let parent = child.snapshot().await.unwrap().parent.unwrap();
    assert!(parent.detached);
    assert_eq!(resume(&rewake, "free", &5).await.run_id, child.id());
    assert_eq!(child.result().await.unwrap(), 5);
    assert_eq!(count(&rewake, &child, "run_cancel_requested").await, 0);
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum End {
    Returns,
    Fails,
    IsCancelled,
    IsTerminated,
}

#[workflow]
async fn leaves(end: End, token: String) -> anyhow::Result<()> {
    let mut child = start_child(waits(token.clone()));
    let free = start_child(waits(format!("{token}:free"))).detach();
    let mut told = create_hook::<()>().token(format!("{token}:told")).await?;
    free.await?;
    select! {
        _ = &mut child => anyhow::bail!("the child has ended"),
        told = told.recv() => told?,
    }
    match end {
        End::Fails => anyhow::bail!("as asked"),
        End::Returns | End::IsCancelled | End::IsTerminated => Ok(()),
    }
}

async fn every_end_of_a_parent_cancels_its_children(stage: Stage) {
    let rewake = stage.open().await;
    for end in [
        End::Returns,
        End::Fails,
        End::IsCancelled,
        End::IsTerminated,
    ] {
        let token = format!("leave:{end:?}");
        let run = rewake.start(leaves(end, token.clone())).await.unwrap();
        let child = rewake.get_run::<u64>(hook(&rewake, &token).await.run_id);
        let free = hook(&rewake, &format!("{token}:free")).await;
        match end {
            End::Returns | End::Fails => {
                let told = format!("{token}:told");
                hook(&rewake, &told).await;
                // `()` is null, which is no payload; the type of the hook reads any value as it.
                let told = rewake.resume_hook(told, &Vec::<u8>::new()).await;
                assert!(told.unwrap().is_some());
            }
            End::IsCancelled => assert!(run.cancel("enough").await.unwrap()),
            End::IsTerminated => assert!(run.terminate("enough").await.unwrap()),
        }
        let _ended = run.result().await;
        let Err(RunError::Cancelled { reason, .. }) = child.result().await else {
            panic!("{end:?}: the child goes on");
        };
        assert_eq!(reason, Some(format!("its parent `{}` has ended", run.id())));
        let free = rewake.get_run::<u64>(free.run_id);
        assert_eq!(free.status().await.unwrap(), RunStatus::Running);
        free.terminate("the test is over").await.unwrap();
    }
}

#[workflow]
async fn nests(depth: u64, token: String) -> anyhow::Result<u64> {
    if depth == 0 {
        return Ok(start_child(waits(token)).await?);
    }
    Ok(start_child(nests(depth - 1, token)).await? + 1)
}

async fn the_end_of_a_parent_reaches_grandchildren(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(nests(4, "deep".into())).await.unwrap();
    let last = rewake.get_run::<u64>(hook(&rewake, "deep").await.run_id);
    assert!(run.terminate("enough").await.unwrap());
    let error = last.result().await.unwrap_err();
    assert!(matches!(error, RunError::Cancelled { .. }), "{error}");
    let mut parent = run.id();
    for _ in 0..5 {
        let [child] = children(&rewake, parent).await[..] else {
            panic!("one child each");
        };
        let ended = rewake.get_run::<u64>(child).result().await.unwrap_err();
        assert!(matches!(ended, RunError::Cancelled { .. }), "{ended}");
        parent = child;
    }
}

#[workflow]
async fn drops_a_child(token: String) -> anyhow::Result<u64> {
    let mut go_on = create_hook::<u64>().token(format!("{token}:on")).await?;
    let first = select! {
        ended = start_child(waits(token.clone())) => ended?,
        told = go_on.recv() => told?,
    };
    Ok(first + go_on.recv().await?)
}

async fn a_child_whose_future_was_dropped_goes_on_and_stays_attached(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(drops_a_child("race".into())).await.unwrap();
    let child = rewake.get_run::<u64>(hook(&rewake, "race").await.run_id);
    resume(&rewake, "race:on", &1).await;
    let child_of = |view: rewake::RunView| view.children;
    while count(&rewake, &run, "hook_received").await < 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(child.status().await.unwrap(), RunStatus::Running);
    assert_eq!(run.snapshot().await.map(child_of), Ok(1));
    resume(&rewake, "race:on", &2).await;
    assert_eq!(run.result().await.unwrap(), 3);
    let error = child.result().await.unwrap_err();
    assert!(matches!(error, RunError::Cancelled { .. }), "{error}");
}

async fn a_child_that_lost_a_race_does_not_disturb_what_follows(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(drops_a_child("lost".into())).await.unwrap();
    hook(&rewake, "lost").await;
    resume(&rewake, "lost:on", &1).await;
    logged(&rewake, &run, "hook_received", 1).await;
    resume(&rewake, "lost", &50).await;
    // Its result is recorded and ignored.
    logged(&rewake, &run, "step_completed", 1).await;
    assert_eq!(run.snapshot().await.unwrap().children, 0);
    resume(&rewake, "lost:on", &2).await;
    assert_eq!(run.result().await.unwrap(), 3);
}

async fn a_parent_is_told_why_it_waits(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(nests(1, "why".into())).await.unwrap();
    hook(&rewake, "why").await;
    let [expected] = children(&rewake, run.id()).await[..] else {
        panic!("one child");
    };
    let why = run.why().await.unwrap();
    let [
        Reason::Child {
            run_id, workflow, ..
        },
    ] = &why.reasons[..]
    else {
        panic!("{why:?}");
    };
    assert_eq!(*run_id, expected);
    assert!(workflow.ends_with("::nests"), "{workflow}");
    let json = serde_json::to_value(&why).unwrap();
    assert_eq!(json["reasons"][0]["kind"], "child");
    assert_eq!(json["reasons"][0]["runId"], expected.to_string());
    resume(&rewake, "why", &1).await;
    assert_eq!(run.result().await.unwrap(), 2);
}

#[workflow]
async fn works_deep(depth: u64) -> anyhow::Result<u64> {
    let own = work(depth).await?;
    if depth == 0 {
        return Ok(own);
    }
    let calls = (0..2).map(|_| start_child(works_deep(depth - 1)));
    let children: Result<Vec<u64>, _> = join_all(calls).await.into_iter().collect();
    Ok(own + children?.into_iter().sum::<u64>())
}

async fn nesting_needs_no_place_for_a_step(stage: Stage) {
    let rewake = stage.builder().max_steps(1).build().await.unwrap();
    let run = rewake.start(works_deep(5)).await.unwrap();
    // 2⁵ + 2·2⁴ … of them at each depth.
    let expected: u64 = (0..=5).map(|depth| depth * 10 * (1 << (5 - depth))).sum();
    assert_eq!(run.result().await.unwrap(), expected);
}

#[workflow]
async fn has_many(n: u64) -> anyhow::Result<u64> {
    let children = (0..n).map(|n| start_child(sums(vec![n])));
    let results: Result<Vec<u64>, _> = join_all(children).await.into_iter().collect();
    Ok(results?.into_iter().sum())
}

async fn many_children_of_one_parent_all_report(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(has_many(100)).await.unwrap();
    assert_eq!(run.result().await.unwrap(), 4_950);
    assert_eq!(count(&rewake, &run, "step_completed").await, 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_children_that_are_asked_for_at_once_begin_with_one_append() {
    in_time(async {
        let stage = Stage::in_a_file();
        let rewake = stage.open().await;
        let run = rewake.start(has_many(1_000)).await.unwrap();
        assert_eq!(run.result().await.unwrap(), 499_500);
        let log = log(&rewake, &run).await;
        let began = log.iter().filter_map(|event| match &event.kind {
            EventKind::StepCreated { .. } => Some(u128::from_be_bytes(event.id.to_bytes())),
            _ => None,
        });
        let began: Vec<_> = began.collect();
        // The ids of an append count up from that of its first event.
        let counts_up = |ids: &[u128]| ids[1] == ids[0] + 1;
        assert!(began.windows(2).all(counts_up));
        assert_eq!(began.len(), 1_000);
        assert_eq!(count(&rewake, &run, "step_completed").await, 1_000);
    })
    .await;
}

#[workflow]
async fn panics_while_it_waits(token: String) -> anyhow::Result<u64> {
    let mut child = start_child(waits(token.clone()));
    let mut told = create_hook::<u64>().token(format!("{token}:told")).await?;
    select! {
        ended = &mut child => Ok(ended?),
        told = told.recv() => panic!("told {told:?}"),
    }
}

async fn a_parent_that_is_parked_takes_the_result_later(stage: Stage) {
    let rewake = stage.builder().build_id("old").build().await.unwrap();
    let run = rewake.start(panics_while_it_waits("p".into()));
    let run = run.await.unwrap();
    let child = rewake.get_run::<u64>(hook(&rewake, "p").await.run_id);
    resume(&rewake, "p:told", &1).await;
    let (code, _) = crate::stage::parked(&run).await;
    assert_eq!(code, "WORKFLOW_PANICKED");
    resume(&rewake, "p", &5).await;
    assert_eq!(child.result().await.unwrap(), 5);
    // Nothing is recorded on its behalf, and nothing is lost.
    assert_eq!(count(&rewake, &run, "step_completed").await, 0);
    assert_eq!(run.snapshot().await.unwrap().children, 1);
    assert!(run.terminate("enough").await.unwrap());
    assert_eq!(count(&rewake, &child, "run_cancel_requested").await, 0);
}

/// A process that is killed wherever it stands; the next one brings everything to its end.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_process_leaves_the_next_one_brings_to_its_end() {
    in_time(async {
        let stage = Stage::in_a_file();
        let rewake = stage.open().await;
        let run = rewake.start(has_many(40)).await.unwrap();
        let mut killed = Vec::new();
        for events in [2, 3, 10, 30, 42, 60] {
            while log(&rewake, &run).await.len() < events {
                tokio::task::yield_now().await;
            }
            killed.push(stage.killed());
        }
        run.result().await.unwrap();
        killed.push(stage.killed());
        for killed in killed {
            let rewake = killed.open().await;
            let run = rewake.get_run::<u64>(run.id());
            assert_eq!(run.result().await.unwrap(), 780);
            assert_eq!(count(&rewake, &run, "step_completed").await, 40);
            assert_eq!(children(&rewake, run.id()).await.len(), 40);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn outside_a_workflow_a_child_is_an_error_that_says_so() {
    assert_eq!(start_child(works(1)).await, Err(RunError::NotInWorkflow));
    let detached = start_child(works(1)).detach().await;
    assert_eq!(detached, Err(RunError::NotInWorkflow));
}

#[workflow]
async fn sends_too_much() -> anyhow::Result<String> {
    let error = start_child(waits("t".repeat(2 << 20))).await.unwrap_err();
    let RunError::NotEncodable { reason } = error else {
        anyhow::bail!("{error}");
    };
    Ok(reason)
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_that_are_too_long_begin_no_child() {
    in_time(async {
        let stage = Stage::in_memory();
        let rewake = stage.open().await;
        let run = rewake.start(sends_too_much()).await.unwrap();
        let reason = run.result().await.unwrap();
        assert!(reason.contains("the child's arguments have"), "{reason}");
        assert_eq!(children(&rewake, run.id()).await, []);
    })
    .await;
}

/// Waits for one child inside a shield, and for another outside.
#[workflow]
async fn shields(inside: String, outside: String) -> anyhow::Result<u64> {
    let inside = shield(async move {
        let got = start_child(waits(inside)).await?;
        Ok::<u64, anyhow::Error>(work(got).await?)
    });
    let outside = start_child(waits(outside));
    let (inside, outside) = futures::join!(inside, outside);
    Ok(inside? + outside?)
}

async fn a_cancelled_parent_finishes_the_shield_that_waits_for_a_child(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake
        .start(shields("inside".into(), "outside".into()))
        .await
        .unwrap();
    let inside = rewake.get_run::<u64>(hook(&rewake, "inside").await.run_id);
    let outside = rewake.get_run::<u64>(hook(&rewake, "outside").await.run_id);
    assert!(run.cancel("enough").await.unwrap());
    // No child is asked to end before the shield has ended, and the parent with it.
    resume(&rewake, "inside", &7_u64).await;
    assert_eq!(inside.result().await.unwrap(), 7);
    let ended = run.result().await.unwrap_err();
    assert!(matches!(ended, RunError::Cancelled { .. }), "{ended}");
    assert_eq!(stage.probe.times("work 7"), 1);
    let ended = outside.result().await.unwrap_err();
    assert!(matches!(ended, RunError::Cancelled { .. }), "{ended}");
    let names = events(&rewake, &outside).await;
    let last = ["run_cancel_requested", "hook_disposed", "run_cancelled"];
    assert_eq!(names[names.len() - 3..], last, "{names:?}");
}
