//! What the callers of a webhook may be answered, each with its own answer and nobody else's.

use rewake_core::time::Timestamp;

use super::history::{Answer, Given, Reply, Request, Said, Seen, Sent, Stands};
use crate::delivery::script::{Answers, Tells, answer_text};

/// Checks what the callers were answered who made a request, once or again; `run` is the one whose
/// webhook has it.
///
/// # Errors
///
/// What breaks the contract.
pub(super) fn answered(sent: &Sent, request: Request, run: Option<&Seen>) -> Result<(), String> {
    signed(sent, request, run.is_some())?;
    for reply in sent.replies() {
        of_this_kind(reply, request.webhook.answers)?;
    }
    let given: Vec<&Given> = run.map_or_else(Vec::new, |run| {
        let given = run.given.iter();
        given.filter(|given| given.number == sent.number).collect()
    });
    first_stands(&given)?;
    let answers = Standing::of(sent, &given)?;
    for reply in sent.replies() {
        let problem = match &reply.said {
            Said::Accepted | Said::Fixed | Said::Workflow(_) | Said::Lost => None,
            Said::Ended => ended(reply, &answers, run),
            Said::TooLate => too_late(reply, &answers, request.webhook.answers, run),
        };
        problem.map_or(Ok(()), Err)?;
    }
    Ok(())
}

/// Only what is signed gets in, and what is signed is never refused for it.
fn signed(sent: &Sent, request: Request, taken: bool) -> Result<(), String> {
    let forged = request.forged && request.webhook.tells == Tells::Signature;
    let refused = sent.answers.contains(&Answer::Unsigned);
    match (forged, refused, taken) {
        (true, _, true) => Err("it is forged, and was taken".to_owned()),
        (false, true, _) => Err("it is signed, and was refused for its signature".to_owned()),
        (true, _, false) | (false, false, _) => Ok(()),
    }
}

/// A webhook answers in the one way that its workflow has chosen.
fn of_this_kind(reply: &Reply, answers: Answers) -> Result<(), String> {
    let fits = match reply.said {
        Said::Accepted => answers == Answers::Accepted,
        Said::Fixed => answers == Answers::Fixed,
        Said::Workflow(_) | Said::TooLate | Said::Ended | Said::Lost => {
            matches!(answers, Answers::Manual(_))
        }
    };
    if fits {
        Ok(())
    } else {
        Err(format!(
            "the webhook answers {answers:?}, not {:?}",
            reply.said
        ))
    }
}

/// The first who answers does so, whoever it is; nobody does after him.
fn first_stands(given: &[&Given]) -> Result<(), String> {
    if given
        .first()
        .is_some_and(|first| first.stands == Stands::Second)
    {
        return Err("its first answer was refused as the second".to_owned());
    }
    if given
        .iter()
        .filter(|given| given.stands == Stands::Yes)
        .count()
        > 1
    {
        return Err("two answers to it stand".to_owned());
    }
    Ok(())
}

/// The answer of the workflow, as far as anybody knows of it.
struct Standing {
    /// It is known to have stood at this time.
    since: Option<Timestamp>,
}

impl Standing {
    /// All who know of the answer know of the same one.
    fn of(sent: &Sent, given: &[&Given]) -> Result<Self, String> {
        let mut known: Option<String> = None;
        let mut since = None;
        let by_workflow = given.iter().enumerate();
        let by_workflow = by_workflow
            .filter(|(_, given)| given.stands == Stands::Yes)
            .map(|(nth, given)| (answer_text(sent.number, nth), given.by));
        let by_callers = sent.replies().filter_map(|reply| match &reply.said {
            Said::Workflow(text) => Some((text.clone(), reply.at)),
            Said::Accepted | Said::Fixed | Said::TooLate | Said::Ended | Said::Lost => None,
        });
        for (text, at) in by_workflow.chain(by_callers) {
            let own = [0, 1].map(|nth| answer_text(sent.number, nth));
            if !own.contains(&text) {
                return Err(format!(
                    "it was answered with `{text}`, which is not its answer"
                ));
            }
            if known.get_or_insert_with(|| text.clone()) != &text {
                return Err(format!("it was answered with `{text}` and with {known:?}"));
            }
            since = Some(since.map_or(at, |since| at.min(since)));
        }
        Ok(Self { since })
    }
}

/// Whoever is told so asks of a run that has ended, and that never answered.
fn ended(reply: &Reply, answer: &Standing, run: Option<&Seen>) -> Option<String> {
    let end = run.and_then(Seen::end);
    if answer.since.is_some() {
        Some("its run has answered, and was said to have ended without".to_owned())
    } else if end.is_none_or(|end| end > reply.at) {
        Some("its run was said to have ended, and had not".to_owned())
    } else {
        None
    }
}

/// Whoever is told so has waited for so long, and there was no answer until then.
fn too_late(
    reply: &Reply,
    answer: &Standing,
    answers: Answers,
    run: Option<&Seen>,
) -> Option<String> {
    let within = match answers {
        Answers::Manual(within_ms) => within_ms,
        Answers::Accepted | Answers::Fixed => 0,
    };
    let waited = reply.at.as_millis().saturating_sub(reply.asked.as_millis());
    if waited < within {
        Some(format!(
            "its caller was sent away after {waited} ms of {within}"
        ))
    } else if answer.since.is_some_and(|since| since < reply.at) {
        Some("its caller was sent away when the answer had come".to_owned())
    } else if run.and_then(Seen::end).is_some_and(|end| end < reply.at) {
        Some("its caller waited for a run that had ended".to_owned())
    } else {
        None
    }
}
