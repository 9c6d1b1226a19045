//! Child runs: how a workflow starts them, and what it hears of them.

use futures_util::future::join_all;
use rewake::StartChild;
use rewake::prelude::*;

use super::notes::{Notes, Seen};
use super::{CHILD, millis, simulated};
use crate::program::{Op, Program};

fn call(body: &Program) -> StartChild<Vec<Seen>> {
    start_child(simulated(CHILD, body.clone()))
}

pub(super) async fn perform(op: &Op, notes: &Notes) {
    match op {
        Op::Child(body) => note(&call(body).await, notes),
        Op::Children(times, body) => {
            let calls = (0..*times).map(|_| call(body));
            for ended in join_all(calls).await {
                note(&ended, notes);
            }
        }
        Op::ChildOrSleep(body, ms) => select! {
            ended = call(body) => note(&ended, notes),
            () = sleep(millis(*ms)) => notes.note(Seen::Woke),
        },
        Op::Detached(body) => {
            let child = call(body).detach().await;
            let child = child.map_or_else(|error| error.to_string(), |child| child.to_string());
            notes.note(Seen::LetGo(child));
        }
        _ => unreachable!("another operation"),
    }
}

fn note(ended: &Result<Vec<Seen>, RunError>, notes: &Notes) {
    notes.note(Seen::Child(match ended {
        Ok(seen) => format!("saw {} things", seen.len()),
        Err(error) => error.to_string(),
    }));
}
