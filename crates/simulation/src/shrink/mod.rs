//! Shrinking: a scenario that fails is cut down to a small one that fails in the same way.
//!
//! What went wrong on purpose is listed first, so that it can be cut one by one; then outsiders,
//! faults, turmoil, settings and programs are cut as long as the same statement stays broken. The
//! search is a function of the scenario: the same seed shrinks to the same case.

mod reduce;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::fault::{Fault, Plan};
use crate::outsider::{Act, Action};
use crate::program::Program;
use crate::scenario::Scenario;
use crate::scheduler::ProcessId;
use crate::simulation::{Failure, Report, Violation, play};
use crate::statement::Statement;

/// So many scenarios are tried at most.
const MOST_TRIES: u32 = 4_000;

/// A small case that breaks a statement.
#[derive(Debug)]
#[non_exhaustive]
pub struct Shrunk {
    /// What does not hold.
    pub statement: Statement,
    /// What was seen.
    pub problem: String,
    /// How many scenarios were tried.
    pub tries: u32,
    /// What happened, line by line.
    pub trace: Vec<String>,
    scenario: Scenario,
}

impl Shrunk {
    /// How many things are done from outside.
    pub fn acts(&self) -> usize {
        self.scenario.acts.len()
    }

    /// How many operations all programs have together.
    pub fn ops(&self) -> usize {
        let programs = self.scenario.acts.iter().filter_map(program_of);
        programs.map(reduce::ops).sum()
    }

    /// How many things go wrong.
    pub fn faults(&self) -> usize {
        listed(&self.scenario).len()
    }

    /// The case as JSON, to be played by [`play_case`].
    ///
    /// # Panics
    ///
    /// Never: a scenario is plain data.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(&self.scenario).expect("a scenario is plain data")
    }
}

impl fmt::Display for Shrunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (acts, ops, faults) = (self.acts(), self.ops(), self.faults());
        writeln!(
            f,
            "a small case ({} tries): {acts} outsiders, {ops} operations, {faults} faults, {} steps of turmoil",
            self.tries, self.scenario.settings.turmoil
        )?;
        writeln!(f, "{}: {}", self.statement, self.problem)?;
        for act in &self.scenario.acts {
            writeln!(
                f,
                "  after {} ms, {}: {:?}",
                act.after_ms, act.serial, act.action
            )?;
        }
        for fault in listed(&self.scenario) {
            writeln!(f, "  {fault:?}")?;
        }
        Ok(())
    }
}

/// Makes the case of a seed that fails small. None where it does not fail.
pub fn shrink(seed: u64) -> Option<Shrunk> {
    smallest(Scenario::of(seed))
}

/// Plays a case that was written as JSON, traced.
///
/// # Errors
///
/// [`Violation`] where something must not be; it says so too where the text is no case.
pub fn play_case(json: &str) -> Result<Report, Box<Violation>> {
    let read: Result<Scenario, _> = serde_json::from_str(json);
    let scenario = read.map_err(|error| {
        Box::new(Violation {
            seed: 0,
            statement: Statement::Order,
            problem: format!("this is no case: {error}"),
            trace: Vec::new(),
        })
    })?;
    play(&scenario, true).map_err(|failure| Box::new(Violation::of(scenario.seed, *failure)))
}

pub(crate) fn smallest(scenario: Scenario) -> Option<Shrunk> {
    let failure = *play(&scenario, false).err()?;
    let mut search = Search {
        best: scenario,
        failure,
        tries: 1,
    };
    search.list_faults();
    while search.pass() {}
    let Search { best, tries, .. } = search;
    let failure = *play(&best, true).err()?;
    Some(Shrunk {
        statement: failure.problem.statement,
        problem: failure.problem.text,
        tries,
        trace: failure.trace,
        scenario: best,
    })
}

struct Search {
    best: Scenario,
    failure: Failure,
    tries: u32,
}

impl Search {
    /// True where the candidate fails in the same way; it is the best one then.
    fn accepts(&mut self, candidate: Scenario) -> bool {
        if self.tries >= MOST_TRIES {
            return false;
        }
        self.tries += 1;
        match play(&candidate, false) {
            Err(failure) if failure.problem.statement == self.failure.problem.statement => {
                self.best = candidate;
                self.failure = *failure;
                true
            }
            Err(_) | Ok(_) => false,
        }
    }

    fn with(&mut self, change: impl FnOnce(&mut Scenario)) -> bool {
        let mut candidate = self.best.clone();
        change(&mut candidate);
        self.accepts(candidate)
    }

    /// From now on the faults are those that happened, and can be cut.
    fn list_faults(&mut self) {
        let faults = self.failure.faults.clone();
        self.with(|scenario| scenario.plan = Plan::Listed(faults));
    }

    /// Goes through all that can be cut; true where something was.
    fn pass(&mut self) -> bool {
        let mut cut = self.cut(
            |scenario| scenario.acts.clone(),
            |scenario, acts| scenario.acts = acts,
        );
        if matches!(self.best.plan, Plan::Listed(_)) {
            cut |= self.cut(
                |scenario| listed(scenario).to_vec(),
                |scenario, faults| scenario.plan = Plan::Listed(faults),
            );
        }
        cut |= self.processes();
        cut |= self.faults_sooner();
        cut |= self.acts_before_faults();
        cut |= self.turmoil();
        cut |= self.settings();
        for place in 0..self.best.acts.len() {
            cut |= self.act(place);
            cut |= self.program(place);
        }
        cut
    }

