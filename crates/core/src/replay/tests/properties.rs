//! Properties: random programs in random histories, replayed from every place.

use proptest::prelude::*;

use super::log::{Log, run};
use super::program::{Ask, Joining, Op, Trace, Worker, without_draws};
use super::world::{History, Move, TOKENS, World, waiting_hook};
use crate::entity::{Entities, Hook};
use crate::event::{EventKind, EventRef, Frame, Position, Taken};
use crate::replay::Divergence;
use crate::replay::command::Key;
use crate::samples::{payload, token};
use crate::time::Timestamp;

fn ask() -> impl Strategy<Value = Ask> {
    let token = prop_oneof![
        3 => (0..TOKENS.len()).prop_map(|n| Some(TOKENS[n].to_owned())),
        1 => Just(None),
    ];
    let expiry = proptest::option::of(1_000_u64..9_000);
    (token, any::<bool>(), expiry).prop_map(|(token, is_webhook, expires_ms)| Ask {
        token,
        is_webhook,
        expires_ms,
    })
}

fn op() -> impl Strategy<Value = Op> {
    let leaf = prop_oneof![
        3 => "[a-d]".prop_map(Op::Step),
        2 => (1_u64..9_000).prop_map(Op::Sleep),
        3 => (0_u8..2, ask()).prop_map(|(slot, ask)| Op::Hook(slot, ask)),
        3 => (0_u8..2).prop_map(Op::Recv),
        1 => (0_u8..2).prop_map(Op::Close),
        1 => (0_u8..2).prop_map(Op::Drop),
        1 => Just(Op::Draw),
        2 => "[u-z]".prop_map(Op::Undo),
        1 => Just(Op::Spoil),
    ];
    leaf.prop_recursive(2, 10, 3, |inner| {
        let branches =
            || proptest::collection::vec(proptest::collection::vec(inner.clone(), 1..3), 1..4);
        let shielded = proptest::collection::vec(inner.clone(), 1..3).prop_map(Op::Shield);
        prop_oneof![
            2 => branches().prop_map(Op::Join),
            2 => branches().prop_map(Op::Race),
            1 => shielded,
        ]
    })
}

fn program() -> impl Strategy<Value = Vec<Op>> {
    proptest::collection::vec(op(), 1..7)
}

fn next_move() -> impl Strategy<Value = Move> {
    let n = || 0_usize..4;
    prop_oneof![
        6 => (1_usize..4).prop_map(Move::Feed),
        2 => Just(Move::Feed(usize::MAX)),
        6 => Just(Move::Append),
        2 => Just(Move::AppendDue),
        1 => Just(Move::Crash),
        4 => n().prop_map(Move::Start),
        4 => n().prop_map(Move::Complete),
        1 => n().prop_map(Move::Retry),
        1 => n().prop_map(Move::Fail),
        4 => n().prop_map(Move::Resume),
        1 => n().prop_map(Move::Expire),
        3 => n().prop_map(Move::Wake),
        1 => n().prop_map(Move::Occupy),
    ]
}

fn last_move() -> impl Strategy<Value = Option<Move>> {
    prop_oneof![
        4 => Just(None),
        1 => Just(Some(Move::Cancel)),
        1 => Just(Some(Move::Terminate)),
    ]
}

/// Joins of single calls and what stands between them, with no name, slot or token used twice: the
/// order in which such calls are first polled decides nothing.
fn joins() -> impl Strategy<Value = Vec<Op>> {
    let call = prop_oneof![
        3 => "[a-d]".prop_map(Op::Step),
        2 => (1_u64..9_000).prop_map(Op::Sleep),
        1 => any::<bool>().prop_map(|is_webhook| {
            let ask = Ask { token: None, is_webhook, expires_ms: None };
            Op::Hook(0, ask)
        }),
    ];
    let join = proptest::collection::vec(call, 1..5)
        .prop_map(|calls| Op::Join(calls.into_iter().map(|call| vec![call]).collect()));
    proptest::collection::vec(join, 1..4).prop_map(|mut program| {
        give_each_hook_its_slot(&mut program);
        program
    })
}

