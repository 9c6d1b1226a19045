//! Killing a process at every write of a run, and looking whether it makes a difference.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use rewake_core::entity::{RunStatus, Step, StepStatus};

use super::builder::TestRewakeBuilder;
use super::fuse::{Fuse, Side};
use super::outside::Outside;

/// What [`crash_everywhere`] went through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Crashes {
    /// How many writes there are where nothing is killed.
    pub writes: usize,
    /// How many processes were killed.
    pub survived: usize,
}

/// Plays a scene once undisturbed, and then again and again, with its process killed as by `kill -9`:
/// before and after each write to the store, and so at each position of the log of each run in it.
/// Whatever happens must come to the same:
///
/// - what `play` returns, which is for you to choose: results of runs above all;
/// - how each run ended, and that none is parked;
/// - what each run left unread;
/// - which steps each run has on record, and how each of them ended.
///
/// It does not compare how often a step's body ran, for a step runs *at least* once; nor attempts,
/// times, and the order of steps that run at the same time. So a workflow that it is used on must not
/// depend on those either: each of its steps needs an attempt to spare, for one that was under way
/// when the process was killed counts as failed, and `play` should not return times.
///
/// # Panics
///
/// Where a crash makes a difference, with where it was and what differs.
///
/// # Cancel safety
///
/// Dropped, it leaves nothing behind.
///
/// # Examples
///
/// ```
/// use rewake::prelude::*;
/// use rewake::testing::{TestRewake, crash_everywhere};
///
/// #[step]
/// async fn publish(doc: String) -> anyhow::Result<String> {
///     Ok(format!("{doc} is out"))
/// }
///
/// #[workflow]
/// async fn review(doc: String) -> anyhow::Result<String> {
///     let mut decisions = create_hook::<bool>().token(format!("review:{doc}")).await?;
///     sleep(days(1)).await;
///     anyhow::ensure!(decisions.recv().await?, "rejected");
///     Ok(publish(doc).await?)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let crashes = crash_everywhere(TestRewake::builder, async |outside| {
///     let run = outside.start(|| review("handbook".into())).await;
///     outside.resume("review:handbook", &true).await;
///     outside.result::<String>(run).await
/// })
/// .await;
/// assert!(crashes.survived >= crashes.writes);
/// # }
/// ```
pub async fn crash_everywhere<T: PartialEq + fmt::Debug>(
    scene: impl Fn() -> TestRewakeBuilder,
    play: impl AsyncFn(&Outside) -> T,
) -> Crashes {
    let (undisturbed, fuse) = playing(scene(), None, &play).await;
    let writes = fuse.writes();
    let mut survived = 0;
    for side in [Side::Before, Side::After] {
        for write in 1.. {
            let (played, fuse) = playing(scene(), Some((write, side)), &play).await;
            let Some(place) = fuse.burnt() else { break };
            survived += 1;
            assert!(
                played == undisturbed,
                "killed {place}\nundisturbed: {undisturbed:#?}\nkilled: {played:#?}"
            );
        }
    }
    Crashes { writes, survived }
}

/// What must be the same.
#[derive(Debug, PartialEq)]
struct Played<T> {
    outcome: T,
    runs: Vec<Ended>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Ended {
    workflow: String,
    status: String,
    unread: Vec<Vec<u8>>,
    /// How many steps of each name ended in each way.
    steps: BTreeMap<(String, String), usize>,
}

async fn playing<T>(
    scene: TestRewakeBuilder,
    at: Option<(usize, Side)>,
    play: &impl AsyncFn(&Outside) -> T,
) -> (Played<T>, Arc<Fuse>) {
    let fuse = Arc::new(Fuse::new(at));
    let outside = Outside::new(scene.scene(Some(Arc::clone(&fuse)))).await;
    let outcome = play(&outside).await;
    let runs = outside.act(async |rewake| {
        rewake.settle().await;
        ended(rewake).await
    });
    let mut runs = runs.await;
    runs.sort();
    (Played { outcome, runs }, fuse)
}

async fn ended(rewake: &super::TestRewake) -> Vec<Ended> {
    let answers = "the store in memory answers, and keeps logs as they are";
    let (mut ended, mut page) = (Vec::new(), rewake.runs().await.expect(answers));
    loop {
        for view in page.data {
            let unread = rewake.engine().unread(view.run).await.expect(answers);
            let entities = rewake.engine().entities(view.run).await.expect(answers);
            let mut steps = BTreeMap::new();
            for step in entities.steps().values() {
                *steps.entry((step.name.clone(), how(step))).or_default() += 1;
            }
            let mut unread: Vec<Vec<u8>> = unread
                .iter()
                .map(|unread| unread.payload.as_bytes().to_vec())
                .collect();
            unread.sort();
            ended.push(Ended {
                workflow: view.workflow,
                status: match view.parked {
                    Some(parked) => format!("parked: {}", parked.reason),
                    None => format!("{:?}", view.status),
                },
                unread,
                steps: match view.status {
                    // Whatever is under way may have come further.
                    RunStatus::Pending | RunStatus::Running => BTreeMap::new(),
                    RunStatus::Completed | RunStatus::Failed | RunStatus::Cancelled => steps,
                },
            });
        }
        let Some(cursor) = page.cursor else {
            return ended;
        };
        page = rewake.runs().cursor(cursor).await.expect(answers);
    }
}

fn how(step: &Step) -> String {
    match step.status {
        // Its run has ended without it: how far it came by then is a matter of time.
        StepStatus::Pending | StepStatus::Running => "left".to_owned(),
        StepStatus::Completed => "completed".to_owned(),
        StepStatus::Failed => {
            let error = step.error.as_ref();
            format!("failed: {}", error.map_or("", |error| &error.message))
        }
    }
}
