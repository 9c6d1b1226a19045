//! Payloads that a receiver leaves behind when its hook had ended before.

use std::sync::Arc;
use std::time::Duration;

use rewake_core::entity::RunStatus;
use rewake_core::event::EventKind;
use rewake_core::id::RunId;
use rewake_core::token::Token;
use rewake_runtime::workflow::{
    Conflict, Context as RunContext, HookHandle, HookSpec, RegisterHook,
};
use rewake_runtime::{Builder, Engine, Resume, ResumeOrStart};

use crate::world::{World, text};

/// How the hook ends before its receiver is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Closed,
    Expired,
}

const ENDS: [End; 2] = [End::Closed, End::Expired];

async fn hook(
    run: &Arc<RunContext>,
    token: &str,
    expires_in: Option<Duration>,
) -> Result<HookHandle, Conflict> {
    let spec = HookSpec {
        token: Some(Token::parse(token, Token::MAX_LEN).unwrap()),
        expires_in,
        ..HookSpec::default()
    };
    RegisterHook::new(Arc::clone(run), spec).await
}

/// Opens the door, ends it when it is let go, drops it the next time, and goes on until the third.
async fn leaves(run: Arc<RunContext>, end: End) {
    let expires_in = (end == End::Expired).then_some(Duration::from_mins(1));
    let mut door = hook(&run, "door", expires_in).await.unwrap();
    let Ok(mut go) = hook(&run, "go", None).await else {
        // It was started for what another one left.
        let _payload = door.receive().await;
        return;
    };
    go.receive().await;
    if end == End::Closed {
        std::future::poll_fn(|cx| door.poll_close(cx.waker())).await;
    }
    go.receive().await;
    drop(door);
    go.receive().await;
}

struct Stage {
    world: World,
    engine: Engine,
    run: RunId,
    end: End,
}

impl Stage {
    /// A run that rests with its door open.
    fn new(end: End) -> Self {
        let world = World::new();
        let engine = world.open(Self::builder(&world, end));
        let run = world.start(&engine);
        Self {
            world,
            engine,
            run,
            end,
        }
    }

    fn builder(world: &World, end: End) -> Builder {
        world.builder(move |run| leaves(run, end))
    }

    fn resume(&self, token: &str) {
        let resume = self.engine.resume(payload_for(token));
        let taken = self.world.until(resume).unwrap();
        assert!(taken.is_some(), "the hook `{token}` is live");
        self.world.settle();
    }

    /// The door ends with what it holds.
    fn end_door(&self) {
        self.resume("go");
        if self.end == End::Expired {
            self.world.pass(Duration::from_mins(1));
        }
        let door = self.world.until(self.engine.hook_by_token("door")).unwrap();
        assert_eq!(door, None);
    }

    fn disposals(&self) -> usize {
        let events = self.world.until(self.engine.events(self.run)).unwrap();
        let drops = |kind: &EventKind| matches!(kind, EventKind::HookDisposed { .. });
        events.iter().filter(|event| drops(&event.kind)).count()
    }

    /// The run that the one payload in the log names.
    fn named_by_the_payload(&self) -> RunId {
        let events = self.world.until(self.engine.events(self.run)).unwrap();
        let named = events.into_iter().find_map(|event| match event.kind {
            EventKind::HookReceived { fallback, .. } => fallback,
            _ => None,
        });
        named.expect("a payload names a run").run
    }

    fn unread(&self) -> u64 {
        let run = self.world.until(self.engine.run(self.run)).unwrap();
        run.unwrap().unread
    }

    fn is_running(&self) -> bool {
        let events = self.world.events(&self.engine, self.run);
        events.last() != Some(&"run_completed")
    }

    /// The process ends, and another one takes over.
    fn restart(&mut self) {
        self.world.crash();
        self.engine = self.world.open(Self::builder(&self.world, self.end));
    }
}

fn payload_for(token: &str) -> Resume {
    Resume {
        token: token.to_owned(),
        payload: text("1"),
        key: None,
    }
}

