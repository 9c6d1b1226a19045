//! The list of cases, and what runs one of them.

use futures_executor::block_on;

use super::harness::{Harness, Skip};
use super::stage::Stage;

/// Hands the list of all cases to a macro, after what that macro wants to be handed.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_cases {
    ($callback:path, $($given:tt)*) => {
        $callback! {
            $($given)*
            create {
                a_log_begins_at_position_one
                the_row_of_a_new_run_says_what_the_log_says
                a_run_that_has_not_begun_is_pending
                a_run_is_created_once
                the_same_key_finds_the_first_run
                the_same_key_finds_a_run_that_has_ended
                the_same_key_with_other_arguments_is_refused
                a_refused_create_does_not_use_up_its_key
                a_log_may_begin_with_a_hook
                a_payload_that_comes_with_the_hook_counts_as_received
                a_held_token_refuses_the_log
                one_token_twice_refuses_the_log
                a_token_held_past_its_time_must_be_expired_first
            }
            attributes {
                the_attributes_of_a_run_are_those_that_were_set_last
                runs_are_listed_by_all_attributes_that_are_asked_for
            }
            append {
                a_frame_comes_back_as_it_was_stored
                an_unknown_run_is_refused
                every_end_ends_the_run
                that_the_run_is_live_may_be_named
                a_step_that_is_open_may_be_required
                a_step_that_has_ended_or_never_was_is_not_open
                a_wait_that_is_open_may_be_required
                a_wait_that_has_ended_since_is_not_open
                a_wait_is_not_ended_by_what_ends_another
                a_hook_that_is_live_may_be_required
                a_hook_that_has_gone_is_not_live
                a_hook_whose_token_another_holds_is_not_live
                the_hook_of_another_run_is_not_live_here
                one_condition_that_fails_refuses_all
                each_of_several_conditions_counts
                several_conditions_that_hold_let_it_pass
                the_step_of_another_run_is_not_open_here
                a_step_that_has_failed_is_not_open
                an_append_without_events_writes_no_frame
            }
            batches {
                a_refused_one_in_the_middle_leaves_the_others_be
                each_sees_what_those_before_it_left
                of_many_that_want_one_token_the_first_has_it
                of_many_workers_on_one_position_the_first_goes_on
                of_many_under_one_key_one_is_taken
                of_many_starts_under_one_key_one_begins
                payloads_stand_in_the_order_they_were_handed_over
                a_bound_holds_among_them
                one_that_is_handed_over_twice_is_done_once
                of_many_answers_the_first_stands
            }
            unknown {
                a_start_is_there_once_when_it_is_repeated
                an_append_is_there_once_when_it_is_repeated
                a_payload_is_there_once_when_it_is_repeated
                an_answer_stands_when_it_is_repeated
            }
            damage {
                a_log_is_not_read
                a_run_takes_nothing
                a_hook_takes_nothing
            }
            positions {
                positions_are_contiguous_across_writers
                every_log_has_positions_of_its_own
                since_gives_the_frames_of_others_and_then_its_own
                since_without_events_gives_the_frames_of_others
                since_the_end_gives_its_own_frame_only
                since_the_middle_of_a_frame_gives_those_after_it
                the_events_of_an_append_have_ids_that_count_up
                time_never_goes_back_when_the_clock_does
                time_goes_on_with_the_clock
            }
            fencing {
                of_two_workers_that_race_the_second_is_refused
                the_refused_worker_reads_the_tail_and_goes_on
                a_position_no_worker_has_reached_is_refused
                outsiders_do_not_move_the_worker_position
                an_append_without_events_does_not_move_it
                an_append_without_events_is_fenced_too
            }
            tokens {
                a_hook_that_is_registered_holds_its_token
                a_held_token_makes_a_conflict_that_names_the_owner
                a_run_is_in_conflict_with_itself_too
                of_two_hooks_in_one_append_the_first_holds_the_token
                two_tokens_in_one_append_are_both_held
                a_hook_that_is_given_up_frees_its_token
                a_free_token_may_be_taken_by_another_run
                a_token_passes_from_hook_to_hook_in_one_append
                a_token_that_passed_on_has_nothing_unread
                a_hook_made_before_the_old_one_is_given_up_is_in_conflict
                a_hook_made_and_given_up_in_one_append_never_holds_it
                until_it_is_given_up_it_is_in_the_way_of_the_next
                giving_up_a_hook_in_conflict_leaves_the_owner_be
                the_token_of_another_run_is_not_released
                a_token_that_is_named_without_cause_is_not_released
                a_token_that_is_named_twice_is_released_once
                the_end_of_a_run_frees_its_tokens
                an_end_that_leaves_tokens_behind_is_refused
                a_hook_made_by_the_append_that_ends_the_run_never_holds_it
                a_run_may_end_after_its_hook_was_in_conflict
            }
            deliver {
                a_payload_reaches_the_hook
                payloads_stand_in_the_log_in_order_of_arrival
                key_and_fallback_are_recorded
                a_token_that_nobody_holds_takes_nothing
                a_hook_that_was_given_up_takes_nothing
                a_hook_whose_run_has_ended_takes_nothing
                a_hook_is_not_reached_through_the_webhook_door
                a_webhook_is_not_reached_through_the_hook_door
                a_webhook_is_reached_through_its_door
                a_payload_for_one_hook_leaves_the_others_be
            }
            keys {
                the_same_key_and_payload_get_the_same_answer
                the_answer_stays_after_the_hook_has_gone
                the_answer_stays_after_another_hook_has_the_token
                the_answer_stays_when_the_hook_is_full
                the_same_key_with_another_payload_is_refused
                a_key_without_a_digest_does_not_compare_payloads
                a_payload_without_a_key_is_not_remembered
                other_keys_are_other_payloads
                a_key_belongs_to_its_token
                a_refusal_is_not_remembered
                a_key_does_not_open_the_other_door
                a_webhook_is_found_by_its_first_key_when_it_has_gone
                only_a_webhook_is_found_by_its_first_key
            }
            forget {
                a_key_is_known_for_a_day_after_its_hook_has_gone
                a_key_is_known_as_long_as_its_hook_is_live
                an_expiry_and_the_end_of_the_run_count_too
                keys_of_the_next_hook_stay
                many_keys_are_forgotten_little_by_little
                each_key_that_comes_takes_some_along
                a_key_of_the_mailbox_is_known_a_day_longer_than_its_payload
                a_key_of_the_mailbox_goes_with_the_hook_that_took_the_payload
                a_key_of_a_payload_that_returned_to_the_mailbox_stays_with_it
                the_key_of_an_admission_is_forgotten_too
                another_environment_forgets_its_own
            }
            limits {
                the_count_holds_at_its_edge
                the_bytes_hold_at_their_edge
                what_the_worker_has_taken_makes_room
                the_latest_count_of_the_worker_holds
                a_hook_without_room_takes_nothing
                a_payload_that_came_with_the_hook_takes_room
                every_hook_has_room_of_its_own
                the_hooks_of_a_run_hold_at_their_edge
                a_hook_that_ends_with_the_append_makes_room
                a_hook_in_conflict_takes_no_room
                hooks_beyond_a_lowered_limit_stay
            }
            wake_up {
                a_new_run_is_due_at_once
                a_run_that_must_not_begin_yet_is_due_when_it_may
                a_time_that_has_passed_does_not_make_a_run_due_earlier
                a_worker_that_has_seen_everything_sets_the_time
                records_of_a_worker_leave_the_time_it_says
                a_payload_makes_a_run_due_at_once
                a_second_payload_does_not_make_it_due_later
                the_fact_of_an_outsider_makes_a_run_due_at_once
                the_fact_of_a_worker_makes_a_run_due_at_once
                an_awaited_record_makes_a_run_due_at_once
                a_run_that_stays_due_keeps_its_place
                a_record_that_nobody_awaits_does_not
                what_the_worker_has_not_seen_keeps_a_run_due
                a_worker_that_has_caught_up_sets_the_time_again
                a_run_that_has_ended_is_never_due
                each_run_is_due_on_its_own
            }
            marks {
                records_need_no_reaction
                an_awaited_record_leaves_the_mark_before_it
                events_of_others_leave_the_mark_where_the_worker_says
                outsiders_do_not_move_the_mark
                the_end_of_a_run_is_reacted_to
                payloads_taken_are_kept_for_live_hooks
                payloads_taken_are_forgotten_with_their_hook
                payloads_taken_after_the_hook_has_gone_are_not_kept
            }
            parked {
                a_parked_run_is_listed_and_never_due
                facts_are_taken_and_wake_nobody
                the_events_of_a_worker_are_refused
                a_run_that_goes_on_is_due_for_what_came_meanwhile
                a_run_that_goes_on_is_due_when_its_worker_says
                a_run_that_goes_on_takes_the_events_of_its_worker
                a_parked_run_may_be_parked_for_another_reason
                the_end_of_a_parked_run_clears_the_mark
                parked_runs_come_in_pages_in_order_of_id
            }
            expiry {
                until_its_time_a_hook_takes_payloads
                an_overdue_hook_takes_no_payload
                a_hook_is_overdue_by_the_time_of_its_log
                an_overdue_hook_is_live_until_the_log_says_otherwise
                an_expired_hook_takes_no_payload
                of_two_that_expire_a_hook_the_second_is_refused
                until_its_time_a_hook_keeps_its_token_from_others
                a_token_held_past_its_time_must_be_expired_first
                a_run_must_expire_its_own_overdue_hook_first
                an_overdue_hook_may_still_be_given_up
                a_hook_that_was_due_when_it_was_made_is_in_the_way
                giving_up_a_hook_that_has_expired_leaves_its_successor_be
            }
            admit {
                a_token_that_nobody_holds_starts_a_run_that_owns_it
                a_run_that_is_not_at_hand_begins_later
                a_live_hook_takes_the_payload
                of_two_for_one_token_the_first_starts_the_run
                a_webhook_is_not_admitted_to
                an_overdue_hook_must_be_expired_first
                a_hook_that_is_full_takes_no_more
                the_same_key_gets_the_same_answer
                the_same_key_finds_what_a_delivery_took
                the_same_key_with_another_payload_is_refused
                a_repeated_admission_gets_the_first_answer
                a_repeated_admission_is_not_taken_by_the_hook_it_began
                a_run_that_another_request_made_is_in_the_way
                each_environment_starts_its_own
            }
            mailbox {
                a_live_hook_takes_what_is_posted
                what_nobody_takes_is_kept
                whoever_opens_the_token_gets_it_oldest_first
                a_log_that_begins_with_the_hook_gets_it
                a_run_that_is_started_for_a_payload_gets_it_first
                a_hook_in_conflict_gets_nothing
                another_token_gets_nothing
                another_environment_gets_nothing
                what_is_kept_no_longer_is_not_delivered
                what_is_kept_no_longer_is_swept
                posting_sweeps
                a_mailbox_that_is_full_keeps_no_more
                a_token_for_which_enough_is_kept_keeps_no_more
                the_same_key_gets_the_same_answer
                the_same_key_finds_what_a_hook_took
                the_same_key_with_another_payload_is_refused
                a_key_that_the_mailbox_answered_is_used_up
                a_repeated_post_is_kept_once
                a_webhook_is_not_posted_to
                the_mailbox_is_listed_in_pages
            }
            unread {
                what_was_taken_is_not_unread
                what_nobody_read_stays_and_is_counted
                what_a_dropped_receiver_left_starts_the_run_it_names
                the_end_of_a_run_starts_the_run_that_a_payload_names
                every_end_deals_with_what_is_unread
                the_first_starts_the_run_and_the_others_follow
                what_was_taken_does_not_follow
                what_the_worker_did_not_know_of_is_dealt_with_too
                a_payload_that_has_started_its_run_stays_there
                a_token_made_anew_after_the_drop_is_in_conflict_with_the_run
                what_was_posted_returns_for_its_remaining_time
                what_was_posted_stays_when_its_time_is_over
                what_was_posted_follows_into_a_run
                a_hook_made_anew_gets_what_returned
                a_closed_hook_keeps_what_it_holds_until_the_run_ends
                a_closed_hook_keeps_what_it_holds_until_it_is_dropped
                what_was_read_of_a_closed_hook_does_not_go_with_its_drop
                an_expired_hook_keeps_what_it_holds_until_it_is_dropped
                what_is_read_after_the_close_is_not_unread
                what_an_outsider_ends_says_what_was_taken
                a_token_that_somebody_else_holds_leaves_the_payload_in_the_mailbox
                one_token_of_two_hooks_starts_one_run
                a_repeated_end_starts_nothing_twice
            }
            children {
                a_child_begins_with_the_append_that_records_it
                a_child_that_is_not_at_hand_begins_later
                a_child_is_due_at_once
                many_children_begin_with_one_append
                a_child_that_the_append_does_not_bring_is_refused
                a_child_whose_run_exists_is_refused
                one_run_is_not_two_children
                a_refused_worker_begins_no_child
                a_repeated_append_begins_no_child_twice
                attached_children_are_counted
                children_are_listed_by_their_parent_in_pages
                every_end_of_a_parent_leaves_it_due_for_its_running_children
                a_parent_without_running_children_is_never_due
                a_parent_whose_children_were_told_is_due_no_more
                children_of_a_run_that_lives_are_not_told
                another_environment_tells_no_children
            }
            owed {
                every_end_of_a_child_is_owed_to_its_parent
                a_child_let_go_of_owes_nothing
                a_run_that_goes_on_in_another_owes_nothing
                what_is_recorded_is_owed_no_more
                what_is_recorded_is_counted_no_more
                a_refused_worker_leaves_what_is_owed
                what_is_not_owed_cannot_be_recorded
                a_child_settles_with_its_own_parent_only
                a_parent_that_has_ended_is_owed_nothing
                the_end_of_a_parent_takes_what_is_owed_to_it
                what_is_owed_comes_in_pages_in_order_of_the_children
                runs_that_are_owed_something_come_in_pages_in_order_of_id
                another_environment_sees_nothing
                what_is_owed_is_remembered
            }
            sessions {
                workers_that_did_not_end_cleanly_are_counted
                a_clean_end_begins_the_count_anew
                unclean_ends_are_counted_for_the_runs_named
                a_run_that_is_unknown_counts_nothing
                counting_changes_nothing_else
                a_run_that_comes_to_rest_is_forgiven
                a_closed_store_serves_nothing
            }
            isolation {
                a_project_and_environment_keep_their_number
                runs_and_their_logs_are_not_seen
                wake_ups_and_parked_runs_are_not_seen
                nothing_is_appended
                nothing_is_delivered
                nothing_is_answered
                an_answer_is_not_seen
                hooks_are_not_listed
                no_unclean_end_is_counted
                one_token_may_be_live_in_both
                the_end_of_a_run_leaves_the_other_token_be
                delivery_keys_are_apart
                a_repeat_is_not_answered
                start_keys_are_apart
                a_run_of_another_environment_is_not_handed_out
            }
            paging {
                a_page_of_frames_has_at_least_one
                a_page_of_frames_begins_after_a_position
                a_page_of_frames_may_begin_in_the_middle_of_one
                a_page_of_frames_ends_near_its_bytes
                the_log_of_an_unknown_run_is_empty
                wake_ups_come_in_order_of_time_and_then_run
                wake_ups_come_in_pages
                a_page_of_wake_ups_may_begin_where_none_is
                runs_are_listed_newest_first_with_their_rows
                runs_are_listed_in_pages
                a_last_page_that_is_full_is_the_last
                runs_are_listed_by_workflow_and_state
                pages_of_a_filtered_listing_leave_none_out
                runs_with_live_hooks_are_listed
                hooks_with_chosen_tokens_are_listed_in_order_of_the_tokens
                hooks_are_listed_in_pages
                hooks_with_random_tokens_are_not_listed
                hooks_that_have_gone_are_not_listed
            }
            streams {
                the_first_answer_stands
                its_writer_may_repeat_it
                its_writer_may_repeat_it_after_the_run_has_ended
                another_writer_is_refused
                a_writer_that_is_no_step_may_not_repeat_it
                other_streams_are_answered_apart
                a_run_that_has_ended_or_never_was_is_not_answered
            }
            repeats {
                a_repeated_create_gets_the_first_answer
                a_repeated_create_with_a_key_gets_the_first_answer
                a_repeated_create_that_held_a_token_gets_the_first_answer
                a_create_that_was_not_committed_is_done_on_repeat
                a_repeated_append_of_a_worker_gets_the_first_answer
                a_repeated_append_of_an_outsider_gets_the_first_answer
                what_came_after_the_first_try_does_not_change_the_answer
                a_conflict_stays_a_conflict_on_repeat
                an_append_is_found_after_the_end_of_its_run
                a_mark_alone_may_be_repeated
                a_create_is_found_after_its_token_has_passed_on
                a_repeated_delivery_gets_the_first_answer_after_later_ones
                a_delivery_is_found_when_another_hook_of_its_run_has_the_token
                a_keyless_delivery_is_taken_anew_once_another_run_has_the_token
                the_end_of_a_run_may_be_repeated
                an_append_that_was_not_committed_is_done_on_repeat
                a_repeated_delivery_gets_the_first_answer
                a_repeated_delivery_with_a_key_gets_the_first_answer
                a_repeated_delivery_is_found_when_the_hook_is_full
                a_repeated_delivery_is_found_when_the_hook_is_overdue
                a_keyed_delivery_is_found_when_the_hook_has_expired
                a_delivery_that_was_not_committed_is_done_on_repeat
                a_keyless_delivery_is_not_found_once_the_hook_has_gone
            }
            reopen {
                everything_that_can_be_seen_is_there
                scopes_keep_their_numbers
                keys_are_remembered
                the_mailbox_is_remembered
                logs_go_on_where_they_ended
                sessions_that_did_not_end_are_remembered
            }
        }
    };
}

