//! The engine: what applications, the HTTP door and bindings call.
//!
//! Each call is one short transaction; what follows from it is a driver's work. This module must not
//! know how values are typed.

mod admit;
mod builder;
mod cancel;
mod clock;
mod hint;
mod hook;
mod hooks;
mod post;
mod query;
mod replay;
mod resume;
mod settings;
mod shutdown;
mod start;
mod through;
mod unread;
mod wake_up;
mod webhook;
mod why;

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use async_lock::Semaphore;
use futures_util::future::{BoxFuture, Either, select};
use rewake_core::event::EventKind;
use rewake_core::id::{EventId, HookId, RunId};
use rewake_core::time::Timestamp;
use rewake_core::token::Token;
use rewake_store::{
    Append, AppendRefusal, Condition, Failed, Kin, NodeId, ScopeId, Store, StoreError, UnreadLimit,
};

use crate::dispatch::{
    Budget, Mailbox, Marks, Member, Message, News, Outsiders, Recovery, Residents, Schedule,
    Waiters,
};
use crate::driver::drive;
use crate::host::Host;
use crate::mint::Mint;
use crate::registry::Registry;
use crate::webhook::Secrets;

pub use admit::{Admission, ResumeOrStart};
pub use builder::Builder;
pub use cancel::CancelError;
pub use hook::Hook;
pub use hooks::{HookFilter, HookPage, ListedHook};
pub use post::{Mail, Posted};
pub use query::{LogPlace, RunOutcome, RunView, RunViews};
pub use replay::Parting;
pub use resume::Resume;
pub(crate) use resume::Undeliverable;
pub use settings::InvalidName;
pub use start::{Start, Started};
pub use unread::UnreadPayload;
pub use wake_up::WakeUpError;
pub use webhook::{Caller, Delivery, Listening, Webhook, WebhookDelivery};
pub use why::{AwaitedHook, CancelRequested, Reason, Why, WhyParked};

/// How often a handle that drives nothing looks whether something has happened to a run.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What an application may ask for at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a token.
    pub token: usize,
    /// Bytes of a payload, of arguments, of a result, as encoded.
    pub payload: usize,
    /// What a hook may hold unread.
    pub unread: UnreadLimit,
    /// Callers that wait for a webhook's answer at the same time.
    pub waiting_callers: usize,
    /// Live hooks of a run.
    pub live_hooks: u32,
    /// Payloads that the mailbox keeps.
    pub mailbox: u64,
    /// How long the mailbox keeps a payload.
    pub keep_for: Duration,
    /// How long a webhook's caller may take to send a body.
    pub body_time: Duration,
    /// How long a cancelled run may take for its shields, and then for its undo calls.
    pub clean_up: Duration,
    /// How long an attempt whose result nobody waits for may go on before it is dropped.
    pub abort_grace: Duration,
}

impl Default for Limits {
    /// 512 bytes, 1 MiB, 10,000 payloads and 64 MiB, 1,000 callers, 10,000 hooks, 10,000
    /// payloads kept for 90 days, 30 seconds, 10 minutes, 30 seconds.
    fn default() -> Self {
        Self {
            token: Token::MAX_LEN,
            payload: 1 << 20,
            unread: UnreadLimit::default(),
            waiting_callers: 1_000,
            live_hooks: 10_000,
            mailbox: 10_000,
            keep_for: Duration::from_hours(90 * 24),
            body_time: Duration::from_secs(30),
            clean_up: Duration::from_mins(10),
            abort_grace: Duration::from_secs(30),
        }
    }
}

/// The engine. Clones are handles of the same one.
#[derive(Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("build", &self.inner.build)
            .finish_non_exhaustive()
    }
}

/// Everything that drivers, dispatch and handles share.
pub(crate) struct Inner {
    pub(crate) host: Host,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) scope: ScopeId,
    pub(crate) project: String,
    pub(crate) environment: String,
    pub(crate) owner: String,
    pub(crate) build: String,
    pub(crate) public_url: Option<Arc<str>>,
    pub(crate) registry: Registry,
    pub(crate) limits: Limits,
    pub(crate) secrets: Secrets,
    pub(crate) client_only: bool,
    pub(crate) verify: bool,
    pub(crate) residents: Residents,
    pub(crate) schedule: Schedule,
    pub(crate) waiters: Waiters,
    pub(crate) budget: Budget,
    pub(crate) marks: Marks,
    pub(crate) steps: Arc<Semaphore>,
    pub(crate) loads: Semaphore,
    pub(crate) callers: Semaphore,
    pub(crate) stopping: AtomicBool,
    closed: AtomicBool,
    pub(crate) aborting: AtomicBool,
    pub(crate) recovery: Recovery,
    pub(crate) outsiders: Outsiders,
    /// Where the store is shared, and this process drives runs.
    pub(crate) member: Option<Member>,
    left: AtomicBool,
    jitter: AtomicU64,
    /// Of this engine's runs.
    pub(crate) mint: Arc<Mint>,
    driver_bytes: AtomicUsize,
}

impl Inner {
    /// Tells the driver of a run, beginning one where there is none.
    pub(crate) fn tell(self: &Arc<Self>, run: RunId, message: Message) {
        if self.client_only || self.is_stopping() {
            self.residents.tell_resident(run, message);
            return;
        }
        if let Some(mailbox) = self.residents.tell(run, message) {
            self.drive(run, mailbox);
        }
    }

    /// Tells the driver of a run to whose log this process has added as an outsider. Where several nodes
    /// share the store, it tells whoever has the run, this process included.
    pub(crate) fn inform(self: &Arc<Self>, run: RunId, message: Message) {
        if self.store.is_shared() {
            self.residents.tell_resident(run, message);
        } else {
            self.tell(run, message);
        }
    }

