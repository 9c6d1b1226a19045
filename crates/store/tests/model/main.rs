//! Random requests against the in-memory store, compared with a model that is obviously right.

mod model;
mod play;

use proptest::prelude::*;

use play::Play;

/// What a worker does to its hooks in one append.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Registers a hook under a token.
    Register { token: usize },
    /// Gives up one of the hooks it has registered and not given up.
    GiveUp { nth: usize },
}

/// One request.
#[derive(Clone, Debug)]
enum Request {
    Start { run: usize },
    Work(Work),
    WorkOnStalePosition { run: usize },
    Cancel { run: usize },
    Terminate { run: usize },
    Expire { token: usize },
    Deliver(Delivery),
}

/// An append of a run's worker.
#[derive(Clone, Debug)]
struct Work {
    run: usize,
    acts: Vec<Act>,
    /// True where it has seen what others wrote.
    aware: bool,
    /// True where the append ends the run.
    ends: bool,
    wake_in: Option<u64>,
}

/// A payload for a token.
#[derive(Clone, Copy, Debug)]
struct Delivery {
    token: usize,
    payload: u8,
    key: Option<u8>,
}

const RUNS: usize = 3;
const TOKENS: usize = 2;

fn request() -> impl Strategy<Value = Request> {
    let act = prop_oneof![
        2 => (0..TOKENS).prop_map(|token| Act::Register { token }),
        1 => (0..4_usize).prop_map(|nth| Act::GiveUp { nth }),
    ];
    let work = (
        0..RUNS,
        prop::collection::vec(act, 0..5),
        any::<bool>(),
        prop::bool::weighted(0.1),
        prop::option::of(1_000..2_000_u64),
    );
    let work = work.prop_map(|(run, acts, aware, ends, wake_in)| Work {
        run,
        acts,
        aware,
        ends,
        wake_in,
    });
    let delivery = (0..TOKENS, 0..3_u8, prop::option::of(0..2_u8));
    let delivery = delivery.prop_map(|(token, payload, key)| Delivery {
        token,
        payload,
        key,
    });
    prop_oneof![
        2 => (0..RUNS).prop_map(|run| Request::Start { run }),
        8 => work.prop_map(Request::Work),
        1 => (0..RUNS).prop_map(|run| Request::WorkOnStalePosition { run }),
        1 => (0..RUNS).prop_map(|run| Request::Cancel { run }),
        1 => (0..RUNS).prop_map(|run| Request::Terminate { run }),
        1 => (0..TOKENS).prop_map(|token| Request::Expire { token }),
        4 => delivery.prop_map(Request::Deliver),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_store_does_what_the_model_says(
        requests in prop::collection::vec(request(), 1..40),
    ) {
        let mut play = Play::new();
        for request in requests {
            play.ask(request);
            play.compare();
        }
    }
}
