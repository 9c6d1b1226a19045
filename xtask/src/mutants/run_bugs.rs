//! Bugs in replaying and driving a run.

use super::edit::Edit;
use super::mutant::Mutant;

/// What the machine, the executor and the driver can get wrong.
pub(super) const RUNS: &[Mutant] = &[
    Mutant {
        name: "matched-by-payload",
        breaks: "a step in the log is matched by its arguments, too",
        package: "rewake-core",
        filter: "test(replay)",
        edits: &[Edit {
            file: "crates/core/src/replay/command.rs",
            find: r"        Subject::Step(_, StepEvent::Created { name, child, .. }) => {
            steps_agree(name, child, record)
        }
",
            replace: r"        Subject::Step(_, StepEvent::Created { name, child, input, .. }) => {
            steps_agree(name, child, record)
                && matches!(record, EventKind::StepCreated { input: was, .. } if input == was)
        }
",
        }],
    },
    Mutant {
        name: "event-fed-twice",
        breaks: "the machine takes an event that it has had",
        package: "rewake-core",
        filter: "test(replay)",
        edits: &[Edit {
            file: "crates/core/src/replay/machine.rs",
            find: "if event.position != self.fed.next() {",
            replace: "if event.position > self.fed.next() {",
        }],
    },
    Mutant {
        name: "extra-poll",
        breaks: "the workflow is polled twice after each event",
        package: "rewake-runtime",
        filter: "test(polling)",
        edits: &[Edit {
            file: "crates/runtime/src/executor.rs",
            find: "let mut polls_due = 1_u32;",
            replace: "let mut polls_due = 2_u32;",
        }],
    },
    Mutant {
        name: "command-retracted",
        breaks: "a sleep that is dropped before it is on record takes its command back",
        package: "rewake-core",
        filter: "test(replay)",
        edits: &[
            Edit {
                file: "crates/core/src/replay/calls.rs",
                find: r"        self.deadlines.lift(Correlation::Wait(wait));
",
                replace: r"        self.deadlines.lift(Correlation::Wait(wait));
        if self.pairing.retract(&Key::Wait(wait)) {
            return;
        }
",
            },
            Edit {
                file: "crates/core/src/replay/pairing.rs",
                find: r"    /// How many commands were issued so far.
",
                replace: r"    pub(super) fn retract(&mut self, key: &Key) -> bool {
        let turn = self.turns.remove(key);
        turn.and_then(|turn| self.issued.remove(&turn)).is_some()
    }

    /// How many commands were issued so far.
",
            },
        ],
    },
    Mutant {
        name: "disposal-on-eviction",
        breaks: "what an evicted workflow holds is let go of as if the workflow had done it",
        package: "rewake-runtime",
        filter: "all()",
        edits: &[
            Edit {
                file: "crates/runtime/src/executor.rs",
                find: r"    pub(crate) fn seal(&mut self) {
        self.context.seal();
",
                replace: r"    pub(crate) fn seal(&mut self) {
        let _polling = Polling::enter(&self.context);
",
            },
            Edit {
                file: "crates/runtime/src/driver/rest.rs",
                find: r"        if leaving {
            return self.go(next);
",
                replace: r"        if leaving {
            self.executor.seal();
            if let Some(append) = self.compose() {
                self.append(append).await?;
            }
            return self.go(next);
",
            },
        ],
    },
    Mutant {
        name: "divergence-swallowed",
        breaks: "a record that no command has claimed is passed over",
        package: "rewake-core",
        filter: "test(replay)",
        edits: &[Edit {
            file: "crates/core/src/replay/machine.rs",
            find: "self.latch(first.map_or(Ok(()), Err))",
            replace: "self.latch(first.filter(|_| false).map_or(Ok(()), Err))",
        }],
    },
];
