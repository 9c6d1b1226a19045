//! The short way: what concerns one run alone, which this process has written last, is judged by what
//! it remembers, and written by one statement in one round trip. Many runs share the statement.
//!
//! ```text
//!  remembered ──▶ judge each ──▶ change each row that is still the same, add its frames
//!                                   │
//!                                   └──▶ those that were not: the long way, where the rows are read
//! ```
//!
//! Nothing is refused from memory, and nothing is answered that was not written: whatever is not a
//! plain yes goes the long way. What is on its way is not remembered, so nothing builds on it.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use rewake_store::core::id::RunId;
use rewake_store::core::time::Timestamp;

use crate::lookup::{Lookup, Plan};
use crate::moves::Moves;
use crate::remembered::{Known, Remembered};
use crate::request::{Request, Served};
use crate::sight::Sight;

/// A request, and the run for which it was judged by memory, if it was.
pub(crate) type Judged = (Box<dyn Request>, Option<RunId>);

/// What goes the short way, of requests in order.
pub(crate) struct Ahead {
    sight: Sight,
    /// The rows that it builds on, as they are stored if nobody else has written.
    before: BTreeMap<RunId, Known>,
    /// Runs that a request before is about which goes the long way.
    busy: BTreeSet<RunId>,
    /// True where a request before goes the long way to whichever run holds its token.
    tokens: bool,
}

impl Ahead {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            sight: Sight {
                now,
                ..Sight::default()
            },
            before: BTreeMap::new(),
            busy: BTreeSet::new(),
            tokens: false,
        }
    }

    /// Judges a request by memory, if that may be.
    pub(crate) fn judge(
        &mut self,
        mut request: Box<dyn Request>,
        remembered: &mut Remembered,
    ) -> Judged {
        let run = only_run(request.plan());
        let run = run.filter(|run| !self.busy.contains(run));
        if let Some(run) = run
            && self.recall(run, remembered)
        {
            self.sight.only = Some(run);
            if let Served::Yes = request.serve(&mut self.sight)
                && self.sight.runs.has_changed(&run)
            {
                return (request, Some(run));
            }
        }
        self.wait_for(request.plan());
        (request, None)
    }

    /// Looks at a run as it is remembered; false where it is not, or where a token may lead to it
    /// that is on its way.
    fn recall(&mut self, run: RunId, remembered: &mut Remembered) -> bool {
        if let Entry::Vacant(place) = self.before.entry(run) {
            let Some(known) = remembered.take(run) else {
                return false;
            };
            let row = known.row.clone();
            self.sight.logs.insert(run, Ok((row.head, Vec::new())));
            self.sight.runs.see(run, Ok(Some(row)));
            place.insert(known);
        }
        let live_hooks = self.before.get(&run).map(|known| known.row.live_hooks);
        !self.tokens || live_hooks == Some(0)
    }

    /// Requests behind this one must not overtake it.
    fn wait_for(&mut self, plan: &Plan) {
        for lookup in plan {
            match lookup {
                Lookup::Held(run) | Lookup::Run(run) | Lookup::ParentOf(run) => {
                    self.busy.insert(*run);
                }
                Lookup::Holder(..) | Lookup::Token(..) => self.tokens = true,
                Lookup::Frames(..)
                | Lookup::Key(..)
                | Lookup::Keys(..)
                | Lookup::Forgets(..)
                | Lookup::StartKey(..)
                | Lookup::Owed(..)
                | Lookup::Chunk(..)
                | Lookup::Mail(..)
                | Lookup::MailSize(_)
                | Lookup::MailSizeOfToken(..)
                | Lookup::ExpiredMail(..) => {}
            }
        }
    }

    /// What is not written is as it was.
    pub(crate) fn give_back(self, remembered: &mut Remembered) {
        for (run, known) in self.before {
            remembered.put(run, known);
        }
    }

    /// What was judged, to be written. It is remembered again once it is.
    pub(crate) fn into_moves(mut self, remembered: &mut Remembered) -> Moves {
        let Sight {
            runs, new_frames, ..
        } = std::mem::take(&mut self.sight);
        let mut moves = Moves::default();
        for (run, row) in runs.into_put() {
            if let Some(before) = self.before.remove(&run) {
                moves.add(run, before, row);
            }
        }
        for (run, first, body) in new_frames {
            moves.add_frame(run, first, body);
        }
        self.give_back(remembered);
        moves
    }
}

/// The one run that a request is about, where it needs nothing else.
fn only_run(plan: &Plan) -> Option<RunId> {
    let mut only = None;
    for lookup in plan {
        match lookup {
            Lookup::Held(run) if only.is_none() => only = Some(*run),
            Lookup::Frames(run, _) if only == Some(*run) => {}
            _ => return None,
        }
    }
    only
}
