//! What the operating system says of this process, and other processes of this program.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

/// What this process holds in memory, in bytes.
pub(crate) fn resident_bytes() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("this wants Linux")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    let kib: u64 = kib.context("the system does not say")?.parse()?;
    Ok(kib * 1024)
}

/// How long this process has worked, in user and kernel mode, to a hundredth of a second.
pub(crate) fn worked() -> Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").context("this wants Linux")?;
    // The name in parentheses may hold spaces.
    let (_, fields) = stat
        .rsplit_once(')')
        .context("the system says it otherwise")?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut ticks = 0;
    for _ in 0..2 {
        ticks += fields
            .next()
            .context("the system says it otherwise")?
            .parse::<u64>()?;
    }
    Ok(Duration::from_millis(ticks * 10))
}

/// Begins this program again, to do `what` on a file.
pub(crate) fn begin(what: &str, path: &Path, numbers: &[u64]) -> Result<Child> {
    let mut child = Command::new(std::env::current_exe()?);
    child.args(["child", what]).arg(path);
    child.args(numbers.iter().map(u64::to_string));
    child
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("this program could not be begun again")
}
