//! What makes tests of the cases, and what runs one of them.

use futures_executor::block_on;

use super::harness::{Harness, Skip};
use super::stage::Stage;

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
                let mut cases = $crate::conformance::CASES.iter();
                let topic = format!("{}::", skip.case);
                assert!(
                    cases.any(|case| *case == skip.case || case.starts_with(&topic)),
                    "{skip:?}"
                );
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
    let topic = case.split("::").next();
    let mut skips = harness.skips().iter();
    let skip = skips.find(|skip| skip.case == case || Some(skip.case) == topic);
    if skip.is_none() {
        block_on(async { play(Stage::new(harness).await, case).await });
    }
    skip
}
