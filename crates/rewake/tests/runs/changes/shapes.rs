//! Changes of what a workflow calls, and in which order it is written. Each is reported.

use rewake::prelude::*;

use super::subject::{Subject, bill, charge, code, held, ship};
use super::{Change, Then, Told};

pub(super) static CHANGES: &[Change] = &[
    Change {
        name: "a step is renamed",
        old: code!(|run| {
            let n = charge(1).await?;
            run.gate(n).await
        }),
        new: code!(|run| {
            let n = bill(1).await?;
            run.gate(n).await
        }),
        rests_at: 6,
        told: &[],
        then: Then::Parts {
            at: 3,
            log_has: "step `charge`",
            workflow: "asked for step `bill`",
        },
        gives: "1 5",
    },
    Change {
        name: "the first of two steps is taken out",
        old: code!(|run| {
            let n = charge(1).await?;
            let m = ship(2).await?;
            run.gate(n + m).await
        }),
        new: code!(|run| {
            let m = ship(2).await?;
            run.gate(m).await
        }),
        rests_at: 9,
        told: &[],
        then: Then::Parts {
            at: 3,
            log_has: "step `charge`",
            workflow: "asked for step `ship`",
        },
        gives: "201 5",
    },
    Change {
        name: "the last of two steps is taken out",
        old: code!(|run| {
            let n = charge(1).await?;
            let m = ship(2).await?;
            run.gate(n + m).await
        }),
        new: code!(|run| {
            let n = charge(1).await?;
            run.gate(n).await
        }),
        rests_at: 9,
        told: &[],
        then: Then::Parts {
            at: 6,
            log_has: "step `ship`",
            workflow: "asked for a hook with token `OWN/gate`",
        },
        gives: "201 5",
    },
    Change {
        name: "a step is put in front",
        old: code!(|run| {
            let n = charge(1).await?;
            run.gate(n).await
        }),
        new: code!(|run| {
            let m = ship(2).await?;
            let n = charge(1).await?;
            run.gate(n + m).await
        }),
        rests_at: 6,
        told: &[],
        then: Then::Parts {
            at: 3,
            log_has: "step `charge`",
            workflow: "asked for step `ship`",
        },
        gives: "1 5",
    },
    Change {
        name: "a step is put in between",
        old: code!(|run| {
            let n = charge(1).await?;
            run.gate(n).await
        }),
        new: code!(|run| {
            let n = charge(1).await?;
            let m = ship(2).await?;
            run.gate(n + m).await
        }),
        rests_at: 6,
        told: &[],
        then: Then::Parts {
            at: 6,
            log_has: "a hook with token `OWN/gate`",
            workflow: "asked for step `ship`",
        },
        gives: "1 5",
    },
    Change {
        name: "two steps change places",
        old: code!(|run| {
            let n = charge(1).await?;
            let m = ship(2).await?;
            run.gate(n + m).await
        }),
        new: code!(|run| {
            let m = ship(2).await?;
            let n = charge(1).await?;
            run.gate(n + m).await
        }),
        rests_at: 9,
        told: &[],
        then: Then::Parts {
            at: 3,
            log_has: "step `charge`",
            workflow: "asked for step `ship`",
        },
        gives: "201 5",
    },
    Change {
        name: "a step becomes a sleep",
        old: code!(|run| {
            let n = charge(1).await?;
            run.gate(n).await
        }),
        new: code!(|run| {
            sleep(seconds(0)).await;
            run.gate(1).await
        }),
        rests_at: 6,
        told: &[],
        then: Then::Parts {
            at: 3,
            log_has: "step `charge`",
            workflow: "asked for a sleep",
        },
        gives: "1 5",
    },
    Change {
        name: "a step becomes a hook",
        old: code!(|run| {
            let n = charge(1).await?;
            run.gate(n).await
        }),
        new: code!(|run| {
            let mut other = run.hook("other").await?;
            run.gate(other.recv().await?).await
        }),
        rests_at: 6,
        told: &[],
        then: Then::Parts {
            at: 3,
            log_has: "step `charge`",
            workflow: "asked for a hook with token `OWN/other`",
        },
        gives: "1 5",
    },
    Change {
        name: "steps at the same time become one after the other while the first is under way",
        old: code!(|run| {
            let mut gate = run.hook("gate").await?;
            let (n, m) = futures::try_join!(held(), charge(2))?;
            Ok(format!("{n} {m} {}", gate.recv().await?))
        }),
        new: code!(|run| {
            let mut gate = run.hook("gate").await?;
            let (n, m) = (held().await?, charge(2).await?);
            Ok(format!("{n} {m} {}", gate.recv().await?))
        }),
        rests_at: 8,
        told: &[],
        then: Then::Parts {
            at: 5,
            log_has: "step `charge`",
            workflow: "waits without having asked for it",
        },
        gives: "7 2 5",
    },
    Change {
        name: "a loop makes one round less",
        old: code!(|run| {
            let mut sum = 0;
            for n in 0..3 {
                sum += charge(n).await?;
            }
            run.gate(sum).await
        }),
        new: code!(|run| {
            let mut sum = 0;
            for n in 0..2 {
                sum += charge(n).await?;
            }
            run.gate(sum).await
        }),
        rests_at: 12,
        told: &[],
        then: Then::Parts {
            at: 9,
            log_has: "step `charge`",
            workflow: "asked for a hook with token `OWN/gate`",
        },
        gives: "3 5",
    },
    Change {
        name: "a loop makes one round more",
        old: code!(|run| {
            let mut sum = 0;
            for n in 0..2 {
                sum += charge(n).await?;
            }
            run.gate(sum).await
        }),
        new: code!(|run| {
            let mut sum = 0;
            for n in 0..3 {
                sum += charge(n).await?;
            }
            run.gate(sum).await
        }),
        rests_at: 9,
        told: &[],
        then: Then::Parts {
            at: 9,
            log_has: "a hook with token `OWN/gate`",
            workflow: "asked for step `charge`",
        },
        gives: "1 5",
    },
    Change {
        name: "the other branch is taken",
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
            let m = if n > 5 {
                bill(n).await?
            } else {
                ship(n).await?
            };
            run.gate(m).await
        }),
        rests_at: 9,
        told: &[],
        then: Then::Parts {
            at: 6,
            log_has: "step `bill`",
            workflow: "asked for step `ship`",
        },
        gives: "10 5",
    },
    Change {
        name: "a call that was awaited is only written",
        old: code!(|run| {
            let n = charge(1).await?;
            run.gate(n).await
        }),
        new: code!(|run| {
            let _written = charge(1);
            run.gate(1).await
        }),
        rests_at: 6,
        told: &[],
        then: Then::Parts {
            at: 3,
            log_has: "step `charge`",
            workflow: "came to its end",
        },
        gives: "1 5",
    },
    Change {
        name: "a call that was only written is awaited",
        old: code!(|run| {
            let _written = charge(1);
            run.gate(1).await
        }),
        new: code!(|run| {
            let n = charge(1).await?;
            run.gate(n).await
        }),
        rests_at: 3,
        told: &[],
        then: Then::Parts {
            at: 3,
            log_has: "a hook with token `OWN/gate`",
            workflow: "asked for step `charge`",
        },
        gives: "1 5",
    },
    Change {
        name: "a call that nobody awaits is put in front",
        old: code!(|run| { run.gate(1).await }),
        new: code!(|run| {
            let _written = charge(1);
            run.gate(1).await
        }),
        rests_at: 3,
        told: &[],
        then: Then::Parts {
            at: 3,
            log_has: "a hook with token `OWN/gate`",
            workflow: "asked for the same in another place: a call before it was put in or taken out",
        },
        gives: "1 5",
    },
    Change {
        name: "a call that nobody awaits is taken away in front",
        old: code!(|run| {
            let _written = charge(1);
            run.gate(1).await
        }),
        new: code!(|run| { run.gate(1).await }),
        rests_at: 3,
        told: &[],
        then: Then::Parts {
            at: 3,
            log_has: "a hook with token `OWN/gate`",
            workflow: "asked for the same in another place: a call before it was put in or taken out",
        },
        gives: "1 5",
    },
    Change {
        name: "a step is put in the middle of a join",
        old: code!(|run| {
            let (n, m) = futures::try_join!(charge(1), ship(2))?;
            run.gate(n + m).await
        }),
        new: code!(|run| {
            let (n, k, m) = futures::try_join!(charge(1), bill(3), ship(2))?;
            run.gate(n + k + m).await
        }),
        rests_at: 9,
        told: &[],
        then: Then::Parts {
            at: 4,
            log_has: "step `ship`",
            workflow: "asked for step `bill`",
        },
        gives: "201 5",
    },
    Change {
        name: "the steps of a join change places",
        old: code!(|run| {
            let (n, m) = futures::try_join!(charge(1), ship(2))?;
            run.gate(n + m).await
        }),
        new: code!(|run| {
            let (m, n) = futures::try_join!(ship(2), charge(1))?;
            run.gate(n + m).await
        }),
        rests_at: 9,
        told: &[],
        then: Then::Parts {
            at: 3,
            log_has: "step `charge`",
            workflow: "asked for step `ship`",
        },
        gives: "201 5",
    },
    Change {
        name: "the workflow ends too early",
        old: code!(|run| {
            let n = charge(1).await?;
            run.gate(n).await
        }),
        new: code!(|run| {
            let n = charge(1).await?;
            Ok(format!("{run:?} {n}"))
        }),
        rests_at: 6,
        told: &[],
        then: Then::Parts {
            at: 6,
            log_has: "a hook with token `OWN/gate`",
            workflow: "came to its end",
        },
        gives: "1 5",
    },
    Change {
        name: "the workflow fails too early",
        old: code!(|run| {
            let n = charge(1).await?;
            run.gate(n).await
        }),
        new: code!(|run| {
            let n = charge(1).await?;
            anyhow::bail!("{run:?} {n}")
        }),
        rests_at: 6,
        told: &[],
        then: Then::Parts {
            at: 6,
            log_has: "a hook with token `OWN/gate`",
            workflow: "came to its end",
        },
        gives: "1 5",
    },
    Change {
        name: "the workflow waits for nothing that is on record",
        old: code!(|run| {
            let n = charge(1).await?;
            run.gate(n).await
        }),
        new: code!(|run| {
            let n = charge(1).await?;
            std::future::pending::<()>().await;
            run.gate(n).await
        }),
        rests_at: 6,
        told: &[],
        then: Then::Parts {
            at: 6,
            log_has: "a hook with token `OWN/gate`",
            workflow: "waits without having asked for it",
        },
        gives: "1 5",
    },
    Change {
        name: "a sleep is put in front",
        old: code!(|run| { run.gate(1).await }),
        new: code!(|run| {
            sleep(seconds(0)).await;
            run.gate(1).await
        }),
        rests_at: 3,
        told: &[],
        then: Then::Parts {
            at: 3,
            log_has: "a hook with token `OWN/gate`",
            workflow: "asked for a sleep",
        },
        gives: "1 5",
    },
    Change {
        name: "a sleep is taken out",
        old: code!(|run| {
            sleep(seconds(0)).await;
            run.gate(1).await
        }),
        new: code!(|run| { run.gate(1).await }),
        rests_at: 5,
        told: &[],
        then: Then::Parts {
            at: 3,
            log_has: "a sleep",
            workflow: "asked for a hook with token `OWN/gate`",
        },
        gives: "1 5",
    },
    Change {
        name: "a sleep becomes a step",
        old: code!(|run| {
            sleep(seconds(0)).await;
            run.gate(1).await
        }),
        new: code!(|run| {
            let n = charge(1).await?;
            run.gate(n).await
        }),
        rests_at: 5,
        told: &[],
        then: Then::Parts {
            at: 3,
            log_has: "a sleep",
            workflow: "asked for step `charge`",
        },
        gives: "1 5",
    },
    Change {
        name: "a timeout is put around a step",
        old: code!(|run| {
            let n = charge(1).await?;
            run.gate(n).await
        }),
        new: code!(|run| {
            let n = timeout(hours(1), charge(1)).await??;
            run.gate(n).await
        }),
        rests_at: 6,
        told: &[],
        then: Then::Parts {
            at: 6,
            log_has: "a hook with token `OWN/gate`",
            workflow: "asked for a sleep",
        },
        gives: "1 5",
    },
    Change {
        name: "a timeout is taken away from a step",
        old: code!(|run| {
            let n = timeout(hours(1), charge(1)).await??;
            run.gate(n).await
        }),
        new: code!(|run| {
            let n = charge(1).await?;
            run.gate(n).await
        }),
        rests_at: 8,
        told: &[],
        then: Then::Parts {
            at: 4,
            log_has: "a sleep",
            workflow: "asked for a hook with token `OWN/gate`",
        },
        gives: "1 5",
    },
    Change {
        name: "a sleep that lost a race is kept",
        old: code!(|run| {
            let mut first = run.hook("first").await?;
            let n = select! {
                n = first.recv() => n?,
                () = sleep(hours(1)) => 0,
            };
            run.gate(n).await
        }),
        new: code!(|run| {
            let mut first = run.hook("first").await?;
            let mut nap = sleep(hours(1));
            let n = select! {
                n = first.recv() => n?,
                () = &mut nap => 0,
            };
            let mut gate = run.hook("gate").await?;
            let sum = n + gate.recv().await? + gate.recv().await?;
            drop(nap);
            Ok(sum.to_string())
        }),
        rests_at: 7,
        told: &[Told {
            at: 4,
            hook: "first",
            payload: 1,
        }],
        then: Then::Parts {
            at: 6,
            log_has: "a sleep given up",
            workflow: "waits without having asked for it",
        },
        gives: "1 5",
    },
    Change {
        name: "the calls of a race change places",
        old: code!(|run| {
            let n = select! {
                n = charge(1) => n?,
                () = sleep(hours(1)) => 0,
            };
            run.gate(n).await
        }),
        new: code!(|run| {
            let n = select! {
                () = sleep(hours(1)) => 0,
                n = charge(1) => n?,
            };
            run.gate(n).await
        }),
        rests_at: 8,
        told: &[],
        then: Then::Parts {
            at: 3,
            log_has: "step `charge`",
            workflow: "asked for a sleep",
        },
        gives: "1 5",
    },
];
