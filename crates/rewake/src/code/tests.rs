//! `docs/errors.md` and the code: every code is in the list, and the list says of trying again what
//! the errors say.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use rewake_core::attribute::InvalidAttribute;
use rewake_core::id::RunId;
use rewake_core::key::InvalidKey;
use rewake_core::payload::Payload;
use rewake_core::token::{InvalidToken, Token};
use rewake_core::transition::IllegalTransition;
use rewake_runtime::webhook::{BadSignature, Settings, Unverifiable};
use rewake_runtime::{
    AdmitError, AnswerError, CancelError, InvalidName, PostError, QueryError, RegistryError,
    ResumeError, StartError, WakeUpError, WebhookError,
};
use rewake_sqlite::OpenError as SqliteError;
use rewake_store::copy::{CopyError, InUse, NotEmpty, RowKind, Tally};
use rewake_store::{Corrupt, StoreError};

use crate::builder::OpenError;
use crate::error::{HookConflict, HookError, RunError, StepError, StepErrorKind};

/// Files with codes that no user of the facade is shown.
const ELSEWHERE: [&str; 2] = [
    // The source of an `ILLEGAL_LOG`, for the core's own tests.
    "core/src/transition/illegal.rs",
    // The Workflow SDK's events and logs, which only the core reads.
    "core/src/sdk/error.rs",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The rows of the list: code, and what it says of trying again, where it says that.
fn listed() -> BTreeMap<String, Option<bool>> {
    let page = fs::read_to_string(root().join("docs/errors.md")).unwrap();
    let mut listed = BTreeMap::new();
    for row in page.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let again = match cells.get(3) {
            Some(&"yes") => Some(true),
            Some(&"no") => Some(false),
            _ => None,
        };
        let code = cells[0].trim_matches('`').to_owned();
        assert_eq!(listed.insert(code, again), None, "{row} is there twice");
    }
    listed
}

/// The texts in capital letters of a line.
fn capitals(line: &str) -> impl Iterator<Item = &str> {
    let is_code = |text: &&str| {
        let fits = |c: char| c.is_ascii_uppercase() || c == '_';
        text.len() > 3 && text.chars().all(fits)
    };
    line.split('"').skip(1).step_by(2).filter(is_code)
}

/// The codes that a file gives: in functions named `code`, and as constants named like them.
fn codes(source: &str, found: &mut BTreeSet<String>) {
    let mut within = false;
    for line in source.lines() {
        within |= line.contains("fn code(");
        let constant = capitals(line).any(|text| line.contains(&format!("const {text}: &str")));
        if within || constant {
            found.extend(capitals(line).map(str::to_owned));
        }
        within &= line != "    }";
    }
}

fn walk(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let shown = path.to_string_lossy().replace('\\', "/");
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "tests") {
                walk(&path, found);
            }
        } else if !ELSEWHERE.iter().any(|file| shown.ends_with(file)) {
            codes(&fs::read_to_string(&path).unwrap(), found);
        }
    }
}

#[test]
fn the_list_has_every_code_and_no_other() {
    let mut written = BTreeSet::new();
    for name in [
        "core", "store", "sqlite", "postgres", "runtime", "http", "rewake", "cli",
    ] {
        walk(&root().join("crates").join(name).join("src"), &mut written);
    }
    let listed = listed().into_keys().collect();
    assert_eq!(
        written, listed,
        "on the left the code, on the right docs/errors.md"
    );
}

