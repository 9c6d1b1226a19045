//! Hook definitions: a typed hook that workflow and API code share.

use std::fmt;
use std::marker::PhantomData;

use rewake_runtime::ResumeError;
use serde::Serialize;

use crate::handle::{ResumeHook, Rewake};
use crate::hook::{CreateHook, create_hook};

/// Defines a typed hook. The name is for messages; the token is used as given.
///
/// ```
/// use rewake::prelude::*;
/// use rewake::{HookDefinition, ResumeError, define_hook};
///
/// static AMOUNTS: HookDefinition<u64> = define_hook("amounts").validate(|amount| {
///     if *amount > 0 { Ok(()) } else { Err("an amount is more than nothing".into()) }
/// });
///
/// # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
/// # let rewake = Rewake::open("sqlite::memory:").await?;
/// let refused = AMOUNTS.resume(&rewake, "order:7", &0).await;
/// assert!(matches!(refused, Err(ResumeError::Invalid { .. })), "nothing was recorded");
/// # anyhow::Ok(())
/// # })?;
/// # anyhow::Ok(())
/// ```
pub const fn define_hook<T>(name: &'static str) -> HookDefinition<T> {
    HookDefinition {
        name,
        validate: None,
        payload: PhantomData,
    }
}

/// Says whether a payload may be delivered; the error says why not.
type Validate<T> = fn(&T) -> Result<(), String>;

/// A typed hook that workflow and API code share; usable in a `static`.
pub struct HookDefinition<T> {
    name: &'static str,
    validate: Option<Validate<T>>,
    payload: PhantomData<fn() -> T>,
}

impl<T> HookDefinition<T> {
    /// Refuses a payload before anything is recorded.
    #[must_use]
    pub const fn validate(mut self, validate: fn(&T) -> Result<(), String>) -> Self {
        self.validate = Some(validate);
        self
    }

    /// The name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Begins the hook, inside a workflow, as [`create_hook`] does.
    pub fn create(&self) -> CreateHook<T> {
        create_hook()
    }
}

impl<T: Serialize> HookDefinition<T> {
    /// Resumes the hook from outside, as [`Rewake::resume_hook`] does. A payload that is not valid is
    /// [`ResumeError::Invalid`], and nothing is recorded.
    pub fn resume(&self, rewake: &Rewake, token: impl Into<String>, payload: &T) -> ResumeHook {
        let resume = rewake.resume_hook(token, payload);
        match self.validate.map_or(Ok(()), |validate| validate(payload)) {
            Ok(()) => resume,
            Err(reason) => resume.refuse(ResumeError::Invalid {
                hook: self.name,
                reason,
            }),
        }
    }
}

impl<T> fmt::Debug for HookDefinition<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HookDefinition")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
