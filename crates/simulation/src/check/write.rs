//! What is checked at each request that the store carries out.
//!
//! Statement 8: a refused request leaves nothing. Statement 7: a worker's append builds on the last
//! event that any worker wrote. Statement 6: code that does not match a log appends nothing to it.
//! The [shadow](crate::shadow) checks the log itself.

use futures_util::FutureExt;
use rewake_core::event::{EventKind, Frame, Position};
use rewake_core::id::RunId;
use rewake_core::token::Token;
use rewake_store::memory::MemoryStore;
use rewake_store::{Append, Condition, Queries, RunRow, ScopeId, TokenRow};

use crate::scheduler::ProcessId;
use crate::shadow::{self, Followed};
use crate::statement::{Breaks, Problem, Statement};
use crate::workload::Code;
use crate::world::{World, lock};

/// What a request may change.
#[derive(Clone, Debug)]
pub(crate) enum About {
    /// Nothing.
    Read,
    /// Sessions.
    Sessions,
    /// Counts, which a repetition would count again.
    Once,
    /// A run that is made.
    Create(ScopeId, RunId),
    /// A run that is added to.
    Append(Box<Addition>),
    /// The run that holds a token.
    Deliver(ScopeId, Token),
    /// A stream of a run.
    Answer(ScopeId, RunId),
}

/// What an append says of itself.
#[derive(Clone, Debug)]
pub(crate) struct Addition {
    scope: ScopeId,
    run: RunId,
    /// Whether it brings events.
    events: bool,
    from_worker: bool,
    builds_on: Option<Position>,
    /// The tokens that it takes or lets go of.
    tokens: Vec<Token>,
    /// The child runs that begin with it.
    children: Vec<RunId>,
}

impl About {
    pub(crate) fn append(request: &Append) -> Self {
        let builds_on = request
            .conditions
            .iter()
            .find_map(|condition| match condition {
                Condition::WorkerPosition(position) => Some(*position),
                Condition::RunLive
                | Condition::HookLive { .. }
                | Condition::StepOpen(_)
                | Condition::WaitOpen { .. }
                | Condition::HooksAtMost(_) => None,
            });
        let taken = request.events.iter().filter_map(|kind| match kind {
            EventKind::HookCreated { token, .. } => Some(token.clone()),
            _ => None,
        });
        Self::Append(Box::new(Addition {
            scope: request.scope,
            run: request.run,
            events: !request.events.is_empty(),
            from_worker: request.mark.is_some(),
            builds_on,
            tokens: request.release.iter().cloned().chain(taken).collect(),
            children: request.kin.begin.iter().map(|child| child.run).collect(),
        }))
    }

    /// Whether it may change anything at all.
    pub(crate) const fn writes(&self) -> bool {
        !matches!(self, Self::Read)
    }

    /// Whether the same request again must give the same answer.
    pub(crate) const fn may_repeat(&self) -> bool {
        !matches!(self, Self::Once)
    }

    /// The run that it is about.
    fn target(&self, world: &World) -> Option<(ScopeId, RunId)> {
        match self {
            Self::Read | Self::Sessions | Self::Once => None,
            Self::Create(scope, run) | Self::Answer(scope, run) => Some((*scope, *run)),
            Self::Append(addition) => Some((addition.scope, addition.run)),
            Self::Deliver(scope, token) => {
                let shadow = world.shadow();
                shadow.tokens().get(token).map(|held| (*scope, held.run))
            }
        }
    }

    fn tokens(&self) -> &[Token] {
        match self {
            Self::Read | Self::Sessions | Self::Once | Self::Create(..) | Self::Answer(..) => &[],
            Self::Append(addition) => &addition.tokens,
            Self::Deliver(_, token) => std::slice::from_ref(token),
        }
    }
}

/// The rows that a request may change.
#[derive(Debug, PartialEq, Eq)]
struct Touched {
    run: Option<RunRow>,
    tokens: Vec<Option<TokenRow>>,
}

/// Lets a request be carried out, and checks what must hold after it.
pub(crate) fn judge<A, E>(
    world: &World,
    process: ProcessId,
    about: &About,
    act: impl FnOnce() -> Result<A, E>,
) -> Result<A, E> {
    let target = about.target(world).filter(|_| world.follows);
    let Some(target) = target else {
        return act();
    };
    let before = touched(&world.memory, target, about.tokens());
    let basis = world.shadow().runs().get(&target.1).map(Basis::of);
    let answer = act();
    let checked = after(
        world,
        (process, about),
        target,
        (&before, basis, answer.is_ok()),
    );
    if let Err(problem) = checked {
        world.fail(problem);
    }
    answer
}

