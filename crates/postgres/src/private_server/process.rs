//! Processes of a server: which they are, and signals to them.

use std::fs;
use std::path::Path;
#[cfg(not(target_os = "linux"))]
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};

/// Returns the first process of the server in this folder, if it has one that lives.
pub(super) fn postmaster(data: &Path) -> Option<Pid> {
    let noted = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let pid = Pid::from_raw(noted.lines().next()?.trim().parse().ok()?)?;
    // The note outlives a server that was killed, and the number may be somebody else's by now.
    let is_ours = arguments(pid).is_some_and(|said| said.contains(&*data.to_string_lossy()));
    is_ours.then_some(pid)
}

/// Returns that process and all that it started.
pub(super) fn family(postmaster: Pid) -> Vec<Pid> {
    let children = all()
        .into_iter()
        .filter(|(_, parent)| *parent == postmaster);
    let children = children.map(|(child, _)| child);
    std::iter::once(postmaster).chain(children).collect()
}

/// Sends a signal to each that is still there.
pub(super) fn signal(processes: &[Pid], signal: Signal) {
    for process in processes {
        // One that has ended meanwhile needs none.
        let _ended = kill_process(*process, signal);
    }
}

/// Tells whether the process runs. One that has ended and that nobody has asked for how does not.
pub(super) fn is_alive(process: Pid) -> bool {
    match state(process) {
        Some(state) => state != 'Z',
        None => false,
    }
}

#[cfg(target_os = "linux")]
fn arguments(process: Pid) -> Option<String> {
    let said = fs::read(format!("/proc/{}/cmdline", process.as_raw_nonzero())).ok()?;
    Some(String::from_utf8_lossy(&said).into_owned())
}

#[cfg(not(target_os = "linux"))]
fn arguments(process: Pid) -> Option<String> {
    ps(&["-p", &process.as_raw_nonzero().to_string(), "-o", "args="])
}

#[cfg(target_os = "linux")]
fn state(process: Pid) -> Option<char> {
    stat(process.as_raw_nonzero().get()).map(|(state, _)| state)
}

#[cfg(not(target_os = "linux"))]
fn state(process: Pid) -> Option<char> {
    ps(&["-p", &process.as_raw_nonzero().to_string(), "-o", "state="])?
        .chars()
        .next()
}

/// All processes of this machine, each with the one that started it.
#[cfg(target_os = "linux")]
fn all() -> Vec<(Pid, Pid)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let pairs = numbers.filter_map(|number: i32| {
        let (_, parent) = stat(number)?;
        Some((Pid::from_raw(number)?, Pid::from_raw(parent)?))
    });
    pairs.collect()
}

#[cfg(not(target_os = "linux"))]
fn all() -> Vec<(Pid, Pid)> {
    let said = ps(&["-axo", "pid=,ppid="]).unwrap_or_default();
    let pairs = said.lines().filter_map(|line| {
        let mut numbers = line.split_whitespace().map(|number| number.parse().ok());
        Some((
            Pid::from_raw(numbers.next()??)?,
            Pid::from_raw(numbers.next()??)?,
        ))
    });
    pairs.collect()
}

/// State and parent stand behind the name, which is in brackets and may itself hold some.
#[cfg(target_os = "linux")]
fn stat(number: i32) -> Option<(char, i32)> {
    let stat = fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
    let (_, behind) = stat.rsplit_once(')')?;
    let mut words = behind.split_whitespace();
    Some((words.next()?.chars().next()?, words.next()?.parse().ok()?))
}

#[cfg(not(target_os = "linux"))]
fn ps(arguments: &[&str]) -> Option<String> {
    let said = Command::new("ps").args(arguments).output().ok()?;
    String::from_utf8(said.stdout)
        .ok()
        .filter(|said| !said.trim().is_empty())
}
