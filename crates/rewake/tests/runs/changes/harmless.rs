//! Changes that replay has nothing to do with: the run goes on under the new code. Each name says what
//! is changed.

use futures::{FutureExt, TryStreamExt};
use rewake::prelude::*;

use super::subject::{Subject, bill, charge, code, held, name_the_build, ship};
use super::{Change, Then, Told};

async fn charge_and_ship(n: u64, m: u64) -> Result<u64, StepError> {
    Ok(charge(n).await? + ship(m).await?)
}

/// The same as a workflow; awaited in another, it is a part of that one's run.
#[workflow]
async fn charges_and_ships(n: u64, m: u64) -> anyhow::Result<u64> {
    Ok(charge_and_ship(n, m).await?)
}

pub(super) static CHANGES: &[Change] = &[
    Change {
        name: "nothing is changed",
        old: code!(|run| {
            let n = charge(1).await?;
            let m = ship(2).await?;
            run.gate(n + m).await
        }),
        new: code!(|run| {
            let n = charge(1).await?;
            let m = ship(2).await?;
            run.gate(n + m).await
        }),
        rests_at: 9,
        told: &[],
        then: Then::GoesOn,
        gives: "201 5",
    },
    Change {
        name: "the body of a step",
        old: code!(|run| {
            let build = name_the_build(run.own()).await?;
            run.gate(build).await
        }),
        new: code!(|run| {
            let build = name_the_build(run.own()).await?;
            run.gate(build).await
        }),
        rests_at: 6,
        told: &[],
        then: Then::GoesOn,
        gives: "old 5",
    },
    Change {
        name: "the body of a step that is under way",
        old: code!(|run| {
            let mut gate = run.hook("gate").await?;
            let n = held().await?;
            Ok(format!("{n} {}", gate.recv().await?))
        }),
        new: code!(|run| {
            let mut gate = run.hook("gate").await?;
            let n = held().await?;
            Ok(format!("new {n} {}", gate.recv().await?))
        }),
        rests_at: 5,
        told: &[],
        then: Then::GoesOn,
        gives: "new 7 5",
    },
    Change {
        name: "the arguments of a step",
        old: code!(|run| {
            let n = charge(1).await?;
            run.gate(n).await
        }),
        new: code!(|run| {
            let n = charge(1_000).await?;
            run.gate(n).await
        }),
        rests_at: 6,
        told: &[],
        then: Then::GoesOn,
        gives: "1 5",
    },
    Change {
        name: "how a step is tried",
        old: code!(|run| {
            let n = charge(1).await?;
            run.gate(n).await
        }),
        new: code!(|run| {
            let tried = charge(1).max_retries(0).timeout(seconds(9));
            let n = tried.backoff(hours(1)).await?;
            run.gate(n).await
        }),
        rests_at: 6,
        told: &[],
        then: Then::GoesOn,
        gives: "1 5",
    },
    Change {
        name: "the length of a sleep that is over",
        old: code!(|run| {
            sleep(seconds(0)).await;
            run.gate(1).await
        }),
        new: code!(|run| {
            sleep(days(30)).await;
            run.gate(1).await
        }),
        rests_at: 5,
        told: &[],
        then: Then::GoesOn,
        gives: "1 5",
    },
    Change {
        name: "the length of a sleep that is open",
        old: code!(|run| {
            let mut gate = run.hook("gate").await?;
            select! {
                n = gate.recv() => Ok(format!("told {}", n?)),
                () = sleep(hours(1)) => Ok("too late".to_owned()),
            }
        }),
        new: code!(|run| {
            let mut gate = run.hook("gate").await?;
            select! {
                n = gate.recv() => Ok(format!("told {}", n?)),
                () = sleep(days(30)) => Ok("too late".to_owned()),
            }
        }),
        rests_at: 4,
        told: &[],
        then: Then::GoesOn,
        gives: "told 5",
    },
    Change {
        name: "a length that becomes a time",
        old: code!(|run| {
            let mut gate = run.hook("gate").await?;
            select! {
                n = gate.recv() => Ok(format!("told {}", n?)),
                () = sleep(hours(1)) => Ok("too late".to_owned()),
            }
        }),
        new: code!(|run| {
            let mut gate = run.hook("gate").await?;
            select! {
                n = gate.recv() => Ok(format!("told {}", n?)),
                () = sleep_until(now() + hours(2)) => Ok("too late".to_owned()),
            }
        }),
        rests_at: 4,
        told: &[],
        then: Then::GoesOn,
        gives: "told 5",
    },
    Change {
        name: "the length of a timeout",
        old: code!(|run| {
            let mut gate = run.hook("gate").await?;
            let told = timeout(hours(1), gate.recv()).await;
            Ok(format!("told {}", told??))
        }),
        new: code!(|run| {
            let mut gate = run.hook("gate").await?;
            let told = timeout(days(30), gate.recv()).await;
            Ok(format!("told {}", told??))
        }),
        rests_at: 4,
        told: &[],
        then: Then::GoesOn,
        gives: "told 5",
    },
    Change {
        name: "a race that becomes a timeout",
        old: code!(|run| {
            let mut gate = run.hook("gate").await?;
            select! {
                n = gate.recv() => Ok(format!("told {}", n?)),
                () = sleep(hours(1)) => Ok("too late".to_owned()),
            }
        }),
        new: code!(|run| {
            let mut gate = run.hook("gate").await?;
            let told = timeout(hours(1), gate.recv()).await;
            Ok(format!("told {}", told??))
        }),
        rests_at: 4,
        told: &[],
        then: Then::GoesOn,
        gives: "told 5",
    },
    Change {
        name: "a race whose branches change places, only one of which is a call",
        old: code!(|run| {
            let mut gate = run.hook("gate").await?;
            select! {
                n = gate.recv() => Ok(format!("told {}", n?)),
                () = sleep(hours(1)) => Ok("too late".to_owned()),
            }
        }),
        new: code!(|run| {
            let mut gate = run.hook("gate").await?;
            select! {
                () = sleep(hours(1)) => Ok("too late".to_owned()),
                n = gate.recv() => Ok(format!("told {}", n?)),
            }
        }),
        rests_at: 4,
        told: &[],
        then: Then::GoesOn,
        gives: "told 5",
    },
    Change {
        name: "names and loops",
        old: code!(|run| {
            let mut sum = 0;
            for n in 0..3 {
                sum += charge(n).await?;
            }
            run.gate(sum).await
        }),
        new: code!(|run| {
            let (mut all, mut at) = (Vec::new(), 0);
            while at < 3 {
                let charged = charge(at).await?;
                all.push(charged);
                at += 1;
            }
            run.gate(all.iter().sum::<u64>()).await
        }),
        rests_at: 12,
        told: &[],
        then: Then::GoesOn,
        gives: "3 5",
    },
    Change {
        name: "a condition that says the same",
        old: code!(|run| {
            let n = charge(1).await?;
            let m = if n < 5 {
                bill(n).await?
            } else {
                ship(n).await?
            };
            run.gate(m).await
        }),
        new: code!(|run| {
            let n = charge(1).await?;
            let m = if n >= 5 {
                ship(n).await?
            } else {
                bill(n).await?
            };
            run.gate(m).await
        }),
        rests_at: 9,
        told: &[],
        then: Then::GoesOn,
        gives: "10 5",
    },
    Change {
        name: "calls moved into a function",
        old: code!(|run| {
            let n = charge(1).await?;
            let m = ship(2).await?;
            run.gate(n + m).await
        }),
        new: code!(|run| {
            let sum = charge_and_ship(1, 2).await?;
            run.gate(sum).await
        }),
        rests_at: 9,
        told: &[],
        then: Then::GoesOn,
        gives: "201 5",
    },
    Change {
        name: "calls moved into a workflow of their own",
        old: code!(|run| {
            let n = charge(1).await?;
            let m = ship(2).await?;
            run.gate(n + m).await
        }),
        new: code!(|run| {
            let sum = charges_and_ships(1, 2).await?;
            run.gate(sum).await
        }),
        rests_at: 9,
        told: &[],
        then: Then::GoesOn,
        gives: "201 5",
    },
    Change {
        name: "a workflow of its own written out",
        old: code!(|run| {
            let sum = charges_and_ships(1, 2).await?;
            run.gate(sum).await
        }),
        new: code!(|run| {
            let n = charge(1).await?;
            let m = ship(2).await?;
            run.gate(n + m).await
        }),
        rests_at: 9,
        told: &[],
        then: Then::GoesOn,
        gives: "201 5",
    },
    Change {
        name: "the metadata of a hook",
        old: code!(|run| {
            let _kept = run.hook("first").await?;
            run.gate(1).await
        }),
        new: code!(|run| {
            let _kept = run.hook("first").metadata("kept").await?;
            run.gate(1).await
        }),
        rests_at: 4,
        told: &[],
        then: Then::GoesOn,
        gives: "1 5",
    },
    Change {
        name: "how long a hook lives",
        old: code!(|run| {
            let _kept = run.hook("first").await?;
            run.gate(1).await
        }),
        new: code!(|run| {
            let _kept = run.hook("first").expires_in(days(1)).await?;
            run.gate(1).await
        }),
        rests_at: 4,
        told: &[],
        then: Then::GoesOn,
        gives: "1 5",
    },
    Change {
        name: "how a webhook answers",
        old: code!(|run| {
            let _kept = create_webhook().await?;
            run.gate(1).await
        }),
        new: code!(|run| {
            let _kept = create_webhook().manual().expires_in(days(1)).await?;
            run.gate(1).await
        }),
        rests_at: 4,
        told: &[],
        then: Then::GoesOn,
        gives: "1 5",
    },
    Change {
        name: "what the payloads of a hook are read as",
        old: code!(|run| {
            let mut gate = run.hook("gate").await?;
            let n: u64 = gate.recv().await?;
            Ok(n.to_string())
        }),
        new: code!(|run| {
            let mut gate = create_hook::<f64>().token(run.token("gate")).await?;
            let n: f64 = gate.recv().await?;
            Ok(format!("{n:.1}"))
        }),
        rests_at: 3,
        told: &[],
        then: Then::GoesOn,
        gives: "5.0",
    },
    Change {
        name: "a hook that is read as a stream",
        old: code!(|run| {
            let mut gate = run.hook("gate").await?;
            Ok(gate.recv().await?.to_string())
        }),
        new: code!(|run| {
            let mut gate = run.hook("gate").await?;
            let n = futures::StreamExt::next(&mut gate).await;
            Ok(n.expect("it is not closed")?.to_string())
        }),
        rests_at: 3,
        told: &[],
        then: Then::GoesOn,
        gives: "5",
    },
    Change {
        name: "a token that is made in another way",
        old: code!(|run| { run.gate(0).await }),
        new: code!(|run| {
            let mut gate = create_hook::<u64>()
                .token([&run.own(), "/", "gate"].concat())
                .await?;
            Ok(format!("0 {}", gate.recv().await?))
        }),
        rests_at: 3,
        told: &[],
        then: Then::GoesOn,
        gives: "0 5",
    },
    Change {
        name: "lines for the log of the application",
        old: code!(|run| {
            let n = charge(1).await?;
            run.gate(n).await
        }),
        new: code!(|run| {
            tracing::info!("about to charge");
            let n = charge(1).await?;
            tracing::debug!(n, "charged");
            run.gate(n).await
        }),
        rests_at: 6,
        told: &[],
        then: Then::GoesOn,
        gives: "1 5",
    },
    Change {
        name: "the time is asked once more",
        old: code!(|run| {
            let n = charge(1).await?;
            run.gate(n).await
        }),
        new: code!(|run| {
            let before = now();
            let n = charge(1).await?;
            assert!(before <= now());
            run.gate(n).await
        }),
        rests_at: 6,
        told: &[],
        then: Then::GoesOn,
        gives: "1 5",
    },
    Change {
        name: "numbers drawn that no call is made of",
        old: code!(|run| {
            let n = charge(1).await?;
            run.gate(n).await
        }),
        new: code!(|run| {
            let _drawn = (random::<u64>(), uuid());
            let n = charge(1).await?;
            run.gate(n).await
        }),
        rests_at: 6,
        told: &[],
        then: Then::GoesOn,
        gives: "1 5",
    },
    Change {
        name: "written calls awaited in another order",
        old: code!(|run| {
            let (a, b) = (charge(1), ship(2));
            let (n, m) = (a.await?, b.await?);
            run.gate(n + m).await
        }),
        new: code!(|run| {
            let (a, b) = (charge(1), ship(2));
            let (m, n) = (b.await?, a.await?);
            run.gate(n + m).await
        }),
        rests_at: 9,
        told: &[],
        then: Then::GoesOn,
        gives: "201 5",
    },
    Change {
        name: "written calls awaited in another order while both are under way",
        old: code!(|run| {
            let mut gate = run.hook("gate").await?;
            let (a, b) = (held(), held());
            let (n, m) = futures::try_join!(a, b)?;
            Ok(format!("{} {}", n + m, gate.recv().await?))
        }),
        new: code!(|run| {
            let mut gate = run.hook("gate").await?;
            let (a, b) = (held(), held());
            let (n, m) = futures::try_join!(b, a)?;
            Ok(format!("{} {}", n + m, gate.recv().await?))
        }),
        rests_at: 7,
        told: &[],
        then: Then::GoesOn,
        gives: "14 5",
    },
    Change {
        name: "steps one after the other that run at the same time",
        old: code!(|run| {
            let n = charge(1).await?;
            let m = ship(2).await?;
            run.gate(n + m).await
        }),
        new: code!(|run| {
            let (n, m) = futures::try_join!(charge(1), ship(2))?;
            run.gate(n + m).await
        }),
        rests_at: 9,
        told: &[],
        then: Then::GoesOn,
        gives: "201 5",
    },
    Change {
        name: "steps at the same time that run one after the other, once they are over",
        old: code!(|run| {
            let (n, m) = futures::try_join!(charge(1), ship(2))?;
            run.gate(n + m).await
        }),
        new: code!(|run| {
            let n = charge(1).await?;
            let m = ship(2).await?;
            run.gate(n + m).await
        }),
        rests_at: 9,
        told: &[],
        then: Then::GoesOn,
        gives: "201 5",
    },
    Change {
        name: "a join that becomes an unordered one",
        old: code!(|run| {
            let (n, m) = futures::try_join!(charge(1), ship(2))?;
            run.gate(n + m).await
        }),
        new: code!(|run| {
            let calls: futures::stream::FuturesUnordered<_> =
                [charge(1).boxed(), ship(2).boxed()].into_iter().collect();
            let all: Vec<u64> = calls.try_collect().await?;
            run.gate(all.iter().sum::<u64>()).await
        }),
        rests_at: 9,
        told: &[],
        then: Then::GoesOn,
        gives: "201 5",
    },
    Change {
        name: "a call that nobody awaits becomes another",
        old: code!(|run| {
            let _written = charge(1);
            run.gate(1).await
        }),
        new: code!(|run| {
            let _written = ship(2);
            run.gate(1).await
        }),
        rests_at: 3,
        told: &[],
        then: Then::GoesOn,
        gives: "1 5",
    },
    Change {
        name: "a call that nobody awaits is put behind everything",
        old: code!(|run| { run.gate(1).await }),
        new: code!(|run| {
            let result = run.gate(1).await;
            let _written = charge(1);
            result
        }),
        rests_at: 3,
        told: &[],
        then: Then::GoesOn,
        gives: "1 5",
    },
    Change {
        name: "a call that nobody awaits is taken away behind everything",
        old: code!(|run| {
            let result = run.gate(1).await;
            let _written = charge(1);
            result
        }),
        new: code!(|run| { run.gate(1).await }),
        rests_at: 3,
        told: &[],
        then: Then::GoesOn,
        gives: "1 5",
    },
    Change {
        name: "a step behind what is on record",
        old: code!(|run| {
            let n = charge(1).await?;
            run.gate(n).await
        }),
        new: code!(|run| {
            let told = {
                let n = charge(1).await?;
                run.gate(n).await?
            };
            Ok(format!("{told} {}", ship(2).await?))
        }),
        rests_at: 6,
        told: &[],
        then: Then::GoesOn,
        gives: "1 5 200",
    },
    Change {
        name: "another end",
        old: code!(|run| {
            let n = charge(1).await?;
            run.gate(n).await
        }),
        new: code!(|run| {
            let told = {
                let n = charge(1).await?;
                run.gate(n).await?
            };
            Ok(told.replace(' ', "-"))
        }),
        rests_at: 6,
        told: &[],
        then: Then::GoesOn,
        gives: "1-5",
    },
    Change {
        name: "an error that is looked at",
        old: code!(|run| {
            let n = charge(1).await?;
            run.gate(n).await
        }),
        new: code!(|run| {
            let n = charge(1).await.unwrap_or_default();
            run.gate(n).await
        }),
        rests_at: 6,
        told: &[],
        then: Then::GoesOn,
        gives: "1 5",
    },
    Change {
        name: "a receiver that was kept is dropped",
        old: code!(|run| {
            let _kept = run.hook("first").await?;
            run.gate(1).await
        }),
        new: code!(|run| {
            drop(run.hook("first").await?);
            run.gate(1).await
        }),
        rests_at: 4,
        told: &[],
        then: Then::GoesOn,
        gives: "1 5",
    },
    Change {
        name: "more payloads are read than before",
        old: code!(|run| {
            let mut first = run.hook("first").await?;
            let n = first.recv().await?;
            run.gate(n).await
        }),
        new: code!(|run| {
            let mut first = run.hook("first").await?;
            let n = first.recv().await? + first.recv().await?;
            run.gate(n).await
        }),
        rests_at: 6,
        told: &[
            Told {
                at: 3,
                hook: "first",
                payload: 1,
            },
            Told {
                at: 5,
                hook: "first",
                payload: 2,
            },
        ],
        then: Then::GoesOn,
        gives: "3 5",
    },
];