fn give_each_hook_its_slot(program: &mut [Op]) {
    let joined = program.iter_mut().flat_map(|op| match op {
        Op::Join(branches) => branches.iter_mut().flatten().collect::<Vec<_>>(),
        op => vec![op],
    });
    for (next, op) in (0_u8..).zip(joined) {
        if let Op::Hook(slot, _) = op {
            *slot = next;
        }
    }
}

/// A change to one step of a program, at the top level, where what it does can be foretold.
#[derive(Clone, Copy, Debug)]
enum Change {
    Rename,
    Swap,
    Remove,
    Insert,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        Just(Change::Rename),
        Just(Change::Swap),
        Just(Change::Remove),
        Just(Change::Insert),
    ]
}

impl Change {
    fn apply(self, program: &[Op], place: usize) -> Vec<Op> {
        let mut changed = program.to_vec();
        let other = || Op::Step("another".to_owned());
        match self {
            Self::Rename => changed[place] = other(),
            Self::Swap => changed[place] = Op::Sleep(1),
            Self::Remove => {
                changed.remove(place);
            }
            Self::Insert => changed.insert(place, other()),
        }
        changed
    }
}

/// Gives the steps at the top level names of their own, and says where they stand.
fn name_steps(program: &mut [Op]) -> Vec<usize> {
    let mut places = Vec::new();
    for (place, op) in program.iter_mut().enumerate() {
        if let Op::Step(name) = op {
            *name = format!("step {place}");
            places.push(place);
        }
    }
    places
}

/// The position of the record that the command about this step left.
fn position_of(world: &World, name: &str) -> Option<Position> {
    let mut events = world.log.frames().iter().flat_map(Frame::iter);
    let is_it = |event: &EventRef<'_>| matches!(event.kind, EventKind::StepCreated { name: recorded, .. } if recorded == name);
    events.find(is_it).map(|event| event.position)
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let moves = || proptest::collection::vec(next_move(), 0..40);
    (moves(), last_move(), moves())
        .prop_map(|(before, last, after)| before.into_iter().chain(last).chain(after).collect())
}

fn history() -> impl Strategy<Value = History> {
    (program(), any::<bool>(), moves()).prop_map(|(program, waiting, moves)| History {
        program,
        waiting,
        moves,
    })
}

/// The events up to `end`, and for whole frames their counts of payloads taken.
fn replay_up_to(world: &World, end: Position) -> Result<Worker, Divergence> {
    let mut worker = Worker::new(&world.program, 1_000 + u128::from(end.0));
    for frame in world.log.frames() {
        for event in frame.iter().filter(|event| event.position <= end) {
            worker.feed(event)?;
        }
        if frame.last() <= end {
            worker.machine.feed_taken(frame.first, &frame.taken);
        }
    }
    worker.machine.rest()?;
    Ok(worker)
}

fn records_up_to(frames: &[Frame], end: Position) -> Vec<Key> {
    let events = frames.iter().flat_map(Frame::iter);
    let events = events.filter(|event| event.position <= end);
    events.filter_map(|event| Key::of(event.kind)).collect()
}

fn has_ended(frames: &[Frame], end: Position) -> bool {
    let ends = |event: EventRef<'_>| event.position <= end && event.kind.is_terminal();
    frames.iter().flat_map(Frame::iter).any(ends)
}

/// What the worker had asked for by `end` and the log does not hold.
fn missing_at(world: &World, end: Position) -> Vec<EventKind> {
    if has_ended(world.log.frames(), end) {
        return Vec::new();
    }
    let recorded = records_up_to(world.log.frames(), end);
    let asked = world.worker.issued.iter().filter(|(at, _)| *at <= end);
    asked
        .map(|(_, record)| record)
        .filter(|record| Key::of(record).is_some_and(|key| !recorded.contains(&key)))
        .map(without_draws)
        .collect()
}

