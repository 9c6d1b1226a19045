//! The application's own values, as steps get them.

use std::any::{Any, TypeId, type_name};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use rewake_runtime::StepBody;

thread_local! {
    static CURRENT: RefCell<Option<Provided>> = const { RefCell::new(None) };
}

/// A step wants a value that the application did not provide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no value of type `{type_name}` is provided; give it to the builder with `.provide(value)`, and outside a workflow call the step with `rewake.call(step).await`"
)]
pub struct MissingProvided {
    /// The type.
    pub type_name: &'static str,
}

/// A type that a step wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProvidedType {
    id: TypeId,
    name: &'static str,
}

impl ProvidedType {
    /// The type `T`.
    pub fn of<T: 'static>() -> Self {
        Self {
            id: TypeId::of::<T>(),
            name: type_name::<T>(),
        }
    }

    /// What the type is called.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

type Value = Arc<dyn Any + Send + Sync>;

/// The application's own values: one of each type.
#[derive(Clone, Default)]
pub struct Provided {
    values: Arc<BTreeMap<TypeId, Value>>,
}

impl Provided {
    /// Adds a value, or replaces the one of its type.
    pub(crate) fn put<T: Clone + Send + Sync + 'static>(&mut self, value: T) {
        Arc::make_mut(&mut self.values).insert(TypeId::of::<T>(), Arc::new(value));
    }

    /// The value of type `T`.
    ///
    /// # Errors
    ///
    /// [`MissingProvided`] where there is none.
    pub fn get<T: Clone + 'static>(&self) -> Result<T, MissingProvided> {
        let value = self
            .values
            .get(&TypeId::of::<T>())
            .and_then(|value| value.downcast_ref::<T>());
        value.cloned().ok_or_else(|| MissingProvided {
            type_name: type_name::<T>(),
        })
    }

    pub(crate) fn has(&self, wanted: ProvidedType) -> bool {
        self.values.contains_key(&wanted.id)
    }

    /// The values of the step that is running on this thread; none outside of one.
    pub(crate) fn current() -> Option<Self> {
        CURRENT.with_borrow(Clone::clone)
    }

    /// Makes these the values of this thread, until what is returned is dropped.
    pub(crate) fn enter(self) -> Inside {
        Inside(CURRENT.replace(Some(self)))
    }

    /// The body, with these values to be found by [`provided`].
    pub(crate) fn around(&self, body: StepBody) -> StepBody {
        WithProvided {
            provided: self.clone(),
            body,
        }
        .boxed()
    }
}

impl fmt::Debug for Provided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provided")
            .field("values", &self.values.len())
            .finish()
    }
}

/// The application's own value of type `T`, inside a step.
///
/// # Errors
///
/// [`MissingProvided`] where the application provides none, and outside of steps.
pub fn provided<T: Clone + Send + Sync + 'static>() -> Result<T, MissingProvided> {
    Provided::current()
        .ok_or_else(|| MissingProvided {
            type_name: type_name::<T>(),
        })
        .and_then(|provided| provided.get())
}

struct WithProvided {
    provided: Provided,
    body: StepBody,
}

impl Future for WithProvided {
    type Output = <StepBody as Future>::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let _inside = this.provided.clone().enter();
        this.body.poll_unpin(cx)
    }
}

/// While this is held, the thread has the values of a step.
pub(crate) struct Inside(Option<Provided>);

impl Drop for Inside {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}
