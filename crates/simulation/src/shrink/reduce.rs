//! Smaller programs and plainer acts: every candidate is strictly less than what it is made of, so
//! that the search ends.

use crate::fault::{Fault, Site};
use crate::outsider::{Act, Action};
use crate::program::{Op, Program, Script};
use crate::scheduler::ProcessId;

/// How many operations a program has, at every depth.
pub(super) fn ops(program: &Program) -> usize {
    let inner = |op: &Op| op.blocks().into_iter().map(ops).sum::<usize>();
    program.iter().map(|op| 1 + inner(op)).sum()
}

/// The faults without the `gone`th process that they start: its requests' with it, and the later
/// processes are counted anew.
pub(super) fn without_process(faults: &[Fault], gone: ProcessId) -> Vec<Fault> {
    let mut boots = 0;
    let mut left = Vec::new();
    for fault in faults {
        boots += ProcessId::from(fault.is_boot());
        match fault {
            Fault::Step(..) if fault.is_boot() && boots == gone => {}
            Fault::Request(site, _) if site.process == gone => {}
            Fault::Request(site, fate) if site.process > gone => {
                let process = site.process - 1;
                left.push(Fault::Request(
                    Site {
                        process,
                        ..site.clone()
                    },
                    *fate,
                ));
            }
            fault => left.push(fault.clone()),
        }
    }
    left
}

/// The faults with the `nth` at the request before; none where there is none before, or where it is
/// no request's.
pub(super) fn one_request_earlier(faults: &[Fault], nth: usize) -> Option<Vec<Fault>> {
    let mut faults = faults.to_vec();
    match faults.get_mut(nth)? {
        Fault::Request(site, _) => site.nth = site.nth.checked_sub(1)?,
        Fault::Step(..) => return None,
    }
    Some(faults)
}

/// The faults with the `nth` and all after it so much earlier that the steps between it and the fault
/// before are halved; none where there are none between, or where it is at a request.
pub(super) fn sooner(faults: &[Fault], nth: usize) -> Option<Vec<Fault>> {
    let at = |fault: &Fault| match fault {
        Fault::Step(at, _) => Some(*at),
        Fault::Request(..) => None,
    };
    let now = at(faults.get(nth)?)?;
    let before = faults[..nth].iter().filter_map(at).max().unwrap_or(0);
    let by = now.checked_sub(before)?.div_ceil(2);
    let mut faults = faults.to_vec();
    for fault in &mut faults[nth..] {
        if let Fault::Step(at, _) = fault {
            *at = at.saturating_sub(by);
        }
    }
    (by > 0).then_some(faults)
}

/// Programs with one thing less.
pub(super) fn smaller(program: &Program) -> Vec<Program> {
    let mut all = Vec::new();
    for at in 0..program.len() {
        let mut without = program.clone();
        without.remove(at);
        all.push(without);
    }
    for (at, op) in program.iter().enumerate() {
        let with = |ops: Vec<Op>| {
            let mut other = program.clone();
            other.splice(at..=at, ops);
            other
        };
        all.extend(op.blocks().into_iter().cloned().map(with));
        all.extend(plainer_op(op).into_iter().map(|op| with(vec![op])));
        for (nth, block) in op.blocks().into_iter().enumerate() {
            for block in smaller(block) {
                let mut other = op.clone();
                if let Some(place) = other.blocks_mut().into_iter().nth(nth) {
                    *place = block;
                }
                all.push(with(vec![other]));
            }
        }
    }
    all
}

