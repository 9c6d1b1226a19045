//! What the program tells the person who runs it.
#![expect(
    clippy::print_stdout,
    reason = "talking to the person is what this program is for"
)]

use std::path::Path;

use rewake::Run;

pub(crate) fn opened(db: &Path, base: &str) {
    println!("What is received is kept in {}.", db.display());
    println!("Kill this program at any moment and start it again: nothing is lost.");
    println!("listening on {base}");
}

/// Where a workflow waits, and how to send something there.
pub(crate) fn waits(workflow: &str, url: &str) {
    let (what, sender, text) = match workflow {
        "release" => (
            "waits for GitHub to say that a release is out; a forged request is refused",
            "github",
            "",
        ),
        "payment" => (
            "waits for Stripe to say that an order is paid; sent three times, it is booked once",
            "stripe",
            "",
        ),
        _ => (
            "answers Slack's commands itself (try `history`, and `goodbye` to end it)",
            "slack",
            " deploy shop",
        ),
    };
    println!("\n[{workflow}] {what}");
    println!("  cargo run -p webhooks -- send {sender} {url}{text}");
}

/// What a sender was answered.
pub(crate) fn answered(what: &str, status: u16, body: &str) {
    println!("{what}: {status} {}", body.trim_end());
}

pub(crate) async fn the_end_of(run: Run<String>) {
    match run.result().await {
        Ok(result) => println!("\nFinished: {result}"),
        Err(error) => println!("\nRun {} gave no result: {error}", run.id()),
    }
}

pub(crate) fn stopping() {
    println!("\nStopping. What waits is on disk; start the program again to go on.");
}
