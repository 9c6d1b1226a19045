//! Workflows that cannot be followed: each is parked, with its name and what to write instead, and
//! its hooks still take payloads. What is foreign to it is in `foreign`, changed code in `changes`.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rewake::prelude::*;
use rewake::{RunId, RunStatus};

use crate::probe::Probe;
use crate::stage::{Stage, count, hook, log, on_every_stage, parked, resume};

on_every_stage!(
    a_panic_parks_the_run_with_its_message_and_place,
    the_hooks_of_a_parked_run_still_take_payloads,
    a_build_that_fits_lets_the_run_go_on,
    awaiting_nothing_parks,
    being_woken_from_elsewhere_parks,
    a_workflow_that_asks_a_global_parks_at_its_first_rest,
    a_workflow_that_takes_other_payloads_each_time_parks,
    a_global_that_shows_in_a_later_replay_is_told_from_changed_code,
    changed_code_parks_where_it_parts_from_the_log,
    a_destructor_that_panics_is_nobodys_business,
);

#[workflow]
async fn panics(token: String) -> anyhow::Result<()> {
    let mut hook = create_hook::<u64>().token(token).await?;
    let n = hook.recv().await?;
    assert!(n < 5, "{n} is too much");
    Ok(())
}

async fn a_panic_parks_the_run_with_its_message_and_place(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(panics("t".into())).await.unwrap();
    resume(&rewake, "t", &7).await;
    let (code, reason) = parked(&run).await;
    assert_eq!(code, "WORKFLOW_PANICKED");
    assert!(
        reason.contains("workflow `runs::parking::panics`"),
        "{reason}"
    );
    assert!(reason.contains("event 4"), "{reason}");
    assert!(reason.contains("7 is too much"), "{reason}");
    assert!(
        reason.contains("crates/rewake/tests/runs/parking.rs:"),
        "{reason}"
    );
    assert_eq!(run.status().await.unwrap(), RunStatus::Running);
    let snapshot = run.snapshot().await.unwrap();
    assert_eq!(snapshot.parked.unwrap().reason, reason);
    assert_eq!(count(&rewake, &run, "run_failed").await, 0);
}

async fn the_hooks_of_a_parked_run_still_take_payloads(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(panics("t".into())).await.unwrap();
    resume(&rewake, "t", &7).await;
    parked(&run).await;
    let before = count(&rewake, &run, "hook_received").await;
    let taken = rewake.resume_hook("t", &1).await.unwrap();
    assert_eq!(taken.expect("the hook lives").run_id, run.id());
    assert_eq!(count(&rewake, &run, "hook_received").await, before + 1);
    parked(&run).await;
}

/// What this build's code does; a test changes it as a deployment would.
static BUILD: AtomicUsize = AtomicUsize::new(0);

#[workflow]
async fn is_mended(token: String) -> anyhow::Result<Vec<u64>> {
    let mut hook = create_hook::<u64>().token(token).await?;
    let first = hook.recv().await?;
    let broken = provided_build(first);
    assert!(!broken, "this build is broken");
    Ok(vec![first, hook.recv().await?])
}

fn provided_build(stage: u64) -> bool {
    BUILD.load(Ordering::SeqCst) & (1 << stage) == 0
}

async fn a_build_that_fits_lets_the_run_go_on(stage: Stage) {
    // Each stage has a bit of its own, since tests run at the same time.
    let own = u64::try_from(NEXT.fetch_add(1, Ordering::SeqCst)).unwrap();
    let rewake = stage.builder().build_id("broken").build().await.unwrap();
    let run = rewake.start(is_mended("t".into())).await.unwrap();
    resume(&rewake, "t", &own).await;
    parked(&run).await;
    rewake
        .resume_hook("t", &2)
        .await
        .unwrap()
        .expect("it lives");
    rewake.shutdown(Duration::ZERO).await.unwrap();

    // The same build does not try again.
    let rewake = stage.builder().build_id("broken").build().await.unwrap();
    let run = rewake.get_run::<Vec<u64>>(run.id());
    parked(&run).await;
    rewake.shutdown(Duration::ZERO).await.unwrap();

    BUILD.fetch_or(1 << own, Ordering::SeqCst);
    let rewake = stage.builder().build_id("mended").build().await.unwrap();
    let run = rewake.get_run::<Vec<u64>>(run.id());
    let result = loop {
        // Until the new build has replayed it, it is still parked.
        match run.result().await {
            Err(RunError::Parked { .. }) => tokio::task::yield_now().await,
            other => break other.unwrap(),
        }
    };
    assert_eq!(result, [own, 2]);
}

