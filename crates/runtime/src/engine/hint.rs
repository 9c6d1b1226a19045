//! Hints from outside: something may have happened to a run, or its memory is wanted.
//!
//! A hint changes nothing by itself: whoever hears it looks at the log. So it may come late, twice,
//! or for nothing, as notifications between machines do.

use rewake_core::event::Frame;
use rewake_core::id::RunId;

use super::Engine;
use crate::dispatch::Message;

impl Engine {
    /// Says that something was added to the log of a run, by whomever; with the frame, where it is at
    /// hand. A run that nobody drives here is loaded and taken up, also where another process works
    /// on it: the log decides between the two.
    pub fn notice(&self, run: RunId, frame: Option<Frame>) {
        let message = frame.map_or(Message::Look, Message::Frame);
        self.inner.tell(run, message);
    }

    /// Puts a run out of memory as soon as it rests; false where it is not in memory. It is replayed
    /// when something arrives for it.
    pub fn evict(&self, run: RunId) -> bool {
        self.inner.residents.tell_resident(run, Message::Evict)
    }
}
