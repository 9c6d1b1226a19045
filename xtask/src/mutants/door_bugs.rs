//! Bugs in taking and answering the requests of webhooks.

use super::edit::Edit;
use super::mutant::Mutant;

/// What the public door and the engine behind it can get wrong.
pub(super) const DOORS: &[Mutant] = &[
    Mutant {
        name: "redelivery-taken-twice",
        breaks: "a request that comes again is a new one",
        package: "rewake-simulation",
        filter: "test(no_payload_is_lost)",
        edits: &[Edit {
            file: "crates/http/src/webhook.rs",
            find: "door::delivery_key(&self.settings, &parts.headers, signed);",
            replace: "door::delivery_key(&self.settings, &parts.headers, signed).filter(|_| false);",
        }],
    },
    Mutant {
        name: "answer-to-another",
        breaks: "all who call a webhook without a delivery id get the first answer",
        package: "rewake-simulation",
        filter: "test(no_payload_is_lost)",
        edits: &[Edit {
            file: "crates/runtime/src/engine/webhook.rs",
            find: r"        let Some(key) = key else {
            let host = &self.inner.host;
            return StreamId::mint(host.clock.now(), host.entropy.draw());
        };
",
            replace: r"        let key = key.unwrap_or_default();
",
        }],
    },
    Mutant {
        name: "redelivery-turned-away",
        breaks: "a request that comes again after its webhook has gone is not known any more",
        package: "rewake-simulation",
        filter: "test(no_payload_is_lost)",
        edits: &[Edit {
            file: "crates/http/src/webhook.rs",
            find: "if !self.webhook.is_live && key.is_none() {",
            replace: "if !self.webhook.is_live {",
        }],
    },
    Mutant {
        name: "sent-away-unasked",
        breaks: "a caller whose time is over is sent away without a last look",
        package: "rewake-simulation",
        filter: "test(no_payload_is_lost)",
        edits: &[Edit {
            file: "crates/runtime/src/engine/webhook.rs",
            find: "let answer = self.find(run, &stream).await?;\n",
            replace: "let answer = None::<Payload>;\n",
        }],
    },
];
