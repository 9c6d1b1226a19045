//! The workflow in memory: the scripted model, a shop that is mocked, and days that pass at once.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use rewake::prelude::*;
use rewake::testing::{TestRewake, TestRewakeBuilder, crash_everywhere};
use tempfile::TempDir;

use crate::agent::{APPROVAL, Entry, TURNS, Verdict, agent, think, use_tool};
use crate::model::{Model, Reply, Scripted};
use crate::shop::{Journal, Shop, ToolCall};

const TASK: &str = "Order 1042 arrived broken. The customer wants the money back.";
const LOOK_UP: ToolCall = ToolCall::LookUp { order: 1_042 };
const REFUND: ToolCall = ToolCall::Refund {
    order: 1_042,
    cents: 4_990,
};
const VOUCHER: ToolCall = ToolCall::SendVoucher {
    order: 1_042,
    cents: 2_495,
};

/// A shop where everything is done at once.
fn outcome(call: &ToolCall) -> String {
    let outcome = match call {
        ToolCall::LookUp { .. } => "4990 cents were paid for it",
        ToolCall::Refund { .. } => "the money is on its way",
        ToolCall::SendVoucher { .. } => "the voucher is sent",
    };
    outcome.to_owned()
}

/// The scripted model, and the mocked shop.
fn scene() -> TestRewakeBuilder {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let model: Arc<dyn Model> = Arc::new(Scripted {
        journal: journal(&folder),
        thinks: Duration::ZERO,
    });
    TestRewake::builder()
        .provide(model)
        // It is there for as long as the handle is.
        .provide(folder)
        .mock(use_tool, |(call,)| Ok(outcome(&call)))
}

fn journal(folder: &TempDir) -> Journal {
    Journal::beside(&folder.path().join("agent.db"))
}

fn no(why: &str) -> Verdict {
    Verdict::No(why.to_owned())
}

fn did(call: ToolCall, outcome: &str) -> Entry {
    let outcome = outcome.to_owned();
    Entry::Did { call, outcome }
}

/// The transcript of all that happens between the task and the answer.
fn transcript<const N: usize>(did: [Entry; N], answer: &str) -> Vec<Entry> {
    let looked_up = self::did(LOOK_UP, "4990 cents were paid for it");
    let mut transcript = vec![Entry::Task(TASK.to_owned()), looked_up];
    transcript.extend(did);
    transcript.push(Entry::Answer(answer.to_owned()));
    transcript
}

fn refunded() -> Vec<Entry> {
    transcript(
        [did(REFUND, "the money is on its way")],
        "This was done for order 1042: the money is on its way.",
    )
}

/// Starts the agent and says these things, one for each question.
async fn run(rewake: &TestRewake, verdicts: &[Verdict]) -> Run<Vec<Entry>> {
    let run = rewake.start(agent(TASK.into())).await.unwrap();
    for (verdict, turn) in verdicts.iter().zip(2..) {
        let token = format!("approve:{}:{turn}", run.id());
        rewake.wait_for_hook(&token).await;
        let taken = APPROVAL.resume(rewake, token, verdict).await.unwrap();
        assert!(taken.is_some());
    }
    run
}

#[tokio::test]
async fn what_is_allowed_is_done() {
    let rewake = scene().build().await;
    let run = run(&rewake, &[Verdict::Yes]).await;
    assert_eq!(run.result().await.unwrap(), refunded());
    assert_eq!(rewake.calls(use_tool), [(LOOK_UP,), (REFUND,)]);
}

#[tokio::test]
async fn the_question_says_what_it_is_about() {
    let rewake = scene().build().await;
    let run = rewake.start(agent(TASK.into())).await.unwrap();
    let hook = rewake
        .wait_for_hook(format!("approve:{}:2", run.id()))
        .await;
    let asked: ToolCall = serde_json::from_value(hook.metadata.unwrap()).unwrap();
    assert_eq!(asked, REFUND);
    assert_eq!(
        rewake.calls(use_tool),
        [(LOOK_UP,)],
        "nothing dangerous is done yet"
    );
}

#[tokio::test]
async fn a_refusal_goes_back_to_the_model_which_thinks_of_something_else() {
    let rewake = scene().build().await;
    let run = run(&rewake, &[no("too much"), Verdict::Yes]).await;
    let expected = transcript(
        [
            did(REFUND, "refused: too much"),
            did(VOUCHER, "the voucher is sent"),
        ],
        "This was done for order 1042: the voucher is sent.",
    );
    assert_eq!(run.result().await.unwrap(), expected);
    assert_eq!(rewake.calls(use_tool), [(LOOK_UP,), (VOUCHER,)]);
}

#[tokio::test]
async fn who_does_not_answer_for_a_day_has_said_no() {
    let rewake = scene().build().await;
    let began = rewake.now();
    let run = run(&rewake, &[]).await;
    let transcript = run.result().await.unwrap();
    let nobody = "refused: nobody answered for a day";
    assert_eq!(
        transcript[2..4],
        [did(REFUND, nobody), did(VOUCHER, nobody)]
    );
    assert_eq!(rewake.now().duration_since(began).unwrap(), days(2));
    let late = APPROVAL.resume(&rewake, format!("approve:{}:2", run.id()), &Verdict::Yes);
    assert!(late.await.unwrap().is_none(), "it waits no more");
}

