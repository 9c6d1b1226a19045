//! Requests at random: none panics, none reaches a run it does not name, and no caller's mistake is
//! answered as if it were ours. `fuzz/` looks for more of them, for as long as one likes.

mod plan;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use plan::{Kind, Park, Piece, Plan};

const METHODS: [&[u8]; 9] = [
    b"POST",
    b"PUT",
    b"PATCH",
    b"DELETE",
    b"GET",
    b"HEAD",
    b"OPTIONS",
    b"TRACE",
    b"PROPFIND",
];

fn piece() -> impl Strategy<Value = Piece> {
    prop_oneof![
        any::<bool>().prop_map(Piece::Token),
        any::<(bool, u32)>().prop_map(|(second, which)| Piece::Encoded(second, which)),
        any::<u8>().prop_map(Piece::Trick),
        vec(any::<u8>(), 0..20).prop_map(Piece::Bytes),
        vec(any::<u8>(), 500..600).prop_map(Piece::Bytes),
        Just(Piece::Route),
    ]
}

/// Most of them below the route, and many of those at a webhook.
fn path() -> impl Strategy<Value = Vec<Piece>> {
    let below = |mut pieces: Vec<Piece>| {
        pieces.insert(0, Piece::Route);
        pieces
    };
    let hit = prop_oneof![
        any::<bool>().prop_map(Piece::Token),
        any::<(bool, u32)>().prop_map(|(second, which)| Piece::Encoded(second, which)),
    ];
    prop_oneof![
        2 => vec(hit, 1..2).prop_map(below),
        3 => vec(piece(), 0..4).prop_map(below),
        1 => vec(piece(), 0..4),
    ]
}

fn plan() -> impl Strategy<Value = Plan> {
    let method = prop_oneof![
        4 => (0..METHODS.len()).prop_map(|n| METHODS[n].to_vec()),
        1 => vec(any::<u8>(), 1..20),
    ];
    let value = prop_oneof![
        vec(any::<u8>(), 0..40),
        any::<u64>().prop_map(|n| n.to_string().into_bytes()),
        vec(b'a'..=b'c', 1..2),
    ];
    let body = prop_oneof![
        4 => vec(any::<u8>(), 0..100),
        // About as large as may be.
        1 => (2_600..3_200_usize).prop_map(|len| vec![7; len]),
        1 => (0..20_000_usize).prop_map(|len| vec![7; len]),
    ];
    let headers = vec((any::<u8>(), value), 0..6);
    (method, path(), headers, body).prop_map(|(method, path, headers, body)| Plan {
        method,
        path,
        headers,
        body,
    })
}

#[test]
fn no_request_panics_or_reaches_another_run_or_is_our_fault() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    for kind in Kind::ALL {
        let park = runtime.block_on(Park::open(kind));
        let config = Config {
            cases: 2_000,
            failure_persistence: None,
            ..Config::default()
        };
        let tried = TestRunner::new(config).run(&plan(), |plan| {
            runtime.block_on(park.check(&plan));
            Ok(())
        });
        tried.unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        let received = runtime.block_on(park.received());
        // Enough of them hit a webhook, and nobody can sign.
        let hit = received.iter().all(|received| *received > 10);
        assert_eq!(hit, kind != Kind::Signed, "{kind:?}: {received:?}");
    }
}
