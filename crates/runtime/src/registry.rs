//! The workflows and steps of a program, by name.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use rewake_core::event::Failure;
use rewake_core::payload::Payload;
use rewake_core::time::Timestamp;

use crate::step::StepContext;
use crate::workflow::BeginInline;

/// What a workflow does with its arguments: a future that only awaits durable things.
pub type WorkflowBody = BoxFuture<'static, Result<Payload, Failure>>;

/// Makes the body of a workflow from its arguments; the error says why they do not fit.
pub type BeginWorkflow = dyn Fn(&Payload) -> Result<WorkflowBody, Failure> + Send + Sync;

/// What one attempt of a step does.
pub type StepBody = BoxFuture<'static, Result<Payload, StepFailure>>;

/// A workflow, as the engine knows it.
#[derive(Clone)]
pub struct Workflow {
    /// Its name, unique in the program.
    pub name: String,
    /// Names it had before.
    pub aliases: Vec<String>,
    /// Where it is written, for messages.
    pub place: String,
    /// Makes the body from the arguments; the error says why they do not fit.
    pub run: Arc<BeginWorkflow>,
}

/// A step, as the engine knows it.
#[derive(Clone)]
pub struct Step {
    /// Its name, unique in the program.
    pub name: String,
    /// Where it is written, for messages.
    pub place: String,
    /// Makes the body of one attempt.
    pub run: Arc<dyn Fn(&StepInput) -> StepBody + Send + Sync>,
}

/// What one attempt of a step is given.
#[derive(Clone, Debug)]
pub struct StepInput {
    /// The arguments.
    pub payload: Payload,
    /// Who and where it is.
    pub context: StepContext,
}

/// How an attempt of a step failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepFailure {
    /// Trying again is of no use.
    Fatal(Failure),
    /// Trying again may help.
    Retryable {
        /// The error.
        error: Failure,
        /// The pause it asks for.
        after: Option<Duration>,
        /// The time it asks to wait for.
        at: Option<Timestamp>,
    },
    /// The result cannot be encoded; trying again is of no use.
    NotEncodable(Failure),
}

impl StepFailure {
    /// A failure after which trying again may help.
    pub const fn retryable(error: Failure) -> Self {
        Self::Retryable {
            error,
            after: None,
            at: None,
        }
    }
}

impl fmt::Debug for Workflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workflow")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Step")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A program whose names do not tell its workflows and steps apart.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// Two workflows have one name. Give one of them another: `#[workflow(name = "…")]`.
    #[error(
        "two workflows have the name `{name}`: {first} and {second}; give one of them another with `#[workflow(name = \"…\")]`"
    )]
    SameWorkflow {
        /// The name.
        name: String,
        /// Where one is written.
        first: String,
        /// Where the other is.
        second: String,
    },
    /// Two steps have one name. Give one of them another: `#[step(name = "…")]`.
    #[error(
        "two steps have the name `{name}`: {first} and {second}; give one of them another with `#[step(name = \"…\")]`"
    )]
    SameStep {
        /// The name.
        name: String,
        /// Where one is written.
        first: String,
        /// Where the other is.
        second: String,
    },
}

/// The workflows and steps of a program.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    workflows: BTreeMap<String, Arc<Workflow>>,
    steps: BTreeMap<String, Step>,
    inline: Option<AroundInline>,
}

/// What is put around the bodies of inline steps.
#[derive(Clone)]
struct AroundInline(Arc<WrapInline>);

/// Makes the body of one attempt of an inline step, with what makes the closure's own.
type WrapInline = dyn Fn(&StepInput, &BeginInline) -> StepBody + Send + Sync;

impl fmt::Debug for AroundInline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AroundInline").finish_non_exhaustive()
    }
}

impl Registry {
    /// Adds a workflow under its name and aliases.
    ///
    /// # Errors
    ///
    /// [`RegistryError::SameWorkflow`] where a name is taken by another one; nothing is added.
    pub fn add_workflow(&mut self, workflow: Workflow) -> Result<(), RegistryError> {
        let names = || std::iter::once(&workflow.name).chain(&workflow.aliases);
        for name in names() {
            if let Some(first) = self.workflows.get(name)
                && first.place != workflow.place
            {
                return Err(RegistryError::SameWorkflow {
                    name: name.clone(),
                    first: first.place.clone(),
                    second: workflow.place.clone(),
                });
            }
        }
        let workflow = Arc::new(workflow);
        for alias in &workflow.aliases {
            self.workflows.insert(alias.clone(), Arc::clone(&workflow));
        }
        self.workflows.insert(workflow.name.clone(), workflow);
        Ok(())
    }

    /// Adds a step.
    ///
    /// # Errors
    ///
    /// [`RegistryError::SameStep`] where its name is taken by another one; nothing is added.
    pub fn add_step(&mut self, step: Step) -> Result<(), RegistryError> {
        if let Some(first) = self.steps.get(&step.name)
            && first.place != step.place
        {
            return Err(RegistryError::SameStep {
                name: step.name,
                first: first.place.clone(),
                second: step.place,
            });
        }
        self.steps.insert(step.name.clone(), step);
        Ok(())
    }

    /// Says what is put around the body of each inline step: what a registered one is given by its
    /// own [`Step::run`], such as the application's values.
    pub fn wrap_inline(
        &mut self,
        around: impl Fn(&StepInput, &BeginInline) -> StepBody + Send + Sync + 'static,
    ) {
        self.inline = Some(AroundInline(Arc::new(around)));
    }

    /// The body of an inline step, with everything that is put around it.
    pub(crate) fn begin_inline(&self, input: &StepInput, begin: &BeginInline) -> StepBody {
        match &self.inline {
            Some(AroundInline(around)) => around(input, begin),
            None => begin(),
        }
    }

    /// The workflow with exactly this name or alias.
    pub fn workflow(&self, name: &str) -> Option<&Workflow> {
        self.shared_workflow(name).map(Arc::as_ref)
    }

    /// The same, for a driver to keep.
    pub(crate) fn shared_workflow(&self, name: &str) -> Option<&Arc<Workflow>> {
        self.workflows.get(name)
    }

    /// Every name and alias of a workflow.
    pub(crate) fn workflow_names(&self) -> impl Iterator<Item = &str> {
        self.workflows.keys().map(String::as_str)
    }

    /// The workflow a person means: the name, or any tail of it that only one has.
    ///
    /// # Errors
    ///
    /// The names that fit: none, or several.
    pub fn find_workflow(&self, tail: &str) -> Result<&Workflow, Vec<&str>> {
        if let Some(exact) = self.workflow(tail) {
            return Ok(exact);
        }
        let suffix = format!("::{tail}");
        let mut found: Vec<&Workflow> = self
            .workflows
            .values()
            .map(Arc::as_ref)
            .filter(|workflow| workflow.name.ends_with(&suffix))
            .collect();
        found.dedup_by(|a, b| a.name == b.name);
        match found.as_slice() {
            [one] => Ok(one),
            several => Err(several
                .iter()
                .map(|workflow| workflow.name.as_str())
                .collect()),
        }
    }

    /// The step with this name.
    pub fn step(&self, name: &str) -> Option<&Step> {
        self.steps.get(name)
    }
}
