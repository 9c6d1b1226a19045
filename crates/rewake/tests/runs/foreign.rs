//! Workflows that await what is not durable. Each is parked with the place and with what to write
//! instead, and each message is pinned here.
//!
//! A call that blocks its thread is seen by the clock, which these tests do not hold: it is in the
//! runtime's own tests.

use std::convert::Infallible;
use std::thread;

use futures::executor::block_on;
use futures::future::join_all;
use rewake::prelude::*;
use tokio::net::TcpStream;

use crate::probe::Probe;
use crate::stage::{Stage, count, on_every_stage, parked, resume};

on_every_stage!(
    a_timer_of_tokios,
    a_timer_of_tokios_beside_a_sleep,
    a_timeout_of_tokios,
    a_socket,
    a_spawned_task,
    a_thread_of_tokios_for_blocking_calls,
    a_step_awaited_on_another_thread,
    a_sleep_awaited_on_another_thread,
    a_hook_awaited_on_another_thread,
    a_step_awaited_on_another_thread_beside_a_sleep,
    a_channel_that_nobody_answers,
    a_future_that_wakes_itself_for_ever,
    a_loop_that_yields_for_ever,
    a_loop_that_yields_99_999_times_between_two_calls_goes_on,
    a_race_of_tokios_between_what_is_ready_at_once,
    a_race_in_written_order_between_what_is_ready_at_once_goes_on,
);

/// What is said about every use of tokio's runtime, with the place and words of tokio's own panic.
fn used_tokio(workflow: &str, panic: &str) -> String {
    format!(
        "workflow `runs::foreign::{workflow}`, event 2: the workflow asked tokio for a timer, a socket \
         or a task (at {panic}); in a workflow use `rewake::sleep`, await only steps, hooks, sleeps \
         and child runs, and do everything else in a step"
    )
}

/// Asserts that a run is parked as using tokio at a line of this file, or inside of tokio.
fn assert_used_tokio((code, reason): (String, String), workflow: &str, words: &str) {
    assert_eq!(code, "FOREIGN_AWAIT");
    let place = reason.split_once("(at ").unwrap().1;
    let (place, _) = place.split_once(": ").unwrap();
    assert_eq!(reason, used_tokio(workflow, &format!("{place}: {words}")));
    assert!(
        place.ends_with(|last: char| last.is_ascii_digit()),
        "{place}"
    );
}

const NO_TIMERS: &str =
    "there is no reactor running, must be called from the context of a Tokio 1.x runtime";

#[workflow]
async fn sleeps_on_tokio() -> anyhow::Result<()> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the mistake that is to be reported"
    )]
    tokio::time::sleep(seconds(1)).await;
    Ok(())
}

async fn a_timer_of_tokios(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(sleeps_on_tokio()).await.unwrap();
    let told = parked(&run).await;
    assert!(
        told.1.contains("foreign.rs:"),
        "the place is the user's: {}",
        told.1
    );
    assert_used_tokio(told, "sleeps_on_tokio", NO_TIMERS);
}

#[workflow]
async fn races_tokios_timer() -> anyhow::Result<u64> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the mistake that is to be reported"
    )]
    let timer = tokio::time::sleep(seconds(1));
    select! {
        () = sleep(hours(1)) => Ok(1),
        () = timer => Ok(2),
    }
}

async fn a_timer_of_tokios_beside_a_sleep(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(races_tokios_timer()).await.unwrap();
    assert_used_tokio(parked(&run).await, "races_tokios_timer", NO_TIMERS);
}

#[workflow]
async fn times_out_on_tokio(token: String) -> anyhow::Result<u64> {
    let mut hook = create_hook::<u64>().token(token).await?;
    Ok(tokio::time::timeout(seconds(1), hook.recv()).await??)
}

async fn a_timeout_of_tokios(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(times_out_on_tokio("t".into())).await.unwrap();
    let (code, reason) = parked(&run).await;
    let reason = reason.replace("event 3", "event 2");
    assert_used_tokio((code, reason), "times_out_on_tokio", NO_TIMERS);
}

#[workflow]
async fn connects() -> anyhow::Result<()> {
    let _connection = TcpStream::connect("127.0.0.1:9").await?;
    Ok(())
}

async fn a_socket(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(connects()).await.unwrap();
    assert_used_tokio(parked(&run).await, "connects", NO_TIMERS);
}

#[workflow]
async fn spawns() -> anyhow::Result<()> {
    Ok(tokio::spawn(async {}).await?)
}

