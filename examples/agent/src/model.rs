//! The model: what it is asked, and one that follows a script.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::agent::Entry;
use crate::say;
use crate::shop::{Journal, ToolCall};

/// What the model wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reply {
    /// Something to be done; it will read what came of it.
    Call(ToolCall),
    /// Nothing more: the task is done.
    Answer(String),
}

/// A model. Put yours behind it: the transcript goes into the prompt, and its tool call comes back.
pub(crate) trait Model: Send + Sync {
    /// Says what to do next.
    fn reply<'a>(&'a self, transcript: &'a [Entry]) -> BoxFuture<'a, anyhow::Result<Reply>>;
}

/// A model without a network: it gives money back, or a voucher where it may not.
#[derive(Clone, Debug)]
pub(crate) struct Scripted {
    /// Every call of it leaves a line.
    pub(crate) journal: Journal,
    /// How long it thinks.
    pub(crate) thinks: Duration,
}

impl Model for Scripted {
    fn reply<'a>(&'a self, transcript: &'a [Entry]) -> BoxFuture<'a, anyhow::Result<Reply>> {
        async move {
            let turn = transcript.len();
            self.journal.write(&format!("model {turn}"))?;
            say::thinking(turn);
            if !self.thinks.is_zero() {
                thought(self.thinks).await;
            }
            let reply = script(transcript);
            say::replied(&reply);
            Ok(reply)
        }
        .boxed()
    }
}

/// The script. Like any model, it has the transcript and no memory.
fn script(transcript: &[Entry]) -> Reply {
    let order = transcript.first().map_or(0, order);
    let Some(Entry::Did { call, outcome }) = transcript.last() else {
        return Reply::Call(ToolCall::LookUp { order });
    };
    let refused = outcome.strip_prefix("refused: ");
    match (call, refused) {
        (ToolCall::LookUp { .. }, _) => match paid(outcome) {
            Some(cents) => Reply::Call(ToolCall::Refund { order, cents }),
            None => Reply::Answer(format!("I can do nothing for order {order}: {outcome}.")),
        },
        (ToolCall::Refund { cents, .. }, Some(_)) => {
            let cents = cents / 2;
            Reply::Call(ToolCall::SendVoucher { order, cents })
        }
        (ToolCall::SendVoucher { .. }, Some(why)) => Reply::Answer(format!(
            "Nothing is done for order {order}, because: {why}."
        )),
        (ToolCall::Refund { .. } | ToolCall::SendVoucher { .. }, None) => {
            Reply::Answer(format!("This was done for order {order}: {outcome}."))
        }
    }
}

/// The order that the task is about: the first number in it.
fn order(task: &Entry) -> u32 {
    let Entry::Task(task) = task else { return 0 };
    let mut words = task.split(|letter: char| !letter.is_ascii_digit());
    words.find_map(|word| word.parse().ok()).unwrap_or_default()
}

/// What was paid, as the shop says it.
fn paid(outcome: &str) -> Option<u32> {
    let cents = outcome.strip_suffix(" cents were paid for it")?;
    cents.parse().ok()
}

/// A real one takes its time, too.
#[expect(
    clippy::disallowed_methods,
    reason = "a step may take as long as it likes; this one stands for one that does"
)]
async fn thought(span: Duration) {
    tokio::time::sleep(span).await;
}
