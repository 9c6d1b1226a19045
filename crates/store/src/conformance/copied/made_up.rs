//! Rows of every kind, as a store might hold them.

use std::collections::{BTreeMap, BTreeSet};

use rewake_core::entity::RunStatus;
use rewake_core::event::{EventKind, Fallback, Frame, Parent, Position, Taken, Writer};
use rewake_core::id::{EventId, HookId, RunId, StepId};
use rewake_core::payload::Payload;
use rewake_core::time::Timestamp;
use rewake_core::token::Token;

use super::dice::Dice;
use crate::copy::{AnyRow, ScopeRow};
use crate::row::{
    ChunkRow, ForgetRow, KeyRow, Left, MailRow, NodeId, OwedRow, Parked, RunRow, ScopeId,
    StartKeyRow, TokenRow, WhichKeys,
};

/// Not one behind the other: a number may have been given to nobody.
const SCOPES: [ScopeId; 3] = [ScopeId(0), ScopeId(1), ScopeId(7)];

/// Rows of every kind, each kind in the order in which a store keeps it. Logs are whole, and columns
/// that a store keeps beside a row have values of every sort: none, those that no clock reaches, and
/// texts that are not ASCII.
pub fn made_up(seed: u64) -> Vec<AnyRow> {
    let mut dice = Dice::new(seed);
    let runs: BTreeSet<RunId> = (0..3 + dice.below(60))
        .map(|_| RunId::from_bytes(dice.bytes()))
        .collect();
    let runs: Vec<RunId> = runs.into_iter().collect();
    let mut rows: Vec<AnyRow> = SCOPES.map(scope).into();
    logs(&mut dice, &runs, &mut rows);
    hooks(&mut dice, &runs, &mut rows);
    forgets(&mut dice, &mut rows);
    beside(&mut dice, &runs, &mut rows);
    rows
}

fn scope(scope: ScopeId) -> AnyRow {
    AnyRow::Scope(ScopeRow {
        scope,
        project: "söme shop".to_owned(),
        environment: format!("environment {}", scope.0),
    })
}

fn logs(dice: &mut Dice, runs: &[RunId], rows: &mut Vec<AnyRow>) {
    let mut frames = Vec::new();
    for run in runs {
        let mut head = Position::START;
        for _ in 0..=dice.below(5) {
            let frame = frame(dice, head.next());
            head = frame.last();
            frames.push(AnyRow::Frame(*run, frame));
        }
        rows.push(AnyRow::Run(*run, Box::new(run_row(dice, head, runs))));
    }
    rows.append(&mut frames);
}

fn frame(dice: &mut Dice, first: Position) -> Frame {
    let events = (0..=dice.below(3)).map(|_| event(dice)).collect();
    Frame {
        first,
        at: time(dice),
        id: EventId::from_bytes(dice.bytes()),
        writer: if dice.yes() {
            Writer::Worker
        } else {
            Writer::Outsider
        },
        events,
        taken: dice.maybe(taken).into_iter().collect(),
    }
}

fn event(dice: &mut Dice) -> EventKind {
    if dice.yes() {
        EventKind::PatchMarked { patch: dice.text() }
    } else {
        EventKind::StepCompleted {
            step: StepId::from_bytes(dice.bytes()),
            result: payload(dice),
        }
    }
}

fn run_row(dice: &mut Dice, head: Position, runs: &[RunId]) -> RunRow {
    let statuses = [
        RunStatus::Pending,
        RunStatus::Running,
        RunStatus::Completed,
        RunStatus::Failed,
        RunStatus::Cancelled,
    ];
    RunRow {
        scope: one(dice, &SCOPES),
        workflow: dice.text(),
        build: dice.text(),
        status: one(dice, &statuses),
        head,
        worker: head,
        reacted: head,
        last_at: time(dice),
        wake_at: dice.maybe(time),
        crashes: 3,
        parked: dice.maybe(parked),
        live_hooks: 2,
        taken: dice.maybe(taken).into_iter().collect(),
        created_at: time(dice),
        ended_at: dice.maybe(time),
        tail: head,
        left: dice.maybe(left).into_iter().collect(),
        fated: dice.number(),
        unread: dice.below(9),
        parent: dice.maybe(|dice| Parent {
            run: one(dice, runs),
            step: StepId::from_bytes(dice.bytes()),
            detached: dice.yes(),
        }),
        children: 4,
        attributes: BTreeMap::from([(dice.text(), dice.text())]),
        node: dice.maybe(|dice| NodeId(dice.number())),
    }
}

fn parked(dice: &mut Dice) -> Parked {
    Parked {
        build: dice.text(),
        code: "DIVERGED".to_owned(),
        reason: dice.text(),
        at: time(dice),
        before: vec![dice.text()],
    }
}

fn left(dice: &mut Dice) -> Left {
    Left {
        token: token(dice),
        received: dice.number(),
        taken: taken(dice),
    }
}

/// Hooks and delivery keys.
fn hooks(dice: &mut Dice, runs: &[RunId], rows: &mut Vec<AnyRow>) {
    let (mut hooks, mut keys) = (BTreeMap::new(), BTreeMap::new());
    for run in runs {
        let row = token_row(dice, *run);
        let place = (row.scope, row.token.clone());
        for _ in 0..dice.below(3) {
            let key = (row.scope, row.token.clone(), dice.text());
            let hook = dice.maybe(|_| row.clone());
            keys.insert(key, key_row(dice, hook));
        }
        hooks.insert(place, row);
    }
    rows.extend(hooks.into_values().map(|row| AnyRow::Token(Box::new(row))));
    rows.extend(keys.into_iter().map(|((scope, token, key), row)| {
        let row = Box::new(row);
        AnyRow::Key(scope, token, key, row)
    }));
}

