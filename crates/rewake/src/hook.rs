//! Hooks: points where a workflow waits for a payload from outside.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use futures_util::{FutureExt, Stream};
use rewake_core::id::{HookId, RunId};
use rewake_core::payload::{self, Date, Payload};
use rewake_core::replay::Received;
use rewake_core::token::Token;
use rewake_runtime::workflow::{
    Conflict, Context as RunContext, HookHandle, HookSpec, RegisterHook,
};
use serde::de::DeserializeOwned;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::error::{HookConflict, HookError};

/// Begins a hook: a point where the workflow takes payloads of type `T` from outside.
///
/// Awaiting it registers the token durably; when it returns, a resume can succeed. Without
/// [`token`](CreateHook::token) the token is random, from the operating system's entropy, recorded.
///
/// # Cancel safety
///
/// Dropped before it resolves, the hook takes nothing and its token is free.
///
/// # Examples
///
/// ```
/// use rewake::prelude::*;
///
/// #[workflow]
/// async fn average(room: String) -> anyhow::Result<f64> {
///     let mut readings = create_hook::<f64>()
///         .token(format!("readings:{room}"))
///         .metadata(&room)
///         .await?;
///     Ok((readings.recv().await? + readings.recv().await?) / 2.0)
/// }
///
/// # fn main() -> anyhow::Result<()> {
/// # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
/// let rewake = Rewake::open("sqlite::memory:").await?;
/// let run = rewake.start(average("attic".into())).await?;
/// for reading in [19.0, 23.0] {
///     while rewake.resume_hook("readings:attic", &reading).await?.is_none() {
///         tokio::task::yield_now().await;
///     }
/// }
/// assert_eq!(run.result().await?, 21.0);
/// // With its run the hook has gone.
/// assert!(rewake.get_hook_by_token("readings:attic").await?.is_none());
/// # rewake.shutdown(seconds(1)).await?;
/// # anyhow::Ok(())
/// # })
/// # }
/// ```
pub fn create_hook<T>() -> CreateHook<T> {
    let state = match RunContext::current() {
        Ok(context) => Ok(RegisterHook::new(context, HookSpec::default())),
        Err(_) => Err(HookError::NotInWorkflow),
    };
    CreateHook {
        state,
        payload: PhantomData,
    }
}

/// A hook that is being made.
#[must_use = "a hook is made when this is awaited"]
pub struct CreateHook<T> {
    state: Result<RegisterHook, HookError>,
    payload: PhantomData<fn() -> T>,
}

impl<T> CreateHook<T> {
    /// Chooses the token: 1 to 512 bytes without control characters.
    pub fn token(self, token: impl Into<String>) -> Self {
        let token = Token::parse(&token.into(), Token::MAX_LEN);
        self.with(|spec| {
            spec.token = Some(token?);
            Ok(())
        })
    }

    /// What shall be known about the hook to those who look it up.
    pub fn metadata<M: Serialize + ?Sized>(self, metadata: &M) -> Self {
        let metadata = payload::encode(metadata);
        self.with(|spec| {
            let not_encodable = |error: payload::EncodeError| HookError::NotEncodable {
                reason: error.to_string(),
            };
            spec.metadata = Some(metadata.map_err(not_encodable)?);
            Ok(())
        })
    }

    /// How long the hook takes payloads, from its registration.
    pub fn expires_in(self, span: Duration) -> Self {
        self.with(|spec| {
            spec.expires_in = Some(span);
            Ok(())
        })
    }

    fn with(mut self, change: impl FnOnce(&mut HookSpec) -> Result<(), HookError>) -> Self {
        if let Ok(register) = &mut self.state
            && let Err(error) = change(register.spec_mut())
        {
            self.state = Err(error);
        }
        self
    }
}

impl<T> fmt::Debug for CreateHook<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateHook").finish_non_exhaustive()
    }
}

impl<T> Future for CreateHook<T> {
    type Output = Result<HookReceiver<T>, HookError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let register = match &mut self.get_mut().state {
            Ok(register) => register,
            Err(error) => return Poll::Ready(Err(error.clone())),
        };
        register.poll_unpin(cx).map(|registered| match registered {
            Ok(handle) => Ok(HookReceiver {
                handle,
                payload: PhantomData,
            }),
            Err(Conflict { token, owner }) => Err(HookConflict {
                token,
                run_id: owner,
            }
            .into()),
        })
    }
}

/// The receiving end of a hook.
///
/// Payloads that arrive before [`recv`](Self::recv) wait in order. Dropped by the workflow's code the
/// hook is disposed of: its token is free with the next commit.
pub struct HookReceiver<T> {
    handle: HookHandle,
    payload: PhantomData<fn() -> T>,
}

impl<T> HookReceiver<T> {
    pub(crate) const fn new(handle: HookHandle) -> Self {
        Self {
            handle,
            payload: PhantomData,
        }
    }

    pub(crate) const fn handle_mut(&mut self) -> &mut HookHandle {
        &mut self.handle
    }

    /// The hook's token.
    pub const fn token(&self) -> &Token {
        self.handle.token()
    }

    /// The hook's id.
    pub const fn hook_id(&self) -> HookId {
        self.handle.id()
    }

