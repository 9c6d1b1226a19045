//! Nodes beyond the contract: what one process remembers of a run that is another's by now, rows that
//! somebody has at hand, and what is forgotten of those that are gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::executor::block_on;
use rewake_postgres::Options;
use rewake_postgres::private_server::Database;
use rewake_store::core::time::Timestamp;
use rewake_store::{Beat, Claimed, Join, Lease, Mark, NodeId, Nodes, Queries, Sessions};

use super::session::Session;
use super::stage::{Run, Stage};

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

/// A clock that several stores share, and that only the test moves.
#[derive(Clone, Default)]
struct Clock(Arc<AtomicU64>);

impl Clock {
    fn stage(&self) -> Stage {
        Stage::on(Database::new().unwrap(), |options| self.for_store(options))
    }

    /// Another process's store.
    fn beside(&self, stage: &Stage) -> Stage {
        Stage::beside(stage, |options| self.for_store(options))
    }

    fn for_store(&self, options: Options) -> Options {
        let now = Arc::clone(&self.0);
        let now = move || Timestamp::from_millis(now.load(Ordering::Relaxed));
        options.clock(Arc::new(now))
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }

    fn pass(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Stage {
    fn join(&self) -> NodeId {
        let join = Join {
            scope: self.scope,
            name: "node".to_owned(),
            build: "build-1".to_owned(),
            workflows: vec!["order".to_owned()],
        };
        block_on(self.store.join(join)).unwrap()
    }

    fn claim(&self, node: NodeId) -> Vec<Claimed> {
        block_on(self.store.claim(node, Timestamp::default(), 64)).unwrap()
    }

    fn count(&self, sql: &str) -> u64 {
        self.database.query(sql).unwrap().parse().unwrap()
    }
}

impl Run<'_> {
    /// What the worker of a node appends, and when the run is to be woken then.
    fn at(self, node: NodeId, wake_at: Option<Timestamp>) -> Self {
        let mut append = self.record(0);
        let mark = append.mark.take();
        append.mark = mark.map(|mark| Mark {
            node: Some(node),
            wake_at,
            ..mark
        });
        self.append(append).unwrap();
        self
    }

    fn node(self) -> Option<NodeId> {
        let row = block_on(self.stage.store.run(self.stage.scope, self.id));
        row.unwrap().unwrap().node
    }
}

#[test]
fn what_is_remembered_of_a_run_gives_nobody_its_lease_back() {
    let clock = Clock::default();
    let stage = clock.stage();
    let other = clock.beside(&stage);
    let frozen = stage.join();
    let run = stage.run().at(frozen, None);
    clock.pass(10_000);
    let taker = stage.join();
    let taken = block_on(other.store.lease(taker, run.id));
    assert_eq!(taken, Ok(Lease::Own { orphaned: true }));
    // An outsider's event by way of the process that remembers the run as the first node's.
    let mut cancel = run.record(0);
    (cancel.mark, cancel.conditions) = (None, Vec::new());
    run.append(cancel).unwrap();
    assert_eq!(run.node(), Some(taker));
}

#[test]
fn a_count_of_crashes_is_not_overwritten_by_what_is_remembered() {
    let stage = Stage::new();
    let other = Stage::on_the_same(&stage);
    let run = stage.run();
    let counted = other.store.count_crashes(stage.scope, vec![run.id]);
    assert_eq!(block_on(counted), Ok(vec![1]));
    let mut cancel = run.record(0);
    (cancel.mark, cancel.conditions) = (None, Vec::new());
    run.append(cancel).unwrap();
    let row = block_on(stage.store.run(stage.scope, run.id));
    assert_eq!(row.unwrap().unwrap().crashes, 1);
}

#[test]
fn a_claim_passes_over_what_somebody_has_at_hand() {
    let clock = Clock::default();
    let stage = clock.stage();
    let node = stage.join();
    let runs = [stage.run(), stage.run()];
    let session = Session::holding(&stage.database, &runs[0].lock());
    let claimed: Vec<_> = stage
        .claim(node)
        .iter()
        .map(|claimed| claimed.run)
        .collect();
    assert_eq!(claimed, [runs[1].id]);
    session.end();
    let claimed: Vec<_> = stage
        .claim(node)
        .iter()
        .map(|claimed| claimed.run)
        .collect();
    assert_eq!(claimed, [runs[0].id]);
}

#[test]
fn sleepers_of_a_node_that_is_dead_for_long_become_nobodys() {
    let clock = Clock::default();
    let stage = clock.stage();
    let dead = stage.join();
    let morning = clock.now().after(std::time::Duration::from_hours(8));
    let asleep = stage.run().at(dead, Some(morning));
    let ready = stage.run().at(dead, Some(clock.now()));
    clock.pass(5 * MINUTE);
    let node = stage.join();
    let orphan = |run: Run<'_>| Claimed {
        run: run.id,
        at: Timestamp::default(),
        crashes: 0,
        orphaned: true,
    };
    assert_eq!(stage.claim(node), [orphan(ready)]);
    assert_eq!((ready.node(), asleep.node()), (Some(node), None));
    clock.pass(8 * HOUR);
    assert_eq!(block_on(stage.store.beat(node)), Ok(Beat::TakenForDead));
    let late = Claimed {
        at: morning,
        orphaned: false,
        ..orphan(asleep)
    };
    let claimed = block_on(stage.store.claim(node, clock.now(), 64));
    assert_eq!(claimed, Ok(vec![late]));
}

#[test]
fn a_node_that_is_gone_is_forgotten_and_its_runs_are_not() {
    let clock = Clock::default();
    let stage = clock.stage();
    let gone = stage.join();
    let waiting = stage.run().at(gone, None);
    clock.pass(2 * HOUR);
    let node = stage.join();
    assert_eq!(stage.claim(node), []);
    assert_eq!(stage.count("SELECT count(*) FROM rewake.nodes"), 1);
    assert_eq!(block_on(stage.store.beat(gone)), Ok(Beat::Unknown));
    assert_eq!(waiting.node(), Some(gone));
    waiting.deliver().unwrap();
    let claimed = block_on(stage.store.claim(node, clock.now(), 64)).unwrap();
    assert_eq!(claimed.len(), 1);
    assert_eq!((claimed[0].run, claimed[0].orphaned), (waiting.id, false));
}

#[test]
fn what_is_leased_to_a_node_that_nobody_knows_is_found() {
    let clock = Clock::default();
    let stage = clock.stage();
    let stray = stage.run().at(NodeId(77), Some(clock.now()));
    let node = stage.join();
    // The first claim comes before the tables are put in order, the second after it.
    stage.claim(node);
    let claimed = stage.claim(node);
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].run, stray.id);
}
