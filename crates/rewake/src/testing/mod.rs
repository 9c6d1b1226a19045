//! Testing workflows: a handle in memory whose clock skips what nobody needs to wait for.
//!
//! [`TestRewake`] is a [`Rewake`](crate::Rewake) on a store in memory, with a public URL and a clock
//! of its own. The clock stands still, except while somebody waits for something of a run: then,
//! whenever every run rests, it skips to the next thing due. So a month takes milliseconds, and
//! nothing in a test depends on how fast the machine is.
//!
//! ```
//! use rewake::prelude::*;
//! use rewake::testing::TestRewake;
//!
//! #[step]
//! async fn remind(who: String) -> anyhow::Result<()> {
//!     anyhow::bail!("there is no mail server here to remind {who}")
//! }
//!
//! #[workflow]
//! async fn review(doc: String) -> anyhow::Result<String> {
//!     let mut decisions = create_hook::<bool>().token(format!("review:{doc}")).await?;
//!     loop {
//!         match timeout(days(7), decisions.recv()).await {
//!             Ok(decision) => return Ok(if decision? { "published" } else { "rejected" }.into()),
//!             Err(_elapsed) => remind("Ada".into()).await?,
//!         }
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> anyhow::Result<()> {
//! let rewake = TestRewake::builder().mock(remind, |_| Ok(())).build().await;
//! let run = rewake.start(review("handbook".into())).await?;
//! rewake.wait_for_hook("review:handbook").await;
//! rewake.advance(days(15)).await;
//! assert_eq!(rewake.calls(remind), [("Ada".to_owned(),), ("Ada".to_owned(),)]);
//! rewake.resume_hook("review:handbook", &true).await?;
//! assert_eq!(run.result().await?, "published");
//! # Ok(())
//! # }
//! ```
//!
//! A step is waited for however long it really takes: while one runs, no time passes. One that is
//! never to answer awaits [`never()`], one that is to take an hour [`takes`].

mod builder;
mod crash;
mod fuse;
mod golden;
mod handle;
mod mock;
mod outside;
mod process;
mod rest;
mod store;
mod task;
mod world;

pub use builder::TestRewakeBuilder;
pub use crash::{Crashes, crash_everywhere};
pub use golden::{Parted, UnreadableLog};
pub use handle::{Sleeping, TestRewake};
pub use mock::{MockResult, StepFunction};
pub use outside::Outside;
pub use rest::{Takes, never, takes};

pub(crate) use world::World;
