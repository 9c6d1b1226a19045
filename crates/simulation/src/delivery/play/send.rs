//! Payloads that are sent to tokens, and what their senders are told.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use rewake_core::time::Timestamp;
use rewake_runtime::{Engine, Posted, Resume, ResumeOrStart};

use super::act::encoded;
use super::{Post, TRIES};
use crate::delivery::model::{Answer, Sent, Way};
use crate::delivery::schedule::{Door, Letter};
use crate::delivery::script::{Told, WORKFLOW};
use crate::outsider::give_up;
use crate::prng::Prng;
use crate::world::{World, lock};

/// Sends a payload; with a key, until it is answered, and then again.
pub(super) async fn send(
    world: &Arc<World>,
    (serial, letter): (u64, &Letter),
    prng: &mut Prng,
    post: &Post,
) {
    let asked_at = world.clock.now();
    let place = {
        let mut post = lock(post);
        post.push(Sent {
            number: serial,
            token: letter.token.to_owned(),
            way: way(&letter.door, (asked_at, asked_at)),
            answers: Vec::new(),
        });
        post.len() - 1
    };
    let mut gives_up_ms = letter.gives_up_ms;
    let mut again = letter.key.map_or(0, u32::from);
    for _ in 0..letter.key.map_or(1, |_| TRIES) {
        let answered = give_up(world, prng, gives_up_ms.take(), |engine| {
            let letter = letter.clone();
            async move { hand_in(&engine, serial, letter).await }.boxed()
        });
        let answer = answered.await.unwrap_or(Answer::Unknown);
        let done = !matches!(answer, Answer::Refused | Answer::Unknown);
        {
            let sent = &mut lock(post)[place];
            // What is answered as before is not taken anew.
            if !sent.answers.iter().any(Answer::is_done) {
                sent.way = way(&letter.door, (asked_at, world.clock.now()));
            }
            sent.answers.push(answer);
        }
        if done && again == 0 {
            return;
        }
        again -= u32::from(done);
        world.clock.sleep(100).await;
    }
}

/// Where the payload may go that was taken between these times.
fn way(door: &Door, (first, last): (u64, u64)) -> Way {
    match door {
        Door::Resume => Way::Resume,
        Door::ResumeOrStart(_) => Way::Admission,
        Door::Post(keep_ms) => {
            let after = |at: u64| Timestamp::from_millis(at.saturating_add(*keep_ms));
            Way::Mail {
                earliest: after(first),
                latest: after(last),
            }
        }
    }
}

async fn hand_in(engine: &Engine, serial: u64, letter: Letter) -> Answer {
    let resume = Resume {
        token: letter.token.to_owned(),
        payload: encoded(&Told {
            number: serial,
            finish: letter.finish,
        }),
        key: letter.key.map(|_| format!("letter-{serial}")),
    };
    let failed = |may_have_happened| {
        if may_have_happened {
            Answer::Unknown
        } else {
            Answer::Refused
        }
    };
    let taken = |run, hook, started| Answer::Taken { run, hook, started };
    match letter.door {
        Door::Resume => match engine.resume(resume).await {
            Ok(Some(hook)) => taken(hook.run_id, hook.hook_id, false),
            Ok(None) => Answer::Nobody,
            Err(error) => failed(error.may_have_happened()),
        },
        Door::ResumeOrStart(script) => {
            let request = ResumeOrStart {
                resume,
                workflow: WORKFLOW.to_owned(),
                input: encoded(&(serial, script)),
            };
            match engine.resume_or_start(request).await {
                Ok(admitted) => taken(admitted.run, admitted.hook.hook_id, admitted.started),
                Err(error) => failed(error.may_have_happened()),
            }
        }
        Door::Post(keep_ms) => {
            let keep_for = Duration::from_millis(keep_ms);
            match engine.post(resume, keep_for).await {
                Ok(Posted::Delivered(hook)) => taken(hook.run_id, hook.hook_id, false),
                Ok(Posted::Kept { until }) => Answer::Kept(until),
                Err(error) => failed(error.may_have_happened()),
            }
        }
    }
}
