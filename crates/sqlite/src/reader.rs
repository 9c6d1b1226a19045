//! The threads that answer questions, each with a connection of its own.

use std::cell::Cell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use rusqlite::Connection;

use crate::queue::Queue;
use crate::request::{Question, Span};
use crate::stable::Stable;
use crate::tables::Tables;

/// So many questions are answered from one state of the database at most. The other readers have
/// those behind them, and the write-ahead log waits no longer than for these.
const TOGETHER: usize = 16;

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

/// Begins a thread that answers what is asked until the queue is closed, each once what it has looked at
/// is `stable`.
pub(crate) fn begin(
    connection: Connection,
    questions: Arc<Queue<Question>>,
    stable: Option<Arc<Stable>>,
) -> Result<JoinHandle<()>, io::Error> {
    spawn("rewake-reader", move || {
        let mut tables = Tables::of_reader(&connection);
        loop {
            let together = questions.take(TOGETHER, |question| question.span == Span::Brief);
            if together.is_empty() {
                return;
            }
            let looked = look_together(&mut tables, together);
            // What nobody will know to have happened is not told.
            if stable.as_ref().is_none_or(|stable| stable.wait().is_ok()) {
                looked.into_iter().for_each(answer);
            }
        }
    })
}

/// Looks into questions that were all asked before the first of them is. Brief ones look at one state
/// of the database: to come to each new state costs a connection its locks and its whole cache.
fn look_together(tables: &mut Tables<'_>, questions: Vec<Question>) -> Vec<Question> {
    if questions
        .iter()
        .all(|question| question.span == Span::Brief)
    {
        // Should it fail, each looks at a state of its own.
        let _of_its_own = tables.control("BEGIN");
    }
    let looked = look(tables, questions);
    // An error may have ended it already. Whatever is open here would be all that is ever seen again.
    if !tables.connection.is_autocommit() {
        let _wrote_nothing = tables.control("ROLLBACK");
    }
    looked
}

/// Looks into each. One that panics goes, and is not answered.
pub(crate) fn look(tables: &mut Tables<'_>, mut questions: Vec<Question>) -> Vec<Question> {
    questions.retain_mut(|question| shield(|| question.ask.look(tables)));
    questions
}

pub(crate) fn answer(question: Question) {
    shield(|| question.ask.answer());
}

/// Whoever is asked, or woken by an answer, may panic here; the thread goes on. False where it was so.
pub(crate) fn shield(act: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(act)).map_err(drop).is_ok()
}
