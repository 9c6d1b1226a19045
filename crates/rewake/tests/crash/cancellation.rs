//! A cancelled run whose process is killed again and again, in its shield and in its undo calls.

use crate::file::File;
use crate::process::Process;

#[test]
fn a_cancellation_goes_on_where_each_killed_process_stopped() {
    let file = File::new();
    let mut process = Process::start(&file, "first");
    let run = process.ask("start is_cancelled x");
    file.until("shield-a in first");
    assert_eq!(process.ask(&format!("cancel {run}")), "true");
    // Each process brings it to the end of one step, and is killed in the next.
    let next = ["shield-a", "shield-b", "undo-b", "undo-a", "last"];
    for (build, following) in next.iter().zip(&next[1..]) {
        process.kill();
        process = Process::start(&file, build);
        if *following != "last" {
            file.until(&format!("{following} in {build}"));
        }
    }
    let result = process.ask(&format!("result {run}"));
    assert!(result.contains("cancelled"), "{result}");
    assert!(result.contains("not wanted"), "{result}");
    assert!(file.journal("never").is_empty());
    let order = |word: &str| {
        let journal = file.journal("");
        journal
            .iter()
            .position(|line| line.starts_with(word))
            .unwrap()
    };
    let begun = ["shield-a", "shield-b", "undo-b", "undo-a"].map(order);
    assert!(begun.is_sorted(), "{begun:?}");
    let ended = file.count(run.parse().unwrap(), "step_completed");
    assert_eq!(ended, 4, "each is recorded once");
}
