//! The threads that answer questions, each with a connection of its own.

use std::cell::Cell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use rusqlite::Connection;

use crate::queue::Queue;
use crate::request::Question;
use crate::tables::Tables;

thread_local! {
    static OF_A_STORE: Cell<bool> = const { Cell::new(false) };
}

/// Begins a thread of a store.
pub(crate) fn spawn(
    name: &str,
    run: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, io::Error> {
    Builder::new().name(name.to_owned()).spawn(move || {
        OF_A_STORE.set(true);
        run();
    })
}

/// True on the threads of stores, which must not wait for one another.
pub(crate) fn on_own_thread() -> bool {
    OF_A_STORE.get()
}

/// Begins a thread that answers what is asked until the queue is closed.
pub(crate) fn begin(
    connection: Connection,
    questions: Arc<Queue<Question>>,
) -> Result<JoinHandle<()>, io::Error> {
    spawn("rewake-reader", move || {
        let mut tables = Tables::of_reader(&connection);
        while let Some(question) = questions.take() {
            answer(&mut tables, question);
        }
    })
}

/// Answers one question. One that panics is not answered; the next ones are.
pub(crate) fn answer(tables: &mut Tables<'_>, question: Question) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| question(tables))) {
        drop(panic);
    }
}