/// The log up to a worker's frame with one more fact, at each place where the worker had not been
/// when it appended that frame, as far as the log stays legal.
fn with_facts(
    world: &World,
    (nth, fed): (usize, Position),
    which: prop::sample::Index,
) -> Vec<(Log, usize)> {
    let frames = world.log.frames();
    let mut logs = Vec::new();
    for at in (0..=nth).filter(|at| frames[*at].first > fed) {
        let known = Entities::fold(run(), &frames[..at]).expect("a log folds");
        let facts = facts(&known);
        if facts.is_empty() {
            continue;
        }
        let log = Log::with_outsider(frames, nth, at, &facts[which.index(facts.len())]);
        if Entities::fold(run(), log.frames()).is_ok() {
            logs.push((log, at));
        }
    }
    logs
}

/// What somebody outside may add just then.
fn facts(known: &Entities) -> Vec<EventKind> {
    if !known.is_live() {
        return Vec::new();
    }
    let received = known.live_hooks().map(|hook| EventKind::HookReceived {
        hook: hook.id,
        payload: payload("one more"),
        key: None,
        fallback: None,
        kept_until: None,
    });
    let expired = known
        .live_hooks()
        .filter(|hook| hook.expires_at.is_some())
        .map(|hook| EventKind::HookExpired { hook: hook.id });
    let woken = known
        .pending_waits()
        .map(|wait| EventKind::WaitCompleted { wait: wait.id });
    let cancelled = std::iter::once(EventKind::RunCancelRequested { reason: None });
    received
        .chain(expired)
        .chain(woken)
        .chain(cancelled)
        .collect()
}

/// The step of an undo call that ran, by the name that programs give only these.
fn undone(kind: &EventKind) -> Option<String> {
    match kind {
        EventKind::StepCreated { name, .. } if ("u".."{").contains(&name.as_str()) => {
            Some(name.clone())
        }
        _ => None,
    }
}

/// All that a driver asks a machine for at a rest.
#[derive(Debug, PartialEq)]
struct Stand {
    trace: Vec<(Position, String)>,
    records: Vec<EventKind>,
    taken: Vec<Taken>,
    due: Option<Timestamp>,
    waits: bool,
    finished: bool,
}

fn stands(worker: &Worker) -> Stand {
    let machine = &worker.machine;
    Stand {
        trace: without_tokens(worker.trace()),
        records: machine.records().map(without_draws).collect(),
        taken: machine.taken(),
        due: machine.next_due(),
        waits: machine.has_open_reason(),
        finished: machine.is_finished(),
    }
}

/// The event, without the token of a conflict, which may have been drawn.
fn without_any_draw(kind: &EventKind) -> EventKind {
    match without_draws(kind) {
        EventKind::HookConflict { hook, owner, .. } => EventKind::HookConflict {
            hook,
            token: token("drawn"),
            owner,
        },
        kind => kind,
    }
}