/// The same operation with less in it.
fn plainer_op(op: &Op) -> Vec<Op> {
    match op {
        Op::Step(script) => scripts(script).map(Op::Step).collect(),
        Op::Undo(script) if *script != Script::PLAIN => vec![Op::Undo(Script::PLAIN)],
        Op::UnpolledStep(script) | Op::StepOrSleep(script, _) | Op::Abort(script, _) => {
            vec![Op::Step(script.clone())]
        }
        Op::CrossedSteps(a, b) | Op::TryBoth(a, b) => {
            vec![Op::Step(a.clone()), Op::Step(b.clone())]
        }
        Op::Unordered(scripts) => scripts.iter().cloned().map(Op::Step).collect(),
        Op::Sleep(ms) if *ms > 1 => vec![Op::Sleep(1)],
        Op::SleepUntil(ms) => vec![Op::Sleep(*ms)],
        Op::Hook {
            token,
            expires_ms: Some(_),
        } => vec![Op::Hook {
            token: *token,
            expires_ms: None,
        }],
        Op::Defined(n) | Op::HookInTime(n, _) => vec![Op::Hook {
            token: Some(*n),
            expires_ms: None,
        }],
        Op::Recv(n) if *n > 1 => vec![Op::Recv(n - 1)],
        Op::Stream(n) => vec![Op::Recv(*n)],
        Op::RecvTimeout(_) | Op::RecvOrSleep(_) | Op::RecvBoth => vec![Op::Recv(1)],
        Op::Select(_, ms) => vec![Op::RecvOrSleep(*ms)],
        Op::HookLoop(n, ms) if *n > 1 => vec![Op::HookLoop(n - 1, *ms)],
        Op::Webhook {
            manual,
            by_step,
            requests,
        } => webhooks(*manual, *by_step, *requests),
        Op::Loop(n, body) if *n > 1 => vec![Op::Loop(n - 1, body.clone())],
        Op::Recurse(n, body) if *n > 0 => vec![Op::Recurse(n - 1, body.clone())],
        Op::Children(n, body) if *n > 1 => vec![Op::Children(n - 1, body.clone())],
        Op::Children(_, body) | Op::ChildOrSleep(body, _) | Op::Detached(body) => {
            vec![Op::Child(body.clone())]
        }
        Op::Recurse(_, body) | Op::Child(body) => vec![Op::Nested(body.clone())],
        Op::JoinInTime(_, branches) => vec![Op::Join(branches.clone())],
        Op::Sleep(_)
        | Op::Hook { .. }
        | Op::Recv(_)
        | Op::Close
        | Op::Drop
        | Op::HookLoop(..)
        | Op::Join(_)
        | Op::Race(..)
        | Op::Loop(..)
        | Op::Nested(_)
        | Op::Shield(_)
        | Op::Undo(_)
        | Op::Ask
        | Op::Return
        | Op::Fail
        | Op::Panic => Vec::new(),
    }
}

fn webhooks(manual: bool, by_step: bool, requests: u64) -> Vec<Op> {
    let mut all = Vec::new();
    let mut add = |manual, by_step, requests| {
        all.push(Op::Webhook {
            manual,
            by_step,
            requests,
        });
    };
    if requests > 1 {
        add(manual, by_step, requests - 1);
    }
    if by_step {
        add(manual, false, requests);
    }
    if manual {
        add(false, by_step, requests);
    }
    all
}

fn scripts(script: &Script) -> impl Iterator<Item = Script> {
    let once = Script {
        fails: script.fails.min(1),
        takes_ms: script.takes_ms.min(1),
        ..script.clone()
    };
    let candidates = [Script::PLAIN, once];
    let script = script.clone();
    let is_less = move |other: &Script| *other != script && script != Script::PLAIN;
    candidates.into_iter().filter(is_less)
}

/// The same act with less in it.
pub(super) fn plainer(act: &Act) -> Vec<Act> {
    let mut all = Vec::new();
    if act.after_ms > 0 {
        all.push(Act {
            after_ms: 0,
            ..act.clone()
        });
    }
    let action = match act.action.clone() {
        Action::Start { program, .. } => Action::Start {
            program,
            key: false,
            named: false,
            delay_ms: None,
            gives_up_ms: None,
        },
        Action::Resume { token, .. } => Action::Resume {
            token,
            key: false,
            wrong: false,
            gives_up_ms: None,
        },
        Action::Call { .. } => Action::Call { key: false },
        other @ (Action::Cancel
        | Action::WakeUp
        | Action::Misuse(_)
        | Action::LookUp
        | Action::Await) => other,
    };
    if action != act.action {
        all.push(Act {
            action,
            ..act.clone()
        });
    }
    all
}
