//! The Workflow SDK's events: its JSON read into our events, and our events shown as its JSON.
//!
//! The shape is that of the npm package `workflow` 4.8.9, specification version 3: `eventType`,
//! `correlationId`, `eventData` and the rest, bytes as `{"__type": "Uint8Array", "data": base64}`,
//! times as ISO texts. [`SdkLog`] folds a log that this package wrote into the states that the
//! package itself shows, also where such a log holds what ours never would; [`SdkView`] shows a log
//! of ours. This module must not know where a log is kept, and decides nothing about our
//! own logs: what is legal there is [`transition`](crate::transition)'s.
//!
//! # What is lost
//!
//! | the SDK's | here |
//! | --- | --- |
//! | `executionContext` | not read |
//! | `stack`, `errorCode` of a failure | not read: a [`Failure`](crate::event::Failure) is a message and causes |
//! | `stepName`, `workflowName` beside `step_created` | not read: the step has its name |
//! | `token` of `hook_received` and `hook_disposed`, `resumeAt` of `wait_completed` | not read: the hook and the wait have them |
//! | why a step failed for good | not recorded there; read as fatal, as its workflow sees it |
//! | how often and how fast a step is tried | not recorded there; read as the defaults |
//! | no `retryAfter` | read as the time of the event: at once |
//! | which attempt began | counted from the log |
//! | the seed of random numbers | not recorded there; read as zeros, so such a log folds and does not replay |
//! | whether the token was chosen | not recorded there; read as yes, but for webhooks |
//!
//! # What folds though ours would refuse it
//!
//! The package writes an event and its view one after the other, and checks some of what it should;
//! so its logs hold the following. Each is folded as said and kept in [`SdkLog::irregular`].
//!
//! | event | folds to |
//! | --- | --- |
//! | `run_started` before `run_created`, where the message that starts a run was faster | both, when the second comes |
//! | `run_completed` or `run_failed` after the end, by two replays at once | the later one, as its view was written last |
//! | `run_cancelled` after the end | no change |
//! | an event of a step after the end of its run | the step, as if the run went on |
//! | an event of a hook or a wait after the end of its run | no change: both ended with it |
//! | the end of a step of which no attempt is under way | the step, with the attempts that began |
//!
//! Anything else that must not follow is an error, and the log stays as it was.

mod error;
mod event;
mod log;
mod read;
mod view;

pub use error::ReadError;
pub use event::SdkEvent;
pub use log::{Irregular, SdkLog};
pub use view::SdkView;
