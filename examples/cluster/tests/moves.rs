//! The show itself, as one command.

use std::process::Command;

/// Six parcels arrive and are signed for, though the worker that carried most of them was killed.
#[test]
fn postgres_has_runs_move_when_a_worker_is_killed() {
    let shown = Command::new(env!("CARGO_BIN_EXE_cluster"))
        .output()
        .unwrap();
    let said = String::from_utf8(shown.stdout).unwrap();
    let errors = String::from_utf8_lossy(&shown.stderr);
    assert!(shown.status.success(), "{said}\n{errors}");
    let count = |part: &str| said.lines().filter(|line| line.contains(part)).count();
    assert_eq!(count("is killed (kill -9)"), 1, "{said}");
    let moved = count(" has moved from ");
    assert!(
        moved >= 2,
        "the busiest of three has two of six at least: {said}"
    );
    assert_eq!(count("was signed for by Dora"), 6, "{said}");
    let last = said.lines().last().unwrap();
    assert_eq!(
        last,
        format!("All 6 parcels are there; {moved} of them moved to another worker.")
    );
}
