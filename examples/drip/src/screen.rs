//! What the program tells the person who runs it.
#![expect(
    clippy::print_stdout,
    reason = "talking to the person is what this program is for"
)]

use std::path::Path;
use std::time::{Duration, SystemTime};

use drip::Posted;
use rewake::{Reason, RunError, Why};

pub(crate) fn opened(db: &Path, fast: bool) {
    println!("The letters of new users are kept in {}.", db.display());
    println!(
        "Kill this program at any moment (Ctrl-C, or kill -9) and start it again: nothing is lost."
    );
    if fast {
        println!(
            "Ben will do something once he has tips. Eve will have enough when she is reminded."
        );
    } else {
        commands();
    }
}

pub(crate) fn commands() {
    println!(
        "Type what happens:
  new USER   somebody signs up
  done USER  the user makes a first invoice
  stop USER  the user unsubscribes
  skip USER  what the user waits for is over now
  quit       the program stops, the users wait"
    );
}

pub(crate) fn says(user: &str, what: &str) {
    println!("[{user}] {what}");
}

pub(crate) fn posted(letter: &Posted) {
    println!("[{}] is sent: {}", letter.to, letter.text);
}

/// A user whom an earlier process left, and how long the next wait still takes.
pub(crate) fn taken_up(user: &str, why: &Why) {
    let ends = why.reasons.iter().find_map(|reason| match reason {
        Reason::Sleep { until, .. } => Some(SystemTime::from(*until)),
        _ => None,
    });
    let state = match ends {
        Some(at) => format!("waits, {}", left(at)),
        None => "goes on by itself".to_owned(),
    };
    println!("[{user}] taken up where an earlier process left off: {state}");
}

pub(crate) fn nobody_waits(user: &str) {
    println!("[{user}] nobody waits for that");
}

pub(crate) fn ended(user: &str, result: Result<String, RunError>) {
    match result {
        Ok(result) => println!("[{user}] the end: {result}"),
        Err(error) => println!("[{user}] the end: {error}"),
    }
}

pub(crate) fn stopping() {
    println!("\nStopping. Who waits is on disk; start the program again to go on.");
}

/// How long it is until a time, as a person would say it.
fn left(at: SystemTime) -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "the person sits in front of this clock"
    )]
    let now = SystemTime::now();
    let left = at.duration_since(now).unwrap_or(Duration::ZERO).as_secs();
    match left {
        0 => "not a second longer".to_owned(),
        1..120 => format!("{left} seconds more"),
        120..7_200 => format!("{} minutes more", left / 60),
        7_200..172_800 => format!("{} hours more", left / 3_600),
        _ => format!("{} days more", left / 86_400),
    }
}