/// What a program did, without the tokens that it was given.
fn without_tokens(trace: &Trace) -> Vec<(Position, String)> {
    let text = |what: &str| what.split(" at ").next().unwrap_or_default().to_owned();
    trace.iter().map(|(at, what)| (*at, text(what))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_prefix_of_a_log_replays_to_the_same_decisions(history in history()) {
        let world = history.happen();
        for end in world.prefixes() {
            let replayed = replay_up_to(&world, end).expect("a valid run does not part");
            let decided: Vec<_> = world
                .worker
                .trace()
                .iter()
                .filter(|(at, _)| *at <= end)
                .cloned()
                .collect();
            prop_assert_eq!(replayed.trace(), &decided, "up to {}", end);
            let records: Vec<_> = replayed.machine.records().map(without_draws).collect();
            prop_assert_eq!(records, missing_at(&world, end), "up to {}", end);
        }
    }

    #[test]
    fn facts_of_outsiders_that_a_worker_did_not_know_make_no_run_part(
        history in history(),
        which in any::<prop::sample::Index>(),
    ) {
        let world = history.happen();
        for (nth, fed) in world.windows() {
            for (log, at) in with_facts(&world, (nth, fed), which) {
                let replayed = Worker::new(&world.program, 9).replay(log.frames());
                let replayed = replayed.map_err(|parted| {
                    TestCaseError::fail(format!("{parted}, with a fact before frame {at}: {log:?}"))
                })?;
                let before = |trace: &Trace| {
                    let decided = trace.iter().filter(|(at, _)| *at <= fed);
                    decided.cloned().collect::<Vec<_>>()
                };
                prop_assert_eq!(before(replayed.trace()), before(world.worker.trace()));
            }
        }
    }

    #[test]
    fn eviction_at_every_rest_leaves_the_same_log(history in history()) {
        let kept = history.happen();
        let evicted = history.happen_with(World::evict);
        let spelled = |world: &World| {
            let frames = world.log.frames().iter();
            let frames = frames.map(|frame| {
                let events: Vec<_> = frame.events.iter().map(without_any_draw).collect();
                (frame.first, frame.writer, events, frame.taken.clone())
            });
            frames.collect::<Vec<_>>()
        };
        prop_assert_eq!(spelled(&evicted), spelled(&kept));
        prop_assert_eq!(without_tokens(evicted.worker.trace()), without_tokens(kept.worker.trace()));
    }

    #[test]
    fn a_fresh_machine_stands_where_the_resident_one_does(history in history()) {
        let mut differs = None;
        history.happen_with(|world| {
            let resident = stands(&world.worker);
            world.evict();
            let fresh = stands(&world.worker);
            if fresh != resident {
                differs.get_or_insert((fresh, resident));
            }
        });
        prop_assert_eq!(differs, None);
    }

    /// What is undone is what was registered, newest first, each step once; and nothing where the
    /// workflow came to a good end, or somebody terminated it.
    #[test]
    fn undo_calls_run_newest_first_where_the_workflow_fails_or_is_cancelled(history in history()) {
        let mut world = history.happen();
        world.bring_to_its_end();
        let log = world.log.frames();
        let events: Vec<_> = log.iter().flat_map(Frame::iter).map(|event| event.kind).collect();
        let undone: Vec<_> = events.iter().filter_map(|kind| undone(kind)).collect();
        let (ended, undoes) = match events.last() {
            Some(EventKind::RunFailed { .. }) => (true, true),
            Some(EventKind::RunCancelled { terminated, reason }) => {
                let in_time = reason.as_ref().is_none_or(|reason| !reason.contains("undo calls"));
                (!terminated && in_time, !terminated)
            }
            _ => (true, false),
        };
        let mut registered = world.worker.undos().to_vec();
        registered.reverse();
        if !undoes {
            // A termination may come in the middle of it.
            prop_assert!(registered.starts_with(&undone) || undone.is_empty());
        } else if ended {
            prop_assert_eq!(undone, registered);
        } else {
            prop_assert!(registered.starts_with(&undone));
        }
    }

    #[test]
    fn a_shield_that_was_in_progress_ends_unless_its_time_runs_out(history in history()) {
        let mut world = history.happen();
        world.bring_to_its_end();
        let cut_short = world.log.frames().iter().flat_map(Frame::iter).any(|event| {
            matches!(event.kind, EventKind::RunCancelled { reason: Some(reason), terminated: false }
                if reason.contains("shield"))
        });
        prop_assert!(cut_short || world.worker.lost_shields() == 0 || world.is_terminated());
    }

    #[test]
    fn what_a_receiver_left_is_on_record_as_soon_as_the_worker_rests(history in history()) {
        let world = history.happen();
        let view = Entities::fold(run(), world.log.frames()).expect("a log folds");
        let taken_since = world.worker.machine.taken();
        // The hook that the log begins with may never be asked for.
        let asked_for = |hook: &&Hook| hook.id != waiting_hook() || world.worker.holds(hook.id);
        // While only shields go on, the body keeps what it has asked for and has not heard of.
        let is_told = view.is_live() && !world.worker.machine.is_shielding();
        let hooks = view.hooks().values().map(Box::as_ref);
        for hook in hooks.filter(asked_for).filter(|_| is_told) {
            let taken = taken_since.iter().find(|taken| taken.hook == hook.id);
            let taken = taken.map_or(hook.taken, |taken| taken.count);
            if hook.received > taken && !world.worker.holds(hook.id) {
                prop_assert!(hook.dropped_at.is_some(), "{hook:?}");
            }
        }
    }

    #[test]
    fn a_log_folds_into_what_the_machine_sees(history in history()) {
        let world = history.happen();
        let view = Entities::fold(run(), world.log.frames()).expect("a log folds");
        let seen = world.worker.machine.entities();
        prop_assert_eq!(view.run(), seen.run());
        let steps = |entities: &Entities| entities.open_steps().cloned().collect::<Vec<_>>();
        prop_assert_eq!(steps(&view), steps(seen));
        let hooks = |entities: &Entities| entities.live_hooks().cloned().collect::<Vec<_>>();
        prop_assert_eq!(hooks(&view), hooks(seen));
        let waits = |entities: &Entities| entities.pending_waits().cloned().collect::<Vec<_>>();
        prop_assert_eq!(waits(&view), waits(seen));
    }

    #[test]
    fn the_order_in_which_joined_calls_are_polled_makes_no_difference(
        program in joins(),
        moves in moves(),
    ) {
        let world = History { program, waiting: false, moves }.happen();
        let worker = || Worker::new(&world.program, 9);
        let mut expected = world.worker.trace().clone();
        expected.sort();
        let reversed = worker().joining(Joining::Reversed).replay(world.log.frames());
        let reversed = reversed.expect("it makes no difference");
        let mut decided = reversed.trace().clone();
        decided.sort();
        prop_assert_eq!(decided, expected);
        prop_assert_eq!(reversed.machine.records_len(), world.worker.machine.records_len());
    }

    #[test]
    fn calls_that_were_joined_may_be_awaited_one_after_the_other(
        program in joins(),
        moves in moves(),
    ) {
        let mut moves = moves;
        moves.retain(|next| !matches!(next, Move::Cancel | Move::Terminate));
        let mut world = History { program, waiting: false, moves }.happen();
        world.complete_everything();
        let one_by_one = Worker::new(&world.program, 9)
            .joining(Joining::OneByOne)
            .replay(world.log.frames());
        let one_by_one = one_by_one.expect("every fact waits for its call");
        let what = |worker: &Worker| {
            let mut what: Vec<_> =
                worker.trace().iter().map(|(_, what)| what.clone()).collect();
            what.sort();
            what
        };
        prop_assert_eq!(what(&one_by_one), what(&world.worker));
        prop_assert!(one_by_one.machine.has_ended());
    }

    #[test]
    fn a_change_that_can_be_seen_is_reported_at_its_place(
        history in history(),
        change in change(),
        which in any::<prop::sample::Index>(),
    ) {
        let mut history = history;
        history.program.push(Op::Step("last".to_owned()));
        let places = name_steps(&mut history.program);
        let place = places[which.index(places.len())];
        let world = history.happen();
        let recorded = position_of(&world, &format!("step {place}"));
        let changed = change.apply(&history.program, place);
        let replayed = Worker::new(&changed, 9).replay(world.log.frames());
        let parted = replayed.err().map(|divergence| (divergence.code(), divergence.position()));
        prop_assert_eq!(parted, recorded.map(|position| ("REPLAY_PARTED", position)));
    }
}
