//! Changes of the hooks that a workflow asks for, and of what it does with them. Each is reported.

use rewake::prelude::*;

use super::subject::{Subject, charge, code, ship};
use super::{Change, Then, Told};

pub(super) static CHANGES: &[Change] = &[
    Change {
        name: "a token is another",
        old: code!(|run| {
            let _kept = run.hook("first").await?;
            run.gate(1).await
        }),
        new: code!(|run| {
            let _kept = run.hook("second").await?;
            run.gate(1).await
        }),
        rests_at: 4,
        told: &[],
        then: Then::Parts {
            at: 3,
            log_has: "a hook with token `OWN/first`",
            workflow: "asked for a hook with token `OWN/second`",
        },
        gives: "1 5",
    },
    Change {
        name: "a token that was chosen is drawn",
        old: code!(|run| {
            let _kept = run.hook("first").await?;
            run.gate(1).await
        }),
        new: code!(|run| {
            let _kept = create_hook::<u64>().await?;
            run.gate(1).await
        }),
        rests_at: 4,
        told: &[],
        then: Then::Parts {
            at: 3,
            log_has: "a hook with token `OWN/first`",
            workflow: "asked for a hook with a random token",
        },
        gives: "1 5",
    },
    Change {
        name: "a token that was drawn is chosen",
        old: code!(|run| {
            let _kept = create_hook::<u64>().await?;
            run.gate(1).await
        }),
        new: code!(|run| {
            let _kept = run.hook("first").await?;
            run.gate(1).await
        }),
        rests_at: 4,
        told: &[],
        then: Then::Parts {
            at: 3,
            log_has: "a hook with a random token",
            workflow: "asked for a hook with token `OWN/first`",
        },
        gives: "1 5",
    },
    Change {
        name: "a hook becomes a webhook",
        old: code!(|run| {
            let _kept = create_hook::<u64>().await?;
            run.gate(1).await
        }),
        new: code!(|run| {
            let _kept = create_webhook().await?;
            run.gate(1).await
        }),
        rests_at: 4,
        told: &[],
        then: Then::Parts {
            at: 3,
            log_has: "a hook with a random token",
            workflow: "asked for a webhook",
        },
        gives: "1 5",
    },
    Change {
        name: "a webhook becomes a hook",
        old: code!(|run| {
            let _kept = create_webhook().await?;
            run.gate(1).await
        }),
        new: code!(|run| {
            let _kept = create_hook::<u64>().await?;
            run.gate(1).await
        }),
        rests_at: 4,
        told: &[],
        then: Then::Parts {
            at: 3,
            log_has: "a webhook",
            workflow: "asked for a hook with a random token",
        },
        gives: "1 5",
    },
    Change {
        name: "a hook becomes a step",
        old: code!(|run| {
            let _kept = run.hook("first").await?;
            run.gate(1).await
        }),
        new: code!(|run| {
            let n = charge(1).await?;
            run.gate(n).await
        }),
        rests_at: 4,
        told: &[],
        then: Then::Parts {
            at: 3,
            log_has: "a hook with token `OWN/first`",
            workflow: "asked for step `charge`",
        },
        gives: "1 5",
    },
    Change {
        name: "a hook is taken out",
        old: code!(|run| {
            let _kept = run.hook("first").await?;
            run.gate(1).await
        }),
        new: code!(|run| { run.gate(1).await }),
        rests_at: 4,
        told: &[],
        then: Then::Parts {
            at: 3,
            log_has: "a hook with token `OWN/first`",
            workflow: "asked for a hook with token `OWN/gate`",
        },
        gives: "1 5",
    },
    Change {
        name: "a hook is put in front",
        old: code!(|run| { run.gate(1).await }),
        new: code!(|run| {
            let _kept = run.hook("first").await?;
            run.gate(1).await
        }),
        rests_at: 3,
        told: &[],
        then: Then::Parts {
            at: 3,
            log_has: "a hook with token `OWN/gate`",
            workflow: "asked for a hook with token `OWN/first`",
        },
        gives: "1 5",
    },
    Change {
        name: "a receiver that was dropped is kept",
        old: code!(|run| {
            drop(run.hook("first").await?);
            run.gate(1).await
        }),
        new: code!(|run| {
            let _kept = run.hook("first").await?;
            let mut gate = run.hook("gate").await?;
            let sum = gate.recv().await? + gate.recv().await?;
            Ok(sum.to_string())
        }),
        rests_at: 5,
        told: &[],
        then: Then::Parts {
            at: 4,
            log_has: "a hook dropped",
            workflow: "waits without having asked for it",
        },
        gives: "1 5",
    },
    Change {
        name: "a receiver that was closed is dropped",
        old: code!(|run| {
            let mut first = run.hook("first").await?;
            first.close().await;
            drop(first);
            run.gate(1).await
        }),
        new: code!(|run| {
            drop(run.hook("first").await?);
            run.gate(1).await
        }),
        rests_at: 5,
        told: &[],
        then: Then::Parts {
            at: 4,
            log_has: "a hook closed",
            workflow: "asked for a hook dropped",
        },
        gives: "1 5",
    },
    Change {
        name: "a receiver that was dropped is closed",
        old: code!(|run| {
            drop(run.hook("first").await?);
            run.gate(1).await
        }),
        new: code!(|run| {
            let mut first = run.hook("first").await?;
            first.close().await;
            drop(first);
            run.gate(1).await
        }),
        rests_at: 5,
        told: &[],
        then: Then::Parts {
            at: 4,
            log_has: "a hook dropped",
            workflow: "asked for a hook closed",
        },
        gives: "1 5",
    },
    Change {
        name: "a receiver that was kept is closed",
        old: code!(|run| {
            let _kept = run.hook("first").await?;
            run.gate(1).await
        }),
        new: code!(|run| {
            let mut first = run.hook("first").await?;
            first.close().await;
            drop(first);
            run.gate(1).await
        }),
        rests_at: 4,
        told: &[],
        then: Then::Parts {
            at: 4,
            log_has: "a hook with token `OWN/gate`",
            workflow: "asked for a hook closed",
        },
        gives: "1 5",
    },
    Change {
        name: "fewer payloads are read",
        old: code!(|run| {
            let mut first = run.hook("first").await?;
            let n = first.recv().await? + first.recv().await?;
            run.gate(n).await
        }),
        new: code!(|run| {
            let mut first = run.hook("first").await?;
            let n = first.recv().await?;
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
                at: 4,
                hook: "first",
                payload: 2,
            },
        ],
        then: Then::Parts {
            at: 6,
            log_has: "payload 2 of the hook with token `OWN/first` read",
            workflow: "came to its end",
        },
        gives: "3 5",
    },
    Change {
        name: "fewer payloads are read, and what follows is another",
        old: code!(|run| {
            let mut first = run.hook("first").await?;
            let n = first.recv().await? + first.recv().await?;
            let m = charge(n).await?;
            run.gate(m).await
        }),
        new: code!(|run| {
            let mut first = run.hook("first").await?;
            let n = first.recv().await?;
            let m = charge(n).await?;
            let k = ship(m).await?;
            run.gate(k).await
        }),
        rests_at: 9,
        told: &[
            Told {
                at: 3,
                hook: "first",
                payload: 1,
            },
            Told {
                at: 4,
                hook: "first",
                payload: 2,
            },
        ],
        then: Then::Parts {
            at: 6,
            log_has: "payload 2 of the hook with token `OWN/first` read",
            workflow: "waits without having asked for it",
        },
        gives: "3 5",
    },
    Change {
        name: "another hook is read",
        old: code!(|run| {
            let mut first = run.hook("first").await?;
            let mut second = run.hook("second").await?;
            let n = first.recv().await?;
            first.close().await;
            second.close().await;
            run.gate(n).await
        }),
        new: code!(|run| {
            let mut first = run.hook("first").await?;
            let mut second = run.hook("second").await?;
            let n = second.recv().await?;
            first.close().await;
            second.close().await;
            run.gate(n).await
        }),
        rests_at: 8,
        told: &[Told {
            at: 4,
            hook: "first",
            payload: 1,
        }],
        then: Then::Parts {
            at: 6,
            log_has: "a hook closed",
            workflow: "waits without having asked for it",
        },
        gives: "1 5",
    },
    Change {
        name: "a number is drawn before the one that a token is made of",
        old: code!(|run| {
            let drawn = random::<u64>();
            let _kept = run.hook(drawn).await?;
            run.gate(1).await
        }),
        new: code!(|run| {
            let _before = random::<u64>();
            let drawn = random::<u64>();
            let _kept = run.hook(drawn).await?;
            run.gate(1).await
        }),
        rests_at: 4,
        told: &[],
        then: Then::Parts {
            at: 3,
            log_has: "a hook with token `OWN/*`",
            workflow: "asked for a hook with token `OWN/*`",
        },
        gives: "1 5",
    },
];
