//! What the program tells the person who runs it.
#![expect(
    clippy::print_stdout,
    reason = "talking to the person is what this program is for"
)]

use std::path::Path;

use rewake::{ListedHook, Run, RunId, RunView};

pub(crate) fn opened(db: &Path, base: &str) {
    println!("The reviews are kept in {}.", db.display());
    println!(
        "Kill this program at any moment (Ctrl-C, or kill -9) and start it again: nothing is lost."
    );
    println!("listening on {base}");
}

pub(crate) fn routes(base: &str) {
    println!("  start another review:  curl -X POST {base}/reviews/NAME/start");
}

pub(crate) fn started(doc: &str, run: RunId) {
    println!("\n[{doc}] its review is run {run}");
}

pub(crate) fn asked(doc: &str, base: &str) {
    println!("[{doc}] the reviewer was asked. The workflow now waits, for a week if need be.");
    println!("  approve it:  {}", approve(doc, base));
}

pub(crate) fn decided(doc: &str) {
    println!("[{doc}] the decision is on disk; the workflow wakes up");
}

pub(crate) fn published(doc: &str, report_to: &str) {
    println!("[{doc}] published. The workflow now waits for the print shop to call its webhook.");
    println!("  report:  {}", report(report_to));
}

/// A run that an earlier process left, and what would move it.
pub(crate) fn taken_up(run: &RunView, hooks: &[ListedHook], base: &str) {
    println!(
        "\nTook up run {} where an earlier process left it:",
        run.run
    );
    for hook in hooks {
        if hook.is_webhook {
            let url = format!("{base}/.well-known/workflow/v1/webhook/{}", hook.token);
            println!("  it waits for the print shop.  report:  {}", report(&url));
        } else if let Some(doc) = hook.token.as_str().strip_prefix("review:") {
            println!(
                "  it waits for a decision about {doc}.  approve it:  {}",
                approve(doc, base)
            );
        }
    }
    if hooks.is_empty() {
        println!("  it has something to do and goes on by itself");
    }
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

fn approve(doc: &str, base: &str) -> String {
    format!(
        "curl {base}/reviews/{doc} -H 'content-type: application/json' \
         -d '{{\"approved\": true, \"comment\": \"well done\"}}'"
    )
}

fn report(url: &str) -> String {
    format!("curl {url} -d '{{\"copies\": 3}}'")
}
