//! Workflows that panic, and workflows that take the process with them.

use rewake::RunStatus;

use crate::file::File;
use crate::process::Process;

#[test]
fn a_workflow_that_panics_is_parked_with_place_and_message_and_its_process_goes_on() {
    let file = File::new();
    let mut process = Process::start(&file, "broken");
    let run = process.ask("start panics unlucky");
    let other = process.ask("start adds other");
    process.ask("resume unlucky 13");
    assert_eq!(
        process.ask(&format!("result {run}")),
        "parked WORKFLOW_PANICKED"
    );
    process.kill();

    let (status, parked) = file.parked(run.parse().unwrap());
    assert_eq!(status, RunStatus::Running);
    let (_, reason) = parked.unwrap();
    let (before, after) = reason.split_once("child.rs:").unwrap();
    assert_eq!(
        before,
        "workflow `crash::child::panics`, event 4: the workflow panicked at \
         crates/rewake/tests/crash/"
    );
    assert!(after.ends_with(": 13 brings bad luck"), "{after}");

    // The same build leaves it alone, however often it starts; the others go on.
    let mut process = Process::start(&file, "broken");
    assert_eq!(
        process.ask(&format!("result {run}")),
        "parked WORKFLOW_PANICKED"
    );
    process.ask("resume other 1");
    process.ask("resume other 2");
    assert_eq!(process.ask(&format!("result {other}")), "3");
    process.kill();

    let mut process = Process::start(&file, "mended");
    assert_eq!(until_let_go(&mut process, &run), "survived 13");
}

/// The result of a run that a new build may still have to take up.
fn until_let_go(process: &mut Process, run: &str) -> String {
    loop {
        let result = process.ask(&format!("result {run}"));
        if !result.starts_with("parked") {
            return result;
        }
    }
}

#[test]
fn the_third_restart_after_a_poisonous_run_serves_everything_else() {
    const OTHERS: u64 = 5;
    let file = File::new();
    let mut process = Process::start(&file, "broken");
    let poisonous = process.ask("start aborts poison");
    let others: Vec<String> = (0..OTHERS)
        .map(|n| process.ask(&format!("start adds other{n}")))
        .collect();
    let poisonous_id = poisonous.parse().unwrap();
    file.until_logged(poisonous_id, "hook_created", 1);
    for other in &others {
        file.until_logged(other.parse().unwrap(), "hook_created", 1);
    }
    process.kill();

    // Everybody is ready when the process starts again, and the poisonous run comes first.
    file.resume("poison", 1);
    for n in 0..OTHERS {
        file.resume(&format!("other{n}"), n);
    }
    for restart in 1..=2 {
        Process::start(&file, "broken").dies();
        assert_eq!(file.journal("workflow aborts").len(), restart);
    }

    let mut process = Process::start(&file, "broken");
    for (n, other) in others.iter().enumerate() {
        process.ask(&format!("resume other{n} 100"));
        let sum = (100 + n).to_string();
        assert_eq!(
            process.ask(&format!("result {other}")),
            sum,
            "nobody else is parked"
        );
    }
    assert_eq!(
        process.ask(&format!("result {poisonous}")),
        "parked CRASHED_REPEATEDLY"
    );
    assert_eq!(
        file.journal("workflow aborts").len(),
        2,
        "it is not replayed"
    );
    process.kill();
    let (status, parked) = file.parked(poisonous_id);
    assert_eq!(status, RunStatus::Running);
    assert_eq!(
        parked.unwrap().1,
        "workflow `crash::child::aborts`: the process ended uncleanly 3 times in a row while this run \
         was being replayed; look for what aborts the process, then let the run go on with a build \
         that is mended"
    );

    // Parked is parked, however often the process starts; a build that is mended lets it go on.
    let mut process = Process::start(&file, "broken");
    assert_eq!(
        process.ask(&format!("result {poisonous}")),
        "parked CRASHED_REPEATEDLY"
    );
    process.kill();
    let mut process = Process::start(&file, "mended");
    assert_eq!(until_let_go(&mut process, &poisonous), "survived 1");
}

#[test]
fn a_poisonous_run_that_is_told_something_at_every_restart_is_parked_all_the_same() {
    let file = File::new();
    let mut process = Process::start(&file, "broken");
    let poisonous = process.ask("start aborts poison");
    process.tell("resume poison 1");
    process.dies();
    for _ in 1..=2 {
        file.resume("poison", 2);
        let mut process = Process::start(&file, "broken");
        // Before what was left has been gone through; the process may be gone already.
        process.tell("resume poison 3");
        process.dies();
    }
    let mut process = Process::start(&file, "broken");
    process.ask("resume poison 4");
    assert_eq!(
        process.ask(&format!("result {poisonous}")),
        "parked CRASHED_REPEATEDLY"
    );
}

#[test]
fn a_run_that_is_only_taken_up_for_its_step_is_counted_too() {
    let file = File::new();
    let mut process = Process::start(&file, "old");
    let run = process.ask("start aborts_in_the_new_build x");
    file.until_logged(run.parse().unwrap(), "step_started", 1);
    process.kill();
    for restart in 1..=2 {
        Process::start(&file, "new").dies();
        assert_eq!(file.journal("workflow aborts").len(), restart);
    }
    let mut process = Process::start(&file, "new");
    let other = process.ask("start adds other");
    process.ask("resume other 1");
    process.ask("resume other 2");
    assert_eq!(process.ask(&format!("result {other}")), "3");
    assert_eq!(
        process.ask(&format!("result {run}")),
        "parked CRASHED_REPEATEDLY"
    );
}

#[test]
fn a_build_that_is_not_mended_gives_the_run_up_as_well() {
    let file = File::new();
    let mut process = Process::start(&file, "broken");
    let poisonous = process.ask("start aborts poison");
    process.tell("resume poison 1");
    process.dies();
    for build in ["broken", "still broken"] {
        for _ in 1..=2 {
            Process::start(&file, build).dies();
        }
        let mut process = Process::start(&file, build);
        let parked = until_parked_by(&mut process, &file, &poisonous);
        assert_eq!(parked, "CRASHED_REPEATEDLY");
        assert_eq!(
            process.ask("start adds other").len(),
            poisonous.len(),
            "it serves"
        );
        process.kill();
    }
    let mut process = Process::start(&file, "mended");
    assert_eq!(until_let_go(&mut process, &poisonous), "survived 1");
}

/// Why the run is parked by the build of a process, as soon as it is.
fn until_parked_by(process: &mut Process, file: &File, run: &str) -> String {
    loop {
        if let Some(parked) = file.view(run.parse().unwrap()).parked
            && parked.build == process.build
        {
            return parked.code;
        }
        assert!(process.lives(), "the run goes on killing");
    }
}

#[test]
fn a_run_that_was_only_under_way_when_others_killed_the_process_is_not_parked() {
    let file = File::new();
    let mut process = Process::start(&file, "broken");
    let run = process.ask("start adds innocent");
    file.until_logged(run.parse().unwrap(), "hook_created", 1);
    process.kill();
    for n in 1..=6 {
        // Ready, and nobody has looked: what it is found as after each kill.
        let mut process = Process::start(&file, "broken");
        process.ask(&format!("start adds other{n}"));
        process.kill();
    }
    let mut process = Process::start(&file, "broken");
    process.ask("resume innocent 1");
    process.ask("resume innocent 2");
    assert_eq!(process.ask(&format!("result {run}")), "3");
}
