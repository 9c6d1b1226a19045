//! One row of each kind, with every field filled, and again with every optional one empty.

use std::collections::BTreeMap;
use std::fmt::Debug;

use minicbor::{Decode, Encode};
use rewake_core::entity::RunStatus;
use rewake_core::event::{EventKind, Frame, Parent, Position, Taken, Writer};
use rewake_core::id::{EventId, HookId, RunId, StepId};
use rewake_core::payload::Payload;
use rewake_core::time::Timestamp;
use rewake_core::token::Token;

use crate::row::{
    ChunkRow, ForgetRow, KeyRow, Left, MailRow, NodeId, OwedRow, Parked, RunRow, ScopeId,
    StartKeyRow, TokenRow, WhichKeys,
};
use crate::wire::{decode_row, encode_row};

pub(super) fn at(ms: u64) -> Timestamp {
    Timestamp::from_millis(1_763_280_000_000 + ms)
}

pub(super) fn payload(text: &str) -> Payload {
    Payload::from_bytes(format!("devl[\"{text}\"]").into_bytes())
}

pub(super) fn token() -> Token {
    Token::parse("order-7", Token::MAX_LEN).unwrap()
}

/// Hands over the name and the stored form of each sample.
pub(super) fn each(mut add: impl FnMut(&'static str, Vec<u8>)) {
    add("frame", stored(&frame()));
    add("run", stored(&run()));
    add("run.bare", stored(&bare_run()));
    add("token", stored(&token_row()));
    add("token.bare", stored(&bare_token_row()));
    let key = KeyRow {
        hook: Some(bare_token_row()),
        position: Position(9),
        event: EventId::from_bytes([0x0e; 16]),
        digest: Some([0xd1; 32]),
        started: true,
        kept_until: Some(at(5)),
    };
    add("key", stored(&key));
    let bare_key = KeyRow {
        hook: None,
        digest: None,
        started: false,
        kept_until: None,
        ..key
    };
    add("key.bare", stored(&bare_key));
    let forget = ForgetRow {
        scope: ScopeId(4),
        at: at(6),
        token: token(),
        which: WhichKeys::Hook(HookId::from_bytes([0x0a; 16])),
        after: Some("k".to_owned()),
    };
    add("forget", stored(&forget));
    let bare_forget = ForgetRow {
        which: WhichKeys::Key("k".to_owned()),
        after: None,
        ..forget
    };
    add("forget.bare", stored(&bare_forget));
    let start_key = StartKeyRow {
        run: RunId::from_bytes([0x01; 16]),
        digest: [0xd1; 32],
    };
    add("start_key", stored(&start_key));
    let chunk = ChunkRow {
        writer: Some(StepId::from_bytes([0x05; 16])),
        payload: payload("202"),
    };
    add("chunk", stored(&chunk));
    let bare_chunk = ChunkRow {
        writer: None,
        ..chunk
    };
    add("chunk.bare", stored(&bare_chunk));
    let owed = OwedRow {
        scope: ScopeId(4),
        parent: RunId::from_bytes([0x01; 16]),
        step: StepId::from_bytes([0x05; 16]),
        child: RunId::from_bytes([0x02; 16]),
        end: EventKind::RunCancelled {
            reason: None,
            terminated: true,
        },
    };
    add("owed", stored(&owed));
    add("mail", stored(&mail()));
    let bare_mail = MailRow {
        key: None,
        fallback: None,
        ..mail()
    };
    add("mail.bare", stored(&bare_mail));
}

fn stored<T>(row: &T) -> Vec<u8>
where
    T: Encode<()> + for<'b> Decode<'b, ()> + Debug + PartialEq,
{
    let bytes = encode_row(row);
    assert_eq!(decode_row::<T>(&bytes).as_ref(), Ok(row));
    bytes
}

fn frame() -> Frame {
    Frame {
        first: Position(3),
        at: at(1),
        id: EventId::from_bytes([0x0e; 16]),
        writer: Writer::Outsider,
        events: vec![
            EventKind::RunStarted,
            EventKind::RunCancelRequested { reason: None },
        ],
        taken: vec![taken()],
    }
}

fn taken() -> Taken {
    Taken {
        hook: HookId::from_bytes([0x0a; 16]),
        count: 2,
        bytes: 300,
    }
}

fn run() -> RunRow {
    RunRow {
        scope: ScopeId(4),
        workflow: "order".to_owned(),
        build: "build-1".to_owned(),
        status: RunStatus::Failed,
        head: Position(70_000),
        worker: Position(69_999),
        reacted: Position(69_998),
        last_at: at(6),
        wake_at: Some(at(7)),
        crashes: 1,
        parked: Some(Parked {
            build: "build-2".to_owned(),
            code: "DIVERGED".to_owned(),
            reason: "position 3".to_owned(),
            at: at(8),
            before: vec!["build-3".to_owned()],
        }),
        live_hooks: 2,
        taken: vec![taken()],
        created_at: at(0),
        ended_at: Some(at(9)),
        tail: Position(69_997),
        left: vec![Left {
            token: token(),
            received: 5,
            taken: taken(),
        }],
        fated: 4,
        unread: 3,
        parent: Some(Parent {
            run: RunId::from_bytes([0x01; 16]),
            step: StepId::from_bytes([0x05; 16]),
            detached: true,
        }),
        children: 6,
        attributes: BTreeMap::from([("team".to_owned(), "red".to_owned())]),
        node: Some(NodeId(7)),
    }
}

fn bare_run() -> RunRow {
    RunRow {
        status: RunStatus::Pending,
        wake_at: None,
        parked: None,
        taken: Vec::new(),
        ended_at: None,
        left: Vec::new(),
        parent: None,
        attributes: BTreeMap::new(),
        node: None,
        ..run()
    }
}

fn mail() -> MailRow {
    MailRow {
        scope: ScopeId(4),
        token: token(),
        event: EventId::from_bytes([0x0e; 16]),
        payload: payload("yes"),
        key: Some("delivery-1".to_owned()),
        fallback: Some(Box::new(super::event_samples::fallback())),
        posted_at: at(1),
        until: at(9),
    }
}

fn token_row() -> TokenRow {
    TokenRow {
        metadata: Some(payload("meta")),
        is_webhook: true,
        expires_at: Some(at(4)),
        keyed: true,
        ..bare_token_row()
    }
}

fn bare_token_row() -> TokenRow {
    TokenRow {
        scope: ScopeId(4),
        token: token(),
        run: RunId::from_bytes([0x01; 16]),
        hook: HookId::from_bytes([0x0a; 16]),
        created_at: at(1),
        metadata: None,
        is_webhook: false,
        chosen: true,
        expires_at: None,
        received: 2,
        received_bytes: 300,
        keyed: false,
    }
}