#[tokio::test]
async fn a_tool_that_fails_is_told_to_the_model() {
    let closed = |_| Err(FatalError::new("the shop is closed").into());
    let rewake = scene().mock(use_tool, closed).build().await;
    let run = run(&rewake, &[]).await;
    let transcript = run.result().await.unwrap();
    assert_eq!(transcript[1], did(LOOK_UP, "failed: the shop is closed"));
    let answer = "I can do nothing for order 1042: failed: the shop is closed.";
    assert_eq!(transcript[2], Entry::Answer(answer.to_owned()));
}

#[tokio::test]
async fn a_model_that_is_down_for_a_while_is_called_again() {
    let busy = |_| match step_metadata().attempt {
        1 => Err(RetryableError::new("busy").retry_after(minutes(5)).into()),
        _ => Ok(Reply::Answer("42".into())),
    };
    let rewake = scene().mock(think, busy).build().await;
    let began = rewake.now();
    let run = run(&rewake, &[]).await;
    assert_eq!(run.result().await.unwrap()[1], Entry::Answer("42".into()));
    assert_eq!(rewake.now().duration_since(began).unwrap(), minutes(5));
}

/// A model that never comes to an end.
struct Endless;

impl Model for Endless {
    fn reply<'a>(&'a self, _: &'a [Entry]) -> BoxFuture<'a, anyhow::Result<Reply>> {
        std::future::ready(Ok(Reply::Call(LOOK_UP))).boxed()
    }
}

#[tokio::test]
async fn an_endless_model_is_stopped() {
    let model: Arc<dyn Model> = Arc::new(Endless);
    let rewake = scene().provide(model).build().await;
    let run = run(&rewake, &[]).await;
    let error = run.result().await.unwrap_err();
    assert!(
        error.to_string().contains("no answer after 10 turns"),
        "{error}"
    );
    assert_eq!(rewake.calls(think).len(), usize::try_from(TURNS).unwrap());
}

#[tokio::test]
async fn a_cancelled_agent_asks_no_more() {
    let rewake = scene().build().await;
    let run = rewake.start(agent(TASK.into())).await.unwrap();
    let token = format!("approve:{}:2", run.id());
    rewake.wait_for_hook(&token).await;
    assert!(
        run.cancel("the customer has changed their mind")
            .await
            .unwrap()
    );
    let error = run.result().await.unwrap_err();
    assert!(matches!(error, RunError::Cancelled { .. }), "{error}");
    let late = APPROVAL.resume(&rewake, token, &Verdict::Yes).await;
    assert!(late.unwrap().is_none());
    assert_eq!(rewake.calls(use_tool), [(LOOK_UP,)]);
}

#[tokio::test]
async fn the_next_process_does_not_call_the_model_again_for_what_it_has_said() {
    let rewake = scene().build().await;
    let run = rewake.start(agent(TASK.into())).await.unwrap();
    let token = format!("approve:{}:2", run.id());
    rewake.wait_for_hook(&token).await;
    let rewake = rewake.crash().await;
    APPROVAL
        .resume(&rewake, token, &Verdict::Yes)
        .await
        .unwrap()
        .unwrap();
    let run = rewake.get_run::<Vec<Entry>>(run.id());
    assert_eq!(run.result().await.unwrap(), refunded());
    assert_eq!(rewake.calls(think).len(), 3, "over both processes");
}

#[tokio::test]
async fn killed_anywhere_the_transcript_is_the_same() {
    for verdicts in [
        vec![Verdict::Yes],
        vec![no("too much"), no("never")],
        vec![],
    ] {
        let crashes = crash_everywhere(scene, async |outside| {
            let run = outside.start(|| agent(TASK.into())).await;
            for (verdict, turn) in verdicts.iter().zip(2..) {
                outside
                    .resume(&format!("approve:{run}:{turn}"), verdict)
                    .await;
            }
            outside.result::<Vec<Entry>>(run).await
        })
        .await;
        assert!(crashes.survived >= crashes.writes, "{crashes:?}");
    }
}

#[tokio::test]
async fn recorded_logs_still_replay() {
    let scenes = [
        ("allowed", vec![Verdict::Yes]),
        ("refused", vec![no("too much"), Verdict::Yes]),
        ("nobody", vec![]),
    ];
    for (name, verdicts) in scenes {
        let rewake = scene().build().await;
        let run = run(&rewake, &verdicts).await;
        run.result().await.unwrap();
        rewake
            .golden(format!("tests/golden/{name}.log"), run.id())
            .await;
    }
}

#[tokio::test]
async fn the_log_of_an_agent_that_waits_still_replays() {
    let rewake = scene().build().await;
    let run = rewake.start(agent(TASK.into())).await.unwrap();
    rewake
        .wait_for_hook(format!("approve:{}:2", run.id()))
        .await;
    rewake.golden("tests/golden/waits.log", run.id()).await;
}

#[test]
fn the_shop_does_nothing_twice_under_one_key() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(&folder);
    let shop = Shop { journal };
    for key in ["a", "a", "b"] {
        shop.perform(&REFUND, key).unwrap();
    }
    let path = folder.path().join("agent.journal");
    assert_eq!(std::fs::read_to_string(path).unwrap().lines().count(), 2);
    let unknown = shop.perform(&ToolCall::LookUp { order: 7 }, "c");
    assert_eq!(unknown.unwrap_err().to_string(), "there is no order 7");
}
