//! Golden logs: the log of a run, kept in a file and replayed by every later build.
//!
//! A file holds the log twice: line by line as the Workflow SDK's tools show events, to be read and
//! reviewed, and, behind `=`, as it was stored, to be replayed.

use std::fmt::{self, Write as _};
use std::path::Path;

use rewake_core::event::{Event, EventRef, Frame, Position};
use rewake_core::id::RunId;
use rewake_core::sdk::SdkView;
use rewake_runtime::Parting;
use rewake_store::{decode_row, encode_row};

use super::handle::TestRewake;

/// The environment variable that asks for logs to be recorded anew, with this value.
const ASK: (&str, &str) = ("REWAKE_GOLDEN", "record");

const HEAD: &str = "# The log of a run, replayed by every later build: lines with `=` are the log, the others show it.\n\
                    # To record it anew: REWAKE_GOLDEN=record cargo test\n";

/// Today's code cannot follow a log that was kept.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{shown}")]
pub struct Parted {
    shown: String,
    /// The event at which the two part, where it is one.
    pub position: Option<u64>,
    /// A stable name for programs: what a run would be parked with.
    pub code: &'static str,
}

/// As it is shown: this is what a test that unwraps it prints.
impl fmt::Debug for Parted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// A text that is no log that was recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is of no recorded log: {reason}")]
pub struct UnreadableLog {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

impl TestRewake {
    /// Keeps the log of a run in a file, or replays the file against today's code if it is there.
    ///
    /// With `REWAKE_GOLDEN=record` in the environment it writes the file, and otherwise it reads it and
    /// lets the workflow of today go through it, without running a step. Runs that are under way when
    /// code is deployed have such logs: where the code cannot follow, they would be parked. The path is
    /// relative to the folder of the package, where Cargo runs its tests.
    ///
    /// # Panics
    ///
    /// Where today's code parts from the log, with the place and what stands around it; where the file
    /// is missing, with how to record it; where it cannot be read or written.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it may have written the file.
    pub async fn golden(&self, path: impl AsRef<Path>, run: RunId) {
        let path = path.as_ref();
        #[expect(
            clippy::disallowed_methods,
            reason = "how a test is run is for whoever runs it to say"
        )]
        let asked = std::env::var(ASK.0);
        if asked.is_ok_and(|asked| asked == ASK.1) {
            let recorded = self.record(run).await;
            let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
            if let Err(error) = folder.and_then(|()| std::fs::write(path, recorded)) {
                panic!("{} cannot be written: {error}", path.display());
            }
            return;
        }
        let recorded = match std::fs::read_to_string(path) {
            Ok(recorded) => recorded,
            Err(error) => panic!(
                "{} cannot be read: {error}; record it with {}={}",
                path.display(),
                ASK.0,
                ASK.1
            ),
        };
        match self.replay(&recorded) {
            Ok(Ok(())) => {}
            Ok(Err(parted)) => panic!(
                "{}: {parted}\nIf runs that are under way may be parked by this change, record the \
                 log anew with {}={}; else docs/guide/changing-code.md says which changes they follow.",
                path.display(),
                ASK.0,
                ASK.1
            ),
            Err(unreadable) => panic!("{}: {unreadable}", path.display()),
        }
    }

    /// The log of a run as a text that can be kept, read and [replayed](Self::replay).
    ///
    /// # Panics
    ///
    /// Where there is no such run.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it changes nothing.
    pub async fn record(&self, run: RunId) -> String {
        let frames = self.engine().log(run).await;
        let frames = frames.expect("the store in memory answers");
        assert!(!frames.is_empty(), "there is no run `{run}`");
        let mut text = format!("{HEAD}{run}\n");
        let mut view = SdkView::new(run);
        for frame in &frames {
            for event in frame.iter().map(EventRef::to_event) {
                text.push_str(&shown(&mut view, &event));
                text.push('\n');
            }
            text.push('=');
            for byte in encode_row(frame) {
                let _written = write!(text, "{byte:02x}");
            }
            text.push('\n');
        }
        text
    }

    /// Lets the workflow of today go through a log that was [recorded](Self::record), without running
    /// a step.
    ///
    /// # Errors
    ///
    /// [`UnreadableLog`] where the text is none; within, [`Parted`] where today's code cannot follow.
    ///
    /// # Panics
    ///
    /// Where the machine starts no thread.
    pub fn replay(&self, recorded: &str) -> Result<Result<(), Parted>, UnreadableLog> {
        let (run, frames) = read(recorded)?;
        // On a thread of its own, off tokio: there, what a workflow must not await shows at once.
        let replay = || self.engine().replay(run, &frames);
        let replayed = std::thread::scope(|scope| scope.spawn(replay).join());
        let replayed = replayed.expect("the executor catches what a workflow panics with");
        Ok(replayed.map_err(|parting| parted(run, &frames, parting)))
    }
}

/// The event as the Workflow SDK's tools show it, without what every line would say.
fn shown(view: &mut SdkView, event: &Event) -> String {
    let view = view
        .show(event)
        .and_then(|event| serde_json::to_value(event).ok());
    let mut json = view.unwrap_or_default();
    if let Some(fields) = json.as_object_mut() {
        for same in ["eventType", "specVersion", "runId", "eventId"] {
            fields.remove(same);
        }
    }
    format!("{:>4} {} {json}", event.position.0, event.kind.name())
}

fn read(recorded: &str) -> Result<(RunId, Vec<Frame>), UnreadableLog> {
    let unreadable = |at: usize, reason: String| UnreadableLog {
        line: at + 1,
        reason,
    };
    let lines = || recorded.lines().enumerate();
    let head = lines().find(|(_, line)| !line.starts_with('#'));
    let (at, id) = head.ok_or_else(|| unreadable(0, "it is empty".to_owned()))?;
    let run = id
        .trim()
        .parse()
        .map_err(|error| unreadable(at, format!("{error}")))?;
    let mut frames = Vec::new();
    for (at, line) in lines() {
        let Some(hex) = line.strip_prefix('=') else {
            continue;
        };
        let row = bytes(hex.trim()).ok_or_else(|| unreadable(at, "no hexadecimal".to_owned()))?;
        let frame = decode_row(&row).map_err(|error| unreadable(at, error.to_string()))?;
        frames.push(frame);
    }
    Ok((run, frames))
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let pairs = hex.as_bytes().chunks(2);
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair)
            .ok()
            .filter(|pair| pair.len() == 2)?;
        u8::from_str_radix(pair, 16).ok()
    };
    pairs.map(byte).collect()
}

/// Shows the place at which the two part, with what stands before it.
fn parted(run: RunId, frames: &[Frame], parting: Parting) -> Parted {
    let Parting {
        position,
        code,
        reason,
    } = parting;
    let mut shown_text = format!("today's code parts from this log ({code}): {reason}\n");
    let at = position.unwrap_or(Position::START);
    let mut view = SdkView::new(run);
    for event in frames.iter().flat_map(Frame::iter) {
        let near = event.position.0 + 3 > at.0 && event.position <= at;
        let line = shown(&mut view, &event.to_event());
        if near {
            let mark = if event.position == at { '>' } else { ' ' };
            let _written = writeln!(shown_text, "{mark} {line}");
        }
    }
    Parted {
        shown: shown_text,
        position: position.map(|position| position.0),
        code,
    }
}
