//! Properties: random programs in random histories, replayed from every place.

use proptest::prelude::*;

use super::log::run;
use super::program::{Ask, Op, Worker, without_draws};
use super::world::{History, Move, TOKENS, World};
use crate::entity::Entities;
use crate::event::{EventKind, EventRef, Frame, Position};
use crate::replay::Divergence;
use crate::replay::command::Key;

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
    ];
    leaf.prop_recursive(2, 10, 3, |inner| {
        let branches =
            || proptest::collection::vec(proptest::collection::vec(inner.clone(), 1..3), 1..4);
        prop_oneof![branches().prop_map(Op::Join), branches().prop_map(Op::Race),]
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
            worker.machine.feed_taken(&frame.taken);
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
}