#[test]
fn what_would_start_a_run_starts_it_at_once() {
    for end in ENDS {
        let stage = Stage::new(end);
        let request = ResumeOrStart {
            resume: payload_for("door"),
            workflow: "main".to_owned(),
            input: text("[]"),
        };
        let admitted = stage.world.until(stage.engine.resume_or_start(request));
        assert_eq!(admitted.unwrap().run, stage.run);
        let next = stage.named_by_the_payload();
        stage.end_door();
        stage.resume("go");
        let named = stage.engine.run(next);
        let next = stage.world.until(named).unwrap().expect("it has begun");
        assert_eq!(next.status, RunStatus::Completed, "{end:?}");
        assert!(stage.is_running(), "{end:?}");
        assert_eq!(stage.unread(), 0, "{end:?}");
    }
}

#[test]
fn what_was_posted_returns_to_the_mailbox_at_once() {
    for end in ENDS {
        let stage = Stage::new(end);
        let post = stage
            .engine
            .post(payload_for("door"), Duration::from_hours(1));
        stage.world.until(post).unwrap();
        stage.end_door();
        let kept = || stage.world.until(stage.engine.mailbox(None, 9)).unwrap();
        assert_eq!(kept(), [], "{end:?}: it may be read yet");
        stage.resume("go");
        assert_eq!(kept().len(), 1, "{end:?}");
        assert!(stage.is_running(), "{end:?}");
        assert_eq!(stage.unread(), 0, "{end:?}");
    }
}

#[test]
fn anything_else_is_listed_as_unread_at_once() {
    for end in ENDS {
        let stage = Stage::new(end);
        stage.resume("door");
        stage.end_door();
        assert_eq!(stage.unread(), 0, "{end:?}: it may be read yet");
        stage.resume("go");
        assert_eq!(stage.unread(), 1, "{end:?}");
        let listed = stage.world.until(stage.engine.unread(stage.run)).unwrap();
        assert_eq!(listed.len(), 1, "{end:?}");
        assert!(stage.is_running(), "{end:?}");
        stage.resume("go");
        assert!(!stage.is_running(), "{end:?}");
        assert_eq!(stage.unread(), 1, "{end:?}: and it is not listed twice");
    }
}

#[test]
fn where_nothing_is_left_nothing_is_recorded() {
    for end in ENDS {
        let stage = Stage::new(end);
        stage.end_door();
        let before = stage.disposals();
        stage.resume("go");
        assert_eq!(stage.disposals(), before, "{end:?}");
    }
}

#[test]
fn a_replay_drops_it_at_the_same_place() {
    for end in ENDS {
        let mut stage = Stage::new(end);
        stage.resume("door");
        stage.end_door();
        // Between the end and the drop, and again right behind the drop.
        stage.restart();
        assert_eq!(stage.unread(), 0, "{end:?}");
        stage.resume("go");
        assert_eq!(stage.unread(), 1, "{end:?}");
        let events = stage.world.events(&stage.engine, stage.run);
        stage.restart();
        assert!(stage.engine.evict(stage.run) || stage.engine.resident_runs() == 0);
        stage.world.settle();
        assert_eq!(stage.world.events(&stage.engine, stage.run), events);
        stage.resume("go");
        assert!(!stage.is_running(), "{end:?}");
        assert_eq!(stage.unread(), 1, "{end:?}");
    }
}

#[test]
fn a_process_that_ends_before_the_drop_is_on_record_drops_it_in_the_next() {
    for end in ENDS {
        let mut stage = Stage::new(end);
        stage.resume("door");
        stage.end_door();
        stage.world.store.is_busy_for(1);
        let taken = stage.world.until(stage.engine.resume(payload_for("go")));
        assert!(taken.unwrap().is_some());
        stage.world.settle();
        assert_eq!(stage.unread(), 0, "{end:?}: it is not on record yet");
        stage.restart();
        assert_eq!(stage.unread(), 1, "{end:?}");
        stage.resume("go");
        assert!(!stage.is_running(), "{end:?}");
    }
}
