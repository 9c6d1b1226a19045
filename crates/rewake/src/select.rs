//! Waiting for whichever comes first.

/// Waits for the first of several futures, in tokio's syntax, polling in written order.
///
/// The others are dropped: a sleep is given up, a `recv` takes nothing with it.
///
/// ```
/// # use rewake::prelude::*;
/// #[workflow]
/// async fn remind(token: String) -> anyhow::Result<bool> {
///     let mut answers = create_hook::<bool>().token(token).await?;
///     select! {
///         answer = answers.recv() => Ok(answer?),
///         () = sleep(days(7)) => Ok(false),
///     }
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! select {
    (biased; $($branches:tt)*) => {
        $crate::__private::tokio::select! { biased; $($branches)* }
    };
    ($($branches:tt)*) => {
        $crate::__private::tokio::select! { biased; $($branches)* }
    };
}
