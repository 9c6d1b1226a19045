//! The outside checker: opens the files without faults, and compares them with what was told.

use std::collections::BTreeMap;
use std::path::Path;

use futures::executor::block_on;
use rewake_sqlite::{Options, SqliteStore};
use rewake_store::core::entity::{Entities, Hook};
use rewake_store::core::event::{Frame, Position, Writer};
use rewake_store::core::id::{EventId, RunId};
use rewake_store::core::time::Timestamp;
use rewake_store::{
    KeyRow, Log, Queries, RunFilter, RunRow, ScopeId, Sessions, Streams, TokenRow, WakeUps,
    decode_row,
};
use rusqlite::Connection;

use super::super::clock;
use super::super::log::{ALL, scope};
use super::ask::{Act, Ask, STREAM};
use super::told::{Knows, Told};

/// Something that is not as it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Complaint {
    /// It was acknowledged and is not there.
    Lost(String),
    /// Anything else.
    Wrong(String),
}

type Found = BTreeMap<RunId, (RunRow, Vec<Frame>)>;

/// Compares what is in the files with what was told.
pub(crate) fn complaints(path: &Path, told: &Told) -> Vec<Complaint> {
    let mut checker = Checker {
        complaints: Vec::new(),
    };
    let store = match SqliteStore::open(Options::new(path, clock::ticking())) {
        Ok(store) => store,
        Err(error) => return vec![Complaint::Wrong(format!("it does not open: {error}"))],
    };
    let scope = scope(&store);
    let on = (&store, scope);
    let found = read(on);
    for (run, (row, frames)) in &found {
        checker.log(*run, frames, told);
        checker.row(on, *run, row, frames);
    }
    checker.wake_ups(on, &found);
    for (ask, knows) in told.asks.values() {
        checker.ask(on, &found, ask, *knows);
    }
    checker.repeats(on, &found, told);
    let sessions = block_on(store.begin_session()).unwrap();
    if sessions < told.begun {
        let lost = format!("{sessions} sessions of {}", told.begun);
        checker.complaints.push(Complaint::Lost(lost));
    }
    checker.require(sessions <= told.begin, || format!("{sessions} sessions"));
    block_on(store.close()).unwrap();
    checker.tables(path, &found);
    checker.complaints
}

fn read((store, scope): (&SqliteStore, ScopeId)) -> Found {
    let runs = store.runs(scope, RunFilter::default(), None, ALL);
    let runs = block_on(runs).unwrap().runs;
    let with_log = |(run, row)| {
        let frames = store.frames(scope, run, Position::START, ALL);
        (run, (row, block_on(frames).unwrap()))
    };
    runs.into_iter().map(with_log).collect()
}

struct Checker {
    complaints: Vec<Complaint>,
}

impl Checker {
    fn require(&mut self, holds: bool, wrong: impl FnOnce() -> String) {
        if !holds {
            self.complaints.push(Complaint::Wrong(wrong()));
        }
    }

    /// Positions follow each other, times do not go back, and nobody wrote what was not asked.
    fn log(&mut self, run: RunId, frames: &[Frame], told: &Told) {
        let (mut next, mut at) = (Position::START.next(), Timestamp::ZERO);
        for frame in frames {
            let fits = frame.first == next && frame.at >= at;
            self.require(fits, || format!("{run}: {frame:?} does not follow"));
            let asked = told.asks.get(&frame.id);
            let by_it = asked.is_some_and(|(ask, _)| ask.run == run || ask.goes_by_token());
            self.require(by_it, || format!("{run}: nobody asked for {frame:?}"));
            (next, at) = (frame.last().next(), frame.at);
        }
    }

    /// The rows around a log say what the log says.
    fn row(&mut self, on: (&SqliteStore, ScopeId), run: RunId, row: &RunRow, frames: &[Frame]) {
        let (Some(first), Some(last)) = (frames.first(), frames.last()) else {
            self.require(false, || format!("{run} has no log"));
            return;
        };
        let entities = Entities::fold(run, frames).expect("the log is legal");
        let seen = entities.run().expect("it begins with its creation");
        let by_worker = frames.iter().rev().find(|f| f.writer == Writer::Worker);
        let worker = by_worker.map_or(Position::START, Frame::last);
        let wakes = row
            .wake_at
            .is_some_and(|at| at >= first.at && at <= last.at);
        // The end of a run ends its hooks, with no event of their own.
        let live = |_: &&Hook| entities.is_live();
        let live: Vec<_> = entities.live_hooks().filter(live).collect();
        let agrees = row.head == last.last()
            && (row.tail, row.last_at, row.worker) == (last.first, last.at, worker)
            && (row.status, row.ended_at) == (seen.status, seen.ended_at)
            && row.live_hooks as usize == live.len()
            && wakes != row.status.is_terminal();
        self.require(agrees, || format!("{run}: {row:?} is not of its log"));
        for hook in live {
            let held = block_on(on.0.token(on.1, hook.token.clone())).unwrap();
            let by_it = held.is_some_and(|held| {
                (held.run, held.hook, held.received) == (run, hook.id, hook.received)
            });
            self.require(by_it, || format!("{run}: its token is not its own"));
        }
    }

