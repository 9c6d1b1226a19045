//! Copying a whole store into another one: a move, and no append.
//!
//! A store that is read from gives its rows in pages ([`CopyOut`]), one that is filled takes them
//! ([`CopyIn`]); [`copy`] brings them from one to the other. Rows travel as what they are and not as
//! bytes: the one side checks and decodes them, the other encodes them anew. No judge is asked, since
//! nothing happens to a run that is moved.
//!
//! What does not travel: the sessions of the source's processes, which say nothing of those that will
//! work on the target, and which node leases a run, since no node of the source is one of the target's.

mod carrier;
mod error;
mod in_hand;
mod logs;
mod role;
mod row;
mod tally;

pub use carrier::{PAGE_BYTES, copy};
pub use error::{CopyError, InUse, NotEmpty};
pub use in_hand::InHand;
pub use role::{CopyIn, CopyOut};
pub use row::{AnyRow, RowKind, RowPlace, ScopeRow};
pub use tally::Tally;
