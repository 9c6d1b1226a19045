//! Ten thousand callers at once.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use rewake::prelude::*;
use rewake::{Admission, RunId};

use crate::stage::Stage;

const TOKENS: u64 = 100;
const CALLERS: u64 = 10_000;

/// Takes `n` payloads, and ends.
#[workflow]
async fn takes(token: String, n: usize) -> anyhow::Result<Vec<u64>> {
    let mut payloads = create_hook::<u64>().token(token).await?;
    let mut taken = Vec::new();
    while taken.len() < n {
        taken.push(payloads.recv().await?);
    }
    Ok(taken)
}

/// Every caller's admission, in order of the callers.
async fn crowd(rewake: &Rewake, n: usize) -> Vec<Admission> {
    let callers = (0..CALLERS).map(|caller| {
        let token = format!("token {}", caller % TOKENS);
        let admission = rewake.resume_or_start(token.as_str(), &caller, takes(token.clone(), n));
        tokio::spawn(admission)
    });
    let admissions = join_all(callers).await;
    admissions
        .into_iter()
        .map(|admission| admission.unwrap().unwrap())
        .collect()
}

async fn in_time(test: impl Future<Output = ()>) {
    let waited = tokio::time::timeout(Duration::from_mins(2), test).await;
    assert!(waited.is_ok(), "nothing happens any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_they_stay_open_each_token_has_one_run() {
    in_time(async {
        let rewake = Stage::in_a_file().open().await;
        let all = usize::try_from(CALLERS / TOKENS).unwrap();
        let admissions = crowd(&rewake, all).await;
        let started = admissions.iter().filter(|admission| admission.started);
        assert_eq!(started.count(), 100);
        let mut by_run = BTreeMap::<RunId, Vec<u64>>::new();
        for (caller, admission) in (0..).zip(&admissions) {
            by_run.entry(admission.run_id).or_default().push(caller);
        }
        assert_eq!(by_run.len(), 100);
        for (run, callers) in by_run {
            let mut taken = rewake.get_run::<Vec<u64>>(run).result().await.unwrap();
            taken.sort_unstable();
            assert_eq!(taken, callers);
        }
        assert_eq!(rewake.runs().limit(1_000).await.unwrap().data.len(), 100);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_that_end_early_leave_nothing_unread() {
    in_time(async {
        // Four go into the hundred payloads of each token without a remainder.
        let stage = Stage::in_a_file();
        let rewake = stage.open().await;
        crowd(&rewake, 4).await;
        let mut times = vec![0; usize::try_from(CALLERS).unwrap()];
        let runs = CALLERS / 4;
        let mut ended = Vec::new();
        while ended.len() < usize::try_from(runs).unwrap() {
            let page = rewake.runs().limit(10_000).await.unwrap().data;
            ended = page
                .into_iter()
                .filter(|run| run.status.is_terminal())
                .collect();
            tokio::task::yield_now().await;
        }
        for run in ended {
            assert_eq!(run.unread, 0);
            let run = rewake.get_run::<Vec<u64>>(run.run);
            assert_eq!(run.unread().await.unwrap(), []);
            for caller in run.result().await.unwrap() {
                times[usize::try_from(caller).unwrap()] += 1;
            }
        }
        assert!(times.iter().all(|times| *times == 1), "each is read once");
        assert_eq!(rewake.mailbox().await.unwrap().data, []);
        let all = rewake.runs().limit(10_000).await.unwrap().data;
        assert_eq!(all.len() as u64, runs, "and no run was in vain");
    })
    .await;
}