    fn wake_ups(&mut self, (store, scope): (&SqliteStore, ScopeId), found: &Found) {
        let due = block_on(store.due(scope, None, Timestamp::MAX, ALL)).unwrap();
        let mut due: Vec<_> = due.into_iter().map(|due| (due.run, due.at)).collect();
        due.sort_unstable();
        let rows = found.iter();
        let rows = rows.filter_map(|(run, (row, _))| Some((*run, row.wake_at?)));
        let agrees = due == rows.collect::<Vec<_>>();
        self.require(agrees, || format!("the wake-ups are {due:?}"));
    }

    fn ask(&mut self, on: (&SqliteStore, ScopeId), found: &Found, ask: &Ask, knows: Knows) {
        if ask.act == Act::Answer {
            self.answer(on, ask, knows);
            return;
        }
        let own: Vec<_> = stands(found, ask.id).collect();
        match (knows, &*own) {
            (Knows::Acknowledged(_), []) => self.lost(ask),
            (Knows::Acknowledged(position), [(run, own)]) => {
                let as_asked = own.first.0 == position && own.events == ask.events(on, *run);
                self.require(as_asked, || format!("{ask} is {own:?}, not at {position}"));
            }
            (Knows::Refused, []) | (Knows::Unknown, [] | [_]) => {}
            _ => self.require(false, || format!("{ask} was {knows:?}, and is {own:?}")),
        }
    }

    fn answer(&mut self, on: (&SqliteStore, ScopeId), ask: &Ask, knows: Knows) {
        let own = answered(on, ask);
        match knows {
            Knows::Acknowledged(_) if !own => self.lost(ask),
            Knows::Refused => self.require(!own, || format!("{ask} was refused and stands")),
            Knows::Acknowledged(_) | Knows::Unknown => {}
        }
    }

    fn lost(&mut self, ask: &Ask) {
        self.complaints.push(Complaint::Lost(ask.to_string()));
    }

    /// The same ids again get the first answer and write nothing.
    fn repeats(&mut self, on: (&SqliteStore, ScopeId), found: &Found, told: &Told) {
        for (ask, knows) in told.asks.values() {
            let Knows::Acknowledged(position) = *knows else {
                continue;
            };
            let there = match stands(found, ask.id).next() {
                None => ask.act == Act::Answer && answered(on, ask),
                // A payload without a key is not found again once its hook has gone.
                Some((run, _)) => ask.act != Act::Deliver || !found[&run].0.status.is_terminal(),
            };
            if there {
                let again = block_on(ask.send(on, true));
                self.require(again == Ok(position), || format!("{ask} again: {again:?}"));
            }
        }
        let unchanged = read(on) == *found;
        self.require(unchanged, || "a repeat has written".to_owned());
    }

    /// Tables that nobody can look into from outside: no token, key or page is left over or missing.
    fn tables(&mut self, path: &Path, found: &Found) {
        let connection = Connection::open(path).unwrap();
        let check: String = connection
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        self.require(check == "ok", || check);
        let tokens: Vec<TokenRow> = bodies(&connection, "tokens");
        let held: u32 = found.values().map(|(row, _)| row.live_hooks).sum();
        self.require(tokens.len() == held as usize, || format!("{tokens:?}"));
        let keys: Vec<KeyRow> = bodies(&connection, "keys");
        let keyed = found.values().flat_map(|(_, frames)| frames);
        let keyed = keyed.filter(|f| is_keyed(f)).count();
        self.require(keys.len() == keyed, || format!("{keyed} of {keys:?}"));
        for key in keys {
            let hook = key.hook.as_ref().expect("this workload posts nothing");
            let log = found.get(&hook.run).map_or(&[][..], |(_, log)| log);
            let stands = log
                .iter()
                .any(|f| f.id == key.event && f.first == key.position);
            self.require(stands, || format!("there is no payload of {key:?}"));
        }
        let starts: isize = connection
            .query_row("SELECT count(*) FROM start_keys", [], |row| row.get(0))
            .unwrap();
        self.require(starts.unsigned_abs() == found.len(), || {
            format!("{starts} start keys")
        });
    }
}

fn answered((store, scope): (&SqliteStore, ScopeId), ask: &Ask) -> bool {
    let stands = store.first_chunk(scope, ask.run, STREAM.to_owned());
    block_on(stands).unwrap() == Some(ask.chunk())
}

/// Where the frame of a request stands.
fn stands(found: &Found, id: EventId) -> impl Iterator<Item = (RunId, &Frame)> {
    let frames = found.iter();
    let frames = frames.flat_map(|(run, (_, frames))| frames.iter().map(move |f| (*run, f)));
    frames.filter(move |(_, frame)| frame.id == id)
}

fn is_keyed(frame: &Frame) -> bool {
    use rewake_store::core::event::EventKind;
    let keyed = |kind: &EventKind| matches!(kind, EventKind::HookReceived { key: Some(_), .. });
    frame.events.iter().any(keyed)
}

fn bodies<T: for<'b> minicbor::Decode<'b, ()>>(connection: &Connection, table: &str) -> Vec<T> {
    let sql = format!("SELECT body FROM {table}");
    let mut statement = connection.prepare(&sql).unwrap();
    let bodies = statement.query_map([], |row| row.get::<_, Vec<u8>>(0));
    let bodies = bodies.unwrap();
    bodies
        .map(|body| decode_row(&body.unwrap()).unwrap())
        .collect()
}
