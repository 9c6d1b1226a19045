//! What the program tells the person who runs it.
#![expect(
    clippy::print_stdout,
    reason = "talking to the person is what this program is for"
)]

use std::path::Path;

use orders::{Order, say};
use rewake::{ListedHook, RunError};

pub(crate) fn opened(db: &Path) {
    println!("The orders are kept in {}.", db.display());
    println!(
        "Kill this program at any moment (Ctrl-C, or kill -9) and start it again: nothing is lost."
    );
    commands();
}

pub(crate) fn commands() {
    println!(
        "Type what happens:
  order ITEM [CARD]  a customer orders (see what comes of a piano, a unicorn, or a stolen card)
  pay N, refuse N    the bank confirms the payment of order N, or refuses it
  collect N          the courier collects the parcel
  cancel N           the customer has changed her mind
  quit               the program stops, the orders wait"
    );
}

pub(crate) fn placed(order: &Order) {
    println!();
    say(order.number, &format!("a customer orders a {}", order.item));
}

/// An order that an earlier process left, and what would move it.
pub(crate) fn taken_up(order: u32, hooks: &[ListedHook]) {
    let waits = |kind: &str| {
        hooks
            .iter()
            .any(|hook| hook.token.as_str().starts_with(kind))
    };
    let state = if waits("payment:") {
        format!("it waits for the bank:  pay {order}  or  refuse {order}")
    } else if waits("collection:") {
        format!("it waits for the courier:  collect {order}")
    } else {
        "it has something to do and goes on by itself".to_owned()
    };
    say(
        order,
        &format!("taken up where an earlier process left it; {state}"),
    );
}

pub(crate) fn on_disk(order: &str) {
    println!("[order {order}] heard, and on disk");
}

pub(crate) fn nobody_waits(order: &str) {
    println!("[order {order}] nobody waits for that");
}

pub(crate) fn ended(order: u32, result: Result<String, RunError>) {
    match result {
        Ok(result) => say(order, &format!("fulfilled: {result}")),
        Err(error) => say(order, &format!("not fulfilled: {error}")),
    }
}

pub(crate) fn stopping() {
    println!("\nStopping. What waits is on disk; start the program again to go on.");
}
