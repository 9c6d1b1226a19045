//! Steps whose process ends while they are under way: what is tried again, and what is not.

use rewake::RunId;

use crate::file::File;
use crate::process::Process;

#[test]
fn attempts_that_abort_the_process_are_counted_until_the_workflow_sees_the_failure() {
    let file = File::new();
    let mut process = Process::start(&file, "same");
    process.tell("start is_aborted x");
    process.dies();
    // Each restart takes up the attempt after the one that ended the process; the start of the very
    // first may not have been on record, so it may count twice.
    let begun = || file.journal("attempt");
    while begun()
        .last()
        .is_none_or(|last| !last.starts_with("attempt 3 "))
    {
        Process::start(&file, "same").dies();
        assert!(begun().len() <= 4, "{:?}", begun());
    }
    let mut process = Process::start(&file, "same");
    let run = only_run(&file);
    assert_eq!(
        process.ask(&format!("result {run}")),
        "3 attempts: attempt 3 began and did not end: its process did"
    );
    for attempt in [2, 3] {
        let times = file.journal(&format!("attempt {attempt} ")).len();
        assert_eq!(times, 1, "attempt {attempt}");
    }
    let ids = begun()
        .into_iter()
        .map(|line| line.split(" of ").nth(1).unwrap().to_owned());
    let ids: std::collections::BTreeSet<String> = ids.collect();
    assert_eq!(ids.len(), 1, "a step has one id in all its attempts");
}

/// The run that a process started which did not live to say so.
fn only_run(file: &File) -> RunId {
    let runs = file.ask(async |client| client.runs().await.unwrap().data);
    assert_eq!(runs.len(), 1);
    runs[0].run
}

#[test]
fn a_step_without_retries_has_its_effect_once_and_fails_where_its_process_was_killed() {
    let file = File::new();
    let mut process = Process::start(&file, "same");
    let run = process.ask("start tries_once x");
    file.until("effect");
    assert_eq!(
        file.count(run.parse().unwrap(), "step_started"),
        1,
        "on record before it begins"
    );
    process.kill();

    let mut process = Process::start(&file, "same");
    assert_eq!(
        process.ask(&format!("result {run}")),
        "1 attempts: attempt 1 began and did not end: its process did"
    );
    assert_eq!(file.journal("effect").len(), 1);
}

#[test]
fn another_step_in_the_place_of_one_that_was_killed_does_not_inherit_its_id() {
    let file = File::new();
    let mut process = Process::start(&file, "old");
    let run = process.ask("start is_changed x");
    file.until_logged(run.parse().unwrap(), "step_created", 1);
    file.until("old");
    process.kill();

    let mut process = Process::start(&file, "new");
    assert_eq!(
        process.ask(&format!("result {run}")),
        "parked REPLAY_PARTED"
    );
    assert!(
        file.journal("new").is_empty(),
        "nothing is done for a run that is parked"
    );
    let (_, parked) = file.parked(run.parse().unwrap());
    let (_, reason) = parked.unwrap();
    assert!(
        reason.starts_with(
            "workflow `crash::child::is_changed`, event 3: at event 3 the log has step \
             `crash::child::hangs`, but the workflow asked for step `crash::child::hangs_too`; "
        ),
        "{reason}"
    );
}

#[test]
fn another_step_where_the_killed_one_was_not_on_record_has_an_id_of_its_own() {
    // Whether a step that begins is on record when its process is killed is a matter of moments: both
    // are right, and in neither does the new step run under the old one's id.
    let file = File::new();
    let mut process = Process::start(&file, "old");
    let run = process.ask("start is_changed x");
    file.until("old");
    process.kill();

    let mut process = Process::start(&file, "new");
    let result = process.ask(&format!("result {run}"));
    let (old, new) = (file.journal("old"), file.journal("new"));
    let on_record = file.count(run.parse().unwrap(), "step_created") > 0 && new.is_empty();
    if on_record {
        assert_eq!(result, "parked REPLAY_PARTED");
    } else {
        assert_eq!((result.as_str(), new.len()), ("1", 1));
        assert_ne!(old[0].split(' ').nth(1), new[0].split(' ').nth(1));
    }
}
