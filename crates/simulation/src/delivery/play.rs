//! Plays a schedule against the real engine, and gathers what everybody was told and saw and what the
//! public queries show at the end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_executor::block_on;
use futures_util::FutureExt;
use rewake_core::event::EventKind;
use rewake_core::id::{HookId, RunId};
use rewake_core::payload::{self, Payload};
use rewake_core::time::Timestamp;
use rewake_runtime::{Engine, HookFilter, QueryError, Resume, ResumeOrStart, Start};
use rewake_store::{RunFilter, ScopeId};

use super::model::{self, Answer, Fate, History, Sent, Way};
use super::schedule::{Act, Deed, Door, Letter, Schedule, Told};
use super::script::WORKFLOW;
use crate::outsider::give_up;
use crate::prng::{Prng, Stream};
use crate::process::Setup;
use crate::scenario::Disk;
use crate::scheduler::OUTSIDE;
use crate::simulation::{Failure, Report, panicked, report, settle, stop};
use crate::statement::{Breaks, Problem, Statement};
use crate::turmoil::{seen, turmoil};
use crate::workload;
use crate::world::{World, lock};

/// The one scope there is.
const SCOPE: ScopeId = ScopeId(0);
/// How often somebody with a key asks.
const TRIES: u32 = 12;
/// More runs than any schedule brings about.
const RUNS: usize = 1_000;

/// What was sent, by all.
type Post = Arc<Mutex<Vec<Sent>>>;

/// The number in a payload.
pub(super) fn number(payload: &Payload) -> Option<u64> {
    let told: Told = payload::decode(payload).ok()?;
    Some(told.number)
}

/// Plays a schedule and asks the model.
///
/// # Errors
///
/// What must not be.
pub(super) fn play(schedule: &Schedule, traced: bool) -> Result<Report, Box<Failure>> {
    let world = World::new(&schedule.scenario, traced);
    let played = catch_unwind(AssertUnwindSafe(|| live(&world, schedule)));
    // Whatever happened, nothing of this world may reach the next one.
    let ended = catch_unwind(AssertUnwindSafe(|| world.end()));
    let played = played
        .unwrap_or_else(|panic| Err(panicked(&*panic)))
        .and_then(|()| ended.map_err(|panic| panicked(&*panic)))
        .and_then(|()| seen(&world));
    let trace = world.take_trace();
    match played {
        Ok(()) => Ok(report(&world, trace)),
        Err(problem) => Err(Box::new(Failure {
            problem,
            faults: std::mem::take(&mut lock(&world.faults).happened),
            trace,
        })),
    }
}

fn live(world: &Arc<World>, schedule: &Schedule) -> Result<(), Problem> {
    let _ledger = world.ledger.open();
    let post = Post::default();
    for act in schedule.acts.clone() {
        let serial = act.serial;
        let task = perform(Arc::clone(world), act, Arc::clone(&post)).boxed();
        world.tasks.spawn_at((OUTSIDE, "act"), serial, task);
    }
    turmoil(world)?;
    settle(world)?;
    take_over(world)?;
    if schedule.scenario.disk == Disk::Sqlite {
        world.count("met sqlite");
    }
    let history = gather(world, &post)?;
    tell(world, &history);
    let fates = model::check(&history).breaks(Statement::Delivered)?;
    count(world, &history, &fates);
    Ok(())
}

fn tell(world: &World, history: &History) {
    for run in &history.runs {
        for event in &run.events {
            let (position, at, kind) = (event.position, event.at, &event.kind);
            world.trace(|| format!("log  {} {position} {at:?} {kind:?}", run.run));
        }
        world.trace(|| {
            format!(
                "run  {} read {:?}, unread {:?}",
                run.run, run.read, run.unread
            )
        });
    }
    world.trace(|| format!("sent {:?}", history.sent));
    world.trace(|| format!("mail {:?}", history.mail));
}

/// Another process takes over, alone, when all is quiet.
fn take_over(world: &Arc<World>) -> Result<(), Problem> {
    let alive = lock(&world.processes).alive();
    for process in alive {
        world.shut_down(process, Duration::from_millis(10));
    }
    stop(world)?;
    world.boot(Setup::strict("last"));
    settle(world)
}

