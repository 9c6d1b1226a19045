//! The workflow that carries out scripts.

use std::time::Duration;

use futures_util::future::BoxFuture;
use http::Response;
use rewake::AnswerError;
use rewake::prelude::*;

use super::receiver::{Received, Receiver, open, open_webhook, recv_both};
use super::script::{Answerer, Line, Script, Told, Webhook, answer_text};
use crate::ledger::{self, Recording};
use crate::workload::Seen;

/// Carries out the script that came with the act of this number.
#[workflow(name = "delivery")]
pub(crate) async fn follow(serial: u64, script: Script) -> anyhow::Result<u64> {
    let notes = Recording::begin(workflow_metadata().run_id);
    carry_out(&script, &mut Vec::new(), &notes).await?;
    Ok(serial)
}

#[step(name = "delivery-reply")]
async fn reply(request: WebhookRequest, text: String) -> Result<(), AnswerError> {
    request.respond_with(Response::new(text)).await
}

type Receivers = Vec<Receiver>;

fn carry_out<'a>(
    script: &'a [Line],
    receivers: &'a mut Receivers,
    notes: &'a Recording,
) -> BoxFuture<'a, anyhow::Result<()>> {
    Box::pin(async move {
        for line in script {
            ledger::count(line.name());
            act(line, receivers, notes).await?;
        }
        Ok(())
    })
}

async fn act(line: &Line, receivers: &mut Receivers, notes: &Recording) -> anyhow::Result<()> {
    match line {
        Line::Open(token, expires_ms) => receivers.extend(open(token.clone(), *expires_ms).await),
        Line::Webhook(webhook) => receivers.extend(publish(*webhook, notes).await),
        Line::OpenInRace(token, ms) => {
            let mut opened = None;
            select! {
                () = open_and_read(token, &mut opened, notes) => {}
                () = sleep(millis(*ms)) => notes.note(&Seen::Woke),
            }
            if let Some(name) = opened {
                notes.note(&Seen::Dropped(name));
            }
        }
        Line::ReadBothOrSleep(ms) => {
            if let [.., a, b] = &mut receivers[..] {
                read_both(a, b, *ms, notes).await;
            }
        }
        Line::Loop(times, body) => {
            for _ in 0..*times {
                carry_out(body, receivers, notes).await?;
            }
        }
        Line::Dispose => {
            if let Some(last) = receivers.pop() {
                let_go(last, notes);
            }
        }
        Line::Abandon => {
            if let Some(mut last) = receivers.pop() {
                last.close().await;
                notes.note(&Seen::Closed(name(&last)));
                let_go(last, notes);
            }
        }
        Line::Sleep(ms) => sleep(millis(*ms)).await,
        Line::Fail => anyhow::bail!("scripted error"),
        Line::Read
        | Line::ReadUntilTold
        | Line::ReadOrSleep(_)
        | Line::ReadInTime(_)
        | Line::ReadStream(_)
        | Line::Serve(..)
        | Line::Close => {
            if let Some(last) = receivers.last_mut() {
                read(line, last, notes).await;
            }
        }
    }
    Ok(())
}

/// Reads from one receiver.
async fn read(line: &Line, from: &mut Receiver, notes: &Recording) {
    match line {
        Line::Read => {
            note(from.recv().await, from, notes);
        }
        Line::ReadUntilTold => while read_on(from, notes).await {},
        Line::ReadOrSleep(ms) => {
            let received = select! {
                received = from.recv() => Some(received),
                () = sleep(millis(*ms)) => None,
            };
            note_in_time(received, from, notes);
        }
        Line::ReadInTime(ms) => {
            let received = timeout(millis(*ms), Box::pin(from.recv())).await;
            note_in_time(received.ok(), from, notes);
        }
        Line::ReadStream(times) => {
            for _ in 0..*times {
                let Some(received) = from.next().await else {
                    notes.note(&Seen::Over(name(from), "the stream has ended".to_owned()));
                    return;
                };
                note(received, from, notes);
            }
        }
        Line::Serve(times, answerer) => {
            for _ in 0..*times {
                let Some(received) = note(from.recv().await, from, notes) else {
                    return;
                };
                answer(received, *answerer, notes).await;
            }
        }
        Line::Close => {
            from.close().await;
            notes.note(&Seen::Closed(name(from)));
            while note(from.recv().await, from, notes).is_some() {}
        }
        Line::Open(..)
        | Line::Webhook(_)
        | Line::OpenInRace(..)
        | Line::ReadBothOrSleep(_)
        | Line::Loop(..)
        | Line::Dispose
        | Line::Abandon
        | Line::Sleep(_)
        | Line::Fail => {}
    }
}

