//! Every construct, killed at each position of its log.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::stream::{FuturesUnordered, StreamExt};
use futures::{FutureExt, join, try_join};
use http::{Request, Response};
use rewake::prelude::*;
use rewake::testing::{Outside, TestRewake, TestRewakeBuilder, crash_everywhere};

/// Plays a scene with crashes everywhere, and says what it came to.
async fn everywhere<T: PartialEq + std::fmt::Debug>(
    play: impl AsyncFn(&Outside) -> T,
) -> rewake::testing::Crashes {
    let crashes = crash_everywhere(TestRewakeBuilder::default, play).await;
    assert!(
        crashes.writes > 2 && crashes.survived >= crashes.writes,
        "{crashes:?}"
    );
    crashes
}

#[step(max_retries = 5)]
async fn doubles(n: u64) -> anyhow::Result<u64> {
    Ok(2 * n)
}

#[step(max_retries = 5, backoff = "1h")]
async fn fails_twice(n: u64) -> anyhow::Result<u64> {
    anyhow::ensure!(step_metadata().attempt > 2, "not yet");
    Ok(n)
}

#[step]
async fn fails_for_good() -> anyhow::Result<u64> {
    Err(FatalError::new("never").into())
}

#[workflow]
async fn calls_steps() -> anyhow::Result<(u64, u64, String)> {
    let first = doubles(1).await?;
    let second = fails_twice(first).await?;
    let failed = fails_for_good().await.unwrap_err();
    Ok((first, second, failed.message))
}

#[tokio::test]
async fn steps_that_are_tried_again_and_fail() {
    everywhere(async |outside| {
        let run = outside.start(calls_steps).await;
        let result = outside.result::<(u64, u64, String)>(run).await;
        assert_eq!(result, Ok((2, 2, "never".into())));
        result
    })
    .await;
}

#[workflow]
async fn sleeps() -> anyhow::Result<u64> {
    let began = now();
    sleep(days(1)).await;
    sleep_until(began + days(3)).await;
    join!(sleep(hours(1)), sleep(hours(2)));
    Ok(now().duration_since(began)?.as_secs() / 3_600)
}

#[tokio::test]
async fn sleeps_one_after_the_other_and_at_the_same_time() {
    everywhere(async |outside| {
        let run = outside.start(sleeps).await;
        let result = outside.result::<u64>(run).await;
        assert_eq!(result, Ok(74));
        result
    })
    .await;
}

#[workflow]
async fn has_patience(token: String) -> anyhow::Result<(Option<u64>, Option<u64>)> {
    let mut numbers = create_hook::<u64>().token(token).await?;
    let first = timeout(days(1), numbers.recv()).await.ok().transpose()?;
    let second = timeout(days(1), numbers.recv()).await.ok().transpose()?;
    Ok((first, second))
}

#[tokio::test]
async fn a_timeout_in_time_and_one_that_runs_out() {
    everywhere(async |outside| {
        let run = outside.start(|| has_patience("t".into())).await;
        outside.resume("t", &7).await;
        let result = outside.result::<(Option<u64>, Option<u64>)>(run).await;
        assert_eq!(result, Ok((Some(7), None)));
        result
    })
    .await;
}

#[workflow]
async fn chooses(a: String, b: String) -> anyhow::Result<Vec<String>> {
    let mut first = create_hook::<u64>().token(a).await?;
    let mut second = create_hook::<u64>().token(b).await?;
    let mut chosen = Vec::new();
    for _ in 0..3 {
        select! {
            n = first.recv() => chosen.push(format!("first {}", n?)),
            n = second.recv() => chosen.push(format!("second {}", n?)),
            () = sleep(days(1)) => chosen.push("nobody".to_owned()),
        }
    }
    Ok(chosen)
}

#[tokio::test]
async fn a_select_of_hooks_and_a_sleep() {
    everywhere(async |outside| {
        let run = outside.start(|| chooses("a".into(), "b".into())).await;
        outside.resume("b", &1).await;
        outside.resume("a", &2).await;
        let result = outside.result::<Vec<String>>(run).await;
        let mut sorted = result.clone().unwrap();
        sorted.sort();
        assert_eq!(sorted, ["first 2", "nobody", "second 1"]);
        sorted
    })
    .await;
}

#[workflow]
async fn reads_and_closes(token: String) -> anyhow::Result<(u64, bool)> {
    let mut numbers = create_hook::<u64>().token(token.clone()).await?;
    let mut sum = numbers.recv().await? + numbers.recv().await?;
    numbers.close().await;
    while let Some(number) = numbers.next().await {
        sum += number?;
    }
    let dropped = create_hook::<u64>().token(token).await?;
    sleep(hours(1)).await;
    drop(dropped);
    let short = create_hook::<u64>()
        .token("short")
        .expires_in(hours(1))
        .await;
    let expired = short?.recv().await.is_err();
    Ok((sum, expired))
}

