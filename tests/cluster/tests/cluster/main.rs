//! Several processes on one database: killed, frozen and cut off, while a checker that stands outside
//! compares what was acknowledged with what came of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod checker;
mod crowd;
mod deploy;
mod process;
mod proxy;
mod siege;
mod stage;
mod time;
mod watch;

/// Each begins with this word, by which `cargo xtask test` finds what wants a server.
mod postgres {
    use super::{crowd, deploy, siege};

    #[test]
    fn killed_and_frozen_workers_and_a_restarted_database_lose_and_double_nothing() {
        siege::of_processes();
    }

    #[test]
    fn a_bad_network_loses_and_doubles_nothing() {
        siege::of_the_network();
    }

    #[test]
    fn ten_thousand_calls_on_a_hundred_tokens_start_a_hundred_runs() {
        crowd::one_run_for_each_token();
    }

    #[test]
    fn payloads_that_an_ending_run_did_not_read_start_the_next() {
        crowd::every_payload_in_one_run();
    }

    #[test]
    fn a_run_that_only_the_old_build_can_follow_finishes_on_it() {
        deploy::side_by_side();
    }
}
