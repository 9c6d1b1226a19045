//! Bugs in cancelling a run.

use super::edit::Edit;
use super::mutant::Mutant;

/// What a cancelled run can get wrong.
pub(super) const CANCELLING: &[Mutant] = &[
    Mutant {
        name: "undone-oldest-first",
        breaks: "undo calls run in the order in which they were written",
        package: "rewake-core",
        filter: "test(replay)",
        edits: &[Edit {
            file: "crates/core/src/replay/clean_up.rs",
            find: "let Some(undo) = self.clean_up.kept_mut().undos.pop() else {",
            replace: "self.clean_up.kept_mut().undos.reverse();
            let oldest = self.clean_up.kept_mut().undos.pop();
            self.clean_up.kept_mut().undos.reverse();
            let Some(undo) = oldest else {",
        }],
    },
    Mutant {
        name: "cancelled-body-polled",
        breaks: "the body of a cancelled workflow goes on while its shields do",
        package: "rewake-runtime",
        filter: "test(cancelling)",
        edits: &[Edit {
            file: "crates/runtime/src/executor.rs",
            find: "if context.with(|machine| machine.is_running()) {",
            replace: "if context.with(|machine| machine.is_running() || machine.is_shielding()) {",
        }],
    },
];
