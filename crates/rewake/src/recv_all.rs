//! Receiving from several hooks at once, all or nothing.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use rewake_core::replay::Received;
use serde::de::DeserializeOwned;

use crate::error::HookError;
use crate::hook::{HookReceiver, decode};
use crate::webhook::{WebhookReceiver, WebhookRequest};

/// Receives one payload from each of several hooks, once each has one.
///
/// `join!` of several `recv` takes each payload as it comes; if such a join is dropped in a lost race,
/// what it has taken is dropped with it. This takes nothing before it can take from all, so that a
/// race loses no payload. It gives the error of the first hook, in the order written, that can give
/// no more, and of the first whose payload is not of its type: that one payload is then taken, and
/// nothing else.
///
/// # Errors
///
/// [`HookError`] as [`HookReceiver::recv`] gives it.
///
/// # Cancel safety
///
/// Dropped in a lost race, it takes nothing with it.
///
/// # Examples
///
/// ```
/// use rewake::prelude::*;
///
/// #[workflow]
/// async fn four_eyes(doc: String) -> anyhow::Result<bool> {
///     let mut first = create_hook::<bool>().token(format!("{doc}:first")).await?;
///     let mut second = create_hook::<bool>().token(format!("{doc}:second")).await?;
///     loop {
///         select! {
///             both = recv_all((&mut first, &mut second)) => {
///                 let (first, second) = both?;
///                 return Ok(first && second);
///             }
///             () = sleep(days(1)) => {} // Remind them; what one has said already is kept.
///         }
///     }
/// }
///
/// # fn main() -> anyhow::Result<()> {
/// # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
/// let rewake = Rewake::open("sqlite::memory:").await?;
/// let run = rewake.start(four_eyes("plan".into())).await?;
/// for token in ["plan:second", "plan:first"] {
///     while rewake.resume_hook(token, &true).await?.is_none() {
///         tokio::task::yield_now().await;
///     }
/// }
/// assert!(run.result().await?);
/// # rewake.shutdown(seconds(1)).await?;
/// # anyhow::Ok(())
/// # })
/// # }
/// ```
pub fn recv_all<R: Receivers>(receivers: R) -> RecvAll<R> {
    RecvAll { receivers }
}

/// What [`recv_all`] gives: a future of one payload from each receiver.
#[must_use = "nothing is received unless this is awaited"]
pub struct RecvAll<R> {
    receivers: R,
}

impl<R> fmt::Debug for RecvAll<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvAll").finish_non_exhaustive()
    }
}

impl<R: Receivers + Unpin> Future for RecvAll<R> {
    type Output = Result<R::Payloads, HookError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().receivers.poll_all(cx.waker())
    }
}

/// One receiver of several: a hook's or a webhook's. Not to be implemented elsewhere.
pub trait Receiver {
    /// What one receive gives.
    type Payload;

    /// Looks at what the next receive gives.
    #[doc(hidden)]
    fn poll_peek(&mut self, waker: &Waker) -> Poll<Received>;

    /// Takes what was looked at.
    #[doc(hidden)]
    fn take(&mut self, waker: &Waker);

    /// Reads what was looked at.
    #[doc(hidden)]
    fn read(received: Received) -> Result<Self::Payload, HookError>;
}

/// Several receivers: a tuple of two to six `&mut` receivers, or a `&mut` slice of receivers of one
/// kind. Not to be implemented elsewhere.
pub trait Receivers {
    /// One payload of each.
    type Payloads;

    /// Takes one from each if each has one.
    #[doc(hidden)]
    fn poll_all(&mut self, waker: &Waker) -> Poll<Result<Self::Payloads, HookError>>;
}

impl<T: DeserializeOwned> Receiver for HookReceiver<T> {
    type Payload = T;

    fn poll_peek(&mut self, waker: &Waker) -> Poll<Received> {
        self.handle_mut().poll_peek(waker)
    }

    fn take(&mut self, waker: &Waker) {
        let taken = self.handle_mut().poll_receive(waker);
        debug_assert!(taken.is_ready(), "what was looked at is there to be taken");
    }

    fn read(received: Received) -> Result<T, HookError> {
        decode(received)
    }
}

impl Receiver for WebhookReceiver {
    type Payload = WebhookRequest;

    fn poll_peek(&mut self, waker: &Waker) -> Poll<Received> {
        self.hook_mut().poll_peek(waker)
    }

    fn take(&mut self, waker: &Waker) {
        self.hook_mut().take(waker);
    }

    fn read(received: Received) -> Result<WebhookRequest, HookError> {
        decode(received)
    }
}

/// What was looked at, where it is a payload or may become one.
fn unless_over(peeked: Poll<Received>) -> Result<Poll<Received>, HookError> {
    match peeked {
        Poll::Ready(Received::Closed) => Err(HookError::Closed),
        Poll::Ready(Received::Expired) => Err(HookError::Expired),
        Poll::Ready(Received::Payload(_)) | Poll::Pending => Ok(peeked),
    }
}

macro_rules! receivers {
    ($($type:ident $receiver:ident $payload:ident),+) => {
        impl<$($type: Receiver),+> Receivers for ($(&mut $type,)+) {
            type Payloads = ($($type::Payload,)+);

            fn poll_all(&mut self, waker: &Waker) -> Poll<Result<Self::Payloads, HookError>> {
                let ($($receiver,)+) = self;
                // Each is asked, so that each that has nothing yet wakes this.
                $(let $payload = $receiver.poll_peek(waker);)+
                $(let $payload = unless_over($payload)?;)+
                $(let Poll::Ready($payload) = $payload else { return Poll::Pending };)+
                $(let $payload = read($payload, *$receiver, waker)?;)+
                $($receiver.take(waker);)+
                Poll::Ready(Ok(($($payload,)+)))
            }
        }
    };
}

receivers!(A a payload_a, B b payload_b);
receivers!(A a payload_a, B b payload_b, C c payload_c);
receivers!(A a payload_a, B b payload_b, C c payload_c, D d payload_d);
receivers!(A a payload_a, B b payload_b, C c payload_c, D d payload_d, E e payload_e);
receivers!(
    A a payload_a, B b payload_b, C c payload_c, D d payload_d, E e payload_e, F f payload_f
);

impl<R: Receiver> Receivers for &mut [R] {
    type Payloads = Vec<R::Payload>;

    fn poll_all(&mut self, waker: &Waker) -> Poll<Result<Vec<R::Payload>, HookError>> {
        let peeked: Vec<_> = self.iter_mut().map(|one| one.poll_peek(waker)).collect();
        let mut received = Vec::with_capacity(peeked.len());
        for peeked in peeked {
            received.push(unless_over(peeked)?);
        }
        let mut payloads = Vec::with_capacity(received.len());
        if received.iter().any(Poll::is_pending) {
            return Poll::Pending;
        }
        for (received, receiver) in received.into_iter().zip(self.iter_mut()) {
            if let Poll::Ready(received) = received {
                payloads.push(read(received, receiver, waker)?);
            }
        }
        self.iter_mut().for_each(|one| one.take(waker));
        Poll::Ready(Ok(payloads))
    }
}

/// A payload that cannot be read is taken: the hook lives on, and the next is not kept back by it.
fn read<R: Receiver>(
    received: Received,
    receiver: &mut R,
    waker: &Waker,
) -> Result<R::Payload, HookError> {
    R::read(received).inspect_err(|_| receiver.take(waker))
}
