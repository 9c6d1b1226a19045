//! What the program tells the person who runs it.
#![expect(
    clippy::print_stdout,
    reason = "talking to the person is what this program is for"
)]

use std::io::Write;
use std::path::Path;

use rewake::{RunError, RunId};

use crate::agent::{Entry, Verdict};
use crate::model::Reply;

pub(crate) fn opened(db: &Path) {
    println!("What is said and done is kept in {}.", db.display());
    println!(
        "Kill this program at any moment (Ctrl-C, or kill -9) and start it again: it goes on."
    );
}

pub(crate) fn started(run: RunId, task: &str) {
    println!("\nThe agent has a task: {task}\n  run {run}");
}

pub(crate) fn taken_up(run: RunId, replies: usize) {
    println!("\nAn earlier process has left the agent at work: run {run}");
    println!(
        "  {replies} of the model's replies are on record; the model is not asked for them again"
    );
}

pub(crate) fn thinking(turn: usize) {
    println!("[model] is called, for the {turn}. turn");
}

pub(crate) fn replied(reply: &Reply) {
    match reply {
        Reply::Call(call) => println!("[model] wants to {call}"),
        Reply::Answer(_) => println!("[model] has an answer"),
    }
}

pub(crate) fn asked(call: &str) {
    println!("[person] is asked whether the agent may {call}");
}

pub(crate) fn prompt() {
    print!("  y, or n and why not: ");
    let _shown_later = std::io::stdout().flush();
}

pub(crate) fn decided(verdict: &Verdict, taken: bool) {
    match verdict {
        _ if !taken => println!("[person] was too late: the agent waits no more"),
        Verdict::Yes => println!("[person] says yes"),
        Verdict::No(why) => println!("[person] says no: {why}"),
    }
}

pub(crate) fn nobody() {
    println!(
        "\nNobody is here to answer. The agent waits, for a day; start the program again to answer."
    );
}

pub(crate) fn ended(ended: &Result<Vec<Entry>, RunError>) {
    match ended {
        Ok(transcript) => {
            println!("\nFinished. The transcript:");
            for entry in transcript {
                match entry {
                    Entry::Task(task) => println!("  task: {task}"),
                    Entry::Did { call, outcome } => println!("  {call}: {outcome}"),
                    Entry::Answer(answer) => println!("  answer: {answer}"),
                }
            }
        }
        Err(error) => println!("\nThe agent gave no answer: {error}"),
    }
}

pub(crate) fn stopping() {
    println!("\nStopping. What was said and done is on disk; start the program again to go on.");
}
