//! A schedule that the model does not accept, made small: what goes wrong is listed, and then acts,
//! faults, lines of scripts and the disorder of the world are cut as long as it still fails.

use std::fmt::Write;

use super::Undelivered;
use super::play::play;
use super::schedule::Schedule;
use crate::fault::Plan;
use crate::shrink::cut;

pub(super) fn smallest(mut schedule: Schedule) -> Undelivered {
    let seed = schedule.scenario.seed;
    let fails = |schedule: &Schedule| play(schedule, false).is_err();
    if let Err(failure) = play(&schedule, false) {
        let mut listed = schedule.clone();
        listed.scenario.plan = Plan::Listed(failure.faults);
        if fails(&listed) {
            schedule = listed;
        }
    }
    while pass(&mut schedule, fails) {}
    let (problem, trace) = match play(&schedule, true) {
        Err(failure) => (failure.problem.text, failure.trace),
        Ok(_) => ("it failed once and never again".to_owned(), Vec::new()),
    };
    Undelivered {
        seed,
        problem,
        small: told(&schedule),
        trace,
    }
}

fn pass(schedule: &mut Schedule, fails: impl Fn(&Schedule) -> bool) -> bool {
    let with = |change: &dyn Fn(&mut Schedule)| {
        let mut other = schedule.clone();
        change(&mut other);
        fails(&other).then_some(other)
    };
    let mut acts = schedule.acts.clone();
    if cut(&mut acts, |acts| {
        with(&|schedule| schedule.acts.clone_from(&acts)).is_some()
    }) {
        schedule.acts = acts;
        return true;
    }
    if let Plan::Listed(mut faults) = schedule.scenario.plan.clone()
        && cut(&mut faults, |faults| {
            with(&|schedule| schedule.scenario.plan = Plan::Listed(faults.clone())).is_some()
        })
    {
        schedule.scenario.plan = Plan::Listed(faults);
        return true;
    }
    let mut shorter = (0..schedule.acts.len()).filter_map(|nth| cut_script(schedule, nth, &fails));
    if let Some(shorter) = shorter.next() {
        *schedule = shorter;
        return true;
    }
    let settings = &schedule.scenario.settings;
    if (settings.spread, settings.late, settings.skew) == (0, 0, 0) {
        return false;
    }
    let calmer = with(&|schedule| {
        let settings = &mut schedule.scenario.settings;
        (settings.spread, settings.late, settings.skew) = (0, 0, 0);
    });
    calmer.map(|calmer| *schedule = calmer).is_some()
}

/// The schedule with fewer lines in the script that an act brings, where it still fails.
fn cut_script(
    schedule: &Schedule,
    nth: usize,
    fails: impl Fn(&Schedule) -> bool,
) -> Option<Schedule> {
    let mut shorter = schedule.clone();
    let mut lines = shorter.acts[nth].deed.script_mut()?.clone();
    let was_cut = cut(&mut lines, |lines| {
        let mut other = schedule.clone();
        if let Some(script) = other.acts[nth].deed.script_mut() {
            *script = lines;
        }
        fails(&other)
    });
    *shorter.acts[nth].deed.script_mut()? = lines;
    was_cut.then_some(shorter)
}

fn told(schedule: &Schedule) -> String {
    let mut text = String::new();
    for act in &schedule.acts {
        // Writing to a text does not fail.
        let _written = writeln!(
            text,
            "  after {} ms, {}: {:?}",
            act.after_ms, act.serial, act.deed
        );
    }
    if let Plan::Listed(faults) = &schedule.scenario.plan {
        for fault in faults {
            let _written = writeln!(text, "  {fault:?}");
        }
    }
    text
}
