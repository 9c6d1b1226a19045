//! Bad input: each gets a clear error of its own type, and nothing is changed.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rewake::prelude::*;
use rewake::{InvalidToken, OpenError, QueryError, ResumeError, StartError, StoreSource};
use rewake_runtime::{Registry, RegistryError, Workflow};

use crate::stage::{Stage, in_time, on_every_stage, parked};

on_every_stage!(
    a_workflow_that_nobody_knows_is_not_started,
    a_run_of_a_workflow_that_this_build_lacks_waits_for_one_that_has_it,
    a_token_has_between_1_and_512_bytes_without_control_characters,
    a_workflow_is_told_that_its_token_cannot_be_one,
    metadata_that_cannot_be_encoded_is_an_error_of_the_hook,
    a_hook_is_only_made_in_a_workflow,
    a_handle_that_is_shut_down_says_so,
    a_value_that_a_step_wants_must_be_provided,
);

#[workflow]
async fn does_nothing() -> anyhow::Result<()> {
    Ok(())
}

async fn a_workflow_that_nobody_knows_is_not_started(stage: Stage) {
    let rewake = stage.open().await;
    let input = rewake_core::payload::encode(&()).unwrap();
    let start = rewake_runtime::Start::new("nobody::knows", input);
    let error = rewake.engine().start(start).await.unwrap_err();
    let name = "nobody::knows".to_owned();
    assert_eq!(error, StartError::UnknownWorkflow { name });
    assert!(error.to_string().contains("`.workflow("), "{error}");
    assert_eq!(runs(&rewake).await, 0);
}

async fn runs(rewake: &Rewake) -> usize {
    let page = rewake
        .engine()
        .runs(rewake_store::RunFilter::default(), None, 100);
    page.await.unwrap().runs.len()
}

async fn a_run_of_a_workflow_that_this_build_lacks_waits_for_one_that_has_it(stage: Stage) {
    let client = stage.builder().client_only().build().await.unwrap();
    let input = rewake_core::payload::encode(&()).unwrap();
    let start = rewake_runtime::Start::new("another::builds", input);
    let run = client.engine().start(start).await.unwrap().run;
    client.shutdown(Duration::ZERO).await.unwrap();

    let rewake = stage.open().await;
    let own = rewake.start(does_nothing()).await.unwrap();
    own.result().await.unwrap();
    let status = rewake.get_run::<()>(run).status().await.unwrap();
    assert_eq!(status, rewake::RunStatus::Pending);
    rewake.shutdown(Duration::ZERO).await.unwrap();
}

async fn a_token_has_between_1_and_512_bytes_without_control_characters(stage: Stage) {
    let rewake = stage.open().await;
    for (token, expected) in [
        (String::new(), InvalidToken::Empty),
        ("x".repeat(513), too_long(513)),
        ("x".repeat(10_000), too_long(10_000)),
        ("ß".repeat(300), too_long(600)),
        ("a\nb".to_owned(), InvalidToken::ControlCharacter),
        ("\0".to_owned(), InvalidToken::ControlCharacter),
    ] {
        let error = rewake.resume_hook(&*token, &1).await.unwrap_err();
        assert_eq!(error, ResumeError::InvalidToken(expected));
        assert_eq!(error.code(), "INVALID_TOKEN");
        let error = rewake.get_hook_by_token(&token).await.unwrap_err();
        assert_eq!(error, QueryError::InvalidToken(expected));
    }
    for token in ["x".to_owned(), "x".repeat(512), "ä ö/ü?#%&".to_owned()] {
        assert_eq!(rewake.resume_hook(&*token, &1).await.unwrap(), None);
        assert_eq!(rewake.get_hook_by_token(&token).await.unwrap(), None);
    }
}

const fn too_long(len: usize) -> InvalidToken {
    InvalidToken::TooLong { len, limit: 512 }
}

#[workflow]
async fn opens(token: String) -> anyhow::Result<Option<String>> {
    let opened = create_hook::<u64>().token(token).await;
    Ok(opened.err().map(|error| error.to_string()))
}

async fn a_workflow_is_told_that_its_token_cannot_be_one(stage: Stage) {
    let rewake = stage.open().await;
    for (token, says) in [
        (String::new(), "at least one byte"),
        ("x".repeat(10_000), "more than the 512 allowed"),
        ("a\tb".to_owned(), "no control characters"),
    ] {
        let run = rewake.start(opens(token)).await.unwrap();
        let error = run.result().await.unwrap().expect("it is refused");
        assert!(error.contains(says), "{error}");
    }
    let run = rewake.start(opens("x".repeat(512))).await.unwrap();
    assert_eq!(run.result().await.unwrap(), None);
}