async fn a_spawned_task(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(spawns()).await.unwrap();
    assert_used_tokio(parked(&run).await, "spawns", NO_TIMERS);
}

#[workflow]
async fn spawns_blocking() -> anyhow::Result<()> {
    Ok(tokio::task::spawn_blocking(|| ()).await?)
}

async fn a_thread_of_tokios_for_blocking_calls(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(spawns_blocking()).await.unwrap();
    assert_used_tokio(parked(&run).await, "spawns_blocking", NO_TIMERS);
}

#[step]
async fn adds_one(n: u64) -> Result<u64, Infallible> {
    Ok(n + 1)
}

/// What is said where a call was awaited in a place that is not the workflow's own.
fn awaited_elsewhere(workflow: &str, event: u64, what: &str) -> String {
    format!(
        "workflow `runs::foreign::{workflow}`, event {event}: {what} was awaited outside the workflow \
         that wrote it, in a spawned task or on another thread; await it in the workflow itself, and \
         use `join!` or `FuturesUnordered` to wait for several at once"
    )
}

#[workflow]
async fn sends_a_step_away() -> anyhow::Result<u64> {
    let call = adds_one(1);
    let thread = thread::spawn(move || block_on(call));
    Ok(thread.join().unwrap()?)
}

async fn a_step_awaited_on_another_thread(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(sends_a_step_away()).await.unwrap();
    let (code, reason) = parked(&run).await;
    assert_eq!(code, "FOREIGN_AWAIT");
    assert_eq!(
        reason,
        awaited_elsewhere("sends_a_step_away", 2, "a step call")
    );
    assert_eq!(count(&rewake, &run, "step_created").await, 0);
}

#[workflow]
async fn sends_a_sleep_away() -> anyhow::Result<()> {
    let nap = sleep(hours(1));
    let thread = thread::spawn(move || block_on(nap));
    // That the other thread has panicked need not become a panic here.
    let _panicked = thread.join();
    Ok(())
}

async fn a_sleep_awaited_on_another_thread(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(sends_a_sleep_away()).await.unwrap();
    let (code, reason) = parked(&run).await;
    assert_eq!(code, "FOREIGN_AWAIT");
    assert_eq!(
        reason,
        awaited_elsewhere("sends_a_sleep_away", 2, "a sleep")
    );
}

#[workflow]
async fn sends_a_hook_away(token: String) -> anyhow::Result<()> {
    let mut hook = create_hook::<u64>().token(token).await?;
    let thread = thread::spawn(move || block_on(hook.recv()));
    let _panicked = thread.join();
    Ok(())
}

async fn a_hook_awaited_on_another_thread(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(sends_a_hook_away("t".into())).await.unwrap();
    let (code, reason) = parked(&run).await;
    assert_eq!(code, "FOREIGN_AWAIT");
    assert_eq!(reason, awaited_elsewhere("sends_a_hook_away", 3, "a hook"));
}

/// The thread answers while the workflow rests: it is woken from there, and what is said is what the
/// thread did.
#[workflow]
async fn sends_a_step_away_and_rests() -> anyhow::Result<u64> {
    let call = adds_one(1);
    let (sender, receiver) = tokio::sync::oneshot::channel();
    thread::spawn(move || {
        thread::park_timeout(std::time::Duration::from_millis(30));
        let _received = sender.send(block_on(call));
    });
    select! {
        n = receiver => Ok(n??),
        () = sleep(hours(1)) => Ok(2),
    }
}

async fn a_step_awaited_on_another_thread_beside_a_sleep(stage: Stage) {
    // A run that is evicted has let go of what would wake it.
    let builder = stage.builder().memory_budget(1 << 20).verify(false);
    let rewake = builder.build().await.unwrap();
    let run = rewake.start(sends_a_step_away_and_rests()).await.unwrap();
    let (code, reason) = parked(&run).await;
    assert_eq!(code, "FOREIGN_AWAIT");
    assert_eq!(
        reason,
        awaited_elsewhere("sends_a_step_away_and_rests", 3, "a step call")
    );
}

#[workflow]
async fn waits_on_a_channel() -> anyhow::Result<u64> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let result = receiver.await?;
    drop::<tokio::sync::oneshot::Sender<u64>>(sender);
    Ok(result)
}

