//! What runs on the stores that are copied.

use rewake::prelude::*;

/// Adds up so many payloads.
#[workflow]
pub(crate) async fn sum(token: String, payloads: u64) -> anyhow::Result<u64> {
    let mut amounts = create_hook::<u64>().token(token).await?;
    let mut sum = 0;
    for _ in 0..payloads {
        sum += amounts.recv().await?;
    }
    Ok(sum)
}

/// Sleeps for a moment that is over soon after it has been copied, or before.
#[workflow]
pub(crate) async fn doze() -> anyhow::Result<String> {
    sleep(seconds(2)).await;
    Ok("awake".to_owned())
}

pub(crate) async fn open(store: &str) -> Rewake {
    Rewake::builder().store(store).build().await.unwrap()
}

/// Waits until somebody listens under a token.
pub(crate) async fn hook(rewake: &Rewake, token: &str) {
    while rewake.get_hook_by_token(token).await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
}

pub(crate) async fn resume(rewake: &Rewake, token: &str, amount: u64) {
    let hook = rewake.resume_hook(token, &amount).await.unwrap();
    assert!(hook.is_some(), "{token}");
}

pub(crate) async fn close(rewake: Rewake) {
    rewake.shutdown(seconds(5)).await.unwrap();
}