/// An error's code, and whether it says that trying again may help.
type Said = (&'static str, bool);

macro_rules! said {
    ($($error:expr),* $(,)?) => {
        vec![$({
            let error = $error;
            (error.code(), error.is_retryable())
        }),*]
    };
}

fn why() -> String {
    "for a reason".to_owned()
}

fn run() -> RunId {
    RunId::from_bytes([7; 16])
}

fn corrupt() -> Corrupt {
    Corrupt::Truncated { len: 1 }
}

fn of_stores() -> Vec<Said> {
    said![
        StoreError::OutcomeUnknown { reason: why() },
        StoreError::Closed { reason: why() },
        StoreError::Overloaded,
        StoreError::Unavailable { reason: why() },
        StoreError::DiskFull,
        StoreError::corrupt_run(run(), corrupt()),
        StoreError::Backend { reason: why() },
        StoreError::ReadOnly { reason: why() },
    ]
}

fn of_copying() -> Vec<Said> {
    let found = Tally::default();
    said![
        NotEmpty { found },
        InUse { node: why() },
        CopyError::Source(StoreError::Overloaded),
        CopyError::Target(StoreError::Overloaded),
        CopyError::Miscounted {
            kind: RowKind::Run,
            read: 2,
            written: 1
        },
    ]
}

fn of_opening() -> Vec<Said> {
    let path = || PathBuf::from("my.db");
    let (first, second) = (why(), why());
    let same = |name: &str| (name.to_owned(), first.clone(), second.clone());
    let (name, first, second) = same("a");
    let same_workflow = RegistryError::SameWorkflow {
        name,
        first,
        second,
    };
    let (name, first, second) = (why(), why(), why());
    let same_step = RegistryError::SameStep {
        name,
        first,
        second,
    };
    let engine = |error: rewake_runtime::OpenError| OpenError::Engine(error);
    said![
        OpenError::NoStore,
        OpenError::UnknownStore { url: why() },
        OpenError::NotProvided {
            step: "a",
            type_name: "B"
        },
        OpenError::NoTokio,
        engine(same_workflow.into()),
        engine(same_step.into()),
        engine(rewake_runtime::OpenError::EmptySecret { name: why() }),
        engine(rewake_runtime::OpenError::NoSteps),
        engine(InvalidName::Empty { what: "project" }.into()),
        engine(rewake_runtime::OpenError::InvalidPublicUrl),
        engine(rewake_runtime::OpenError::NothingAllowed { what: "it" }),
        engine(StoreError::Overloaded.into()),
        OpenError::Sqlite(SqliteError::Unopenable {
            path: path(),
            source: std::io::ErrorKind::NotFound.into(),
        }),
        OpenError::Sqlite(SqliteError::NotOurs {
            path: path(),
            found: why()
        }),
        OpenError::Sqlite(SqliteError::Newer {
            path: path(),
            found: 2,
            known: 1
        }),
        OpenError::Sqlite(SqliteError::Older {
            path: path(),
            found: 1,
            known: 2
        }),
        OpenError::Sqlite(SqliteError::Damaged {
            path: path(),
            detail: why()
        }),
        OpenError::Sqlite(SqliteError::InUse {
            path: path(),
            holder: rewake_sqlite::Holder::default(),
        }),
        OpenError::Sqlite(SqliteError::Stale { path: path() }),
        OpenError::Sqlite(SqliteError::DiskFull { path: path() }),
        OpenError::Sqlite(SqliteError::Backend {
            path: path(),
            reason: why()
        }),
    ]
}

#[cfg(feature = "postgres")]
fn of_opening_a_database() -> Vec<Said> {
    use rewake_postgres::OpenError as PostgresError;
    said![
        PostgresError::Invalid { reason: why() },
        PostgresError::Unreachable { reason: why() },
        PostgresError::NotSecure { reason: why() },
        PostgresError::Pooled,
        PostgresError::NotDurable { setting: why() },
        PostgresError::Newer {
            schema: why(),
            found: 2,
            known: 1
        },
        PostgresError::NotOurs {
            schema: why(),
            found: why()
        },
        PostgresError::Backend { reason: why() },
    ]
}

fn of_starting() -> Vec<Said> {
    said![
        StartError::UnknownWorkflow { name: why() },
        StartError::NotEncodable { reason: why() },
        StartError::TooLarge { len: 2, limit: 1 },
        StartError::InvalidAttribute(InvalidAttribute::EmptyKey),
        StartError::InvalidKey(InvalidKey::Empty),
        StartError::RunExists { run: run() },
        StartError::KeyReused { run: run() },
        StartError::ShuttingDown,
        StartError::Refused { reason: why() },
        StartError::Store(StoreError::Overloaded),
        AdmitError::NullPayload,
        AdmitError::NotEncodable { reason: why() },
        AdmitError::TooLarge { len: 2, limit: 1 },
        AdmitError::InvalidToken(InvalidToken::Empty),
        AdmitError::InvalidKey(InvalidKey::Empty),
        AdmitError::UnknownWorkflow { name: why() },
        AdmitError::NotAHook,
        AdmitError::KeyReused,
        AdmitError::Full { count: 1, bytes: 1 },
        AdmitError::ShuttingDown,
        AdmitError::Refused { reason: why() },
        AdmitError::Store(StoreError::Overloaded),
    ]
}

fn of_resuming() -> Vec<Said> {
    let limit = crate::days(90);
    said![
        ResumeError::NullPayload,
        ResumeError::Invalid {
            hook: "a",
            reason: why()
        },
        ResumeError::NotEncodable { reason: why() },
        ResumeError::TooLarge { len: 2, limit: 1 },
        ResumeError::InvalidToken(InvalidToken::Empty),
        ResumeError::InvalidKey(InvalidKey::Empty),
        ResumeError::NotAHook,
        ResumeError::KeyReused,
        ResumeError::Full { count: 1, bytes: 1 },
        ResumeError::Refused { reason: why() },
        ResumeError::Store(StoreError::Overloaded),
        PostError::NullPayload,
        PostError::NotEncodable { reason: why() },
        PostError::TooLarge { len: 2, limit: 1 },
        PostError::InvalidToken(InvalidToken::Empty),
        PostError::InvalidKey(InvalidKey::Empty),
        PostError::KeptForNoTime,
        PostError::KeptTooLong { limit },
        PostError::NotAHook,
        PostError::KeyReused,
        PostError::Full { count: 1, bytes: 1 },
        PostError::MailboxFull { count: 1 },
        PostError::Refused { reason: why() },
        PostError::Store(StoreError::Overloaded),
    ]
}

fn of_asking() -> Vec<Said> {
    let invalid = "nothing".parse::<RunId>().unwrap_err();
    let source = IllegalTransition::RunExists { run: run() };
    said![
        CancelError::RunUnknown { run: run() },
        CancelError::Refused { reason: why() },
        CancelError::Store(StoreError::Overloaded),
        WakeUpError::RunUnknown { run: run() },
        WakeUpError::RunEnded { run: run() },
        WakeUpError::Refused { reason: why() },
        WakeUpError::Store(StoreError::Overloaded),
        QueryError::InvalidToken(InvalidToken::Empty),
        QueryError::InvalidCursor(invalid),
        QueryError::InvalidPlace,
        QueryError::IllegalLog { run: run(), source },
        QueryError::ShuttingDown,
        QueryError::Store(StoreError::Overloaded),
    ]
}

fn of_webhooks() -> Vec<Said> {
    let metadata = Payload::from_bytes(*b"devl[{\"respondWith\":1},7]");
    let invalid = Settings::read(Some(&metadata)).unwrap_err();
    said![
        WebhookError::NotFound,
        WebhookError::MethodNotAllowed { allow: why() },
        WebhookError::TooLarge { limit: 1 },
        WebhookError::Body { reason: why() },
        WebhookError::BodyTooSlow,
        WebhookError::NotSigned(BadSignature::Wrong),
        WebhookError::CannotVerify(Unverifiable::UnknownScheme),
        WebhookError::Full,
        WebhookError::TooManyCallers,
        WebhookError::RunEnded,
        WebhookError::NoAnswer,
        WebhookError::InvalidSettings(invalid),
        WebhookError::UnreadableAnswer { reason: why() },
        WebhookError::AnswerLost(StoreError::Overloaded),
        WebhookError::Refused { reason: why() },
        WebhookError::Store(StoreError::Overloaded),
        AnswerError::AlreadyAnswered,
        AnswerError::RunEnded,
        AnswerError::NotManual,
        AnswerError::NotInRun,
        AnswerError::NotEncodable { reason: why() },
        AnswerError::Store(StoreError::Overloaded),
    ]
}

fn of_workflows() -> Vec<Said> {
    let step = |kind| StepError::new(kind, rewake_core::event::Failure::new("no"), "a");
    let (token, run_id) = (Token::random(7), run());
    said![
        step(StepErrorKind::Fatal),
        step(StepErrorKind::RetriesExhausted),
        step(StepErrorKind::TimedOut),
        step(StepErrorKind::NotEncodable),
        HookError::Conflict(HookConflict { token, run_id }),
        HookError::Closed,
        HookError::Expired,
        HookError::Decode {
            reason: why(),
            bytes: Vec::new()
        },
        HookError::InvalidToken(InvalidToken::Empty),
        HookError::NotEncodable { reason: why() },
        HookError::InvalidOption {
            option: "methods",
            reason: "none"
        },
        HookError::NoPublicUrl,
        HookError::NotInWorkflow,
        RunError::Failed {
            child: None,
            message: why(),
            causes: Vec::new()
        },
        RunError::Cancelled {
            child: None,
            reason: None,
            terminated: false
        },
        RunError::Parked {
            code: why(),
            reason: why()
        },
        RunError::Unknown { run_id },
        RunError::Decode { reason: why() },
        RunError::NotEncodable { reason: why() },
        RunError::NotInWorkflow,
        RunError::InvalidAttribute(InvalidAttribute::EmptyKey),
        RunError::Query(QueryError::Store(StoreError::Overloaded)),
    ]
}

#[test]
fn the_list_says_of_trying_again_what_the_errors_say() {
    let said = [
        of_stores(),
        of_copying(),
        of_opening(),
        #[cfg(feature = "postgres")]
        of_opening_a_database(),
        of_starting(),
        of_resuming(),
        of_asking(),
        of_webhooks(),
        of_workflows(),
    ];
    let mut listed = listed();
    let mut all = BTreeMap::new();
    for (code, again) in said.into_iter().flatten() {
        let other = all.insert(code, again).is_some_and(|other| other != again);
        assert!(!other, "{code} is now one, now the other");
    }
    for (code, again) in all {
        assert_eq!(
            listed.remove(code),
            Some(Some(again)),
            "{code} in docs/errors.md"
        );
    }
    let of_nobody: Vec<String> = listed
        .into_iter()
        .filter_map(|(code, again)| again.map(|_| code))
        .collect();
    assert_eq!(
        of_nobody,
        Vec::<String>::new(),
        "no error here has these codes"
    );
}
