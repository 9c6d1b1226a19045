//! Bugs in judging and keeping what is written.

use super::edit::Edit;
use super::mutant::Mutant;

/// What the judge and the SQLite store can get wrong.
pub(super) const STORES: &[Mutant] = &[
    Mutant {
        name: "early-acknowledgement",
        breaks: "a request is answered when it was judged, before the commit",
        package: "rewake-sqlite",
        filter: "test(faults)|test(grouping)",
        edits: &[Edit {
            file: "crates/sqlite/src/request.rs",
            find: r#"        self.kept = Some(outcome);
        served
    }

    fn answer(self: Box<Self>) {
        let kept = self.kept.expect("only what was served is answered");
        // Whoever asked may have gone; the answer is in the log all the same.
        drop(self.reply.send(kept));
    }
"#,
            replace: r"        let reply = std::mem::replace(&mut self.reply, oneshot::channel().0);
        drop(reply.send(outcome));
        served
    }

    fn answer(self: Box<Self>) {}
",
        }],
    },
    Mutant {
        name: "missing-sync",
        breaks: "a commit is answered without having waited for the disk",
        package: "rewake-sqlite",
        filter: "test(faults)",
        edits: &[Edit {
            file: "crates/sqlite/src/syncs.rs",
            find: "wal.sync_data();",
            replace: "Ok::<(), io::Error>(drop(wal));",
        }],
    },
    Mutant {
        name: "unsynced-answer",
        breaks: "a question is answered from a commit that is not on stable storage yet",
        package: "rewake-sqlite",
        filter: "test(faults)",
        edits: &[Edit {
            file: "crates/sqlite/src/reader.rs",
            find: "stable.wait().is_ok()",
            replace: "stable.check().is_ok()",
        }],
    },
    Mutant {
        name: "unsynced-refusal",
        breaks: "a request that writes nothing is answered before that is synced which it was judged against",
        package: "rewake-sqlite",
        filter: "test(faults)",
        edits: &[Edit {
            file: "crates/sqlite/src/writer.rs",
            find: "Ok(rows) => self.settle(taken, rows),",
            replace: "Ok(0) => Ok(taken.answer()),\n            Ok(rows) => self.settle(taken, rows),",
        }],
    },
    Mutant {
        name: "lease-given-back",
        breaks: "a process writes over a claim that it has not heard of",
        package: "rewake-postgres",
        filter: "test(nodes)",
        edits: &[Edit {
            file: "crates/postgres/src/sql.rs",
            find: "AND runs.node = new.node_before",
            replace: "AND new.node_before IS NOT NULL",
        }],
    },
    Mutant {
        name: "wake-up-forgotten",
        breaks: "a payload is delivered and nobody is told to look at the run",
        package: "rewake-store",
        filter: "test(wake_up)",
        edits: &[Edit {
            file: "crates/store/src/judge/deliver.rs",
            find: r"    if row.parked.is_none() {
        row.wake_at",
            replace: r"    if false {
        row.wake_at",
        }],
    },
    Mutant {
        name: "unchecked-in-a-batch",
        breaks: "only the first append of a commit is held to its conditions",
        package: "rewake-sqlite",
        filter: "test(grouping)|test(batch)",
        edits: &[
            Edit {
                file: "crates/sqlite/src/roles.rs",
                find: r"            let verdict = judge::append(tables, &request, now)?;
",
                replace: r"            let mut request = request.clone();
            if crate::batch::UNCHECKED.get() {
                request.conditions.clear();
            }
            let verdict = judge::append(tables, &request, now)?;
",
            },
            Edit {
                file: "crates/sqlite/src/batch.rs",
                find: r"        going = going.and_then(|()| serve(tables, now, request.as_mut()));
",
                replace: r"        UNCHECKED.set(taken.len() > 0);
        going = going.and_then(|()| serve(tables, now, request.as_mut()));
",
            },
            Edit {
                file: "crates/sqlite/src/batch.rs",
                find: r"/// Why a transaction came to nothing.
",
                replace: r"std::thread_local! {
    pub(crate) static UNCHECKED: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Why a transaction came to nothing.
",
            },
        ],
    },
    Mutant {
        name: "token-freed-late",
        breaks: "the token of a closed hook is held until its run ends",
        package: "rewake-store",
        filter: "test(tokens)",
        edits: &[Edit {
            file: "crates/store/src/judge/taking.rs",
            find: "self.tokens.end(|held| held.hook == hook)",
            replace: "self.tokens.end(|held| held.hook == hook && receiver_gone)",
        }],
    },
    Mutant {
        name: "position-unchecked",
        breaks: "a worker may append whatever another has appended since",
        package: "rewake-store",
        filter: "test(fencing)|test(append)",
        edits: &[Edit {
            file: "crates/store/src/judge/append.rs",
            find: "Condition::WorkerPosition(expected) if *expected == row.worker => {}",
            replace: "Condition::WorkerPosition(expected) if *expected <= row.worker => {}",
        }],
    },
    Mutant {
        name: "key-not-looked-up",
        breaks: "a delivery is taken again under a key that was seen",
        package: "rewake-store",
        filter: "test(keys)",
        edits: &[Edit {
            file: "crates/store/src/judge/deliver.rs",
            find: "let Some(first) = rows.key(request.scope, &request.token, &key.key)? else {",
            replace: "let Some(first) = None::<KeyRow> else {",
        }],
    },
    Mutant {
        name: "taken-not-written",
        breaks: "a frame does not say which payloads were taken before it",
        package: "rewake-store",
        filter: "test(unread)|test(marks)|test(append)",
        edits: &[Edit {
            file: "crates/store/src/judge/taking.rs",
            find: "taken: said.map_or(self.told, <[Taken]>::to_vec),",
            replace: "taken: said.map_or(self.told, |_| Vec::new()),",
        }],
    },
    Mutant {
        name: "unread-dropped",
        breaks: "payloads that nobody read are gone when their run ends",
        package: "rewake-store",
        filter: "test(unread)",
        edits: &[Edit {
            file: "crates/store/src/judge/taking.rs",
            find: r"        let left = std::mem::take(&mut self.row.left);
        self.hand_on(left)
",
            replace: r"        self.row.left.clear();
        Ok(())
",
        }],
    },
    Mutant {
        name: "expired-early",
        breaks: "a hook refuses payloads a millisecond before its time",
        package: "rewake-store",
        filter: "test(expiry)",
        edits: &[Edit {
            file: "crates/store/src/judge/tokens.rs",
            find: "expiry <= at)",
            replace: "expiry <= at.after(std::time::Duration::from_millis(1)))",
        }],
    },
    Mutant {
        name: "forgotten-with-hook",
        breaks: "a key is forgotten with its hook, and not a day later",
        package: "rewake-store",
        filter: "test(forget)|test(keys)",
        edits: &[Edit {
            file: "crates/store/src/judge/forget.rs",
            find: "Duration::from_hours(24)",
            replace: "Duration::ZERO",
        }],
    },
    Mutant {
        name: "wake-up-lost-by-mark",
        breaks: "a worker's mark puts off what others have written since",
        package: "rewake-store",
        filter: "test(wake_up)|test(marks)",
        edits: &[Edit {
            file: "crates/store/src/judge/append.rs",
            find: r"        _ if unseen || brings_work => known(at),",
            replace: r"        _ if brings_work => known(at),",
        }],
    },
];
