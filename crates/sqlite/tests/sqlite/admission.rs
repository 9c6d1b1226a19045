//! Processes that die while runs begin and end: every payload is in exactly one place.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;
use std::time::Duration;

use futures::executor::block_on;
use rewake_sqlite::{Options, SqliteStore};
use rewake_store::core::entity::Inboxes;
use rewake_store::core::event::{EventKind, Fallback, Position, Taken};
use rewake_store::core::id::HookId;
use rewake_store::core::payload::Payload;
use rewake_store::core::token::Token;
use rewake_store::{
    Admit, Append, Condition, Kin, Log, Mailbox, Mark, Post, Queries, RunFilter, RunRow, ScopeId,
    TokenRow, UnreadLimit,
};

use super::child::{Process, say};
use super::clock;
use super::log::{ALL, event_id, path_in, run_id, scope};

const TOKENS: usize = 3;

fn token(n: usize) -> Token {
    Token::parse(&format!("token {n}"), Token::MAX_LEN).unwrap()
}

/// Every payload of the test is another one.
fn payload(thread: usize, n: u64) -> Payload {
    let process = std::process::id();
    Payload::from_bytes(format!("devl[\"{process}.{thread}.{n}\"]").into_bytes())
}

fn text(payload: &Payload) -> String {
    String::from_utf8_lossy(payload.as_bytes()).into_owned()
}

/// Admits and posts, and says each payload once it has been acknowledged; beside it runs end.
pub(crate) fn admit_and_end(store: &SqliteStore) {
    let scope = scope(store);
    thread::scope(|threads| {
        for thread in 0..6 {
            threads.spawn(move || send(store, scope, thread));
        }
        threads.spawn(move || -> ! {
            loop {
                (0..TOKENS).for_each(|n| end(store, scope, n));
            }
        });
    });
}

fn send(store: &SqliteStore, scope: ScopeId, thread: usize) -> ! {
    for n in 0.. {
        let payload = payload(thread, n);
        let token = token(thread % TOKENS);
        if thread < TOKENS {
            let admit = store.admit(admission(scope, token, payload.clone()));
            block_on(admit).unwrap();
        } else {
            block_on(store.post(posting(scope, token, payload.clone()))).unwrap();
        }
        say(&format!("sent {}", text(&payload)));
    }
    unreachable!("there are more numbers than time")
}

fn admission(scope: ScopeId, token: Token, payload: Payload) -> Admit {
    Admit {
        scope,
        token,
        id: event_id(),
        payload: payload.clone(),
        key: None,
        fallback: Fallback {
            workflow: "order".to_owned(),
            input: payload,
            build: "build-1".to_owned(),
            run: run_id(),
            seed: [7; 16],
            flags: 0,
            hook: HookId::from_bytes(run_id().to_bytes()),
            event: event_id(),
        },
        begins: true,
        node: None,
        limit: UnreadLimit::default(),
        repeat: false,
    }
}

pub(crate) fn posting(scope: ScopeId, token: Token, payload: Payload) -> Post {
    Post {
        scope,
        token,
        id: event_id(),
        payload,
        key: None,
        keep_for: Duration::from_hours(1),
        limit: UnreadLimit::default(),
        most: 10_000,
        repeat: false,
    }
}

/// Ends the run that holds a token, after it has read one payload more than it left before.
fn end(store: &SqliteStore, scope: ScopeId, n: usize) {
    let Some(held) = block_on(store.token(scope, token(n))).unwrap() else {
        return;
    };
    let row = block_on(store.run(scope, held.run)).unwrap().unwrap();
    // Nobody else ends it; what comes meanwhile is dealt with too.
    block_on(store.append(ending(&held, &row))).unwrap();
}

fn ending(held: &TokenRow, row: &RunRow) -> Append {
    let taken = Taken {
        hook: held.hook,
        count: 1,
        bytes: 1,
    };
    Append {
        scope: held.scope,
        run: held.run,
        id: event_id(),
        conditions: vec![Condition::WorkerPosition(row.worker)],
        events: vec![EventKind::RunCompleted {
            output: Payload::from_bytes(*b"devl[1]"),
        }],
        release: vec![held.token.clone()],
        kin: Kin::default(),
        answers: Vec::new(),
        mark: Some(Mark {
            reacted: row.head,
            taken: vec![taken],
            ..Mark::default()
        }),
        since: None,
        repeat: false,
    }
}

/// How often each payload is somewhere: read, waiting or unread in a run, or in the mailbox.
fn places(path: &Path) -> BTreeMap<String, u32> {
    let store = SqliteStore::open(Options::new(path, clock::ticking())).unwrap();
    let scope = scope(&store);
    let mut places = BTreeMap::new();
    let mut note = |payload: &Payload| *places.entry(text(payload)).or_default() += 1;
    for (_, mail) in block_on(store.mail(scope, None, ALL)).unwrap() {
        note(&mail.payload);
    }
    let runs = block_on(store.runs(scope, RunFilter::default(), None, ALL)).unwrap();
    for (run, row) in runs.runs {
        let frames = block_on(store.frames(scope, run, Position::START, ALL)).unwrap();
        let hooks = frames.iter().flat_map(|frame| &frame.events);
        let hook = hooks.clone().find_map(|kind| match kind {
            EventKind::HookCreated { hook, .. } => Some(*hook),
            _ => None,
        });
        let inboxes = Inboxes::fold(&frames);
        let all = inboxes.beyond(hook.unwrap(), 0);
        if row.status.is_terminal() {
            note(&all[0].payload);
            for left in inboxes.unread() {
                note(&left.payload);
            }
        } else {
            for waiting in all {
                note(&waiting.payload);
            }
        }
    }
    places
}

#[test]
fn a_kill_leaves_every_payload_in_one_place() {
    let directory = tempfile::tempdir().unwrap();
    let path = path_in(&directory);
    let mut acknowledged = Vec::new();
    for round in 1..=3 {
        let mut process = Process::start("admit", &path);
        let mut seen = 0;
        while seen < 100 * round {
            let line = process.lines.next().unwrap().unwrap();
            if let Some(sent) = line
                .strip_prefix("sent ")
                .filter(|sent| sent.ends_with(']'))
            {
                acknowledged.push(sent.to_owned());
                seen += 1;
            }
        }
        process.kill();
        let places = places(&path);
        for (payload, places) in &places {
            assert_eq!(*places, 1, "{payload}");
        }
        for payload in &acknowledged {
            assert!(places.contains_key(payload), "{payload} is lost");
        }
    }
}
