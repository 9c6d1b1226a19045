//! Bugs in sharing a store among nodes.

use super::edit::Edit;
use super::mutant::Mutant;

/// What claims, leases and news can get wrong.
pub(super) const NODES: &[Mutant] = &[
    Mutant {
        name: "claimed-from-the-living",
        breaks: "a node claims what another has that lives",
        package: "rewake-store",
        filter: "test(claims)|test(nodes)",
        edits: &[Edit {
            file: "crates/store/src/memory/nodes.rs",
            find: "        } else if node.lives(now) {\n            Holder::Node(id)",
            replace: "        } else if node.lives(now) && false {\n            Holder::Node(id)",
        }],
    },
    Mutant {
        name: "lost-news-never-found",
        breaks: "a node does not look through its own runs for what no news told",
        package: "rewake-simulation",
        filter: "test(nodes)",
        edits: &[Edit {
            file: "crates/runtime/src/dispatch/member.rs",
            find: "engine.tell(leased.wake_up.run, Message::Upto(leased.head));",
            replace: "let _ = leased.head;",
        }],
    },
    Mutant {
        name: "orphans-uncounted",
        breaks: "the runs of a node that died are replayed without being counted",
        package: "rewake-runtime",
        filter: "test(nodes)",
        edits: &[Edit {
            file: "crates/runtime/src/driver/lease.rs",
            find: "        suspect\n    }",
            replace: "        suspect && false\n    }",
        }],
    },
];
