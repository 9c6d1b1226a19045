//! A hook: its registration, and the handle that receives its payloads.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll, Waker};
use std::time::Duration;

use rewake_core::event::Correlation;
use rewake_core::id::{HookId, Place, RunId};
use rewake_core::payload::Payload;
use rewake_core::replay::{HookRequest, Machine, Received, Registration};
use rewake_core::token::Token;

use super::context::Context;

/// What a workflow wants of a hook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HookSpec {
    /// The token; drawn from the operating system's entropy where none is chosen.
    pub token: Option<Token>,
    /// What shall be known about it.
    pub metadata: Option<Payload>,
    /// True where the public webhook route may reach it.
    pub is_webhook: bool,
    /// How long it takes payloads, from its registration.
    pub expires_in: Option<Duration>,
}

/// The registration of a hook: resolves once the token takes payloads, or another hook has it.
///
/// Dropped before that, it is given up: the hook takes nothing.
#[derive(Debug)]
pub struct RegisterHook {
    context: Arc<Context>,
    place: Place,
    spec: HookSpec,
    /// The hook asked for, from the first poll to the answer.
    asked: Option<HookId>,
}

/// Another live hook holds the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The token both wanted.
    pub token: Token,
    /// The run that holds it.
    pub owner: RunId,
}

impl RegisterHook {
    /// Writes the registration: it takes its place in the run here, and is issued when first polled.
    pub fn new(context: Arc<Context>, spec: HookSpec) -> Self {
        let place = context.with(Machine::place);
        Self {
            context,
            place,
            spec,
            asked: None,
        }
    }

    /// What is wanted; changing it once the registration was polled has no effect.
    pub const fn spec_mut(&mut self) -> &mut HookSpec {
        &mut self.spec
    }

    fn ask(&mut self) -> HookId {
        let spec = self.spec.clone();
        let drawn = self.context.draw();
        let hook = self.context.with(|machine| {
            let name = spec.token.as_ref().map_or("", Token::as_str);
            let hook = HookId::derive(machine.run(), self.place, name);
            machine.create_hook(hook, request(spec, drawn));
            hook
        });
        self.asked = Some(hook);
        hook
    }
}

impl Future for RegisterHook {
    type Output = Result<HookHandle, Conflict>;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        this.context.expect_current("a hook");
        let asked = match this.asked {
            Some(asked) => asked,
            None => this.ask(),
        };
        let mut shared = this.context.lock();
        let Some(registration) = shared.machine.take_registration(asked) else {
            shared.wait(Correlation::Hook(asked), cx.waker());
            return Poll::Pending;
        };
        this.asked = None;
        Poll::Ready(match registration {
            Registration::Registered { hook, token } => Ok(HookHandle {
                context: Arc::clone(&this.context),
                hook,
                token,
                closing: false,
                ended: false,
            }),
            Registration::Conflict { token, owner } => Err(Conflict { token, owner }),
        })
    }
}

fn request(spec: HookSpec, drawn: u128) -> HookRequest {
    let chosen = spec.token.is_some();
    HookRequest {
        token: spec.token.unwrap_or_else(|| Token::random(drawn)),
        chosen,
        metadata: spec.metadata,
        is_webhook: spec.is_webhook,
        expires_in: spec.expires_in,
    }
}

impl Drop for RegisterHook {
    fn drop(&mut self) {
        let Some(asked) = self.asked else { return };
        let acting = self.context.is_acting();
        let mut shared = self.context.lock();
        shared.forget(Correlation::Hook(asked));
        if acting {
            shared.machine.abandon_hook(asked);
        }
    }
}

/// A live hook in the workflow's hands.
///
/// Dropped by the workflow, the hook is disposed of and its token is free with the next commit.
#[derive(Debug)]
pub struct HookHandle {
    context: Arc<Context>,
    hook: HookId,
    token: Token,
    closing: bool,
    /// The stream has given its last.
    ended: bool,
}

impl HookHandle {
    /// The hook's id.
    pub const fn id(&self) -> HookId {
        self.hook
    }

    /// The hook's address.
    pub const fn token(&self) -> &Token {
        &self.token
    }

    /// The workflow's context.
    pub const fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// The next payload, as a future that takes nothing when it is dropped.
    pub const fn receive(&mut self) -> Receive<'_> {
        Receive { handle: self }
    }

    /// Looks at what the next receive gives, and takes nothing; else has `waker` called when there
    /// may be something.
    pub fn poll_peek(&mut self, waker: &Waker) -> Poll<Received> {
        self.poll_with(waker, |machine, hook| machine.peek_payload(hook))
    }

    /// Takes the next payload if there is one, or else has `waker` called when there may be.
    pub fn poll_receive(&mut self, waker: &Waker) -> Poll<Received> {
        self.poll_with(waker, Machine::take_payload)
    }

    fn poll_with(
        &mut self,
        waker: &Waker,
        receive: impl FnOnce(&mut Machine, HookId) -> Option<Received>,
    ) -> Poll<Received> {
        self.context.expect_current("a hook");
        let mut shared = self.context.lock();
        if let Some(received) = receive(&mut shared.machine, self.hook) {
            Poll::Ready(received)
        } else {
            shared.wait(Correlation::Hook(self.hook), waker);
            Poll::Pending
        }
    }

    /// As a stream has it: the next payload; the news of an expiry, once; then, or after a close, the
    /// end.
    pub fn poll_next(&mut self, waker: &Waker) -> Poll<Option<Received>> {
        if self.ended {
            return Poll::Ready(None);
        }
        self.poll_receive(waker).map(|received| {
            self.ended = !matches!(received, Received::Payload(_));
            (received != Received::Closed).then_some(received)
        })
    }

    /// Closes the hook; ready once the token is free. What has arrived can still be received.
    pub fn poll_close(&mut self, waker: &Waker) -> Poll<()> {
        self.context.expect_current("a hook");
        let mut shared = self.context.lock();
        if !self.closing {
            self.closing = true;
            shared.machine.close_hook(self.hook);
        }
        if shared.machine.take_closed(self.hook) {
            // Closing again asks again, and finds that it is closed.
            self.closing = false;
            return Poll::Ready(());
        }
        shared.wait(Correlation::Hook(self.hook), waker);
        Poll::Pending
    }
}

impl Drop for HookHandle {
    fn drop(&mut self) {
        let acting = self.context.is_acting();
        let mut shared = self.context.lock();
        shared.forget(Correlation::Hook(self.hook));
        if acting {
            shared.machine.dispose_hook(self.hook);
        }
    }
}

/// The next payload of a hook.
#[derive(Debug)]
pub struct Receive<'a> {
    handle: &'a mut HookHandle,
}

impl Future for Receive<'_> {
    type Output = Received;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Received> {
        self.get_mut().handle.poll_receive(cx.waker())
    }
}
