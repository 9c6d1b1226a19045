//! Whole runs through the public API.

use std::time::Duration;

use rewake::prelude::*;

#[step]
async fn double(n: u64) -> Result<u64, std::convert::Infallible> {
    Ok(n * 2)
}

#[workflow]
async fn sums(n: u64) -> anyhow::Result<u64> {
    let mut total = 0;
    for i in 0..n {
        total += double(i).await?;
    }
    Ok(total)
}

#[workflow]
async fn gather(token: String) -> anyhow::Result<Vec<u64>> {
    let mut numbers = create_hook::<u64>().token(token).await?;
    let mut all = Vec::new();
    while all.len() < 3 {
        all.push(numbers.recv().await?);
    }
    sleep(Duration::from_millis(30)).await;
    Ok(all)
}

async fn resume(rewake: &Rewake, token: &str, n: u64) {
    while rewake.resume_hook(token, &n).await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
}

async fn both(rewake: Rewake) {
    let run = rewake.start(sums(10)).await.unwrap();
    assert_eq!(run.result().await.unwrap(), 90);
    let run = rewake.start(gather("g".into())).await.unwrap();
    for n in [1, 2, 3] {
        resume(&rewake, "g", n).await;
    }
    assert_eq!(run.result().await.unwrap(), [1, 2, 3]);
    rewake.shutdown(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_come_to_their_end_in_memory() {
    both(Rewake::open("sqlite::memory:").await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_come_to_their_end_in_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", dir.path().join("runs.db").display());
    both(
        Rewake::builder()
            .store(url.clone())
            .memory_budget(0)
            .build()
            .await
            .unwrap(),
    )
    .await;
    both(Rewake::open(&url).await.unwrap()).await;
}