/// What an append must build on.
#[derive(Clone, Copy, Debug)]
struct Basis {
    head: Position,
    worker: Position,
    code: Option<Code>,
}

impl Basis {
    fn of(followed: &Followed) -> Self {
        Self {
            head: followed.frames.last().map_or(Position::START, Frame::last),
            worker: followed.worker(),
            code: followed.code,
        }
    }
}

fn touched(store: &MemoryStore, (scope, run): (ScopeId, RunId), tokens: &[Token]) -> Touched {
    let token = |token: &Token| store.token(scope, token.clone()).now_or_never()?.ok()?;
    Touched {
        run: shadow::row(store, scope, run),
        tokens: tokens.iter().map(token).collect(),
    }
}

fn after(
    world: &World,
    (process, about): (ProcessId, &About),
    target: (ScopeId, RunId),
    (before, basis, accepted): (&Touched, Option<Basis>, bool),
) -> Result<(), Problem> {
    let latest = world.latest();
    world.shadow().follow(&world.memory, target, latest)?;
    let run = target.1;
    if !accepted {
        let after = touched(&world.memory, target, about.tokens());
        return if after == *before {
            Ok(())
        } else {
            Err(Statement::Refused.broken(format!(
                "a refused request changed run {run}: {before:?} became {after:?}"
            )))
        };
    }
    if let About::Append(addition) = about {
        for child in &addition.children {
            let child = (target.0, *child);
            world.shadow().follow(&world.memory, child, latest)?;
        }
    }
    let grew = basis.is_none_or(|basis| world.shadow().head(run) != basis.head);
    match about {
        // A repetition adds nothing, and is answered as the first was.
        About::Append(addition) if addition.from_worker && (grew || !addition.events) => {
            let changed = lock(&world.processes).is_changed(process);
            builds_on(addition, basis, Code::of_process(changed))
        }
        About::Deliver(..) if before.run.as_ref().is_some_and(|row| row.parked.is_some()) => {
            world.count("met delivery-to-parked");
            Ok(())
        }
        About::Read
        | About::Sessions
        | About::Once
        | About::Create(..)
        | About::Append(_)
        | About::Deliver(..)
        | About::Answer(..) => Ok(()),
    }
}

/// A worker's append that was accepted builds on what any worker wrote last, and comes from the code
/// that the log is of.
fn builds_on(addition: &Addition, basis: Option<Basis>, code: Code) -> Result<(), Problem> {
    let run = addition.run;
    let basis = basis
        .ok_or_else(|| format!("a worker appended to run {run}, which has no log"))
        .breaks(Statement::Workers)?;
    if addition.builds_on != Some(basis.worker) {
        return Err(Statement::Workers.broken(format!(
            "run {run}: a worker's append builds on {:?}, and a worker wrote at {}",
            addition.builds_on, basis.worker
        )));
    }
    match basis.code {
        Some(other) if other != code && addition.events => Err(Statement::Replay.broken(format!(
            "run {run}: its log is of {other:?} code, and {code:?} code appends to it"
        ))),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use rewake_core::time::Timestamp;

    use super::*;

    fn addition(builds_on: Option<u64>) -> Addition {
        Addition {
            scope: ScopeId(0),
            run: RunId::mint(Timestamp::ZERO, 1),
            events: true,
            from_worker: true,
            builds_on: builds_on.map(Position),
            tokens: Vec::new(),
            children: Vec::new(),
        }
    }

    const BASIS: Basis = Basis {
        head: Position(9),
        worker: Position(7),
        code: Some(Code::Right),
    };

    #[test]
    fn an_append_on_what_was_written_last_passes() {
        assert_eq!(
            builds_on(&addition(Some(7)), Some(BASIS), Code::Right),
            Ok(())
        );
    }

    #[test]
    fn an_append_that_builds_on_nothing_or_on_the_past_is_found() {
        for builds in [None, Some(6)] {
            let found = builds_on(&addition(builds), Some(BASIS), Code::Right).unwrap_err();
            assert_eq!(found.statement, Statement::Workers);
        }
    }

    #[test]
    fn an_append_of_changed_code_is_found() {
        let found = builds_on(&addition(Some(7)), Some(BASIS), Code::Changed).unwrap_err();
        assert_eq!(found.statement, Statement::Replay);
    }
}
