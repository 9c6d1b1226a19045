//! Rows for one run and one token, and requests with as little to say as a test needs.

use rewake_core::event::{Disposal, EventKind, Frame, Position};
use rewake_core::id::{EventId, HookId, RunId};
use rewake_core::payload::Payload;
use rewake_core::time::Timestamp;
use rewake_core::token::Token;

use crate::error::StoreError;
use crate::judge::{MailSize, Rows, Write, create};
use crate::lineage::Kin;
use crate::request::{Append, Create, Deliver, Door, UnreadLimit};
use crate::row::{ChunkRow, ForgetRow, KeyRow, MailRow, RunRow, ScopeId, StartKeyRow, TokenRow};
use crate::wire::decode_row;

pub(super) const SCOPE: ScopeId = ScopeId(0);
pub(super) const NOW: Timestamp = Timestamp::from_millis(1_000);

/// One run, its frames and one token; or a database that answers nothing.
#[derive(Default)]
pub(super) struct Fake {
    pub(super) run: Option<RunRow>,
    pub(super) token: Option<TokenRow>,
    pub(super) frames: Vec<Frame>,
    pub(super) broken: bool,
}

impl Fake {
    fn answer<T>(&self, row: T) -> Result<T, StoreError> {
        if self.broken {
            return Err(StoreError::Overloaded);
        }
        Ok(row)
    }

    /// Does what a store does with a verdict.
    pub(super) fn write(&mut self, writes: Vec<Write>) {
        for write in writes {
            match write {
                Write::Run(_, row) => self.run = Some(*row),
                Write::Frame(_, _, body) => self.frames.push(decode_row(&body).unwrap()),
                Write::Token(row) => self.token = Some(*row),
                Write::Release(..) => self.token = None,
                Write::Key(..)
                | Write::KeyGone(..)
                | Write::Forget(..)
                | Write::ForgetGone(..)
                | Write::StartKey(..)
                | Write::Owed(..)
                | Write::OwedGone(..)
                | Write::OwedAllGone(..)
                | Write::Chunk(..)
                | Write::Mail(..)
                | Write::MailGone(..) => {}
            }
        }
    }
}

impl Rows for Fake {
    fn run(&mut self, _: RunId) -> Result<Option<Box<RunRow>>, StoreError> {
        self.answer(self.run.clone().map(Box::new))
    }

    fn token(&mut self, _: ScopeId, token: &Token) -> Result<Option<TokenRow>, StoreError> {
        let held = self.token.clone();
        self.answer(held.filter(|held| held.token == *token))
    }

    fn key(&mut self, _: ScopeId, _: &Token, _: &str) -> Result<Option<KeyRow>, StoreError> {
        self.answer(None)
    }

    fn keys(
        &mut self,
        _: ScopeId,
        _: &Token,
        _: Option<&str>,
        _: usize,
    ) -> Result<Vec<(String, KeyRow)>, StoreError> {
        self.answer(Vec::new())
    }

    fn forgets(
        &mut self,
        _: ScopeId,
        _: Timestamp,
        _: usize,
    ) -> Result<Vec<ForgetRow>, StoreError> {
        self.answer(Vec::new())
    }

    fn is_owed(&mut self, _: ScopeId, _: RunId, _: RunId) -> Result<bool, StoreError> {
        self.answer(false)
    }

    fn start_key(&mut self, _: ScopeId, _: &str) -> Result<Option<StartKeyRow>, StoreError> {
        self.answer(None)
    }

    fn frames(&mut self, _: RunId, after: Position) -> Result<Vec<Frame>, StoreError> {
        let frames = self.frames.iter().filter(|frame| frame.first > after);
        self.answer(frames.cloned().collect())
    }

    fn mail(&mut self, _: ScopeId, _: &Token) -> Result<Vec<(u64, MailRow)>, StoreError> {
        self.answer(Vec::new())
    }

    fn mail_size(&mut self, _: ScopeId, _: Option<&Token>) -> Result<MailSize, StoreError> {
        self.answer(MailSize::default())
    }

    fn expired_mail(&mut self, _: ScopeId, _: Timestamp, _: usize) -> Result<Vec<u64>, StoreError> {
        self.answer(Vec::new())
    }

    fn first_chunk(&mut self, _: RunId, _: &str) -> Result<Option<ChunkRow>, StoreError> {
        self.answer(None)
    }
}

pub(super) fn run() -> RunId {
    RunId::from_bytes([1; 16])
}

pub(super) fn token() -> Token {
    Token::parse("approve", Token::MAX_LEN).unwrap()
}

pub(super) fn hook_created(n: u8) -> EventKind {
    EventKind::HookCreated {
        hook: HookId::from_bytes([n; 16]),
        token: token(),
        chosen: true,
        metadata: None,
        is_webhook: false,
        expires_at: None,
    }
}

pub(super) fn hook_dropped(n: u8) -> EventKind {
    EventKind::HookDisposed {
        hook: HookId::from_bytes([n; 16]),
        by: Disposal::Dropped,
    }
}

pub(super) fn beginning(events: Vec<EventKind>) -> Create {
    Create {
        scope: SCOPE,
        run: run(),
        id: EventId::from_bytes([1; 16]),
        events,
        key: None,
        node: None,
    }
}

pub(super) fn adding(n: u8, events: Vec<EventKind>) -> Append {
    Append {
        scope: SCOPE,
        run: run(),
        id: EventId::from_bytes([n; 16]),
        conditions: Vec::new(),
        events,
        release: vec![token()],
        kin: Kin::default(),
        mark: None,
        since: None,
        repeat: false,
    }
}

pub(super) fn delivering() -> Deliver {
    Deliver {
        scope: SCOPE,
        token: token(),
        id: EventId::from_bytes([9; 16]),
        payload: Payload::from_bytes(*b"devl[1]"),
        key: None,
        fallback: None,
        door: Door::Hook,
        limit: UnreadLimit::default(),
        repeat: false,
    }
}

/// A run that has begun with hook 1.
pub(super) fn with_hook() -> Fake {
    let mut rows = Fake::default();
    let request = beginning(vec![EventKind::RunStarted, hook_created(1)]);
    let verdict = create(&mut rows, &request, NOW).unwrap();
    rows.write(verdict.writes);
    rows
}