static NEXT: AtomicUsize = AtomicUsize::new(0);

#[workflow]
async fn waits_for_nothing() -> anyhow::Result<()> {
    sleep(Duration::ZERO).await;
    std::future::pending().await
}

async fn awaiting_nothing_parks(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(waits_for_nothing()).await.unwrap();
    let (code, _) = parked(&run).await;
    assert_eq!(code, "NOTHING_TO_WAIT_FOR");
    assert_eq!(run.status().await.unwrap(), RunStatus::Running);
}

#[workflow]
async fn is_woken_from_elsewhere() -> anyhow::Result<u64> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let thread = std::thread::Builder::new().name("elsewhere".into());
    thread.spawn(move || {
        // When the run rests, with a sleep open beside.
        std::thread::park_timeout(Duration::from_millis(30));
        let _received = sender.send(1);
    })?;
    select! {
        n = receiver => Ok(n?),
        () = sleep(hours(1)) => Ok(2),
    }
}

async fn being_woken_from_elsewhere_parks(stage: Stage) {
    // A run that is evicted has let go of what would wake it.
    let rewake = stage
        .builder()
        .memory_budget(1 << 20)
        .build()
        .await
        .unwrap();
    let run = rewake.start(is_woken_from_elsewhere()).await.unwrap();
    let (code, reason) = parked_at_last(&run).await;
    assert_eq!(code, "FOREIGN_AWAIT");
    assert!(
        reason.contains("runs::parking::is_woken_from_elsewhere"),
        "{reason}"
    );
    assert!(reason.contains("everything else in a step"), "{reason}");
}

async fn parked_at_last<T: std::fmt::Debug + serde::de::DeserializeOwned>(
    run: &Run<T>,
) -> (String, String) {
    parked(run).await
}

/// The runs whose code has asked before: what a workflow must not know.
static ASKED: Mutex<BTreeSet<RunId>> = Mutex::new(BTreeSet::new());

fn asks_for_the_first_time() -> bool {
    ASKED.lock().unwrap().insert(workflow_metadata().run_id)
}

#[step]
async fn goes(way: usize) -> Result<usize, std::convert::Infallible> {
    Ok(way)
}

#[step]
async fn goes_elsewhere() -> Result<usize, std::convert::Infallible> {
    Ok(0)
}

#[workflow]
async fn asks_a_global() -> anyhow::Result<usize> {
    if asks_for_the_first_time() {
        Ok(goes(1).await?)
    } else {
        Ok(goes_elsewhere().await?)
    }
}

async fn a_workflow_that_asks_a_global_parks_at_its_first_rest(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(asks_a_global()).await.unwrap();
    let (code, reason) = parked(&run).await;
    assert_eq!(code, "NONDETERMINISTIC");
    assert!(reason.contains("runs::parking::asks_a_global"), "{reason}");
}

#[workflow]
async fn asks_a_global_and_waits(token: String) -> anyhow::Result<usize> {
    let n = if asks_for_the_first_time() {
        goes(1).await?
    } else {
        goes_elsewhere().await?
    };
    create_hook::<u64>().token(token).await?.recv().await?;
    Ok(n)
}

/// As a release build has it, which replays a run only where it must.
async fn a_global_that_shows_in_a_later_replay_is_told_from_changed_code(stage: Stage) {
    let open = || stage.builder().verify(false).build_id("one").build();
    let rewake = open().await.unwrap();
    let run = rewake.start(asks_a_global_and_waits("t".into())).await;
    let run = run.unwrap();
    hook(&rewake, "t").await;
    rewake.shutdown(Duration::ZERO).await.unwrap();

    let rewake = open().await.unwrap();
    let run = rewake.get_run::<usize>(run.id());
    resume(&rewake, "t", &1).await;
    let (code, reason) = parked(&run).await;
    assert_eq!(code, "REPLAY_PARTED");
    assert_eq!(
        reason,
        "workflow `runs::parking::asks_a_global_and_waits`, event 3: at event 3 the log has step \
         `runs::parking::goes`, but the workflow asked for step `runs::parking::goes_elsewhere`; this \
         very build began the run, so most likely it is not the code that has changed: a clock, a \
         random number, an unordered map or global state decided which way to go; use `rewake::now`, \
         `rewake::random` and ordered maps, and ask everything else in a step"
    );
}