async fn perform(world: Arc<World>, act: Act, post: Post) {
    world.clock.sleep(act.after_ms).await;
    world.trace(|| format!("act  {} {:?}", act.serial, act.deed));
    world.count(act.deed.name());
    let mut prng = Prng::at(world.seed, Stream::Outsider, (act.serial, 0));
    match act.deed {
        Deed::Start { script, key } => {
            let mut start = Start::new(WORKFLOW, encoded(&(act.serial, script)));
            start.key = key.then(|| format!("start-{}", act.serial));
            for _ in 0..if key { TRIES } else { 1 } {
                let start = start.clone();
                let started = give_up(&world, &mut prng, None, |engine| {
                    async move { engine.start(start).await }.boxed()
                });
                if started.await.is_some_and(|started| started.is_ok()) {
                    break;
                }
                world.clock.sleep(100).await;
            }
        }
        Deed::Send(letter) => send(&world, (act.serial, &letter), &mut prng, &post).await,
        Deed::Cancel(n) => {
            if let Some(run) = any_run(&world, n) {
                let cancel = |engine: Engine| async move { engine.cancel(run, None).await }.boxed();
                give_up(&world, &mut prng, None, cancel).await;
            }
        }
        Deed::Terminate(n) => {
            if let Some(run) = any_run(&world, n) {
                let end = |engine: Engine| async move { engine.terminate(run, None).await }.boxed();
                give_up(&world, &mut prng, None, end).await;
            }
        }
        Deed::LookUp(token) => {
            let look = |engine: Engine| async move { engine.hook_by_token(token).await }.boxed();
            give_up(&world, &mut prng, None, look).await;
        }
        Deed::Evict(n) => {
            if let Some(run) = any_run(&world, n) {
                let engines = lock(&world.processes).engines();
                for (_, engine) in engines {
                    engine.evict(run);
                }
            }
        }
        Deed::Await(n) => {
            if let Some(run) = any_run(&world, n) {
                let outcome = |engine: Engine| async move { engine.outcome(run).await }.boxed();
                give_up(&world, &mut prng, Some(1_000), outcome).await;
            }
        }
    }
}

fn encoded(value: &impl serde::Serialize) -> Payload {
    payload::encode(value).expect("plain data can be encoded")
}

fn any_run(world: &World, n: u64) -> Option<RunId> {
    let listed = world.store().runs(SCOPE, RunFilter::default(), None, RUNS);
    let runs = block_on(listed).ok()?.runs;
    let nth = n.checked_rem(runs.len() as u64)?;
    runs.get(usize::try_from(nth).ok()?).map(|(run, _)| *run)
}

/// Sends a payload; with a key, until it is answered, and then again.
async fn send(world: &Arc<World>, (serial, letter): (u64, &Letter), prng: &mut Prng, post: &Post) {
    let asked_at = world.clock.now();
    let place = {
        let mut post = lock(post);
        post.push(Sent {
            number: serial,
            token: letter.token.to_owned(),
            way: way(&letter.door, (asked_at, asked_at)),
            answers: Vec::new(),
        });
        post.len() - 1
    };
    let mut gives_up_ms = letter.gives_up_ms;
    let mut again = letter.key.map_or(0, u32::from);
    for _ in 0..letter.key.map_or(1, |_| TRIES) {
        let answered = give_up(world, prng, gives_up_ms.take(), |engine| {
            let letter = letter.clone();
            async move { hand_in(&engine, serial, letter).await }.boxed()
        });
        let answer = answered.await.unwrap_or(Answer::Unknown);
        let done = !matches!(answer, Answer::Refused | Answer::Unknown);
        {
            let sent = &mut lock(post)[place];
            // What is answered as before is not taken anew.
            if !sent.answers.iter().any(Answer::is_done) {
                sent.way = way(&letter.door, (asked_at, world.clock.now()));
            }
            sent.answers.push(answer);
        }
        if done && again == 0 {
            return;
        }
        again -= u32::from(done);
        world.clock.sleep(100).await;
    }
}

/// Where the payload may go that was taken between these times.
fn way(door: &Door, (first, last): (u64, u64)) -> Way {
    match door {
        Door::Resume => Way::Resume,
        Door::ResumeOrStart(_) => Way::Admission,
        Door::Post(keep_ms) => {
            let after = |at: u64| Timestamp::from_millis(at.saturating_add(*keep_ms));
            Way::Mail {
                earliest: after(first),
                latest: after(last),
            }
        }
    }
}

async fn hand_in(engine: &Engine, serial: u64, letter: Letter) -> Answer {
    let resume = Resume {
        token: letter.token.to_owned(),
        payload: encoded(&Told {
            number: serial,
            finish: letter.finish,
        }),
        key: letter.key.map(|_| format!("letter-{serial}")),
    };
    let failed = |may_have_happened| {
        if may_have_happened {
            Answer::Unknown
        } else {
            Answer::Refused
        }
    };
    let taken = |run, hook, started| Answer::Taken { run, hook, started };
    match letter.door {
        Door::Resume => match engine.resume(resume).await {
            Ok(Some(hook)) => taken(hook.run_id, hook.hook_id, false),
            Ok(None) => Answer::Nobody,
            Err(error) => failed(error.may_have_happened()),
        },
        Door::ResumeOrStart(script) => {
            let request = ResumeOrStart {
                resume,
                workflow: WORKFLOW.to_owned(),
                input: encoded(&(serial, script)),
            };
            match engine.resume_or_start(request).await {
                Ok(admitted) => taken(admitted.run, admitted.hook.hook_id, admitted.started),
                Err(error) => failed(error.may_have_happened()),
            }
        }
        Door::Post(keep_ms) => {
            let keep_for = Duration::from_millis(keep_ms);
            match engine.post(resume, keep_for).await {
                Ok(rewake_runtime::Posted::Delivered(hook)) => {
                    taken(hook.run_id, hook.hook_id, false)
                }
                Ok(rewake_runtime::Posted::Kept { until }) => Answer::Kept(until),
                Err(error) => failed(error.may_have_happened()),
            }
        }
    }
}