    /// Closes the hook. When it returns the token is free and no resume succeeds any more; what had
    /// arrived is still read, then `recv` gives [`HookError::Closed`].
    ///
    /// # Cancel safety
    ///
    /// Dropped after its first poll, the hook is closed all the same.
    pub async fn close(&mut self) {
        poll_fn(|cx| self.handle.poll_close(cx.waker())).await;
    }
}

impl<T: DeserializeOwned> HookReceiver<T> {
    /// The next payload, in the order of arrival.
    ///
    /// # Errors
    ///
    /// [`HookError::Decode`] where a payload is not a `T` (it is taken, and the hook lives on),
    /// [`HookError::Closed`] or [`HookError::Expired`] where nothing more will come.
    ///
    /// # Cancel safety
    ///
    /// Dropped in a lost race, it takes nothing with it.
    pub async fn recv(&mut self) -> Result<T, HookError> {
        decode(self.handle.receive().await)
    }
}

pub(crate) fn decode<T: DeserializeOwned>(received: Received) -> Result<T, HookError> {
    match received {
        Received::Payload(payload) => {
            payload::decode(&payload).map_err(|error| HookError::Decode {
                reason: error.to_string(),
                bytes: payload.as_bytes().to_vec(),
            })
        }
        Received::Closed => Err(HookError::Closed),
        Received::Expired => Err(HookError::Expired),
    }
}

impl<T> fmt::Debug for HookReceiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HookReceiver")
            .field("hook_id", &self.handle.id())
            .finish_non_exhaustive()
    }
}

/// Ends after `close`; after expiry it gives `Err(Expired)` once and ends.
impl<T: DeserializeOwned> Stream for HookReceiver<T> {
    type Item = Result<T, HookError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        this.handle
            .poll_next(cx.waker())
            .map(|next| next.map(decode))
    }
}

/// A live hook, as those outside its workflow see it. As JSON its fields are in camel case.
#[derive(Clone, Debug, PartialEq)]
pub struct Hook {
    /// Its run.
    pub run_id: RunId,
    /// The hook.
    pub hook_id: HookId,
    /// Its address.
    pub token: Token,
    /// Who owns the application.
    pub owner_id: String,
    /// The project.
    pub project_id: String,
    /// The environment.
    pub environment: String,
    /// When it was registered.
    pub created_at: SystemTime,
    /// What the workflow wanted to be known about it.
    pub metadata: Option<serde_json::Value>,
    /// True for webhooks.
    pub is_webhook: bool,
    /// The time after which it takes nothing.
    pub expires_at: Option<SystemTime>,
}

impl From<rewake_runtime::Hook> for Hook {
    fn from(hook: rewake_runtime::Hook) -> Self {
        let shown = |payload: Payload| serde_json::to_value(&payload).unwrap_or_default();
        Self {
            run_id: hook.run_id,
            hook_id: hook.hook_id,
            token: hook.token,
            owner_id: hook.owner_id,
            project_id: hook.project_id,
            environment: hook.environment,
            created_at: hook.created_at.into(),
            metadata: hook.metadata.map(shown),
            is_webhook: hook.is_webhook,
            expires_at: hook.expires_at.map(SystemTime::from),
        }
    }
}

impl Hook {
    fn serialize_with_token<S: Serializer>(
        &self,
        token: &str,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Hook", 10)?;
        object.serialize_field("runId", &self.run_id)?;
        object.serialize_field("hookId", &self.hook_id)?;
        object.serialize_field("token", token)?;
        object.serialize_field("ownerId", &self.owner_id)?;
        object.serialize_field("projectId", &self.project_id)?;
        object.serialize_field("environment", &self.environment)?;
        object.serialize_field("createdAt", &date(self.created_at))?;
        object.serialize_field("metadata", &self.metadata)?;
        object.serialize_field("isWebhook", &self.is_webhook)?;
        object.serialize_field("expiresAt", &self.expires_at.map(date))?;
        object.end()
    }
}

impl Serialize for Hook {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize_with_token(self.token.as_str(), serializer)
    }
}

/// A live hook in a listing: a [`Hook`] whose JSON shows a random token shortened, because it is a
/// credential. The program itself has it whole, as `token`.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedHook {
    hook: Hook,
    chosen: bool,
}

impl ListedHook {
    /// The token as it may be shown: whole where the workflow chose it, else its beginning.
    pub fn shown_token(&self) -> String {
        if self.chosen {
            self.hook.token.to_string()
        } else {
            self.hook.token.shortened()
        }
    }
}

impl Deref for ListedHook {
    type Target = Hook;

    fn deref(&self) -> &Hook {
        &self.hook
    }
}

impl From<rewake_runtime::ListedHook> for ListedHook {
    fn from(listed: rewake_runtime::ListedHook) -> Self {
        Self {
            hook: listed.hook.into(),
            chosen: listed.chosen,
        }
    }
}

impl Serialize for ListedHook {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.hook
            .serialize_with_token(&self.shown_token(), serializer)
    }
}

/// As JavaScript writes it: `2025-11-16T08:31:36.123Z`.
fn date(time: SystemTime) -> String {
    let ms = rewake_core::time::Timestamp::from(time).as_millis();
    i64::try_from(ms)
        .ok()
        .and_then(Date::from_ms)
        .map(|date| date.to_string())
        .unwrap_or_default()
}
