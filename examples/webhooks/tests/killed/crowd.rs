//! Sixty-four callers at one webhook that the workflow answers itself, while the process is killed
//! and started again.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::program::Program;
use crate::send::{post, seconds};
use crate::sign;

const CALLERS: usize = 64;
/// So many answers a process gives at least before it is killed: one that is killed again and again
/// while it takes up a run would have it parked.
const ANSWERS: usize = CALLERS;
/// And so long it lives.
const LIFE: Duration = Duration::from_secs(1);

/// How long the siege lasts, in seconds, unless the environment says otherwise.
const LENGTH: u64 = 5;
const LENGTH_VARIABLE: &str = "REWAKE_SIEGE_SECONDS";

/// Where callers call; a new place for each process.
#[derive(Default)]
struct Place {
    current: Mutex<Now>,
    changed: Condvar,
}

#[derive(Clone, Default)]
struct Now {
    process: usize,
    url: String,
    over: bool,
}

impl Place {
    fn set(&self, change: impl FnOnce(&mut Now)) {
        change(&mut self.current.lock().unwrap());
        self.changed.notify_all();
    }

    /// Waits for a process after this one; none when it is over.
    fn after(&self, process: usize) -> Option<Now> {
        let waits = |now: &mut Now| now.process == process && !now.over;
        let now = self.changed.wait_while(self.current.lock().unwrap(), waits);
        let now = now.unwrap().clone();
        (!now.over).then_some(now)
    }

    fn is_over(&self) -> bool {
        self.current.lock().unwrap().over
    }
}

/// What a caller got: the number that the workflow gave its command, if it was answered.
struct Call {
    text: String,
    number: Option<usize>,
}

/// Calls with a new command each time, and never repeats one, until it is over.
fn call(caller: usize, place: &Place, done: &Sender<Call>) {
    let mut texts = (0..).map(|n| format!("{caller}-{n}"));
    let mut process = 0;
    while let Some(now) = place.after(process) {
        process = now.process;
        while !place.is_over() {
            let text = texts.next().unwrap();
            let number = command(&now.url, &text);
            let answered = number.is_some();
            done.send(Call { text, number }).unwrap();
            if !answered {
                break; // The process is gone.
            }
        }
    }
}

fn command(url: &str, text: &str) -> Option<usize> {
    let body = format!("command=%2Frewake&text={text}");
    let (status, body) = post(url, &sign::slack(sign::SLACK, seconds(), body)).ok()?;
    assert_eq!(status, 200, "{text}: {body}");
    let (number, own) = body.strip_prefix("command ")?.split_once(": ")?;
    assert_eq!(own, text, "the answer of another caller");
    number.parse().ok()
}

/// Lets the callers call, and kills the process again and again.
pub(crate) fn besiege(db: &Path) {
    let until = now() + length();
    let place = Place::default();
    let (done, calls) = channel();
    let mut seen = Vec::new();
    let mut kills = 0;
    thread::scope(|scope| {
        for caller in 0..CALLERS {
            let (place, done) = (&place, done.clone());
            scope.spawn(move || call(caller, place, &done));
        }
        drop(done);
        while kills < 3 || now() < until {
            let program = Program::start(db);
            let url = program.url("slack");
            place.set(|now| {
                now.process += 1;
                now.url = url;
            });
            live(&calls, &mut seen);
            program.kill();
            kills += 1;
        }
        place.set(|now| now.over = true);
        seen.extend(calls);
    });
    let answered = seen.iter().filter(|call| call.number.is_some()).count();
    #[expect(clippy::print_stderr, reason = "a long siege says what it came to")]
    {
        let not = seen.len() - answered;
        eprintln!("{kills} kills, {answered} answered, {not} not");
    }
    check(&seen, &history(db));
}

/// Lets a process live for a while, and no shorter than it takes to be of use.
fn live(calls: &Receiver<Call>, seen: &mut Vec<Call>) {
    let until = now() + LIFE;
    let mut answers = 0;
    loop {
        let left = until.saturating_duration_since(now());
        if answers >= ANSWERS && left.is_zero() {
            return;
        }
        if let Ok(call) = calls.recv_timeout(left.max(Duration::from_millis(1))) {
            answers += usize::from(call.number.is_some());
            seen.push(call);
        }
    }
}

/// What the workflow has seen, in its order.
fn history(db: &Path) -> Vec<String> {
    let program = Program::start(db);
    let body = "command=%2Frewake&text=history".to_owned();
    let signed = sign::slack(sign::SLACK, seconds(), body);
    let (status, history) = post(&program.url("slack"), &signed).unwrap();
    assert_eq!(status, 200, "{history}");
    history.lines().map(str::to_owned).collect()
}

fn check(calls: &[Call], history: &[String]) {
    let mut times = BTreeMap::new();
    for text in history {
        *times.entry(text.as_str()).or_insert(0) += 1;
    }
    for Call { text, number } in calls {
        let seen = times.remove(text.as_str()).unwrap_or(0);
        match number {
            Some(number) => {
                assert_eq!(seen, 1, "{text} was answered, and seen {seen} times");
                assert_eq!(&history[number - 1], text, "answered with another's number");
            }
            None => assert!(seen <= 1, "{text} was not answered, and seen {seen} times"),
        }
    }
    assert!(times.is_empty(), "seen, and never sent: {times:?}");
}

fn length() -> Duration {
    #[expect(
        clippy::disallowed_methods,
        reason = "who runs the test says how long it lasts"
    )]
    let said = std::env::var(LENGTH_VARIABLE).ok();
    let seconds = said.map_or(LENGTH, |said| said.parse().expect("a number of seconds"));
    Duration::from_secs(seconds)
}

fn now() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "the siege is of real processes in real time"
    )]
    Instant::now()
}