/// Asks for all that can be known.
fn gather(world: &Arc<World>, post: &Post) -> Result<History, Problem> {
    let engines = lock(&world.processes).engines();
    let Some((_, engine)) = engines.into_iter().next() else {
        return Err(Statement::Order.broken("no process is up at the end"));
    };
    let gathered = Arc::new(Mutex::new(None));
    let asking = {
        let (gathered, world, post) = (Arc::clone(&gathered), Arc::clone(world), Arc::clone(post));
        async move {
            let history = ask(&engine, &world, &post).await;
            *lock(&gathered) = Some(history.map_err(|error| error.to_string()));
        }
    };
    world.tasks.spawn(OUTSIDE, "ask", asking.boxed());
    settle(world)?;
    let history = lock(&gathered).take();
    history
        .unwrap_or_else(|| Err("the questions were not answered".to_owned()))
        .breaks(Statement::Order)
}

async fn ask(engine: &Engine, world: &World, post: &Post) -> Result<History, QueryError> {
    let listed = engine.runs(RunFilter::default(), None, RUNS).await?;
    let mut runs = Vec::new();
    for view in listed.runs {
        let run = view.run;
        let events = engine.events(run).await?;
        let unread = engine.unread(run).await?.into_iter();
        let unread = unread.filter_map(|left| Some((left.hook_id, number(&left.payload)?)));
        let serial = events.iter().find_map(|event| match &event.kind {
            EventKind::RunCreated { input, .. } => serial(input),
            _ => None,
        });
        runs.push(model::Seen {
            run,
            serial: serial.unwrap_or(u64::MAX),
            unread: unread.collect(),
            events,
            read: read_by(world, run),
        });
    }
    let page = engine.hooks(HookFilter::default(), None, RUNS).await?;
    let live = page.hooks.into_iter();
    let live = live.map(|listed| (listed.hook.token.to_string(), listed.hook.hook_id));
    let mail = mail(engine, world).await?;
    Ok(History {
        now: Timestamp::from_millis(world.clock.now()),
        sent: lock(post).clone(),
        runs,
        mail,
        live: live.collect(),
    })
}

/// The act that a run belongs to.
fn serial(input: &Payload) -> Option<u64> {
    let (serial, _): (u64, super::script::Script) = payload::decode(input).ok()?;
    Some(serial)
}

fn read_by(world: &World, run: RunId) -> Vec<(HookId, u64)> {
    let entries = world.ledger.lock();
    let seen = entries.seen.get(&run).map_or(&[][..], Vec::as_slice);
    let read = seen.iter().filter_map(|seen| match seen {
        workload::Seen::Payload(hook, number) => Some((hook.parse().ok()?, *number)),
        _ => None,
    });
    read.collect()
}

/// What the mailbox keeps. Its listing tells neither tokens nor payloads; the store's rows do, and the
/// two must be the same ones.
async fn mail(engine: &Engine, world: &World) -> Result<Vec<(String, u64, Timestamp)>, QueryError> {
    let listed = engine.mailbox(None, RUNS).await?;
    let rows = block_on(world.store().mail(SCOPE, None, RUNS))?;
    let listed = listed.iter().map(|mail| (mail.place, mail.until));
    let kept = rows.iter().map(|(place, mail)| (*place, mail.until));
    if !listed.eq(kept) {
        world.fail(Statement::Delivered.broken("the mailbox is not listed as it is"));
    }
    let mail = rows
        .into_iter()
        .filter_map(|(_, mail)| Some((mail.token.to_string(), number(&mail.payload)?, mail.until)));
    Ok(mail.collect())
}

/// Counts what became of payloads, and on which ways.
fn count(world: &World, history: &History, fates: &[Fate]) {
    for (sent, fate) in history.sent.iter().zip(fates) {
        world.count(fate.name());
        let places = places(history, sent.number);
        let unknown = sent.answers.iter().all(|answer| *answer == Answer::Unknown);
        let done = |answer: &&Answer| matches!(answer, Answer::Taken { .. } | Answer::Kept(_));
        let kept = sent
            .answers
            .iter()
            .any(|answer| matches!(answer, Answer::Kept(_)));
        let met = [
            (sent.way == Way::Admission && places > 1, "met handed-on"),
            (*fate == Fate::Kept && places > 0, "met returned"),
            (kept && places > 0, "met left-mailbox"),
            (
                sent.answers.iter().filter(done).count() > 1,
                "met same-answer",
            ),
            (
                unknown && *fate == Fate::Never,
                "met unknown-and-never-taken",
            ),
            (unknown && *fate != Fate::Never, "met unknown-and-taken"),
        ];
        for (_, name) in met.into_iter().filter(|(met, _)| *met) {
            world.count(name);
        }
    }
}

fn places(history: &History, wanted: u64) -> usize {
    let events = history.runs.iter().flat_map(|run| &run.events);
    let here = events.filter(|event| match &event.kind {
        EventKind::HookReceived { payload, .. } => number(payload) == Some(wanted),
        _ => false,
    });
    here.count()
}