#[tokio::test]
async fn a_hook_that_is_read_closed_dropped_and_one_that_expires() {
    everywhere(async |outside| {
        let run = outside.start(|| reads_and_closes("t".into())).await;
        outside.resume("t", &1).await;
        outside.resume("t", &2).await;
        let result = outside.result::<(u64, bool)>(run).await;
        assert_eq!(result, Ok((3, true)));
        result
    })
    .await;
}

#[workflow]
async fn reads_one_of_two(token: String) -> anyhow::Result<u64> {
    let mut numbers = create_hook::<u64>().token(token).await?;
    let mut more = create_hook::<u64>().token("more").await?;
    more.recv().await?;
    Ok(numbers.recv().await?)
}

#[tokio::test]
async fn what_is_left_unread_is_left_unread() {
    everywhere(async |outside| {
        let run = outside.start(|| reads_one_of_two("t".into())).await;
        for n in [1, 2] {
            outside.resume("t", &n).await;
        }
        outside.resume("more", &0).await;
        let result = outside.result::<u64>(run).await;
        let unread = outside
            .act(async |rewake| rewake.get_run::<u64>(run).unread().await.unwrap())
            .await;
        let unread: Vec<u64> = unread
            .iter()
            .map(|unread| unread.decode().unwrap())
            .collect();
        assert_eq!((&result, &unread[..]), (&Ok(1), &[2][..]));
        (result, unread)
    })
    .await;
}

#[workflow]
async fn pairs() -> anyhow::Result<Vec<u64>> {
    let mut a = create_hook::<u64>().token("a").await?;
    let mut b = create_hook::<u64>().token("b").await?;
    let mut sums = Vec::new();
    for _ in 0..2 {
        let (x, y) = recv_all((&mut a, &mut b)).await?;
        sums.push(x + y);
    }
    Ok(sums)
}

#[tokio::test]
async fn one_of_each_is_taken_together() {
    everywhere(async |outside| {
        let run = outside.start(pairs).await;
        for (token, n) in [("a", 1), ("a", 2), ("b", 10), ("b", 20)] {
            outside.resume(token, &n).await;
        }
        let result = outside.result::<Vec<u64>>(run).await;
        assert_eq!(result, Ok(vec![11, 22]));
        result
    })
    .await;
}

#[workflow]
async fn joins() -> anyhow::Result<(u64, u64, u64, Vec<u64>)> {
    let (a, b, ()) = join!(doubles(1), fails_twice(5), sleep(hours(5)));
    let (c, _) = try_join!(doubles(3), doubles(4))?;
    let many: FuturesUnordered<_> = (0..4).map(doubles).collect();
    let mut many: Vec<u64> = many.map(Result::unwrap).collect().await;
    many.sort_unstable();
    Ok((a?, b?, c, many))
}

#[tokio::test]
async fn steps_at_the_same_time() {
    everywhere(async |outside| {
        let run = outside.start(joins).await;
        let result = outside.result::<(u64, u64, u64, Vec<u64>)>(run).await;
        assert_eq!(result, Ok((2, 5, 6, vec![0, 2, 4, 6])));
        result
    })
    .await;
}

#[workflow]
async fn part() -> anyhow::Result<u64> {
    sleep(hours(1)).await;
    Ok(doubles(random::<u64>() % 100).await?)
}

#[workflow]
async fn draws() -> anyhow::Result<(u64, u64, String)> {
    let first = part().await?;
    let id = uuid().to_string();
    sleep(hours(1)).await;
    Ok((first, random::<u64>(), id))
}

#[tokio::test]
async fn numbers_that_are_drawn_and_a_workflow_in_a_workflow() {
    everywhere(async |outside| {
        let run = outside.start(draws).await;
        let result = outside.result::<(u64, u64, String)>(run).await;
        assert!(result.is_ok(), "{result:?}");
        result
    })
    .await;
}

#[workflow]
async fn serves() -> anyhow::Result<String> {
    let mut webhook = create_webhook().manual().dedup("x-id").await?;
    let request = webhook.recv().await?;
    let text = request.text()?.to_owned();
    let answer = doubles(21).await?.to_string();
    request.respond_with(Response::new(answer)).await?;
    sleep(hours(1)).await;
    Ok(text)
}

#[tokio::test]
async fn a_webhook_that_the_workflow_answers() {
    everywhere(async |outside| {
        let run = outside.start(serves).await;
        // Nobody outside knows its token but by looking; the sender repeats itself until it is heard.
        let answer = outside
            .act(async |rewake: &TestRewake| {
                rewake.settle().await;
                let hooks = rewake.engine().entities(run).await.unwrap();
                let token = hooks
                    .hooks()
                    .values()
                    .next()
                    .unwrap()
                    .token
                    .as_str()
                    .to_owned();
                let call = Request::post("/").header("x-id", "7");
                let call = call.body(axum::body::Body::from("hello")).unwrap();
                let answer = rewake.resume_webhook(token, call).await;
                answer.map_err(|error| error.to_string())
            })
            .await;
        let answer = answer.map(Response::into_body);
        let result = outside.result::<String>(run).await;
        assert_eq!((&answer, &result), (&Ok("42".into()), &Ok("hello".into())));
        (answer, result)
    })
    .await;
}

