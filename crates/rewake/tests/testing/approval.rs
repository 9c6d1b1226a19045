//! The flow of the guide: an approval of thirty days, with a reminder and an escalation.

use rewake::prelude::*;
use rewake::testing::{TestRewake, crash_everywhere};

#[derive(Serialize, Deserialize)]
struct Decision {
    approved: bool,
    by: String,
}

#[step]
async fn write_to(person: String, doc: String) -> anyhow::Result<()> {
    anyhow::bail!("there is no mail server here to write to {person} about {doc}")
}

#[workflow]
async fn approval(doc: String) -> anyhow::Result<String> {
    let mut decisions = create_hook::<Decision>()
        .token(format!("approve:{doc}"))
        .await?;
    let asked = [
        ("reviewer", days(7)),
        ("reviewer", days(7)),
        ("manager", days(16)),
    ];
    for (person, patience) in asked {
        write_to(person.into(), doc.clone()).await?;
        if let Ok(decision) = timeout(patience, decisions.recv()).await {
            let Decision { approved, by } = decision?;
            let verdict = if approved { "approved" } else { "rejected" };
            return Ok(format!("{verdict} by {by}"));
        }
    }
    Ok("nobody decided in thirty days".into())
}

#[tokio::test]
async fn the_manager_decides_after_two_weeks_of_silence() {
    #[expect(
        clippy::disallowed_methods,
        reason = "the guide says how long this takes"
    )]
    let began = std::time::Instant::now();
    let rewake = TestRewake::builder()
        .mock(write_to, |_| Ok(()))
        .build()
        .await;
    let run = rewake.start(approval("budget".into())).await.unwrap();
    rewake.wait_for_hook("approve:budget").await;
    rewake.advance(days(20)).await;
    let asked = rewake.calls(write_to).into_iter().map(|(person, _)| person);
    assert_eq!(
        asked.collect::<Vec<_>>(),
        ["reviewer", "reviewer", "manager"]
    );
    let decision = Decision {
        approved: true,
        by: "Grace".into(),
    };
    rewake
        .resume_hook("approve:budget", &decision)
        .await
        .unwrap();
    assert_eq!(run.result().await.unwrap(), "approved by Grace");
    println!("twenty days took {:?}", began.elapsed());
}

#[tokio::test]
async fn silence_ends_it_after_thirty_days() {
    let rewake = TestRewake::builder()
        .mock(write_to, |_| Ok(()))
        .build()
        .await;
    let began = rewake.now();
    let run = rewake.start(approval("budget".into())).await.unwrap();
    assert_eq!(run.result().await.unwrap(), "nobody decided in thirty days");
    assert_eq!(rewake.now().duration_since(began).unwrap(), days(30));
}

#[tokio::test]
async fn no_crash_makes_a_difference() {
    let scene = || TestRewake::builder().mock(write_to, |_| Ok(()));
    let crashes = crash_everywhere(scene, async |outside| {
        let run = outside.start(|| approval("budget".into())).await;
        outside.result::<String>(run).await
    })
    .await;
    assert!(crashes.survived >= crashes.writes, "{crashes:?}");
}
