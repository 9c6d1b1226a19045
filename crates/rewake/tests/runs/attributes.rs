//! Attributes: what runs can be looked up by.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rewake::prelude::*;
use rewake::{InvalidAttribute, RunId, SetAttributesError, StartError};

use crate::stage::{Stage, count, hook, on_every_stage, parked, resume};

on_every_stage!(
    the_last_write_of_an_attribute_wins,
    attributes_are_set_once_however_often_the_run_is_replayed,
    runs_are_found_by_their_attributes,
    attributes_that_cannot_be_change_nothing,
    a_run_is_not_started_with_attributes_that_cannot_be,
    attributes_are_only_set_in_a_workflow,
    attributes_given_up_are_set_all_the_same,
    attributes_that_are_not_set_any_more_part_from_the_log,
    child_runs_are_found_by_their_attributes,
    a_child_that_cannot_have_its_attributes_does_not_begin,
);

fn attributes<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    let pairs = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
    BTreeMap::from(pairs)
}

#[workflow]
async fn marks(token: String) -> anyhow::Result<()> {
    set_attributes([("stage", "new"), ("stage", "begun"), ("plan", "b")]).await?;
    let mut gate = create_hook::<u64>().token(token).await?;
    gate.recv().await?;
    set_attributes(vec![("stage".to_owned(), "done".to_owned())]).await?;
    Ok(())
}

async fn the_last_write_of_an_attribute_wins(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(marks("t".into())).attribute("stage", "given");
    let run = run.attribute("customer", "7").await.unwrap();
    hook(&rewake, "t").await;
    assert_eq!(
        run.snapshot().await.unwrap().attributes,
        attributes([("customer", "7"), ("plan", "b"), ("stage", "begun")])
    );
    resume(&rewake, "t", &1).await;
    run.result().await.unwrap();
    let expected = attributes([("customer", "7"), ("plan", "b"), ("stage", "done")]);
    assert_eq!(run.snapshot().await.unwrap().attributes, expected);
    let entities = rewake.engine().entities(run.id()).await.unwrap();
    assert_eq!(
        entities.run().unwrap().attributes,
        expected,
        "as the log has it"
    );
}

async fn attributes_are_set_once_however_often_the_run_is_replayed(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(marks("t".into())).await.unwrap();
    hook(&rewake, "t").await;
    rewake.shutdown(Duration::ZERO).await.unwrap();

    let rewake = stage.open().await;
    let run = rewake.get_run::<()>(run.id());
    resume(&rewake, "t", &1).await;
    run.result().await.unwrap();
    assert_eq!(count(&rewake, &run, "attr_set").await, 2);
}

async fn found<const N: usize>(rewake: &Rewake, pairs: [(&str, &str); N]) -> Vec<RunId> {
    let mut query = rewake.runs();
    for (key, value) in pairs {
        query = query.attribute(key, value);
    }
    let page = query.await.unwrap();
    page.data.into_iter().map(|run| run.run).collect()
}

async fn runs_are_found_by_their_attributes(stage: Stage) {
    let rewake = stage.open().await;
    let a = rewake.start(marks("a".into())).attribute("customer", "7");
    let a = a.await.unwrap();
    let b = rewake.start(marks("b".into())).attribute("customer", "8");
    let b = b.await.unwrap();
    hook(&rewake, "a").await;
    hook(&rewake, "b").await;
    let mut begun = found(&rewake, [("stage", "begun")]).await;
    begun.sort();
    let mut both = [a.id(), b.id()];
    both.sort();
    assert_eq!(begun, both);
    let one = found(&rewake, [("stage", "begun"), ("customer", "8")]).await;
    assert_eq!(one, [b.id()]);
    resume(&rewake, "b", &1).await;
    b.result().await.unwrap();
    assert_eq!(found(&rewake, [("stage", "begun")]).await, [a.id()]);
    assert!(found(&rewake, [("customer", "9")]).await.is_empty());
}