/// A value that its own `Serialize` refuses.
struct Unwritable;

impl Serialize for Unwritable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("this value cannot be written"))
    }
}

#[workflow]
async fn describes_badly(token: String) -> anyhow::Result<String> {
    let hook = create_hook::<u64>().token(token).metadata(&Unwritable);
    Ok(hook.await.unwrap_err().to_string())
}

async fn metadata_that_cannot_be_encoded_is_an_error_of_the_hook(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(describes_badly("t".into())).await.unwrap();
    let error = run.result().await.unwrap();
    assert!(error.contains("this value cannot be written"), "{error}");
    assert_eq!(crate::stage::count(&rewake, &run, "hook_created").await, 0);
}

async fn a_hook_is_only_made_in_a_workflow(_: Stage) {
    let error = create_hook::<u64>().await.unwrap_err();
    assert_eq!(error, HookError::NotInWorkflow);
    let error = create_webhook().await.unwrap_err();
    assert_eq!(error, HookError::NotInWorkflow);
}

async fn a_handle_that_is_shut_down_says_so(stage: Stage) {
    let rewake = stage.open().await;
    let clone = rewake.clone();
    rewake.shutdown(Duration::ZERO).await.unwrap();
    let error = clone.start(does_nothing()).await.unwrap_err();
    assert_eq!(error, StartError::ShuttingDown);
    // Once more is no error.
    clone.shutdown(Duration::ZERO).await.unwrap();
}

async fn a_value_that_a_step_wants_must_be_provided(stage: Stage) {
    let builder = || Rewake::builder().store(stage.store());
    let error = builder().build().await.unwrap_err();
    let OpenError::NotProvided { step, type_name } = &error else {
        panic!("{error}");
    };
    assert_eq!(*step, "held", "the first in order of names");
    assert!(type_name.contains("Probe"), "{type_name}");
    assert!(error.to_string().contains(".provide(value)"), "{error}");
    // Who runs nothing needs nothing.
    let client = builder().client_only().build().await.unwrap();
    assert_eq!(client.resume_hook("t", &1).await.unwrap(), None);
}

#[test]
fn two_workflows_with_one_name_are_both_named() {
    let workflow = |place: &str| Workflow {
        name: "shop::fulfil".to_owned(),
        aliases: vec!["shop::deliver".to_owned()],
        place: place.to_owned(),
        run: Arc::new(|_| unreachable!("nobody starts it")),
    };
    let mut registry = Registry::default();
    registry.add_workflow(workflow("src/a.rs:1")).unwrap();
    registry.add_workflow(workflow("src/a.rs:1")).unwrap();
    let error = registry.add_workflow(workflow("src/b.rs:2")).unwrap_err();
    let expected = RegistryError::SameWorkflow {
        name: "shop::fulfil".to_owned(),
        first: "src/a.rs:1".to_owned(),
        second: "src/b.rs:2".to_owned(),
    };
    assert_eq!(error, expected);
    let error = OpenError::from(error).to_string();
    for says in ["src/a.rs:1", "src/b.rs:2", "#[workflow(name ="] {
        assert!(error.contains(says), "{error}");
    }
    let alias = Workflow {
        name: "shop::deliver".to_owned(),
        aliases: Vec::new(),
        ..workflow("src/c.rs:3")
    };
    registry.add_workflow(alias).unwrap_err();
    let tail = registry.find_workflow("fulfil").unwrap();
    assert_eq!(tail.name, "shop::fulfil");
}

/// A file that cannot be opened is named, stays as it is, and the error says what to do.
mod files {
    use super::*;

    async fn open(url: impl Into<StoreSource>) -> OpenError {
        let stage = Stage::in_memory();
        let builder = stage.builder().store(url);
        let opened = builder.wait_for_store(Duration::ZERO).build().await;
        opened.map(drop).unwrap_err()
    }

    fn url(path: &Path) -> String {
        format!("sqlite:{}", path.display())
    }

    fn assert_says(error: &OpenError, words: &[&str]) {
        let mut text = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        for word in words {
            assert!(text.contains(word), "`{word}` is not in `{text}`");
        }
    }

    /// A store with one run that waits under `t`.
    async fn with_a_run() -> Stage {
        let stage = Stage::in_a_file();
        let rewake = stage.open().await;
        let run = rewake.start(waits("t".into())).await.unwrap();
        crate::stage::hook(&rewake, "t").await;
        crate::stage::logged(&rewake, &run, "hook_created", 1).await;
        rewake.shutdown(Duration::ZERO).await.unwrap();
        stage
    }

