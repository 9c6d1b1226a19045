//! Dispatch: which runs are in memory, who is told what, and when a run is looked at again.

mod ahead;
mod budget;
mod expected;
mod mailbox;
mod marks;
mod member;
mod outsiders;
mod recovery;
mod residents;
mod schedule;
mod waiters;

pub(crate) use budget::{Budget, Rest};
pub(crate) use expected::Expected;
pub(crate) use mailbox::Sender;
pub(crate) use marks::Marks;
pub(crate) use member::{Member, beat, claim, give_up, listen};
pub(crate) use outsiders::Outsiders;
pub(crate) use recovery::{Recovery, Turn, after, is_culprit, recover, retry_crowded};
pub(crate) use residents::{Mailbox, Message, Residents, TakenUp};
pub(crate) use schedule::Schedule;
pub(crate) use waiters::{Called, News, Waiters};