#[workflow]
async fn sets_what_cannot_be(case: usize) -> anyhow::Result<String> {
    let long = "x".repeat(257);
    let many = (0..65).map(|n| (format!("k{n}"), String::new()));
    let set = match case {
        0 => set_attributes([("", "v")]),
        1 => set_attributes([(&*long, "v")]),
        2 => set_attributes([("k", &*long)]),
        3 => set_attributes([("$k", "v")]),
        4 => set_attributes(many),
        _ => {
            set_attributes(many.take(64)).await?;
            set_attributes([("more", "v")])
        }
    };
    let error = set.await.unwrap_err();
    // What was refused takes nothing with it.
    set_attributes([("k1", "after")]).await?;
    Ok(error.to_string())
}

async fn attributes_that_cannot_be_change_nothing(stage: Stage) {
    let rewake = stage.open().await;
    let says = [
        "at least one character",
        "at most 256 characters, and this one has 257",
        "the value of `k` has 257 bytes",
        "`$k` begins with `$`",
        "at most 64 attributes, and this one would have 65",
        "at most 64 attributes, and this one would have 65",
    ];
    for (case, says) in says.into_iter().enumerate() {
        let run = rewake.start(sets_what_cannot_be(case)).await.unwrap();
        let error = run.result().await.unwrap();
        assert!(error.contains(says), "{error}");
        let set = run.snapshot().await.unwrap().attributes;
        assert_eq!(set["k1"], "after");
        assert_eq!(set.len(), if case == 5 { 64 } else { 1 });
    }
}

async fn a_run_is_not_started_with_attributes_that_cannot_be(stage: Stage) {
    let rewake = stage.open().await;
    let start = || rewake.start(marks("t".into()));
    let long = "x".repeat(257);
    for (key, value, expected) in [
        ("", "v", InvalidAttribute::EmptyKey),
        (&*long, "v", InvalidAttribute::KeyTooLong { chars: 257 }),
        ("$k", "v", InvalidAttribute::Reserved { key: "$k".into() }),
        (
            "k",
            &*long,
            InvalidAttribute::ValueTooLong {
                key: "k".into(),
                len: 257,
            },
        ),
    ] {
        let error = start().attribute(key, value).await.unwrap_err();
        assert_eq!(error, StartError::InvalidAttribute(expected));
        assert_eq!(error.code(), "INVALID_ATTRIBUTE");
        assert!(!error.may_have_happened());
    }
    let many = (0..65).fold(start(), |start, n| start.attribute(n.to_string(), ""));
    let error = many.await.unwrap_err();
    let expected = InvalidAttribute::TooMany { count: 65 };
    assert_eq!(error, StartError::InvalidAttribute(expected));
    assert!(rewake.runs().await.unwrap().data.is_empty());
}

async fn attributes_are_only_set_in_a_workflow(_: Stage) {
    let error = set_attributes([("k", "v")]).await.unwrap_err();
    assert_eq!(error, SetAttributesError::NotInWorkflow);
    assert!(
        error.to_string().contains(".attribute(key, value)"),
        "{error}"
    );
}

#[workflow]
async fn gives_up_setting(token: String) -> anyhow::Result<u64> {
    {
        let mut set = set_attributes([("stage", "begun")]);
        assert!(futures::poll!(&mut set).is_pending());
    }
    Ok(create_hook::<u64>().token(token).await?.recv().await?)
}

async fn attributes_given_up_are_set_all_the_same(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(gives_up_setting("t".into())).await.unwrap();
    hook(&rewake, "t").await;
    assert_eq!(
        run.snapshot().await.unwrap().attributes,
        attributes([("stage", "begun")])
    );
    resume(&rewake, "t", &5).await;
    assert_eq!(run.result().await.unwrap(), 5);
}

