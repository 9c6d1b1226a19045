//! What the tests beside this one would not see if they were blind: stores that lose what they
//! acknowledged.

use rewake_sqlite::Durability;

use super::checker::Complaint;
use super::disk::{Loss, Plan};
use super::life::Course;
use super::trial::{Trial, course, extent, measure, picks};

/// What the checker finds after cuts all over a course.
fn found(course: Course, lies: bool) -> Vec<Complaint> {
    let ops = measure(course).ops;
    let trial = |cut| {
        let plan = Plan {
            seed: course.seed,
            cut: Some(cut),
            loss: Loss::All,
            lies,
            ..Plan::default()
        };
        let mut trial = Trial::new();
        trial.live(course, &plan);
        trial.complaints()
    };
    picks(course.seed, 10, ops).flat_map(trial).collect()
}

fn lost(complaints: &[Complaint]) -> usize {
    let lost = |complaint: &&Complaint| matches!(complaint, Complaint::Lost(_));
    complaints.iter().filter(lost).count()
}

#[test]
fn a_store_that_does_not_wait_for_the_disk_is_seen_to_lose_and_to_do_no_other_harm() {
    let relaxed = Course {
        durability: Durability::Relaxed,
        // So much that it is not moved, which would make everything durable.
        wal_bytes: 64 << 20,
        ..course(extent(0).0)
    };
    let complaints = found(relaxed, false);
    assert!(lost(&complaints) > 20, "{complaints:#?}");
    assert_eq!(lost(&complaints), complaints.len(), "{complaints:#?}");
}

#[test]
fn a_disk_that_says_too_early_that_it_has_written_is_seen_to_lose() {
    let complaints = found(course(extent(0).0), true);
    assert!(lost(&complaints) > 20, "{complaints:#?}");
}
