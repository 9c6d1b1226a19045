//! The judge: from a request and the rows it looks up to the rows to write, or a refusal.
//!
//! Every rule about what may be appended stands here and nowhere else. A store calls one function
//! of this module inside its transaction and writes what the verdict says, in its order; a refusal
//! means that it writes nothing. This module must not know how rows are kept.

mod answer;
mod append;
mod create;
mod deliver;
mod effect;
mod rows;
mod tokens;

#[cfg(test)]
mod tests;

pub use answer::answer;
pub use append::append;
pub use create::create;
pub use deliver::deliver;
pub use rows::{Rows, Verdict, Write};
