//! Abort controllers and their signals: how a workflow calls off what its steps are doing.

use rewake_core::id::AbortId;
use rewake_runtime::step::{Abort, Aborted, StepContext};
use rewake_runtime::workflow::{Context as RunContext, Controller};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Lets a workflow call off what its steps are doing: it keeps the controller, and gives them its
/// [signal](Self::signal).
///
/// Only the workflow that made it can abort: it cannot be an argument of a step.
///
/// ```compile_fail
/// # use rewake::prelude::*;
/// #[step]
/// async fn call_off(controller: AbortController) -> anyhow::Result<()> {
///     controller.abort("from outside the workflow");
///     Ok(())
/// }
/// # fn main() {}
/// ```
///
/// # Examples
///
/// ```
/// use rewake::prelude::*;
///
/// #[step]
/// async fn search(engine: String, signal: AbortSignal) -> anyhow::Result<String> {
///     if engine == "quick" {
///         return Ok("found".into());
///     }
///     signal.aborted().await; // Or whatever takes long.
///     Ok(format!("{engine} gave up: {}", signal.reason().unwrap_or_default()))
/// }
///
/// #[workflow]
/// async fn race() -> anyhow::Result<(String, String)> {
///     let controller = AbortController::new();
///     let mut slow = search("slow".into(), controller.signal());
///     let first = select! {
///         found = search("quick".into(), controller.signal()) => found?,
///         found = &mut slow => found?,
///     };
///     controller.abort("somebody else was faster");
///     Ok((first, slow.await?))
/// }
///
/// # fn main() -> anyhow::Result<()> {
/// # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
/// let rewake = Rewake::open("sqlite::memory:").await?;
/// let (first, slow) = rewake.start(race()).await?.result().await?;
/// assert_eq!(first, "found");
/// assert_eq!(slow, "slow gave up: somebody else was faster");
/// # rewake.shutdown(seconds(1)).await?;
/// # anyhow::Ok(())
/// # })
/// # }
/// ```
#[derive(Debug)]
pub struct AbortController {
    controller: Controller,
}

impl AbortController {
    /// A controller that is not aborted. It is the same one in every replay.
    ///
    /// # Panics
    ///
    /// Outside a workflow.
    #[expect(
        clippy::new_without_default,
        reason = "it takes its place in the run where it is written, so it is written out"
    )]
    pub fn new() -> Self {
        let context =
            RunContext::current().expect("an `AbortController` is made inside a workflow");
        Self {
            controller: Controller::new(context),
        }
    }

    /// The signal, to be given to steps of this run or awaited in the workflow.
    pub fn signal(&self) -> AbortSignal {
        AbortSignal {
            id: Some(self.controller.id()),
            abort: self.controller.signal().clone(),
        }
    }

    /// Aborts. Steps under way hear it at once; attempts that begin later, after a crash or on
    /// another machine, begin with the signal aborted. It goes on record as a step called
    /// `rewake::abort`. The first reason stands.
    ///
    /// # Panics
    ///
    /// Outside the workflow that made it, in the body of a step written in place for one.
    pub fn abort(&self, reason: impl Into<String>) {
        self.controller.abort(reason.into());
    }
}

/// Says whether something was called off.
///
/// It can be an argument of a step, also inside other values. A step of the run whose workflow made the
/// controller hears when that aborts; anywhere else, in another run, say, it keeps saying what
/// it said when it was written. Every step also has one of its own,
/// [`StepMetadata::cancellation`](crate::StepMetadata::cancellation).
#[derive(Clone, Debug)]
pub struct AbortSignal {
    id: Option<AbortId>,
    abort: Abort,
}

impl AbortSignal {
    pub(crate) const fn of_attempt(abort: Abort) -> Self {
        Self { id: None, abort }
    }

    /// True once it was aborted. A plain call, for code that blocks.
    pub fn is_aborted(&self) -> bool {
        self.abort.is_aborted()
    }

    /// Why it was aborted; none as long as it was not.
    pub fn reason(&self) -> Option<String> {
        self.abort.reason()
    }

    /// Resolves once it was aborted, in steps and in workflows alike.
    ///
    /// # Cancel safety
    ///
    /// Dropped, nothing is left of the wait.
    pub fn aborted(&self) -> Aborted {
        self.abort.aborted()
    }
}

/// As the Workflow SDK names the parts of a signal; it has a stream beside them.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    hook_token: Option<AbortId>,
    aborted: bool,
    reason: Option<String>,
}

impl Serialize for AbortSignal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let reason = self.reason();
        let written = Written {
            hook_token: self.id,
            aborted: reason.is_some(),
            reason,
        };
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for AbortSignal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer)?;
        let id = written.hook_token;
        let abort = id.and_then(known).unwrap_or_else(|| {
            if written.aborted {
                Abort::aborted_for(written.reason.unwrap_or_default())
            } else {
                Abort::default()
            }
        });
        Ok(Self { id, abort })
    }
}

/// The controller of the run that is at work on this thread, in a step of it or in its workflow.
fn known(id: AbortId) -> Option<Abort> {
    match StepContext::current() {
        Some(step) => step.aborts.find(id),
        None => RunContext::current().ok()?.aborts().find(id),
    }
}
