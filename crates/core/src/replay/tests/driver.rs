//! The driver of these tests: it feeds a machine, and the test itself is the workflow.

use super::log::{Log, run};
use crate::event::{Child, EventKind, Position, Writer};
use crate::id::{HookId, StepId, WaitId};
use crate::replay::{Divergence, Fed, HookRequest, Machine, Received};
use crate::samples::{at, payload};
use crate::time::Timestamp;

/// A machine with its log. Derefs to the machine, for the commands.
#[derive(Debug)]
pub(super) struct Driver {
    pub(super) machine: Machine,
    pub(super) log: Log,
}

impl Driver {
    /// A machine that has been fed nothing.
    pub(super) fn new() -> Self {
        Self {
            machine: Machine::new(run()),
            log: Log::default(),
        }
    }

    /// A machine whose workflow has just begun.
    pub(super) fn begun() -> Self {
        let mut driver = Self::new();
        assert_eq!(driver.outsider(crate::samples::run_created()), Fed::Nothing);
        assert_eq!(driver.worker(EventKind::RunStarted), Fed::Poll(None));
        driver
    }

    /// Feeds an event that the worker wrote.
    pub(super) fn worker(&mut self, kind: EventKind) -> Fed {
        self.try_feed(Writer::Worker, kind).expect("the log is fed")
    }

    /// Feeds an event that somebody else wrote.
    pub(super) fn outsider(&mut self, kind: EventKind) -> Fed {
        self.try_feed(Writer::Outsider, kind)
            .expect("the log is fed")
    }

    /// Feeds an event that the worker wrote, whatever the machine says of it.
    pub(super) fn by_worker(&mut self, kind: EventKind) {
        let _ = self.worker(kind);
    }

    /// Feeds an event that somebody else wrote, whatever the machine says of it.
    pub(super) fn by_outsider(&mut self, kind: EventKind) {
        let _ = self.outsider(kind);
    }

    pub(super) fn try_feed(&mut self, writer: Writer, kind: EventKind) -> Result<Fed, Divergence> {
        let frame = self.log.push(writer, vec![kind]);
        let event = frame.iter().next().expect("a frame has an event");
        self.machine.feed(event)
    }

    /// Feeds a frame that says how many payloads of `hook` had been taken, with `kind`.
    pub(super) fn worker_taken(&mut self, kind: EventKind, hook: HookId, count: u64) {
        self.by_worker(kind);
        let taken = crate::event::Taken {
            hook,
            count,
            bytes: count,
        };
        let at = self.machine.fed();
        self.machine.feed_taken(at, &[taken]);
    }

    /// Appends the machine's records as one frame of the worker's, and feeds them. Gives what the
    /// machine said of each.
    pub(super) fn append(&mut self) -> Vec<Fed> {
        let events: Vec<_> = self.machine.records().cloned().collect();
        let taken = self.machine.taken();
        let frame = self.log.push(Writer::Worker, events);
        frame.taken.clone_from(&taken);
        let first = frame.first;
        let fed = frame
            .iter()
            .map(|event| self.machine.feed(event).expect("the own records are fed"))
            .collect();
        self.machine.feed_taken(first, &taken);
        fed
    }

    /// Writes a step call and polls it.
    pub(super) fn call_step(&mut self, name: &str) -> StepId {
        let id = StepId::derive(run(), self.machine.place(), name);
        let input = payload("[]");
        self.machine.create_step(
            id,
            name.to_owned(),
            input,
            crate::event::StepOptions::default(),
        );
        id
    }

    /// Writes a call of a child run and polls it.
    pub(super) fn call_child(&mut self, name: &str, child: Child) -> StepId {
        let id = StepId::derive(run(), self.machine.place(), name);
        let input = payload("[]");
        self.machine.create_child(id, name.to_owned(), input, child);
        id
    }

    /// Writes a registration and polls it.
    pub(super) fn ask_for_hook(&mut self, request: HookRequest) -> HookId {
        let token = request.token.as_str().to_owned();
        let named = if request.chosen { token.as_str() } else { "" };
        let id = HookId::derive(run(), self.machine.place(), named);
        self.machine.create_hook(id, request);
        id
    }

    /// Registers a hook, from the call to the receiver in the workflow's hands.
    pub(super) fn register(&mut self, request: HookRequest) -> HookId {
        let hook = self.ask_for_hook(request);
        self.append();
        assert!(self.machine.take_registration(hook).is_some());
        hook
    }

    /// Writes a sleep and polls it.
    pub(super) fn begin_wait(&mut self, resume_ms: u64) -> WaitId {
        let id = WaitId::derive(run(), self.machine.place());
        self.machine.create_wait(id, at(resume_ms));
        id
    }

    /// The names of the records to append.
    pub(super) fn record_names(&self) -> Vec<&'static str> {
        self.machine.records().map(EventKind::name).collect()
    }

    /// The text of the payload that a hook gives next.
    pub(super) fn receive(&mut self, hook: HookId) -> Option<String> {
        match self.machine.take_payload(hook)? {
            Received::Payload(payload) => {
                Some(String::from_utf8_lossy(payload.as_bytes()).into_owned())
            }
            Received::Closed => Some("<closed>".to_owned()),
            Received::Expired => Some("<expired>".to_owned()),
        }
    }

    /// What rest reports, as position and text.
    pub(super) fn parted(&mut self) -> (Position, String) {
        let divergence = self.machine.rest().expect_err("the workflow has parted");
        (divergence.position(), divergence.to_string())
    }

    /// Ends a test: at rest, and nothing more came out.
    pub(super) fn assert_nothing_more(&mut self) {
        assert_eq!(self.machine.rest(), Ok(()));
        assert_eq!(self.record_names(), [""; 0]);
        assert_eq!(self.machine.taken(), []);
        assert_eq!(self.machine.take_fresh_steps(), []);
        assert_eq!(self.machine.due(Timestamp::MAX).count(), 0);
    }
}