    /// The node that this process is, where the store is shared and it drives runs.
    pub(crate) fn node(&self) -> Option<NodeId> {
        self.member.as_ref().map(Member::id)
    }

    /// Others may have any of this node's runs by now: each driver looks.
    pub(crate) fn look_at_leases(&self) {
        self.residents.tell_all(|| Message::Fence);
        self.schedule.read_again();
        if let Some(member) = &self.member {
            member.ring();
        }
    }

    /// True where this node is gone, on purpose.
    pub(crate) fn has_left(&self) -> bool {
        self.left.load(Ordering::Acquire)
    }

    /// Begins the driver of a run.
    pub(crate) fn drive(self: &Arc<Self>, run: RunId, mailbox: Mailbox) {
        let driver = drive(Arc::clone(self), run, mailbox);
        // Every driver is as large as the last.
        let bytes = size_of_val(&*driver);
        self.driver_bytes.store(bytes, Ordering::Relaxed);
        self.host.spawner.spawn_driver(driver);
    }

    /// What the driver of a run holds in memory, in bytes, apart from what it drives.
    pub(crate) fn driver_bytes(&self) -> usize {
        self.driver_bytes.load(Ordering::Relaxed)
    }

    /// How many runs in memory have something under way.
    pub(crate) fn busy_runs(&self) -> usize {
        self.residents.len().saturating_sub(self.budget.len())
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// True where drivers must go, whatever they have to do.
    pub(crate) fn is_aborting(&self) -> bool {
        self.aborting.load(Ordering::Acquire)
    }

    /// Waits to be told about a run. Whoever drives nothing is told by nobody, nor is anybody told what
    /// another node does; so they look again after a while.
    pub(crate) async fn called_or_later(&self, called: impl Future<Output = News>) -> News {
        if !self.client_only && !self.store.is_shared() {
            return called.await;
        }
        let later = self.host.clock.now().after(LOOK_AGAIN);
        match select(pin!(called), self.host.clock.sleep_until(later)).await {
            Either::Left((news, _)) => news,
            Either::Right(((), _)) => News::Look,
        }
    }

    /// Runs that an append has started for what it left unread: nobody else hears of them.
    pub(crate) fn begin_all(self: &Arc<Self>, started: Vec<RunId>) {
        for run in started {
            self.inform(run, Message::Look);
        }
    }

    /// A fresh id for an append.
    pub(crate) fn event_id(&self) -> EventId {
        EventId::mint(self.host.clock.now(), self.host.entropy.draw())
    }

    /// Spreads pauses; of no consequence for what happens, only for when.
    pub(crate) fn jitter(&self) -> u64 {
        self.jitter
            .fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed)
            >> 32
    }

    /// Puts on record that a hook's time has run out, and tells its run.
    pub(crate) async fn expire(
        self: &Arc<Self>,
        run: RunId,
        hook: HookId,
        token: Token,
    ) -> Result<(), StoreError> {
        let inner = Arc::clone(self);
        let expired = async move { inner.expire_now(run, hook, token).await };
        self.see_through(expired).await
    }

    async fn expire_now(
        self: &Arc<Self>,
        run: RunId,
        hook: HookId,
        token: Token,
    ) -> Result<(), StoreError> {
        let append = Append {
            scope: self.scope,
            run,
            id: self.event_id(),
            conditions: vec![Condition::HookLive {
                hook,
                token: token.clone(),
            }],
            events: vec![EventKind::HookExpired { hook }],
            release: vec![token],
            kin: Kin::default(),
            answers: Vec::new(),
            mark: None,
            since: None,
            repeat: false,
        };
        match self.store.append(append).await {
            Ok(appended) => {
                for frame in appended.frames {
                    self.inform(run, Message::Frame(frame));
                }
                Ok(())
            }
            // Somebody else was faster: it is gone either way.
            Err(Failed::Refused(
                AppendRefusal::HookGone { .. }
                | AppendRefusal::RunEnded { .. }
                | AppendRefusal::RunUnknown { .. },
            )) => Ok(()),
            Err(Failed::Refused(refusal)) => {
                tracing::error!(%run, %refusal, "a hook could not be expired");
                Ok(())
            }
            Err(Failed::Store(error)) => Err(self.failed(error)),
        }
    }

    /// What may have been written must not wait for a new process to find it: nobody was told of it.
    pub(crate) fn failed(&self, error: StoreError) -> StoreError {
        if error.may_have_happened() && !self.client_only {
            self.schedule.read_again();
        }
        error
    }
}

impl Engine {
    /// The project and environment everything is bound to.
    pub fn project_and_environment(&self) -> (&str, &str) {
        (&self.inner.project, &self.inner.environment)
    }

    /// The workflows and steps of this build.
    pub fn registry(&self) -> &Registry {
        &self.inner.registry
    }

    /// What may be asked for at most.
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// What the requests of webhooks are signed with.
    pub fn secrets(&self) -> &Secrets {
        &self.inner.secrets
    }

    /// The engine's time.
    pub fn now(&self) -> Timestamp {
        self.inner.host.clock.now()
    }

    /// The public URL of the application, where it is known.
    pub fn public_url(&self) -> Option<&str> {
        self.inner.public_url.as_deref()
    }

    /// How many runs are in memory.
    pub fn resident_runs(&self) -> usize {
        self.inner.residents.len()
    }

    /// How many wake-ups of runs that are not in memory are held there; the others are in the store
    /// alone until their time comes near.
    pub fn scheduled_wake_ups(&self) -> usize {
        self.inner.schedule.len()
    }

    /// Resolves when a span of the engine's time has passed.
    pub fn pass(&self, span: Duration) -> BoxFuture<'static, ()> {
        let clock = &self.inner.host.clock;
        clock.sleep_until(clock.now().after(span))
    }
}