#[workflow]
async fn adds_up(token: String) -> anyhow::Result<u64> {
    let mut numbers = create_hook::<u64>().token(token).await?;
    Ok(numbers.recv().await? + doubles(numbers.recv().await?).await?)
}

#[tokio::test]
async fn what_was_posted_before_the_run_is_there() {
    everywhere(async |outside| {
        outside
            .act(async |rewake: &TestRewake| {
                let post = rewake.post("t", &1).keep_for(days(9));
                post.idempotency_key("first").await.unwrap();
            })
            .await;
        let run = outside.start(|| adds_up("t".into())).await;
        outside.resume("t", &20).await;
        let result = outside.result::<u64>(run).await;
        assert_eq!(result, Ok(41));
        result
    })
    .await;
}

#[tokio::test]
async fn a_run_that_its_first_payload_starts() {
    everywhere(async |outside| {
        let mut runs = Vec::new();
        for n in [1, 20] {
            let key = n.to_string();
            let admitted = outside
                .act(async |rewake: &TestRewake| {
                    let admit = rewake.resume_or_start("t", &n, adds_up("t".into()));
                    admit.idempotency_key(key.clone()).await.unwrap().run_id
                })
                .await;
            runs.push(admitted);
        }
        assert_eq!(runs[0], runs[1]);
        let result = outside.result::<u64>(runs[0]).await;
        assert_eq!(result, Ok(41));
        result
    })
    .await;
}

#[workflow]
async fn is_cancelled() -> anyhow::Result<u64> {
    let _hook = create_hook::<u64>().token("held").await?;
    doubles(1).await?;
    sleep(days(9)).await;
    Ok(1)
}

#[tokio::test]
async fn a_run_that_is_cancelled() {
    everywhere(async |outside| {
        let run = outside.start(is_cancelled).await;
        outside
            .act(async |rewake: &TestRewake| {
                rewake.settle().await;
                rewake.get_run::<u64>(run).cancel("enough").await.unwrap();
            })
            .await;
        let result = outside.result::<u64>(run).await;
        assert!(
            result.as_ref().is_err_and(|error| error.contains("enough")),
            "{result:?}"
        );
        result
    })
    .await;
}

#[workflow]
async fn tells_attempts() -> anyhow::Result<u32> {
    Ok(tells_attempt().await?)
}

/// Has no attempt to spare: one that was under way when the process was killed was the last.
#[step(max_retries = 0)]
async fn tells_attempt() -> anyhow::Result<u32> {
    Ok(step_metadata().attempt)
}

#[tokio::test]
async fn a_crash_that_makes_a_difference_is_found() {
    let played = everywhere(async |outside| {
        let run = outside.start(tells_attempts).await;
        outside.result::<u32>(run).await
    });
    let found = AssertUnwindSafe(played).catch_unwind().await.unwrap_err();
    let found = found.downcast_ref::<String>().unwrap();
    assert!(
        found.contains("killed before write 3: step_completed"),
        "{found}"
    );
    assert!(found.contains("began and did not end"), "{found}");
}

/// Whether the first hook of the workflow below was registered.
static HOOKED: AtomicBool = AtomicBool::new(false);

#[workflow]
async fn remembers_beside_its_log() -> anyhow::Result<u64> {
    if HOOKED.load(Ordering::Relaxed) {
        doubles(1).await?;
    }
    let mut first = create_hook::<u64>().token("first").await?;
    HOOKED.store(true, Ordering::Relaxed);
    first.recv().await?;
    let mut second = create_hook::<u64>().token("second").await?;
    Ok(second.recv().await?)
}

#[tokio::test]
async fn a_run_that_a_crash_parks_is_reported_to_who_waits_for_its_next_hook() {
    let scene = || {
        HOOKED.store(false, Ordering::Relaxed);
        // Without a crash nothing is replayed, and so nothing is noticed.
        TestRewake::builder().with(|rewake| rewake.verify(false))
    };
    let played = crash_everywhere(scene, async |outside| {
        let run = outside.start(remembers_beside_its_log).await;
        outside.resume("first", &1).await;
        outside.resume("second", &2).await;
        outside.result::<u64>(run).await
    });
    let found = AssertUnwindSafe(played).catch_unwind().await.unwrap_err();
    let found = found.downcast_ref::<String>().unwrap();
    assert!(found.starts_with("killed "), "{found}");
    assert!(found.contains("is parked (REPLAY_PARTED)"), "{found}");
}
