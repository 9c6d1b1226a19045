//! What callers of webhooks are answered.

use super::*;
use crate::delivery::model::{Fate, Given, Reply, Request, Said, Stands};
use crate::delivery::script::{Answers, Tells, Webhook, answer_text};

const MANUAL: Answers = Answers::Manual(20);

fn webhook(answers: Answers, tells: Tells) -> Webhook {
    Webhook {
        answers,
        tells,
        expires_ms: None,
    }
}

/// A reply to a call that was made at 20 and answered at 50.
fn replied(said: Said) -> Answer {
    reply(said, 20, 50)
}

fn reply(said: Said, asked: u64, answered: u64) -> Answer {
    Answer::Replied(Reply {
        said,
        asked: at(asked),
        at: at(answered),
    })
}

fn answered(number: u64, nth: usize) -> Said {
    Said::Workflow(answer_text(number, nth))
}

fn called(number: u64, answers: Answers, told: impl Into<Vec<Answer>>) -> Sent {
    let request = Request {
        webhook: webhook(answers, Tells::Header),
        forged: false,
    };
    sent(number, Way::Request(request), told)
}

/// A run whose webhook took requests 7 and 8, that read both, and that ended at 14 if it did.
fn served(ends: bool) -> Seen {
    let log = [start(), opened(1, TOKEN), took(1, 7), took(1, 8)];
    let end = ends.then(completed);
    read(run(1, 10, log.into_iter().chain(end)), &[(1, 7), (1, 8)])
}

fn gave(mut run: Seen, given: &[(u64, Stands, u64)]) -> Seen {
    let given = given.iter().map(|(number, stands, by)| Given {
        number: *number,
        stands: *stands,
        by: at(*by),
    });
    run.given = given.collect();
    run
}

/// What one caller of request 7 was told, and the run, beside an innocent request 8.
fn of_one(answers: Answers, told: impl Into<Vec<Answer>>, run: Seen) -> History {
    let innocent = called(8, answers, [Answer::Unknown]);
    let mut history = history([called(7, answers, told), innocent], [run]);
    if history.runs[0].end().is_none() {
        history.live = vec![(TOKEN.to_owned(), hook_id(1))];
    }
    history
}

#[test]
fn each_kind_of_webhook_answers_in_its_own_way() {
    let fine = [
        (Answers::Accepted, Said::Accepted),
        (Answers::Fixed, Said::Fixed),
        (MANUAL, answered(7, 0)),
        (MANUAL, Said::TooLate),
        (MANUAL, Said::Lost),
    ];
    for (answers, said) in fine {
        let history = of_one(answers, [replied(said)], served(false));
        assert_eq!(check(&history), Ok(vec![Fate::Read, Fate::Read]));
    }
    let ended = of_one(MANUAL, [replied(Said::Ended)], served(true));
    assert_eq!(check(&ended), Ok(vec![Fate::Read, Fate::Read]));
    let wrong = [
        (Answers::Accepted, Said::Fixed),
        (Answers::Fixed, answered(7, 0)),
        (MANUAL, Said::Accepted),
        (Answers::Accepted, Said::TooLate),
    ];
    for (answers, said) in wrong {
        found(&of_one(answers, [replied(said)], served(false)), "not ");
    }
}

#[test]
fn an_answer_to_another_caller_is_found() {
    let others = of_one(MANUAL, [replied(answered(8, 0))], served(false));
    found(&others, "which is not its answer");
}

#[test]
fn two_answers_to_one_request_are_found() {
    let told = [replied(answered(7, 0)), replied(answered(7, 1))];
    found(&of_one(MANUAL, told, served(false)), "and with");
    let both = [(7, Stands::Yes, 40), (7, Stands::Yes, 41)];
    let run = gave(served(false), &both);
    found(&of_one(MANUAL, [Answer::Unknown], run), "two answers");
    let other = gave(served(false), &[(7, Stands::Yes, 40)]);
    found(
        &of_one(MANUAL, [replied(answered(7, 1))], other),
        "and with",
    );
}

