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
    Ok(Stat::of("self")?.worked)
}

/// How long the processes that a process has begun have worked, those that are gone among them.
pub(crate) fn children_worked(parent: u32) -> Result<Duration> {
    let mut worked = Stat::of(&parent.to_string())?.waited_for;
    for entry in std::fs::read_dir("/proc").context("this wants Linux")? {
        let name = entry?.file_name();
        let Some(process) = name.to_str().filter(|name| name.parse::<u32>().is_ok()) else {
            continue;
        };
        // One that has ended meanwhile is its parent's.
        if let Ok(stat) = Stat::of(process)
            && stat.parent == parent
        {
            worked += stat.worked;
        }
    }
    Ok(worked)
}

/// What the system keeps of a process.
struct Stat {
    parent: u32,
    worked: Duration,
    /// What those have worked which it has waited for.
    waited_for: Duration,
}

impl Stat {
    fn of(process: &str) -> Result<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
        // The name in parentheses may hold spaces.
        let (_, fields) = stat
            .rsplit_once(')')
            .context("the system says it otherwise")?;
        let fields: Vec<_> = fields.split_whitespace().collect();
        let field = |at: usize| -> Result<u64> {
            let field = fields.get(at).context("the system says it otherwise")?;
            Ok(field.parse()?)
        };
        let ticks = |at: usize| -> Result<Duration> {
            Ok(Duration::from_millis((field(at)? + field(at + 1)?) * 10))
        };
        Ok(Self {
            parent: u32::try_from(field(1)?)?,
            worked: ticks(11)?,
            waited_for: ticks(13)?,
        })
    }
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
