//! What may come of an order, each with the steps in the order in which they were called. The log of
//! each story is kept, and every later build must be able to follow it.

use orders::{
    Payment, arrange_shipping, charge_card, collection_of, fulfil, payment_of, refund_card,
    reserve_stock,
};
use rewake::testing::{TestRewake, never, takes};
use rewake::{Run, days, minutes, seconds};

use crate::scene::{all_is_well, bicycle, declined};

const PAID: Payment = Payment { confirmed: true };

async fn placed(rewake: &TestRewake) -> Run<String> {
    rewake.start(fulfil(bicycle())).await.unwrap()
}

async fn pays(rewake: &TestRewake, payment: Payment) {
    rewake.wait_for_hook(payment_of(1)).await;
    let taken = rewake.resume_hook(payment_of(1), &payment).await.unwrap();
    assert!(taken.is_some());
}

async fn collects(rewake: &TestRewake) {
    rewake.wait_for_hook(collection_of(1)).await;
    let taken = rewake.resume_hook(collection_of(1), "Mo").await.unwrap();
    assert!(taken.is_some());
}

/// Holds that the order ends so, after these steps in this order, and keeps its log.
async fn comes_to(
    rewake: &TestRewake,
    run: &Run<String>,
    log: &str,
    ending: &str,
    called: &[&str],
) {
    let result = run.result().await;
    assert_eq!(result.unwrap_or_else(|error| error.to_string()), ending);
    let steps = rewake.steps(run.id()).await.unwrap().data;
    let names = steps.iter().map(|step| step.name.rsplit("::").next());
    assert_eq!(names.flatten().collect::<Vec<_>>(), called);
    rewake
        .golden(format!("tests/golden/{log}.log"), run.id())
        .await;
}

const FULFILLED: &[&str] = &["reserve_stock", "charge_card", "arrange_shipping"];
const UNPAID: &[&str] = &[
    "reserve_stock",
    "charge_card",
    "refund_card",
    "release_stock",
];
const TAKEN_BACK: &[&str] = &[
    "reserve_stock",
    "charge_card",
    "arrange_shipping",
    "call_courier_off",
    "refund_card",
    "release_stock",
];

#[tokio::test]
async fn an_order_that_is_paid_and_collected_is_fulfilled() {
    let rewake = all_is_well().build().await;
    let run = placed(&rewake).await;
    pays(&rewake, PAID).await;
    collects(&rewake).await;
    let ending = "Mo is on the way with the bicycle";
    comes_to(&rewake, &run, "fulfilled", ending, FULFILLED).await;
}

#[tokio::test]
async fn what_is_out_of_stock_is_never_charged() {
    let rewake = all_is_well().mock(reserve_stock, declined).build().await;
    let run = placed(&rewake).await;
    let ending = "the run failed: step `orders::fulfil::reserve_stock` failed: no";
    comes_to(
        &rewake,
        &run,
        "out-of-stock",
        ending,
        &["reserve_stock", "release_stock"],
    )
    .await;
}

#[tokio::test]
async fn a_card_that_the_bank_declines_releases_the_stock() {
    let rewake = all_is_well().mock(charge_card, declined).build().await;
    let run = placed(&rewake).await;
    let ending = "the run failed: step `orders::fulfil::charge_card` failed: no";
    comes_to(&rewake, &run, "declined", ending, UNPAID).await;
}

#[tokio::test]
async fn a_payment_that_the_bank_refuses_is_taken_back() {
    let rewake = all_is_well().build().await;
    let run = placed(&rewake).await;
    pays(&rewake, Payment { confirmed: false }).await;
    let ending = "the run failed: the bank refused the payment";
    comes_to(&rewake, &run, "refused", ending, UNPAID).await;
}

#[tokio::test]
async fn a_payment_that_nobody_confirms_is_taken_back_after_half_an_hour() {
    let rewake = all_is_well().build().await;
    let began = rewake.now();
    let run = placed(&rewake).await;
    let ending = "the run failed: the bank did not confirm the payment in time";
    comes_to(&rewake, &run, "unpaid", ending, UNPAID).await;
    assert_eq!(rewake.now().duration_since(began).unwrap(), minutes(30));
}

#[tokio::test]
async fn a_courier_who_does_not_answer_at_first_is_called_again() {
    let slow_then_quick = |(order,): (orders::Order,)| async move {
        assert_eq!(order, bicycle());
        if rewake::step_metadata().attempt == 1 {
            never::<()>().await;
        }
        Ok(())
    };
    let rewake = all_is_well()
        .mock_async(arrange_shipping, slow_then_quick)
        .build()
        .await;
    let run = placed(&rewake).await;
    pays(&rewake, PAID).await;
    collects(&rewake).await;
    let ending = "Mo is on the way with the bicycle";
    comes_to(&rewake, &run, "slow-courier", ending, FULFILLED).await;
    assert_eq!(rewake.calls(arrange_shipping).len(), 2);
}

#[tokio::test]
async fn a_courier_who_never_answers_in_time_is_given_up_and_all_is_taken_back() {
    let rewake = all_is_well()
        .mock_async(arrange_shipping, |_| async {
            takes(seconds(2)).await;
            Ok(())
        })
        .build()
        .await;
    let run = placed(&rewake).await;
    pays(&rewake, PAID).await;
    let ending = "the run failed: step `orders::fulfil::arrange_shipping` failed: the attempt took longer than 1s";
    comes_to(&rewake, &run, "no-courier", ending, TAKEN_BACK).await;
    assert_eq!(rewake.calls(arrange_shipping).len(), 5);
}

#[tokio::test]
async fn a_parcel_that_nobody_collects_is_taken_back_after_three_days() {
    let rewake = all_is_well().build().await;
    let began = rewake.now();
    let run = placed(&rewake).await;
    pays(&rewake, PAID).await;
    let ending = "the run failed: the courier did not come within three days";
    comes_to(&rewake, &run, "not-collected", ending, TAKEN_BACK).await;
    assert_eq!(rewake.now().duration_since(began).unwrap(), days(3));
}

#[tokio::test]
async fn an_order_that_is_cancelled_is_taken_back_newest_first() {
    let rewake = all_is_well().build().await;
    let run = placed(&rewake).await;
    pays(&rewake, PAID).await;
    rewake.wait_for_hook(collection_of(1)).await;
    assert!(run.cancel("changed her mind").await.unwrap());
    let ending = "the run was cancelled: changed her mind";
    comes_to(&rewake, &run, "cancelled", ending, TAKEN_BACK).await;
    let too_late = rewake.resume_hook(collection_of(1), "Mo").await.unwrap();
    assert_eq!(too_late, None);
}

#[tokio::test]
async fn what_cannot_be_taken_back_does_not_keep_the_rest() {
    let rewake = all_is_well().mock(refund_card, declined).build().await;
    let run = placed(&rewake).await;
    pays(&rewake, Payment { confirmed: false }).await;
    let ending = "the run failed: the bank refused the payment";
    comes_to(&rewake, &run, "no-refund", ending, UNPAID).await;
}