    #[workflow]
    async fn waits(token: String) -> anyhow::Result<u64> {
        Ok(create_hook::<u64>().token(token).await?.recv().await?)
    }

    #[tokio::test]
    async fn no_store_and_unknown_stores_say_what_to_write() {
        let stage = Stage::in_memory();
        let error = Rewake::builder().provide(stage.probe.clone()).build().await;
        assert_says(&error.unwrap_err(), &[".store(\"sqlite:my.db\")"]);
        let error = open("mysql://localhost/x").await;
        assert!(matches!(error, OpenError::UnknownStore { .. }), "{error}");
        assert_says(&error, &["mysql://localhost/x", "sqlite:PATH"]);
        assert_says(&open("review.db").await, &["review.db", "sqlite:PATH"]);
    }

    #[tokio::test]
    async fn a_password_in_a_url_is_not_told() {
        let error = open("mysql://me:s3cret@localhost/x").await;
        let text = format!("{error} {error:?}");
        assert!(!text.contains("s3cret"), "{text}");
    }

    #[tokio::test]
    async fn a_path_that_cannot_be_opened() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("missing").join("runs.db");
        let error = open(url(&missing)).await;
        assert_says(&error, &["missing", "a directory that exists"]);
        assert!(!dir.path().join("missing").exists());
        let error = open(url(dir.path())).await;
        assert_says(&error, &[&dir.path().display().to_string()]);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_file_that_is_not_ours() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("diary.txt");
        fs::write(&path, "dear diary, ".repeat(1_000)).unwrap();
        let error = open(url(&path)).await;
        assert_says(
            &error,
            &["diary.txt", "not a store of Rewake", "name another file"],
        );
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "dear diary, ".repeat(1_000)
        );
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no trace");
    }

    #[tokio::test]
    async fn a_file_of_a_newer_build() {
        let stage = with_a_run().await;
        // SQLite keeps the format of the application at byte 60 of the file.
        let mut bytes = fs::read(stage.path()).unwrap();
        bytes[60..64].copy_from_slice(&999_u32.to_be_bytes());
        fs::write(stage.path(), &bytes).unwrap();
        let error = open(stage.store()).await;
        assert_says(&error, &["runs.db", "999", "newer build"]);
        assert_eq!(fs::read(stage.path()).unwrap(), bytes);
    }

    #[tokio::test]
    async fn a_file_that_is_cut_off() {
        let stage = with_a_run().await;
        let bytes = fs::read(stage.path()).unwrap();
        for len in [10, 100, 5_000, bytes.len() / 2, bytes.len() - 1] {
            let cut = &bytes[..len.min(bytes.len() - 1)];
            fs::write(stage.path(), cut).unwrap();
            let error = open(stage.store()).await;
            assert_says(&error, &["runs.db"]);
            assert_eq!(fs::read(stage.path()).unwrap(), cut, "cut at {len}");
        }
        fs::write(stage.path(), &bytes).unwrap();
        let rewake = stage.open().await;
        rewake
            .resume_hook("t", &1)
            .await
            .unwrap()
            .expect("it is whole again");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_file_with_bits_flipped_never_lies() {
        in_time(bits_flipped()).await;
    }

    /// Wherever a page is spoilt: either the file is not opened, or a question that meets the page
    /// is an error, or the answer is the right one.
    async fn bits_flipped() {
        let stage = with_a_run().await;
        let bytes = fs::read(stage.path()).unwrap();
        let right = {
            let rewake = stage.open().await;
            let hook = rewake.get_hook_by_token("t").await.unwrap();
            rewake.shutdown(Duration::ZERO).await.unwrap();
            hook.expect("the hook is live")
        };
        let mut told = 0;
        for page in 0..bytes.len() / 4_096 {
            let mut spoilt = bytes.clone();
            for byte in &mut spoilt[page * 4_096..(page + 1) * 4_096] {
                *byte ^= 0x55;
            }
            for beside in ["-wal", "-shm"] {
                let path = format!("{}{beside}", stage.path().display());
                drop(fs::remove_file(path));
            }
            fs::write(stage.path(), &spoilt).unwrap();
            let builder = stage.builder().client_only();
            let client = match builder.build().await {
                Ok(client) => client,
                Err(error) => {
                    let text = format!("{error} {error:?}");
                    let known = text.contains("runs.db") || text.contains("the file");
                    assert!(known, "{text}");
                    told += 1;
                    continue;
                }
            };
            match client.get_hook_by_token("t").await {
                Ok(found) => assert!(found.is_none_or(|found| found == right)),
                Err(error) => {
                    assert!(matches!(error, QueryError::Store(_)), "{error}");
                    told += 1;
                }
            }
            drop(client.shutdown(Duration::ZERO).await);
        }
        assert!(told > 0, "nobody noticed");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_file_in_use_names_who_has_it() {
        in_time(in_use()).await;
    }

    async fn in_use() {
        let stage = with_a_run().await;
        let holder = stage.open().await;
        let error = open(stage.store()).await;
        let process = std::process::id().to_string();
        assert_says(&error, &["in use", &process, "PostgreSQL"]);

        // Who runs nothing may look and check, and is refused when it wants to act.
        let client = stage.builder().client_only().build().await.unwrap();
        let found = client.get_hook_by_token("t").await.unwrap();
        let run = found.expect("the hook is live").run_id;
        assert!(client.get_run::<u64>(run).exists().await.unwrap());
        let refused = client.resume_hook("t", &1).await.unwrap_err();
        assert_eq!(refused.code(), "READ_ONLY");
        assert!(!refused.may_have_happened());
        assert!(refused.to_string().contains(&process), "{refused}");
        let refused = client.start(does_nothing()).await.unwrap_err();
        assert_eq!(refused.code(), "READ_ONLY");
        client.get_run::<u64>(run).cancel("no").await.unwrap_err();
        client.shutdown(Duration::ZERO).await.unwrap();

        holder
            .resume_hook("t", &1)
            .await
            .unwrap()
            .expect("it works on");
        assert_eq!(holder.get_run::<u64>(run).result().await.unwrap(), 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_second_worker_waits_for_the_file() {
        in_time(second_worker()).await;
    }

    async fn second_worker() {
        let stage = with_a_run().await;
        let first = stage.open().await;
        let builder = stage.builder().wait_for_store(Duration::from_secs(30));
        let second = tokio::spawn(async move { builder.build().await });
        while !second.is_finished() {
            // The first lets go while the second waits.
            first.shutdown(Duration::ZERO).await.unwrap();
            tokio::task::yield_now().await;
        }
        let second = second.await.unwrap().unwrap();
        second
            .resume_hook("t", &1)
            .await
            .unwrap()
            .expect("the hook lives");
    }

    #[test]
    fn a_handle_wants_a_tokio() {
        let opened = futures::executor::block_on(Rewake::open("sqlite::memory:"));
        assert_says(&opened.unwrap_err(), &["#[tokio::main]"]);
    }
}

mod unreadable {
    use super::*;

    on_every_stage!(a_payload_of_no_known_form_parks_nobody);

    #[workflow]
    async fn takes(token: String) -> anyhow::Result<u64> {
        let mut hook = create_hook::<u64>().token(token).await?;
        loop {
            match hook.recv().await {
                Ok(n) => return Ok(n),
                Err(HookError::Decode { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn a_payload_of_no_known_form_parks_nobody(stage: Stage) {
        let rewake = stage.open().await;
        let run = rewake.start(takes("t".into())).await.unwrap();
        crate::stage::hook(&rewake, "t").await;
        for bytes in ["", "devl", "devl[[9]]", "json{", "\u{0}\u{1}"] {
            let resume = rewake_runtime::Resume {
                token: "t".to_owned(),
                payload: rewake_core::payload::Payload::from_bytes(bytes.as_bytes().to_vec()),
                key: None,
            };
            // Whether the engine refuses it or the workflow does: the run goes on.
            drop(rewake.engine().resume(resume).await);
        }
        crate::stage::resume(&rewake, "t", &8).await;
        assert_eq!(run.result().await.unwrap(), 8);
    }

    mod arguments {
        use super::*;

        on_every_stage!(arguments_of_no_known_form_park_the_run);

        async fn arguments_of_no_known_form_park_the_run(stage: Stage) {
            let rewake = stage.open().await;
            let input = rewake_core::payload::Payload::from_bytes(b"devl[[9]]".to_vec());
            let start = rewake_runtime::Start::new("runs::refusals::unreadable::takes", input);
            let Ok(started) = rewake.engine().start(start).await else {
                return;
            };
            let run = rewake.get_run::<u64>(started.run);
            let (code, _) = parked(&run).await;
            assert_eq!(code, "ARGUMENTS_DO_NOT_FIT");
        }
    }
}
