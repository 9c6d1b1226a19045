//! Waiting for what other processes do, and of which nobody sends word.

use std::thread;
use std::time::Duration;

use super::error::ServerError;

const PAUSE: Duration = Duration::from_millis(10);
const LOOKS_A_SECOND: u32 = 100;

/// Looks until `done` says so, for at most so many seconds.
#[expect(
    clippy::disallowed_methods,
    reason = "a process that is no child of ours gives no sign when it ends"
)]
pub(super) fn wait_for(
    what: &'static str,
    seconds: u32,
    mut done: impl FnMut() -> Result<bool, ServerError>,
) -> Result<(), ServerError> {
    for _ in 0..seconds * LOOKS_A_SECOND {
        if done()? {
            return Ok(());
        }
        thread::sleep(PAUSE);
    }
    Err(ServerError::Late { what, seconds })
}
