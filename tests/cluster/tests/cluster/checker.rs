//! The checker: compares what clients were told with what the store holds in the end. It knows nothing of
//! how that came about.

use std::collections::{BTreeMap, BTreeSet};

use rewake::{Rewake, RunId};

/// Waits for the end of each run, and checks that what was acknowledged for its token was delivered
/// once, and that its log holds everything once.
pub(crate) async fn check_conversations(
    rewake: &Rewake,
    runs: &BTreeMap<String, RunId>,
    noted: &BTreeMap<String, Vec<String>>,
) -> usize {
    let mut acknowledged = acknowledged(noted);
    let mut total = 0;
    for (token, run) in runs {
        let read = rewake.get_run::<Vec<String>>(*run).result().await.unwrap();
        let unique: BTreeSet<_> = read.iter().cloned().collect();
        assert_eq!(
            unique.len(),
            read.len(),
            "{token}: something was delivered twice"
        );
        let told = acknowledged.remove(token).unwrap_or_default();
        let lost: Vec<_> = told.difference(&unique).collect();
        assert!(lost.is_empty(), "{token}: acknowledged and lost: {lost:?}");
        let never: Vec<_> = unique.difference(&told).collect();
        assert!(
            never.is_empty(),
            "{token}: delivered and never acknowledged: {never:?}"
        );
        assert_eq!(rewake.get_run::<()>(*run).unread().await.unwrap(), []);
        check_log(rewake, *run, read.len()).await;
        total += read.len();
    }
    assert!(
        acknowledged.is_empty(),
        "acknowledged for no run: {acknowledged:?}"
    );
    total
}

/// What clients were told was taken, by token. That nobody waits was never true.
fn acknowledged(noted: &BTreeMap<String, Vec<String>>) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in noted.values().flatten() {
        let words: Vec<_> = line.split(' ').collect();
        match *words {
            ["acked", token, letter] => {
                let is_new = found
                    .entry(token.to_owned())
                    .or_default()
                    .insert(letter.to_owned());
                assert!(is_new, "one letter, two answers: {line}");
            }
            ["nobody", ..] => panic!("a hook that lives was not found: {line}"),
            _ => {}
        }
    }
    found
}

/// One record for each letter, and one for each step: none is there twice.
async fn check_log(rewake: &Rewake, run: RunId, letters: usize) {
    let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut completed = BTreeSet::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut events = rewake.events(run);
        if let Some(cursor) = &cursor {
            events = events.cursor(cursor);
        }
        let page = events.await.unwrap();
        for event in &page.data {
            *counts.entry(event.name).or_default() += 1;
            if event.name == "step_completed" {
                let shown = serde_json::to_value(event).unwrap();
                let step = shown["correlationId"].as_str().unwrap().to_owned();
                assert!(
                    completed.insert(step),
                    "run {run}: a step was recorded twice: {shown}"
                );
            }
        }
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    let count = |name| counts.get(name).copied().unwrap_or_default();
    // One more letter ended it.
    assert_eq!(count("hook_received"), letters + 1, "run {run}: {counts:?}");
    assert_eq!(count("step_created"), letters, "run {run}: {counts:?}");
    assert_eq!(count("step_completed"), letters, "run {run}: {counts:?}");
    assert_eq!(count("run_completed"), 1, "run {run}: {counts:?}");
}