/// Opens a webhook and makes its token known.
async fn publish(webhook: Webhook, notes: &Recording) -> Option<Receiver> {
    let opened = open_webhook(webhook).await?;
    notes.note(&Seen::Webhook(opened.token(), webhook));
    Some(opened)
}

/// Reads until told to finish; what it opens goes with it, and is named to whoever asked.
async fn open_and_read(token: &str, opened: &mut Option<String>, notes: &Recording) {
    if let Some(mut receiver) = open(token.to_owned(), None).await {
        *opened = Some(name(&receiver));
        while read_on(&mut receiver, notes).await {}
    }
}

/// False where the payload told to finish, or nothing more will come.
async fn read_on(from: &mut Receiver, notes: &Recording) -> bool {
    let received = note(from.recv().await, from, notes);
    received.is_some_and(|received| !received.told.finish)
}

async fn read_both(a: &mut Receiver, b: &mut Receiver, ms: u64, notes: &Recording) {
    let received = select! {
        received = recv_both(a, b) => Some(received),
        () = sleep(millis(ms)) => None,
    };
    match received {
        Some(Ok((of_a, of_b))) => {
            note(Ok(of_a), a, notes);
            note(Ok(of_b), b, notes);
        }
        Some(Err(error)) => notes.note(&Seen::Over("one of both".to_owned(), error.to_string())),
        None => notes.note(&Seen::Woke),
    }
}

/// Answers a request; a payload of a hook wants no answer.
async fn answer(received: Received, answerer: Answerer, notes: &Recording) {
    let Some(request) = received.request else {
        return;
    };
    let Told { number, .. } = received.told;
    let by_step = matches!(answerer, Answerer::Step | Answerer::Both);
    if by_step {
        let answered = reply(request.clone(), answer_text(number, 0)).await;
        notes.note(&Seen::Answered(
            number,
            answered.map_err(|error| error.message),
        ));
    }
    if matches!(answerer, Answerer::Workflow | Answerer::Both) {
        let answer = Response::new(answer_text(number, usize::from(by_step)));
        let answered = request.respond_with(answer).await;
        notes.note(&Seen::Answered(
            number,
            answered.map_err(|error| error.to_string()),
        ));
    }
}

/// Lets go of a receiver, as workflow code does that has no more use for it.
fn let_go(receiver: Receiver, notes: &Recording) {
    notes.note(&Seen::Dropped(name(&receiver)));
    drop(receiver);
}

/// Writes down what came; none where nothing more will.
fn note(
    received: Result<Received, HookError>,
    from: &Receiver,
    notes: &Recording,
) -> Option<Received> {
    match received {
        Ok(received) => {
            let number = received.told.number;
            notes.note(&match from {
                Receiver::Hook(_) => Seen::Payload(name(from), number),
                Receiver::Webhook(_) => Seen::Request(name(from), number),
            });
            Some(received)
        }
        Err(error) => {
            notes.note(&Seen::Over(name(from), error.to_string()));
            None
        }
    }
}

fn note_in_time(received: Option<Result<Received, HookError>>, from: &Receiver, notes: &Recording) {
    match received {
        Some(received) => drop(note(received, from, notes)),
        None => notes.note(&Seen::Woke),
    }
}

/// The id of a hook, or the token of a webhook, which is its own.
fn name(receiver: &Receiver) -> String {
    match receiver {
        Receiver::Hook(hook) => hook.hook_id().to_string(),
        Receiver::Webhook(webhook) => webhook.token().to_string(),
    }
}

const fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