#[test]
fn the_first_answer_stands_and_the_second_is_refused() {
    let given = [(7, Stands::Yes, 40), (7, Stands::Second, 41)];
    let run = gave(served(false), &given);
    let history = of_one(MANUAL, [replied(answered(7, 0))], run);
    assert_eq!(check(&history), Ok(vec![Fate::Read, Fate::Read]));
    let none = gave(served(false), &[(7, Stands::Second, 40)]);
    found(
        &of_one(MANUAL, [Answer::Unknown], none),
        "refused as the second",
    );
}

#[test]
fn a_redelivery_that_is_taken_twice_is_found() {
    let log = [start(), opened(1, TOKEN), took(1, 7), took(1, 7)];
    let twice = read(run(1, 10, log), &[(1, 7), (1, 7)]);
    let told = [replied(Said::Accepted), replied(Said::Accepted)];
    let mut history = history([called(7, Answers::Accepted, told)], [twice]);
    history.live = vec![(TOKEN.to_owned(), hook_id(1))];
    found(&history, "took it 2 times");
}

#[test]
fn an_answered_request_that_no_webhook_has_is_found() {
    let told = [replied(Said::Accepted)];
    found(
        &history([called(7, Answers::Accepted, told)], []),
        "no webhook has it",
    );
}

#[test]
fn a_redelivery_that_is_not_known_any_more_is_found() {
    let told = [replied(Said::Accepted), Answer::Nobody];
    found(
        &of_one(Answers::Accepted, told, served(true)),
        "nobody is there",
    );
}

#[test]
fn a_caller_who_is_sent_away_too_soon_or_for_nothing_is_found() {
    let soon = [reply(Said::TooLate, 20, 39)];
    found(&of_one(MANUAL, soon, served(false)), "after 19 ms of 20");
    let answered_before = gave(served(false), &[(7, Stands::Yes, 39)]);
    let told = [reply(Said::TooLate, 20, 40)];
    found(&of_one(MANUAL, told.clone(), answered_before), "had come");
    let at_once = gave(served(false), &[(7, Stands::Yes, 40)]);
    check(&of_one(MANUAL, told, at_once)).unwrap();
    let other = [reply(answered(7, 0), 20, 30), reply(Said::TooLate, 20, 40)];
    found(&of_one(MANUAL, other, served(false)), "had come");
    let for_nobody = [reply(Said::TooLate, 20, 40)];
    found(&of_one(MANUAL, for_nobody, served(true)), "that had ended");
}

#[test]
fn an_end_that_was_none_is_found() {
    let told = [replied(Said::Ended)];
    found(&of_one(MANUAL, told.clone(), served(false)), "and had not");
    let soon = [reply(Said::Ended, 11, 13)];
    found(&of_one(MANUAL, soon, served(true)), "and had not");
    let run = gave(served(true), &[(7, Stands::Yes, 13)]);
    found(&of_one(MANUAL, told, run), "ended without");
}

#[test]
fn a_forged_request_that_got_in_and_a_signed_one_that_did_not_are_found() {
    let signed = |forged, told: &[Answer]| {
        let webhook = webhook(Answers::Accepted, Tells::Signature);
        let request = Request { webhook, forged };
        sent(7, Way::Request(request), told)
    };
    let log = [start(), opened(1, TOKEN), took(1, 7), completed()];
    let run = read(run(1, 10, log), &[(1, 7)]);
    found(
        &history([signed(true, &[Answer::Unknown])], [run]),
        "was taken",
    );
    let refused = signed(false, &[Answer::Unsigned]);
    found(&history([refused], []), "refused for its signature");
    let both = history([signed(true, &[Answer::Unsigned])], []);
    assert_eq!(check(&both), Ok(vec![Fate::Never]));
}
