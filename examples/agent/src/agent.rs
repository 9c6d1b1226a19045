//! The workflow: the model says what to do, a person whether it may be done, until there is an answer.

use std::sync::Arc;

use rewake::HookDefinition;
use rewake::prelude::*;

use crate::model::{Model, Reply};
use crate::shop::{Shop, ToolCall};

/// So many calls of the model are enough for any task.
pub(crate) const TURNS: u32 = 10;

/// What a person says to a call that wants to be asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Verdict {
    Yes,
    /// And why not: the model reads it.
    No(String),
}

/// Where a person's verdict goes.
pub(crate) const APPROVAL: HookDefinition<Verdict> = define_hook("approval");

/// What was said and done so far. The model knows nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Entry {
    Task(String),
    Did { call: ToolCall, outcome: String },
    Answer(String),
}

/// Works on a task until the model has an answer; gives the transcript.
#[workflow]
pub(crate) async fn agent(task: String) -> anyhow::Result<Vec<Entry>> {
    let mut transcript = vec![Entry::Task(task)];
    for turn in 1..=TURNS {
        let call = match think(transcript.clone()).await? {
            Reply::Call(call) => call,
            Reply::Answer(answer) => {
                transcript.push(Entry::Answer(answer));
                return Ok(transcript);
            }
        };
        let outcome = match verdict(turn, &call).await? {
            Verdict::No(why) => format!("refused: {why}"),
            Verdict::Yes => match use_tool(call.clone()).await {
                Ok(outcome) => outcome,
                Err(error) => format!("failed: {}", error.message),
            },
        };
        transcript.push(Entry::Did { call, outcome });
    }
    anyhow::bail!("the model has no answer after {TURNS} turns")
}

/// Asks a person where the call is dangerous. Who does not answer for a day has said no.
async fn verdict(turn: u32, call: &ToolCall) -> anyhow::Result<Verdict> {
    if !call.is_dangerous() {
        return Ok(Verdict::Yes);
    }
    let token = format!("approve:{}:{turn}", workflow_metadata().run_id);
    let mut verdicts = APPROVAL.create().token(token).metadata(call).await?;
    match timeout(days(1), verdicts.recv()).await {
        Ok(verdict) => Ok(verdict?),
        Err(_elapsed) => Ok(Verdict::No("nobody answered for a day".into())),
    }
}

/// Calls the model. Its reply is recorded: whatever happens, this call of it is not made again.
#[step(timeout = "2m")]
pub(crate) async fn think(
    transcript: Vec<Entry>,
    #[provided] model: Arc<dyn Model>,
) -> anyhow::Result<Reply> {
    model.reply(&transcript).await
}

/// Does what the model asked for.
#[step(timeout = "30s")]
pub(crate) async fn use_tool(call: ToolCall, #[provided] shop: Shop) -> anyhow::Result<String> {
    // The same in every attempt: what the shop has done under it, it does not do again.
    let key = step_metadata().step_id.to_string();
    shop.perform(&call, &key)
}