/// The tokens of the runs whose code was changed.
static CHANGED: Mutex<Vec<String>> = Mutex::new(Vec::new());
static NEXT: AtomicUsize = AtomicUsize::new(0);

#[workflow]
async fn sets_or_not(token: String) -> anyhow::Result<u64> {
    let changed = CHANGED.lock().unwrap().contains(&token);
    if !changed {
        set_attributes([("stage", "begun")]).await?;
    }
    Ok(create_hook::<u64>().token(token).await?.recv().await?)
}

async fn attributes_that_are_not_set_any_more_part_from_the_log(stage: Stage) {
    let rewake = stage.builder().build_id("old").build().await.unwrap();
    let token = format!("t{}", NEXT.fetch_add(1, Ordering::SeqCst));
    let run = rewake.start(sets_or_not(token.clone())).await.unwrap();
    hook(&rewake, &token).await;
    rewake.shutdown(Duration::ZERO).await.unwrap();

    CHANGED.lock().unwrap().push(token.clone());
    let rewake = stage.builder().build_id("new").build().await.unwrap();
    let run = rewake.get_run::<u64>(run.id());
    resume(&rewake, &token, &1).await;
    let (code, reason) = parked(&run).await;
    assert_eq!(code, "REPLAY_PARTED");
    let says = format!(
        "at event 3 the log has attributes being set, but the workflow asked for a hook with token \
         `{token}`; most likely the code was changed"
    );
    assert!(reason.contains(&says), "{reason}");
}

#[workflow]
async fn waits_as_a_child(token: String) -> anyhow::Result<u64> {
    let mut gate = create_hook::<u64>().token(token).await?;
    Ok(gate.recv().await?)
}

#[workflow]
async fn has_children() -> anyhow::Result<u64> {
    let kept = start_child(waits_as_a_child("kept".into()));
    let kept = kept.attribute("kind", "first").attribute("kind", "kept");
    let free = start_child(waits_as_a_child("free".into())).attribute("kind", "free");
    free.detach().await?;
    Ok(kept.attribute("row", "7").await?)
}

async fn child_runs_are_found_by_their_attributes(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(has_children()).await.unwrap();
    for token in ["free", "kept"] {
        hook(&rewake, token).await;
    }
    let found = async |value: &str| {
        let children = rewake.runs().parent(run.id()).attribute("kind", value);
        let mut found = children.await.unwrap().data;
        assert_eq!(found.len(), 1, "{value}");
        found.remove(0)
    };
    let expected = attributes([("kind", "kept"), ("row", "7")]);
    assert_eq!(found("kept").await.attributes, expected);
    let free = found("free").await;
    assert_eq!(free.attributes, attributes([("kind", "free")]));
    let entities = rewake.engine().entities(free.run).await.unwrap();
    let logged = &entities.run().unwrap().attributes;
    assert_eq!(*logged, free.attributes, "as the log has it");
    // Another process finds the children by the log, and begins none anew.
    rewake.shutdown(Duration::ZERO).await.unwrap();
    let rewake = stage.open().await;
    resume(&rewake, "kept", &3).await;
    let run = rewake.get_run::<u64>(run.id());
    assert_eq!(run.result().await.unwrap(), 3);
    let children = rewake.runs().parent(run.id()).await.unwrap().data;
    assert_eq!(children.len(), 2);
}

#[workflow]
async fn has_a_nameless_child() -> anyhow::Result<bool> {
    let child = start_child(waits_as_a_child("t".into()));
    let refused = child.attribute("", "7").await.unwrap_err();
    let empty = InvalidAttribute::EmptyKey;
    Ok(refused == RunError::InvalidAttribute(empty))
}

async fn a_child_that_cannot_have_its_attributes_does_not_begin(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(has_a_nameless_child()).await.unwrap();
    assert!(run.result().await.unwrap());
    let children = rewake.runs().parent(run.id()).await.unwrap().data;
    assert_eq!(children, []);
}
