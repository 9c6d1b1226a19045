//! The fates of payloads.

use super::*;
use crate::delivery::model::Fate;

fn posted() -> Way {
    Way::Mail {
        earliest: at(500),
        latest: at(500),
    }
}

/// A run that took payloads 7 and 8 and ended, having read what is said.
fn ended(reads: &[(u64, u64)]) -> Seen {
    let log = [
        start(),
        opened(1, TOKEN),
        took(1, 7),
        took(1, 8),
        completed(),
    ];
    read(run(1, 10, log), reads)
}

fn two() -> [Sent; 2] {
    [7, 8].map(|n| sent(n, Way::Resume, [taken(1)]))
}

/// The second run that a payload of `resume_or_start` began.
fn admitted(numbers: &[u64]) -> Seen {
    let log = [created(7, CreatedBy::Admission), opened(2, TOKEN)];
    let numbers = numbers.iter().map(|n| took(2, *n));
    let mut run = run(2, 50, log.into_iter().chain(numbers).chain([completed()]));
    run.serial = 7;
    run
}

#[test]
fn what_is_read_and_what_is_listed_as_unread_has_its_fate() {
    let runs = [unread(ended(&[(1, 7)]), &[(1, 8)])];
    assert_eq!(
        check(&history(two(), runs)),
        Ok(vec![Fate::Read, Fate::Unread])
    );
}

#[test]
fn a_lost_payload_is_found() {
    found(&history(two(), [ended(&[(1, 7)])]), "payload 8");
    let nowhere = history([sent(7, Way::Resume, [taken(1)])], []);
    found(&nowhere, "it is not in hook");
    let kept = history([sent(7, posted(), [Answer::Kept(at(500))])], []);
    found(&kept, "it is lost");
}

#[test]
fn a_doubled_payload_is_found() {
    let log = [
        start(),
        opened(1, TOKEN),
        took(1, 7),
        took(1, 7),
        completed(),
    ];
    let twice = read(run(1, 10, log), &[(1, 7), (1, 7)]);
    found(
        &history([sent(7, Way::Resume, [taken(1)])], [twice]),
        "took it 2 times",
    );
    let listed = unread(ended(&[(1, 7), (1, 8)]), &[(1, 8)]);
    found(&history(two(), [listed]), "lists it as unread");
    let sent = [
        sent(7, Way::Admission, [taken(1)]),
        sent(8, Way::Resume, [taken(1)]),
    ];
    let again = read(admitted(&[7]), &[(2, 7)]);
    found(
        &history(sent, [ended(&[(1, 7), (1, 8)]), again]),
        "it has 2 fates",
    );
}

#[test]
fn a_payload_that_is_read_and_kept_is_found() {
    let sent = [
        sent(7, posted(), [taken(1)]),
        sent(8, Way::Resume, [taken(1)]),
    ];
    let mut both = history(sent, [ended(&[(1, 7), (1, 8)])]);
    both.mail = vec![(TOKEN.to_owned(), 7, at(500))];
    found(&both, "it has 2 fates");
}

#[test]
fn a_misrouted_payload_is_found() {
    let log = [start(), opened(1, "token-b"), took(1, 7), completed()];
    let astray = read(run(1, 10, log), &[(1, 7)]);
    found(
        &history([sent(7, Way::Resume, [taken(1)])], [astray]),
        "it went to token-b",
    );
    let elsewhere = sent(7, Way::Resume, [taken(3)]);
    let [_, second] = two();
    found(
        &history([elsewhere, second], [ended(&[(1, 7), (1, 8)])]),
        "it is not in hook",
    );
}

#[test]
fn a_payload_of_a_resume_that_went_on_is_found() {
    let on = read(admitted(&[8, 7]), &[(2, 8), (2, 7)]);
    let sent = [
        sent(7, Way::Admission, [taken(1)]),
        sent(8, Way::Resume, [taken(1)]),
    ];
    found(&history(sent, [ended(&[]), on]), "stands in two places");
}

#[test]
fn a_payload_that_went_on_is_in_order() {
    let on = read(admitted(&[7]), &[(2, 7)]);
    let sent = [
        sent(7, Way::Admission, [taken(1)]),
        sent(8, Way::Resume, [taken(1)]),
    ];
    let runs = [unread(ended(&[]), &[(1, 8)]), on];
    assert_eq!(
        check(&history(sent, runs)),
        Ok(vec![Fate::Read, Fate::Unread])
    );
}

#[test]
fn reading_out_of_order_or_what_never_came_is_found() {
    found(&history(two(), [ended(&[(1, 8), (1, 7)])]), "was read");
    found(
        &history(two(), [ended(&[(1, 7), (1, 8), (1, 9)])]),
        "was read",
    );
    found(&history(two(), [ended(&[(9, 7)])]), "which is in no log");
}

