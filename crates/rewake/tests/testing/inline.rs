//! Inline steps, steps that block and calls with names of their own under a `TestRewake`.

use std::time::Duration;

use rewake::prelude::*;
use rewake::testing::TestRewake;

#[derive(Clone, Debug)]
struct Rate(u64);

#[step]
fn convert(cents: u64, #[provided] rate: Rate) -> anyhow::Result<u64> {
    Ok(cents * rate.0)
}

#[workflow]
async fn pays(cents: u64) -> anyhow::Result<(u64, u64)> {
    let rate = step("look_up_rate", async || {
        anyhow::ensure!(step_metadata().attempt == 3, "nobody answers");
        Ok(provided::<Rate>()?.0)
    });
    let rate = rate.backoff(Duration::from_hours(1)).await?;
    Ok((rate, convert(cents).name("convert_to_yen").await?))
}

#[tokio::test]
async fn inline_and_blocking_steps_have_the_values_that_are_provided_and_skip_their_pauses() {
    let rewake = TestRewake::builder().provide(Rate(3)).build().await;
    let run = rewake.start(pays(5)).await.unwrap();
    assert_eq!(run.result().await.unwrap(), (3, 15));
    assert_eq!(rewake.calls_named("look_up_rate"), 3);
}

#[tokio::test]
async fn an_inline_step_is_mocked_by_its_name_and_a_named_call_by_its_function() {
    let rewake = TestRewake::builder()
        .mock_named("look_up_rate", |[]: [(); 0]| Ok(7_u64))
        .mock(convert, |(cents,)| Ok(cents + 1))
        .build()
        .await;
    let run = rewake.start(pays(5)).await.unwrap();
    assert_eq!(run.result().await.unwrap(), (7, 6));
    assert_eq!(rewake.calls(convert), [(5,)]);
}