fn token_row(dice: &mut Dice, run: RunId) -> TokenRow {
    TokenRow {
        scope: one(dice, &SCOPES),
        token: token(dice),
        run,
        hook: HookId::from_bytes(dice.bytes()),
        created_at: time(dice),
        metadata: dice.maybe(payload),
        is_webhook: dice.yes(),
        chosen: dice.yes(),
        expires_at: dice.maybe(time),
        received: dice.number(),
        received_bytes: dice.number(),
        keyed: dice.yes(),
    }
}

fn key_row(dice: &mut Dice, hook: Option<TokenRow>) -> KeyRow {
    KeyRow {
        hook,
        position: Position(dice.below(100)),
        event: EventId::from_bytes(dice.bytes()),
        digest: dice.maybe(Dice::bytes),
        started: dice.yes(),
        kept_until: dice.maybe(time),
    }
}

fn forgets(dice: &mut Dice, rows: &mut Vec<AnyRow>) {
    let mut forgets = BTreeMap::new();
    for _ in 0..dice.below(20) {
        let which = if dice.yes() {
            WhichKeys::Hook(HookId::from_bytes(dice.bytes()))
        } else {
            WhichKeys::Key(dice.text())
        };
        let row = ForgetRow {
            scope: one(dice, &SCOPES),
            at: Timestamp::from_millis(dice.below(10)),
            token: token(dice),
            which,
            after: dice.maybe(Dice::text),
        };
        let place = (row.scope, row.at, row.token.clone(), row.which.clone());
        forgets.insert(place, row);
    }
    rows.extend(
        forgets
            .into_values()
            .map(|row| AnyRow::Forget(Box::new(row))),
    );
}

/// Start keys, what is owed, chunks and the mailbox.
fn beside(dice: &mut Dice, runs: &[RunId], rows: &mut Vec<AnyRow>) {
    let (mut starts, mut owed) = (BTreeMap::new(), BTreeMap::new());
    let (mut chunks, mut mail) = (BTreeMap::new(), BTreeMap::new());
    for run in runs {
        let start = StartKeyRow {
            run: *run,
            digest: dice.bytes(),
        };
        starts.insert((one(dice, &SCOPES), dice.text()), start);
        let left = owed_row(dice, *run, runs);
        owed.insert((left.scope, left.parent, left.child), left);
        let chunk = ChunkRow {
            writer: dice.maybe(|dice| StepId::from_bytes(dice.bytes())),
            payload: payload(dice),
        };
        chunks.insert((*run, dice.text()), chunk);
        let letter = mail_row(dice);
        mail.insert((letter.scope, dice.below(1 << 40)), letter);
    }
    let start = |((scope, key), row)| AnyRow::StartKey(scope, key, row);
    rows.extend(starts.into_iter().map(start));
    rows.extend(owed.into_values().map(|row| AnyRow::Owed(Box::new(row))));
    let chunk = |((run, stream), row)| AnyRow::Chunk(run, stream, row);
    rows.extend(chunks.into_iter().map(chunk));
    let letter = |((_, place), row)| AnyRow::Mail(place, Box::new(row));
    rows.extend(mail.into_iter().map(letter));
}

fn owed_row(dice: &mut Dice, child: RunId, runs: &[RunId]) -> OwedRow {
    OwedRow {
        scope: one(dice, &SCOPES),
        parent: one(dice, runs),
        step: StepId::from_bytes(dice.bytes()),
        child,
        end: EventKind::RunCompleted {
            output: payload(dice),
        },
    }
}

fn mail_row(dice: &mut Dice) -> MailRow {
    MailRow {
        scope: one(dice, &SCOPES),
        token: token(dice),
        event: EventId::from_bytes(dice.bytes()),
        payload: payload(dice),
        key: dice.maybe(Dice::text),
        fallback: dice.maybe(|dice| Box::new(fallback(dice))),
        posted_at: time(dice),
        until: time(dice),
    }
}

fn fallback(dice: &mut Dice) -> Fallback {
    Fallback {
        workflow: dice.text(),
        input: payload(dice),
        build: dice.text(),
        run: RunId::from_bytes(dice.bytes()),
        seed: dice.bytes(),
        flags: 1,
        hook: HookId::from_bytes(dice.bytes()),
        event: EventId::from_bytes(dice.bytes()),
    }
}

fn taken(dice: &mut Dice) -> Taken {
    Taken {
        hook: HookId::from_bytes(dice.bytes()),
        count: dice.number(),
        bytes: dice.number(),
    }
}

fn token(dice: &mut Dice) -> Token {
    let text = format!("{}{}", dice.text(), dice.number());
    Token::parse(&text, Token::MAX_LEN).expect("it is short and has no control characters")
}

fn payload(dice: &mut Dice) -> Payload {
    let bytes = (0..dice.below(3_000)).map(|_| dice.number().to_le_bytes()[4]);
    Payload::from_bytes([b"devl".to_vec(), bytes.collect()].concat())
}

/// Also those that no column holds.
fn time(dice: &mut Dice) -> Timestamp {
    match dice.below(8) {
        0 => Timestamp::MAX,
        1 => Timestamp::from_millis(u64::MAX / 2 + 5),
        _ => Timestamp::from_millis(dice.below(1_000_000)),
    }
}

fn one<T: Copy>(dice: &mut Dice, of: &[T]) -> T {
    of[dice.number().to_le_bytes()[5] as usize % of.len()]
}