#[test]
fn a_forgotten_payload_of_a_dropped_receiver_is_found() {
    let log = [start(), opened(1, TOKEN), took(1, 7), dropped(1)];
    let forgotten = history([sent(7, Way::Resume, [taken(1)])], [run(1, 10, log)]);
    found(&forgotten, "it is lost");
    let log = [start(), opened(1, TOKEN), took(1, 7)];
    let mut waits = history([sent(7, Way::Resume, [taken(1)])], [run(1, 10, log)]);
    waits.live = vec![(TOKEN.to_owned(), hook_id(1))];
    assert_eq!(check(&waits), Ok(vec![Fate::Waits]));
}

#[test]
fn a_payload_that_was_refused_and_taken_is_found() {
    for answer in [Answer::Refused, Answer::Nobody] {
        let [_, second] = two();
        let first = sent(7, Way::Resume, [answer]);
        let runs = [ended(&[(1, 7), (1, 8)])];
        found(&history([first, second], runs), "not acknowledged");
    }
    let mut kept = history([sent(7, posted(), [Answer::Refused])], []);
    kept.mail = vec![(TOKEN.to_owned(), 7, at(500))];
    found(&kept, "not acknowledged");
}

#[test]
fn an_unknown_answer_is_taken_once_or_never() {
    let [_, second] = two();
    let unknown = sent(7, Way::Resume, [Answer::Unknown]);
    let runs = [ended(&[(1, 7), (1, 8)])];
    let fates = check(&history([unknown.clone(), second], runs));
    assert_eq!(fates, Ok(vec![Fate::Read, Fate::Read]));
    assert_eq!(check(&history([unknown], [])), Ok(vec![Fate::Never]));
}

#[test]
fn two_answers_under_one_key_are_found() {
    let [_, second] = two();
    let first = sent(7, Way::Resume, [taken(1), taken(2)]);
    found(
        &history([first, second], [ended(&[(1, 7), (1, 8)])]),
        "in two ways",
    );
}

#[test]
fn mail_expires_in_time_and_not_before() {
    let mut over = history([sent(7, posted(), [Answer::Kept(at(500))])], []);
    over.now = at(500);
    assert_eq!(check(&over), Ok(vec![Fate::Expired]));
    over.mail = vec![(TOKEN.to_owned(), 7, at(501))];
    found(&over, "longer than it was posted for");
}

#[test]
fn two_live_hooks_of_a_token_are_found() {
    let first = run(
        1,
        10,
        [
            start(),
            opened(1, TOKEN),
            EventKind::RunStarted,
            completed(),
        ],
    );
    let second = run(
        2,
        11,
        [created(2, CreatedBy::Start), opened(2, TOKEN), completed()],
    );
    found(&history([], [first.clone(), second]), "two live hooks");
    let later = run(
        2,
        12,
        [created(2, CreatedBy::Start), opened(2, TOKEN), completed()],
    );
    assert_eq!(check(&history([], [first, later])), Ok(Vec::new()));
}

#[test]
fn a_live_hook_that_is_not_listed_is_found() {
    let open = run(1, 10, [start(), opened(1, TOKEN)]);
    found(&history([], [open]), "live by the logs");
}

#[test]
fn a_second_run_for_one_payload_is_found() {
    let sent = [sent(7, Way::Admission, [Answer::Unknown])];
    let mut second = admitted(&[]);
    (second.run, second.events) = (run_id(3), second.events[..1].to_vec());
    found(&history(sent, [admitted(&[]), second]), "started run");
    found(&history([], [admitted(&[])]), "started run");
}

#[test]
fn a_payload_that_nobody_sent_is_found() {
    let [first, _] = two();
    found(
        &history([first], [ended(&[(1, 7), (1, 8)])]),
        "sent by nobody",
    );
}

#[test]
fn what_a_terminated_workflow_read_last_may_not_be_on_record() {
    let log = [start(), opened(1, TOKEN), took(1, 7), terminated()];
    let read_it = read(run(1, 10, log), &[(1, 7)]);
    let sent = [sent(7, Way::Resume, [taken(1)])];
    assert_eq!(
        check(&history(sent.clone(), [read_it.clone()])),
        Ok(vec![Fate::Read])
    );
    let listed = unread(read_it, &[(1, 7)]);
    assert_eq!(check(&history(sent, [listed])), Ok(vec![Fate::Unread]));
}

#[test]
fn a_receiver_that_went_in_silence_is_found() {
    let log = [start(), opened(1, TOKEN)];
    let mut silent = run(1, 10, log);
    silent.dropped = vec![hook_id(1)];
    let mut silent = history([], [silent]);
    silent.live = vec![(TOKEN.to_owned(), hook_id(1))];
    found(&silent, "its log does not know");
    let log = [start(), opened(1, TOKEN), dropped(1)];
    let mut told = run(1, 10, log);
    told.dropped = vec![hook_id(1)];
    assert_eq!(check(&history([], [told])), Ok(Vec::new()));
}

#[test]
fn a_repetition_that_is_told_of_nobody_is_found() {
    let first = sent(7, Way::Resume, [taken(1), Answer::Nobody]);
    let [_, second] = two();
    let runs = [ended(&[(1, 7), (1, 8)])];
    found(&history([first, second], runs), "nobody is there");
}
