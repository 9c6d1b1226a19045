//! Mocks: what stands in for steps.

use rewake::StepErrorKind;
use rewake::prelude::*;
use rewake::testing::TestRewake;

#[derive(Clone, Debug)]
struct Bank;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Receipt {
    cents: u64,
}

#[step(max_retries = 2, backoff = "1m")]
async fn charge(card: String, cents: u64, #[provided] _bank: Bank) -> anyhow::Result<Receipt> {
    anyhow::bail!("the bank was asked for {cents} from {card}")
}

/// Its arguments are those of `charge`.
#[step(max_retries = 0)]
async fn refund(card: String, cents: u64) -> anyhow::Result<Receipt> {
    anyhow::bail!("the bank was asked to give {cents} to {card}")
}

#[step(name = "wall::clock", max_retries = 0)]
async fn look_at_the_clock() -> anyhow::Result<u64> {
    anyhow::bail!("there is no clock")
}

#[workflow]
async fn buys(card: String) -> anyhow::Result<Receipt> {
    Ok(charge(card, 250).await?)
}

#[workflow]
async fn looks() -> anyhow::Result<u64> {
    Ok(look_at_the_clock().await?)
}

#[workflow]
async fn buys_and_returns(card: String) -> anyhow::Result<(Receipt, StepErrorKind)> {
    let receipt = charge(card.clone(), 250).await?;
    let refused = refund(card, receipt.cents).await.unwrap_err();
    Ok((receipt, refused.kind))
}

#[tokio::test]
async fn a_mock_stands_in_for_its_step_alone_and_wants_nothing_provided() {
    let rewake = TestRewake::builder()
        .mock(charge, |(_, cents)| Ok(Receipt { cents }))
        .build()
        .await;
    let run = rewake.start(buys_and_returns("7".into())).await.unwrap();
    let (receipt, refused) = run.result().await.unwrap();
    assert_eq!(receipt, Receipt { cents: 250 });
    assert_eq!(refused, StepErrorKind::RetriesExhausted);
    assert_eq!(rewake.calls(charge), [("7".to_owned(), 250)]);
    assert_eq!(rewake.calls(refund), [("7".to_owned(), 250)]);
}

#[tokio::test]
async fn a_mock_fails_and_is_tried_again_like_its_step() {
    let rewake = TestRewake::builder()
        .mock(charge, |(_, cents)| match step_metadata().attempt {
            1 => Err("busy".into()),
            2 => Err(RetryableError::new("busy").retry_after(hours(9)).into()),
            _ => Ok(Receipt { cents }),
        })
        .build()
        .await;
    let began = rewake.now();
    let run = rewake.start(buys("7".into())).await.unwrap();
    assert_eq!(run.result().await.unwrap().cents, 250);
    assert_eq!(rewake.calls(charge).len(), 3);
    assert!(rewake.now().duration_since(began).unwrap() >= hours(9));
}

#[tokio::test]
async fn a_fatal_error_of_a_mock_ends_its_step_at_once() {
    let rewake = TestRewake::builder()
        .mock(charge, |_| Err(FatalError::new("declined").into()))
        .build()
        .await;
    let run = rewake.start(buys("7".into())).await.unwrap();
    let error = run.result().await.unwrap_err().to_string();
    assert!(error.contains("declined"), "{error}");
    assert_eq!(rewake.calls(charge).len(), 1);
}

#[tokio::test]
async fn a_value_that_is_missing_is_an_error_of_the_step_that_wants_it() {
    let rewake = TestRewake::new().await;
    let run = rewake.start(buys("7".into())).await.unwrap();
    let error = run.result().await.unwrap_err().to_string();
    assert!(
        error.contains("Bank") && error.contains(".provide("),
        "{error}"
    );
    let rewake = TestRewake::builder().provide(Bank).build().await;
    let run = rewake.start(buys("7".into())).await.unwrap();
    let error = run.result().await.unwrap_err().to_string();
    assert!(error.contains("the bank was asked"), "{error}");
}

#[tokio::test]
async fn a_step_without_arguments_and_one_by_its_name_are_mocked_too() {
    let rewake = TestRewake::builder()
        .mock(look_at_the_clock, |()| Ok(11))
        .build()
        .await;
    let run = rewake.start(looks()).await.unwrap();
    assert_eq!(run.result().await.unwrap(), 11);
    assert_eq!(rewake.calls(look_at_the_clock), [()]);
    let rewake = TestRewake::builder()
        .mock_named("wall::clock", |[]: [(); 0]| Ok(12))
        .build()
        .await;
    let run = rewake.start(looks()).await.unwrap();
    assert_eq!(run.result().await.unwrap(), 12);
    assert_eq!(rewake.calls_named("wall::clock"), 1);
}

#[tokio::test]
async fn the_last_mock_of_a_step_counts() {
    let rewake = TestRewake::builder()
        .mock(look_at_the_clock, |()| Ok(11))
        .mock_async(look_at_the_clock, |()| async { Ok(12) })
        .build()
        .await;
    let run = rewake.start(looks()).await.unwrap();
    assert_eq!(run.result().await.unwrap(), 12);
}
