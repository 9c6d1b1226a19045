//! One transaction: requests judged one after the other, each against what those before it left.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rewake_store::StoreError;
use rewake_store::core::time::Timestamp;
use rusqlite::Error;

use crate::fault::{Fault, refusal};
use crate::queue::Caller;
use crate::reader::shield;
use crate::request::Request;
use crate::stable::Stable;
use crate::tables::Tables;

/// Why a transaction came to nothing.
#[derive(Debug)]
pub(crate) enum Broken {
    /// It is undone, and the database is as it was. The error, where the request that broke it does
    /// not keep one.
    Undone(Option<StoreError>),
    /// It is undone, and the operating system fails to read or write: nothing more can be trusted.
    Failing(String),
    /// The commit may or may not have happened.
    Unknown(String),
}

/// Where a transaction's requests come from, one by one while it is open.
pub(crate) type Source<'a> = dyn FnMut() -> Option<(Caller, Box<dyn Request>)> + 'a;

/// The requests of a transaction, each lane in order.
#[derive(Default)]
pub(crate) struct Taken {
    pub(crate) outsiders: Vec<Box<dyn Request>>,
    pub(crate) workers: Vec<Box<dyn Request>>,
}

impl Taken {
    pub(crate) const fn len(&self) -> usize {
        self.outsiders.len() + self.workers.len()
    }

    /// Gives each the answer that it keeps.
    pub(crate) fn answer(self) {
        self.into_all().for_each(|request| {
            shield(|| request.answer());
        });
    }

    /// Gives each an error instead.
    pub(crate) fn refuse(self, error: &StoreError) {
        refuse_all(self.into_all(), error);
    }

    /// All of them; outsiders, who may be few, hear first.
    pub(crate) fn into_all(self) -> impl Iterator<Item = Box<dyn Request>> {
        self.outsiders.into_iter().chain(self.workers)
    }

    fn put(&mut self, caller: Caller, request: Box<dyn Request>) {
        match caller {
            Caller::Outsider => self.outsiders.push(request),
            Caller::Worker => self.workers.push(request),
        }
    }
}

/// Gives each an error.
pub(crate) fn refuse_all(requests: impl IntoIterator<Item = Box<dyn Request>>, error: &StoreError) {
    for request in requests {
        shield(|| request.refuse(error.clone()));
    }
}

/// Serves requests in one transaction until none comes any more, and answers how many rows it has
/// written. Those that were taken, also where it came to nothing, wait for their answers.
pub(crate) fn commit(
    tables: &mut Tables<'_>,
    now: &dyn Fn() -> Timestamp,
    source: &mut Source<'_>,
    taken: &mut Taken,
    stable: Option<&Stable>,
) -> Result<u64, Broken> {
    let committed = attempt(tables, now, source, taken, stable);
    if committed.is_err() {
        tables.forget();
    }
    committed
}

fn attempt(
    tables: &mut Tables<'_>,
    now: &dyn Fn() -> Timestamp,
    source: &mut Source<'_>,
    taken: &mut Taken,
    stable: Option<&Stable>,
) -> Result<u64, Broken> {
    let mut next = source();
    if next.is_none() {
        return Ok(0);
    }
    let before = tables.connection.total_changes();
    let mut going = tables.begin().map_err(|error| undo(tables, &error));
    while let Some((caller, mut request)) = next {
        going = going.and_then(|()| serve(tables, now, request.as_mut()));
        taken.put(caller, request);
        if going.is_err() {
            return going.map(|()| 0);
        }
        next = source();
    }
    let rows = tables.connection.total_changes() - before;
    if rows == 0 {
        // Refusals and repeated answers only.
        let undone = tables.control("ROLLBACK");
        undone.map_err(|error| Broken::Failing(error.to_string()))?;
        return Ok(0);
    }
    end(tables, stable)?;
    Ok(rows)
}

fn end(tables: &mut Tables<'_>, stable: Option<&Stable>) -> Result<(), Broken> {
    if let Some(stable) = stable {
        stable.begin().map_err(Broken::Failing)?;
    }
    let done = tables.control("COMMIT");
    let ended = done.map_err(|error| after_commit(tables, &error));
    if let (Some(stable), Err(Broken::Undone(_))) = (stable, &ended) {
        stable.undo();
    }
    ended
}

fn serve(
    tables: &mut Tables<'_>,
    now: &dyn Fn() -> Timestamp,
    request: &mut dyn Request,
) -> Result<(), Broken> {
    let before = tables.connection.total_changes();
    tables.fault = None;
    let served = catch_unwind(AssertUnwindSafe(|| request.serve(tables, now())));
    match (served, tables.fault) {
        (Ok(_), Some(Fault::Io)) => Err(Broken::Failing(
            "the operating system could not read or write".to_owned(),
        )),
        (Ok(true), None) => Ok(()),
        // A refusal has written nothing; an error after the first write is no refusal.
        (Ok(false), None) if tables.connection.total_changes() == before => Ok(()),
        (Ok(_), Some(_)) | (Ok(false), None) => Err(roll_back(tables, None)),
        (Err(panic), _) => {
            let reason = said(panic.as_ref());
            Err(roll_back(tables, Some(StoreError::Backend { reason })))
        }
    }
}

/// A COMMIT that failed. Without room it wrote no end of the transaction, and SQLite rolled it back;
/// after any other error nobody knows what the next reader of the file will find.
fn after_commit(tables: &mut Tables<'_>, error: &Error) -> Broken {
    match Fault::of(error) {
        Fault::Full => undo(tables, error),
        Fault::Io | Fault::Damage | Fault::Path | Fault::Other => {
            Broken::Unknown(error.to_string())
        }
    }
}

fn undo(tables: &mut Tables<'_>, error: &Error) -> Broken {
    match Fault::of(error) {
        Fault::Io => Broken::Failing(error.to_string()),
        Fault::Full | Fault::Damage | Fault::Path | Fault::Other => {
            roll_back(tables, Some(refusal(error)))
        }
    }
}

fn roll_back(tables: &mut Tables<'_>, error: Option<StoreError>) -> Broken {
    // Some errors have rolled back already.
    if tables.connection.is_autocommit() {
        return Broken::Undone(error);
    }
    match tables.control("ROLLBACK") {
        Ok(()) => Broken::Undone(error),
        Err(error) => Broken::Failing(error.to_string()),
    }
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    let text = text.unwrap_or_else(|| "no message".to_owned());
    format!("serving the request panicked: {text}")
}
