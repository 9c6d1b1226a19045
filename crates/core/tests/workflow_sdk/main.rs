//! Held against the Workflow SDK itself: logs and payloads that the npm package recorded, and the
//! package's own code reading ours. What was recorded, and how, is said beside the recordings.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod exchange;
mod exotic;
mod payloads;
mod recordings;
mod refusals;
mod values;

use std::fs;
use std::path::{Path, PathBuf};

/// Where the recordings are.
fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/workflow-sdk")
}

fn read_json(path: &Path) -> serde_json::Value {
    let text = fs::read_to_string(path).expect("the recordings are in the repository");
    serde_json::from_str(&text).expect("a recording is JSON")
}