    /// Cuts a list of the scenario.
    fn cut<T: Clone>(
        &mut self,
        get: impl FnOnce(&Scenario) -> Vec<T>,
        set: impl Fn(&mut Scenario, Vec<T>),
    ) -> bool {
        let mut list = get(&self.best);
        cut(&mut list, |shorter| {
            self.with(|scenario| set(scenario, shorter))
        })
    }

    /// Cuts acts that only stay because their requests are counted: the request that goes wrong is one
    /// of the same name earlier then.
    fn acts_before_faults(&mut self) -> bool {
        let mut cut = false;
        let mut at = 0;
        while at < self.best.acts.len() {
            let faults = listed(&self.best).len();
            let accepted = (0..faults).any(|nth| {
                let Some(faults) = reduce::one_request_earlier(listed(&self.best), nth) else {
                    return false;
                };
                self.with(|scenario| {
                    scenario.acts.remove(at);
                    scenario.plan = Plan::Listed(faults);
                })
            });
            cut |= accepted;
            at += usize::from(!accepted);
        }
        cut
    }

    /// Has processes come and go sooner, so that no acts have to stay only to fill the time.
    fn faults_sooner(&mut self) -> bool {
        let mut cut = false;
        let mut nth = 0;
        while nth < listed(&self.best).len() {
            let sooner = reduce::sooner(listed(&self.best), nth);
            let accepted = sooner
                .is_some_and(|faults| self.with(|scenario| scenario.plan = Plan::Listed(faults)));
            cut |= accepted;
            nth += usize::from(!accepted);
        }
        cut
    }

    /// Cuts processes out: the start of one with all that goes wrong with its requests. Those after it
    /// move up.
    fn processes(&mut self) -> bool {
        let mut cut = false;
        let mut gone = 1;
        while gone <= boots(listed(&self.best)) {
            let fewer = reduce::without_process(listed(&self.best), gone);
            if self.with(|scenario| scenario.plan = Plan::Listed(fewer)) {
                cut = true;
            } else {
                gone += 1;
            }
        }
        cut
    }

    fn turmoil(&mut self) -> bool {
        let mut cut = false;
        while self.best.settings.turmoil > 0 {
            let turmoil = self.best.settings.turmoil;
            let shorter = [0, turmoil / 2, turmoil - turmoil.div_ceil(8)];
            let shorter = shorter.into_iter().find(|shorter| {
                *shorter < turmoil && self.with(|scenario| scenario.settings.turmoil = *shorter)
            });
            if shorter.is_none() {
                return cut;
            }
            cut = true;
        }
        cut
    }

    fn settings(&mut self) -> bool {
        let settings = self.best.settings.clone();
        let mut cut = false;
        if settings.spread > 0 {
            cut |= self.with(|scenario| scenario.settings.spread = 0);
        }
        if settings.late > 0 {
            cut |= self.with(|scenario| scenario.settings.late = 0);
        }
        if settings.skew > 0 {
            cut |= self.with(|scenario| scenario.settings.skew = 0);
        }
        cut
    }

    fn act(&mut self, place: usize) -> bool {
        let mut cut = false;
        for plainer in reduce::plainer(&self.best.acts[place]) {
            cut |= self.with(|scenario| scenario.acts[place] = plainer);
        }
        cut
    }

    fn program(&mut self, place: usize) -> bool {
        let mut cut = false;
        let mut nth = 0;
        loop {
            let Some(program) = program_of(&self.best.acts[place]) else {
                return cut;
            };
            let Some(smaller) = reduce::smaller(program).into_iter().nth(nth) else {
                return cut;
            };
            let accepted = self.with(|scenario| {
                if let Action::Start { program, .. } = &mut scenario.acts[place].action {
                    *program = smaller;
                }
            });
            if accepted {
                cut = true;
            } else {
                nth += 1;
            }
        }
    }
}

/// How many processes are started by faults.
fn boots(faults: &[Fault]) -> ProcessId {
    let boots = faults.iter().filter(|fault| fault.is_boot()).count();
    ProcessId::try_from(boots).unwrap_or(ProcessId::MAX)
}

/// Cuts a list as long as the rest still fails: first halves, then smaller pieces, at last one by
/// one. True where something was cut.
pub(crate) fn cut<T: Clone>(list: &mut Vec<T>, mut fails: impl FnMut(Vec<T>) -> bool) -> bool {
    let before = list.len();
    let mut size = before;
    while size > 0 {
        let mut at = 0;
        while at < list.len() {
            let mut shorter = list.clone();
            shorter.drain(at..(at + size).min(list.len()));
            if fails(shorter.clone()) {
                *list = shorter;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    list.len() < before
}

fn listed(scenario: &Scenario) -> &[Fault] {
    match &scenario.plan {
        Plan::Listed(faults) => faults,
        Plan::Drawn => &[],
    }
}

const fn program_of(act: &Act) -> Option<&Program> {
    match &act.action {
        Action::Start { program, .. } => Some(program),
        Action::Resume { .. }
        | Action::Call { .. }
        | Action::Cancel
        | Action::WakeUp
        | Action::Misuse(_)
        | Action::LookUp
        | Action::Await => None,
    }
}
