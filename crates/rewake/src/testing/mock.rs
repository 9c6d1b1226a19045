//! Mocks: what stands in for steps, and what they were called with.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rewake_core::payload::{self, DecodeError, Payload};
use rewake_runtime::StepBody;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::call::StepCall;
use crate::definition::run_step;

/// What a mock gives: what its step would, or any error.
pub type MockResult<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// A function that `#[step]` made; `A` is the tuple of its arguments, without the provided ones.
pub trait StepFunction<A>: Send + Sync + 'static {
    /// What the step gives if all goes well.
    type Output: Serialize + Send + 'static;

    /// The arguments of a call that was made.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] where they are no arguments of this step.
    #[doc(hidden)]
    fn arguments(&self, input: &Payload) -> Result<A, DecodeError>;

    /// The name of the step, which only a call of it knows.
    #[doc(hidden)]
    fn name_of_call(&self, args: A) -> String;
}

macro_rules! step_functions {
    ($($arg:ident $value:ident)*) => {
        impl<Function, T, $($arg),*> StepFunction<($($arg,)*)> for Function
        where
            Function: Fn($($arg),*) -> StepCall<T> + Send + Sync + 'static,
            T: Serialize + Send + 'static,
            $($arg: DeserializeOwned,)*
        {
            type Output = T;

            fn arguments(&self, input: &Payload) -> Result<($($arg,)*), DecodeError> {
                step_functions!(@decode input $($arg)*)
            }

            fn name_of_call(&self, ($($value,)*): ($($arg,)*)) -> String {
                self($($value),*).function_name().to_owned()
            }
        }
    };
    (@decode $input:ident) => {
        payload::step_args::<[(); 0]>($input).map(|[]| ())
    };
    (@decode $input:ident $($arg:ident)+) => {
        payload::step_args($input)
    };
}

step_functions!();
step_functions!(A1 a1);
step_functions!(A1 a1 A2 a2);
step_functions!(A1 a1 A2 a2 A3 a3);
step_functions!(A1 a1 A2 a2 A3 a3 A4 a4);
step_functions!(A1 a1 A2 a2 A3 a3 A4 a4 A5 a5);
step_functions!(A1 a1 A2 a2 A3 a3 A4 a4 A5 a5 A6 a6);
step_functions!(A1 a1 A2 a2 A3 a3 A4 a4 A5 a5 A6 a6 A7 a7);
step_functions!(A1 a1 A2 a2 A3 a3 A4 a4 A5 a5 A6 a6 A7 a7 A8 a8);

/// A call of a step that was carried out.
#[derive(Clone)]
struct Called {
    step: String,
    input: Payload,
}

/// What stands in for steps, and every attempt of any step.
#[derive(Clone, Default)]
pub(super) struct Mocks {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    mocks: Vec<Mock>,
    calls: Vec<Called>,
}

/// Whether a step of this name and input is the one that is mocked.
type IsOf = dyn Fn(&str, &Payload) -> bool + Send + Sync;
type MakeBody = dyn Fn(&Payload) -> StepBody + Send + Sync;

#[derive(Clone)]
struct Mock {
    is_of: Arc<IsOf>,
    body: Arc<MakeBody>,
}

impl Mocks {
    /// Lets `mock` stand in for a step.
    pub(super) fn put<S, A, F>(&self, step: S, mock: F)
    where
        S: StepFunction<A>,
        A: DeserializeOwned + 'static,
        F: Fn(A) -> BoxFuture<'static, MockResult<S::Output>> + Send + Sync + 'static,
    {
        let step = Arc::new(KnownByCall::new(step));
        let known = Arc::clone(&step);
        let body = move |input: &Payload| match step.step.arguments(input) {
            Ok(args) => run_mock(mock(args)),
            Err(error) => run_mock(std::future::ready(Err::<S::Output, _>(error.into())).boxed()),
        };
        self.lock().mocks.push(Mock {
            is_of: Arc::new(move |name, input| known.args_if_of(name, input).is_some()),
            body: Arc::new(body),
        });
    }

    /// Lets `mock` stand in for the step of a name.
    pub(super) fn put_named<A, T, F>(&self, name: String, mock: F)
    where
        A: DeserializeOwned,
        T: Serialize + Send + 'static,
        F: Fn(A) -> MockResult<T> + Send + Sync + 'static,
    {
        let body = move |input: &Payload| run_step(input, |args: A| std::future::ready(mock(args)));
        self.lock().mocks.push(Mock {
            is_of: Arc::new(move |step, _| step == name),
            body: Arc::new(body),
        });
    }

    /// Takes note of an attempt. The body of what stands in for the step, if anything does.
    pub(super) fn body(&self, step: &str, input: &Payload) -> Option<StepBody> {
        let mocks = {
            let mut shared = self.lock();
            shared.calls.push(Called {
                step: step.to_owned(),
                input: input.clone(),
            });
            shared.mocks.clone()
        };
        // The last word counts. Not under the lock: a mock is the user's code.
        let mock = mocks.iter().rev().find(|mock| (mock.is_of)(step, input))?;
        Some((mock.body)(input))
    }

    /// The arguments of every attempt of a step, in order.
    pub(super) fn calls<S: StepFunction<A>, A>(&self, step: S) -> Vec<A> {
        let calls = self.lock().calls.clone();
        let step = KnownByCall::new(step);
        let of_step = calls
            .iter()
            .filter_map(|called| step.args_if_of(&called.step, &called.input));
        of_step.collect()
    }

    /// How many attempts were made of the step of a name.
    pub(super) fn calls_named(&self, name: &str) -> usize {
        let calls = &self.lock().calls;
        calls.iter().filter(|called| called.step == name).count()
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Mocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mocks").finish_non_exhaustive()
    }
}

fn run_mock<T: Serialize + Send + 'static>(mock: BoxFuture<'static, MockResult<T>>) -> StepBody {
    crate::definition::run_body(mock)
}

/// A step whose name is known once it was called with fitting arguments: only a call knows its
/// definition, and one that is not awaited does nothing.
struct KnownByCall<S> {
    step: S,
    name: OnceLock<String>,
}

impl<S> KnownByCall<S> {
    const fn new(step: S) -> Self {
        Self {
            step,
            name: OnceLock::new(),
        }
    }

    /// The arguments, if `input` is that of a call of this step.
    fn args_if_of<A>(&self, name: &str, input: &Payload) -> Option<A>
    where
        S: StepFunction<A>,
    {
        let args = self.step.arguments(input).ok()?;
        let own = if let Some(own) = self.name.get() {
            own
        } else {
            let probe = self.step.arguments(input).ok()?;
            self.name.get_or_init(|| self.step.name_of_call(probe))
        };
        (own == name).then_some(args)
    }
}
