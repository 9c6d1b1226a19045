//! The judge: what a step's end and a payload make of the rows.

use divan::{Bencher, black_box};
use rewake_core::event::{EventKind, Frame, Position};
use rewake_core::id::RunId;
use rewake_core::time::Timestamp;
use rewake_core::token::Token;
use rewake_store::judge::{self, MailSize, Rows, Write};
use rewake_store::{
    ChunkRow, ForgetRow, KeyRow, MailRow, RunRow, ScopeId, StartKeyRow, StoreError, TokenRow,
};

use crate::log::{AT, created, hook_created, run};
use crate::store::{append, begin, deliver};

#[divan::bench]
fn judge_append(bencher: Bencher<'_, '_>) {
    let mut rows = waiting();
    let worker = rows.run.as_ref().map(|row| row.worker).unwrap_or_default();
    let request = append(run(), 1, worker);
    bencher.bench_local(|| judge::append(&mut rows, black_box(&request), AT).expect("it fits"));
}

#[divan::bench]
fn judge_deliver(bencher: Bencher<'_, '_>) {
    let mut rows = waiting();
    let request = deliver(1);
    bencher.bench_local(|| judge::deliver(&mut rows, black_box(&request), AT).expect("it waits"));
}

/// One run and one hook, or nothing yet.
#[derive(Default)]
struct Looked {
    run: Option<RunRow>,
    token: Option<TokenRow>,
}

/// A run that waits on its hook.
fn waiting() -> Looked {
    let mut rows = Looked::default();
    let request = begin(
        run(),
        vec![created(), EventKind::RunStarted, hook_created()],
    );
    let verdict = judge::create(&mut rows, &request, AT).expect("nothing is there yet");
    for write in verdict.writes {
        if let Write::Run(_, row) = write {
            rows.run = Some(*row);
        } else if let Write::Token(row) = write {
            rows.token = Some(*row);
        }
    }
    rows
}

impl Rows for Looked {
    fn run(&mut self, _: RunId) -> Result<Option<Box<RunRow>>, StoreError> {
        Ok(self.run.clone().map(Box::new))
    }

    fn token(&mut self, _: ScopeId, _: &Token) -> Result<Option<TokenRow>, StoreError> {
        Ok(self.token.clone())
    }

    fn key(&mut self, _: ScopeId, _: &Token, _: &str) -> Result<Option<KeyRow>, StoreError> {
        Ok(None)
    }

    fn keys(
        &mut self,
        _: ScopeId,
        _: &Token,
        _: Option<&str>,
        _: usize,
    ) -> Result<Vec<(String, KeyRow)>, StoreError> {
        Ok(Vec::new())
    }

    fn forgets(
        &mut self,
        _: ScopeId,
        _: Timestamp,
        _: usize,
    ) -> Result<Vec<ForgetRow>, StoreError> {
        Ok(Vec::new())
    }

    fn is_owed(&mut self, _: ScopeId, _: RunId, _: RunId) -> Result<bool, StoreError> {
        Ok(false)
    }

    fn start_key(&mut self, _: ScopeId, _: &str) -> Result<Option<StartKeyRow>, StoreError> {
        Ok(None)
    }

    fn frames(&mut self, _: RunId, _: Position) -> Result<Vec<Frame>, StoreError> {
        Ok(Vec::new())
    }

    fn first_chunk(&mut self, _: RunId, _: &str) -> Result<Option<ChunkRow>, StoreError> {
        Ok(None)
    }

    fn mail(&mut self, _: ScopeId, _: &Token) -> Result<Vec<(u64, MailRow)>, StoreError> {
        Ok(Vec::new())
    }

    fn mail_size(&mut self, _: ScopeId, _: Option<&Token>) -> Result<MailSize, StoreError> {
        Ok(MailSize::default())
    }

    fn expired_mail(&mut self, _: ScopeId, _: Timestamp, _: usize) -> Result<Vec<u64>, StoreError> {
        Ok(Vec::new())
    }
}