/// Makes one test of each case of the conformance suite, in a module for each topic.
///
/// The argument is an expression for a [`Harness`](crate::conformance::Harness); each test
/// evaluates it anew. A case that the harness skips is reported with its reason.
#[macro_export]
macro_rules! conformance_suite {
    ($harness:expr) => {
        $crate::__conformance_cases! { $crate::__conformance_tests, ($harness) }

        #[test]
        fn every_skip_names_a_case_and_a_reason() {
            for skip in $crate::conformance::Harness::skips(&$harness) {
                assert!($crate::conformance::CASES.contains(&skip.case), "{skip:?}");
                assert!(!skip.reason.is_empty(), "{skip:?}");
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    (($harness:expr) $($topic:ident { $($case:ident)* })*) => {
        $(mod $topic {
            use super::*;

            $(#[test]
            fn $case() {
                let case = concat!(stringify!($topic), "::", stringify!($case));
                if let Some(skip) = $crate::conformance::run(&$harness, case) {
                    println!("skipped: {}", skip.reason);
                }
            })*
        })*
    };
}

macro_rules! dispatch {
    ($($topic:ident { $($case:ident)* })*) => {
        /// The names of all cases, as `topic::name`.
        pub const CASES: &[&str] = &[
            $($(concat!(stringify!($topic), "::", stringify!($case)),)*)*
        ];

        async fn play(stage: Stage<'_>, case: &str) {
            $($(
                if case == concat!(stringify!($topic), "::", stringify!($case)) {
                    return Box::pin(super::$topic::$case(stage)).await;
                }
            )*)*
            panic!("there is no case `{case}`");
        }
    };
}

crate::__conformance_cases! { dispatch, }

/// Plays one case on a store of this harness, and returns why it was skipped, if it was.
///
/// # Panics
///
/// Where the store does not keep the contract, or no case has this name.
pub fn run<'h>(harness: &'h dyn Harness, case: &str) -> Option<&'h Skip> {
    let skip = harness.skips().iter().find(|skip| skip.case == case);
    if skip.is_none() {
        block_on(async { play(Stage::new(harness).await, case).await });
    }
    skip
}