#[step]
async fn waits_at_the_gate(#[provided] probe: Probe) -> anyhow::Result<()> {
    probe.note("waits");
    probe.pass().await;
    Ok(())
}

#[workflow]
async fn reads_now_and_then(token: String) -> anyhow::Result<u64> {
    let mut hook = create_hook::<u64>().token(token).await?;
    waits_at_the_gate().await?;
    let n = if asks_for_the_first_time() {
        hook.recv().await?
    } else {
        0
    };
    sleep(hours(1)).await;
    Ok(n)
}

async fn a_workflow_that_takes_other_payloads_each_time_parks(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(reads_now_and_then("t".into())).await.unwrap();
    resume(&rewake, "t", &1).await;
    stage.probe.open(1);
    let (code, _) = parked(&run).await;
    assert_eq!(code, "NONDETERMINISTIC");
}

#[step]
async fn old_way() -> Result<u64, std::convert::Infallible> {
    Ok(1)
}

#[step]
async fn new_way() -> Result<u64, std::convert::Infallible> {
    Ok(2)
}

static DEPLOYED: AtomicUsize = AtomicUsize::new(0);

#[workflow]
async fn is_deployed_anew(token: String, own: u32) -> anyhow::Result<u64> {
    let n = if DEPLOYED.load(Ordering::SeqCst) & (1 << own) == 0 {
        old_way().await?
    } else {
        new_way().await?
    };
    Ok(n + create_hook::<u64>().token(token).await?.recv().await?)
}

async fn changed_code_parks_where_it_parts_from_the_log(stage: Stage) {
    let own = u32::try_from(NEXT.fetch_add(1, Ordering::SeqCst)).unwrap();
    let rewake = stage.open().await;
    let run = rewake
        .start(is_deployed_anew("t".into(), own))
        .await
        .unwrap();
    hook(&rewake, "t").await;
    rewake.shutdown(Duration::ZERO).await.unwrap();

    DEPLOYED.fetch_or(1 << own, Ordering::SeqCst);
    let rewake = stage.builder().build_id("new").build().await.unwrap();
    let run = rewake.get_run::<u64>(run.id());
    let before = log(&rewake, &run).await;
    rewake
        .resume_hook("t", &5)
        .await
        .unwrap()
        .expect("it lives");
    let (code, reason) = parked(&run).await;
    assert_eq!(code, "REPLAY_PARTED");
    assert!(reason.contains("at event 3"), "{reason}");
    assert!(reason.contains("step `runs::parking::old_way`"), "{reason}");
    assert!(reason.contains("step `runs::parking::new_way`"), "{reason}");
    let after = log(&rewake, &run).await;
    assert_eq!(
        after.len(),
        before.len() + 1,
        "only the payload was appended"
    );
    assert_eq!(after[..before.len()], before);
    rewake.shutdown(Duration::ZERO).await.unwrap();

    // The old code again: the run goes on where it was, with the payload.
    DEPLOYED.fetch_and(!(1 << own), Ordering::SeqCst);
    let rewake = stage.builder().build_id("old again").build().await.unwrap();
    let run = rewake.get_run::<u64>(run.id());
    let result = loop {
        match run.result().await {
            Err(RunError::Parked { .. }) => tokio::task::yield_now().await,
            other => break other.unwrap(),
        }
    };
    assert_eq!(result, 6);
}

struct Spiteful;

impl Drop for Spiteful {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "a destructor panics");
    }
}

#[workflow]
async fn is_spiteful(token: String) -> anyhow::Result<u64> {
    let spiteful = Spiteful;
    let n = create_hook::<u64>().token(token).await?.recv().await?;
    #[expect(
        clippy::mem_forget,
        reason = "its destructor must only run where the body is dropped"
    )]
    std::mem::forget(spiteful);
    Ok(n)
}

async fn a_destructor_that_panics_is_nobodys_business(stage: Stage) {
    // Eviction and verification drop bodies that the workflow has not finished with.
    let rewake = stage.open().await;
    let run = rewake.start(is_spiteful("t".into())).await.unwrap();
    resume(&rewake, "t", &3).await;
    assert_eq!(run.result().await.unwrap(), 3);
}
