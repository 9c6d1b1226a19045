//! What comes into a store that writes, and how it shuts.

use std::path::PathBuf;
use std::sync::Arc;

use crate::lock;
use crate::queue::Queue;
use crate::request::{Question, Task};
use crate::stable::Stable;

/// Where requests and questions wait, and what their answers wait for.
#[derive(Clone)]
pub(crate) struct Intake {
    pub(crate) tasks: Arc<Queue<Task>>,
    /// None in memory, where the writer answers questions.
    pub(crate) questions: Option<Arc<Queue<Question>>>,
    /// None where nothing waits for the disk.
    pub(crate) stable: Option<Arc<Stable>>,
    /// None in memory.
    pub(crate) path: Option<PathBuf>,
}

impl Intake {
    /// After a failure: notes it for the next opening, and takes nothing more in, before anybody hears of it, for whoever does, and asks at
    /// once, must not be served. Questions come first, for they are answered elsewhere; a request
    /// that still comes in is only answered by the writer.
    pub(crate) fn shut(&self, reason: &str) {
        if let Some(path) = &self.path {
            lock::note_failure(path);
        }
        if let Some(stable) = &self.stable {
            stable.fail(reason);
        }
        if let Some(questions) = &self.questions {
            drop(questions.fail(reason));
        }
        self.tasks.close(reason);
    }
}
