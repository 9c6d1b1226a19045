//! The judge: from a request and the rows it looks up to the rows to write, or a refusal.
//!
//! Every rule about what may be appended stands here and nowhere else. A store calls one function
//! of this module inside its transaction and writes what the verdict says, in its order; a refusal
//! means that it writes nothing. This module must not know how rows are kept.

mod admit;
mod answer;
mod append;
mod arrival;
mod begin;
mod children;
mod create;
mod deliver;
mod effect;
mod forget;
mod mail;
mod post;
mod release;
mod rows;
mod sweep;
mod taking;
mod tokens;

#[cfg(test)]
mod tests;

pub use admit::admit;
pub use answer::answer;
pub use append::append;
pub use children::children_told;
pub use create::create;
pub use deliver::deliver;
pub use post::post;
pub use rows::{MailSize, Rows, Verdict, Write};
pub use sweep::sweep;