async fn a_channel_that_nobody_answers(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(waits_on_a_channel()).await.unwrap();
    let (code, reason) = parked(&run).await;
    assert_eq!(code, "NOTHING_TO_WAIT_FOR");
    assert_eq!(
        reason,
        "workflow `runs::foreign::waits_on_a_channel`, event 2: the workflow waits for something that \
         is not durable: no step, hook, sleep or child run of it is open; do the waiting in a step, or \
         use `rewake::sleep` or a hook"
    );
}

/// What is said about a workflow that never comes to rest.
fn busy(workflow: &str) -> String {
    format!(
        "workflow `runs::foreign::{workflow}`, event 2: the workflow was polled 100000 times in a row \
         without asking for anything new: it is in a busy loop; let it wait for a step, a hook or a \
         sleep"
    )
}

#[workflow]
async fn wakes_itself() -> anyhow::Result<()> {
    futures::future::poll_fn(|cx| {
        cx.waker().wake_by_ref();
        std::task::Poll::<()>::Pending
    })
    .await;
    Ok(())
}

async fn a_future_that_wakes_itself_for_ever(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(wakes_itself()).await.unwrap();
    let (code, reason) = parked(&run).await;
    assert_eq!((code.as_str(), reason), ("BUSY_LOOP", busy("wakes_itself")));
}

#[workflow]
async fn yields(times: u64) -> anyhow::Result<u64> {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
    let n = adds_one(0).await?;
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
    Ok(n)
}

async fn a_loop_that_yields_for_ever(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(yields(100_000)).await.unwrap();
    let (code, reason) = parked(&run).await;
    assert_eq!((code.as_str(), reason), ("BUSY_LOOP", busy("yields")));
}

async fn a_loop_that_yields_99_999_times_between_two_calls_goes_on(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(yields(99_999)).await.unwrap();
    assert_eq!(run.result().await.unwrap(), 1);
}

#[step]
async fn went_left() -> Result<(), Infallible> {
    Ok(())
}

#[step]
async fn went_right() -> Result<(), Infallible> {
    Ok(())
}

#[step]
async fn waits_at_the_gate(#[provided] probe: Probe) -> Result<(), Infallible> {
    probe.pass().await;
    Ok(())
}

const ROUNDS: usize = 40;

/// Calls a step of the side on which a payload was taken, round by round.
macro_rules! race {
    ($name:ident, $($select:tt)*) => {
        #[workflow]
        async fn $name(token: String) -> anyhow::Result<usize> {
            let mut left = create_hook::<u64>().token(format!("{token}/left")).await?;
            let mut right = create_hook::<u64>().token(format!("{token}/right")).await?;
            waits_at_the_gate().await?;
            let mut went = Vec::new();
            for _ in 0..ROUNDS {
                went.push($($select)*! {
                    _ = left.recv() => went_left(),
                    _ = right.recv() => went_right(),
                });
            }
            Ok(join_all(went).await.len())
        }
    };
}

race!(races_on_tokio, tokio::select);
race!(races_in_written_order, rewake::select);

async fn a_race_of_tokios_between_what_is_ready_at_once(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(races_on_tokio("t".into())).await.unwrap();
    for n in 0..ROUNDS {
        resume(&rewake, "t/left", &n).await;
        resume(&rewake, "t/right", &n).await;
    }
    stage.probe.open(1);
    let (code, reason) = parked(&run).await;
    assert_eq!(code, "NONDETERMINISTIC", "{reason}");
    let (_, reason) = reason.split_once(": ").unwrap();
    let (before, after) = reason
        .split_once("the run itself asked for step `runs::foreign::went_")
        .unwrap();
    assert_eq!(
        before,
        "the replay of the log went another way than the run itself: "
    );
    let (_, after) = after
        .split_once("its replay asked for step `runs::foreign::went_")
        .unwrap();
    let (_, after) = after.split_once("; ").unwrap();
    assert_eq!(
        after,
        "which way a workflow goes may depend on its arguments and on what it awaited alone: use \
         `rewake::now`, `rewake::random`, ordered maps and `rewake::select!` (that of tokio's polls in \
         random order), and ask everything else in a step"
    );
}

async fn a_race_in_written_order_between_what_is_ready_at_once_goes_on(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake
        .start(races_in_written_order("t".into()))
        .await
        .unwrap();
    for n in 0..ROUNDS {
        resume(&rewake, "t/left", &n).await;
        resume(&rewake, "t/right", &n).await;
    }
    stage.probe.open(1);
    assert_eq!(run.result().await.unwrap(), ROUNDS);
}
