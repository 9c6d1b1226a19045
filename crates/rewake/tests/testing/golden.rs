//! Golden logs: recorded, kept, replayed by later code.

use rewake::prelude::*;
use rewake::testing::TestRewake;

#[step]
async fn greets(who: String) -> anyhow::Result<String> {
    Ok(format!("dear {who}"))
}

#[workflow]
async fn writes_a_letter(who: String) -> anyhow::Result<String> {
    let greeting = greets(who.clone()).await?;
    let mut texts = create_hook::<String>()
        .token(format!("letter:{who}"))
        .await?;
    let text = timeout(days(7), texts.recv()).await??;
    sleep(hours(1)).await;
    Ok(format!("{greeting}, {text} {}", random::<u64>()))
}

async fn written(rewake: &TestRewake) -> Run<String> {
    let run = rewake.start(writes_a_letter("Ada".into())).await.unwrap();
    rewake.wait_for_hook("letter:Ada").await;
    rewake.resume_hook("letter:Ada", "come!").await.unwrap();
    run
}

#[tokio::test]
async fn the_log_of_today_is_kept_and_followed() {
    let rewake = TestRewake::new().await;
    let run = written(&rewake).await;
    run.result().await.unwrap();
    rewake
        .golden("tests/testing/golden/letter.log", run.id())
        .await;
}

#[tokio::test]
async fn a_log_is_the_same_whenever_it_is_recorded_and_replays_without_a_step() {
    let mut recorded = Vec::new();
    for _ in 0..2 {
        let rewake = TestRewake::new().await;
        let run = written(&rewake).await;
        run.result().await.unwrap();
        recorded.push(rewake.record(run.id()).await);
    }
    assert_eq!(recorded[0], recorded[1]);
    let other = TestRewake::new().await;
    assert_eq!(other.replay(&recorded[0]), Ok(Ok(())));
    assert_eq!(other.calls(greets).len(), 0);
    assert_eq!(other.runs().await.unwrap().data, []);
}

#[tokio::test]
async fn a_run_that_has_not_ended_is_kept_as_well() {
    let rewake = TestRewake::new().await;
    let run = written(&rewake).await;
    let sleeping = rewake.wait_for_sleep().await;
    assert_eq!(sleeping.run_id, run.id());
    let recorded = rewake.record(run.id()).await;
    assert_eq!(rewake.replay(&recorded), Ok(Ok(())));
}

/// The same name as a workflow of yesterday, with other code.
mod yesterday {
    use super::*;

    #[step]
    pub(super) async fn waves(who: String) -> anyhow::Result<String> {
        Ok(format!("hello {who}"))
    }

    #[workflow]
    pub(super) async fn greets_twice(who: String) -> anyhow::Result<String> {
        greets(who.clone()).await?;
        Ok(greets(who).await?)
    }

    #[workflow]
    pub(super) async fn greets_and_waves(who: String) -> anyhow::Result<String> {
        greets(who.clone()).await?;
        Ok(waves(who).await?)
    }
}

#[tokio::test]
async fn code_that_parts_from_a_log_is_shown_the_place() {
    let rewake = TestRewake::new().await;
    let run = rewake
        .start(yesterday::greets_twice("Ada".into()))
        .await
        .unwrap();
    run.result().await.unwrap();
    let recorded = rewake.record(run.id()).await;
    let changed = as_of(&recorded, "greets_twice", "greets_and_waves");
    let parted = rewake.replay(&changed).unwrap().unwrap_err();
    let shown = parted.to_string();
    assert_eq!(parted.position, Some(6), "{shown}");
    assert!(shown.contains("golden::greets`"), "{shown}");
    assert!(shown.contains("golden::yesterday::waves`"), "{shown}");
    let marked: Vec<&str> = shown.lines().filter(|line| line.starts_with('>')).collect();
    assert!(
        marked.len() == 1 && marked[0].contains("6 step_created"),
        "{shown}"
    );
}

/// The log, as if the workflow had had another name when it was written.
fn as_of(recorded: &str, name: &str, other: &str) -> String {
    use rewake_core::event::{EventKind, Frame};
    use rewake_store::{decode_row, encode_row};

    let renamed = recorded.lines().map(|line| {
        let Some(hex) = line.strip_prefix('=') else {
            return line.to_owned();
        };
        let mut frame: Frame = decode_row(&base16ct::mixed::decode_vec(hex).unwrap()).unwrap();
        for kind in &mut frame.events {
            if let EventKind::RunCreated { workflow, .. } = kind {
                *workflow = workflow.replace(name, other);
            }
        }
        format!("={}", base16ct::lower::encode_string(&encode_row(&frame)))
    });
    renamed.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_text_that_is_no_log_is_refused_with_the_line() {
    let rewake = TestRewake::new().await;
    for (text, line) in [
        ("", 1),
        ("# nothing\nno id\n", 2),
        ("wrun_01ARZ3NDEKTSV4RRFFQ69G5FAV\n=0g\n", 2),
        ("wrun_01ARZ3NDEKTSV4RRFFQ69G5FAV\n=00\n", 2),
    ] {
        assert_eq!(rewake.replay(text).unwrap_err().line, line, "{text}");
    }
}
