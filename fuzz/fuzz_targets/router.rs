//! Requests to the public webhook route that libFuzzer makes up; the checks are those of the property
//! test in `crates/http/tests/http/fuzzing`.

#![no_main]

#[path = "../../crates/http/tests/http/fuzzing/plan.rs"]
mod plan;
#[path = "../../crates/http/tests/http/world.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod world;

use std::cell::RefCell;

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, Runtime};

use plan::{Kind, Park, Piece, Plan};

/// After so many requests the logs are begun anew.
const REQUESTS: u32 = 500;

#[derive(Arbitrary, Debug)]
enum Part {
    Route,
    Token(bool),
    Encoded(bool, u32),
    Trick(u8),
    Bytes(Vec<u8>),
}

#[derive(Arbitrary, Debug)]
struct Request {
    kind: u8,
    method: Vec<u8>,
    /// Whether the path is one below the route.
    below: bool,
    path: Vec<Part>,
    headers: Vec<(u8, Vec<u8>)>,
    body: Vec<u8>,
    /// So many bytes more, for bodies that are large.
    more: u16,
}

struct Parks {
    runtime: Runtime,
    parks: Vec<Park>,
    left: u32,
}

impl Parks {
    fn open() -> Self {
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        let parks = Kind::ALL.map(|kind| runtime.block_on(Park::open(kind)));
        Self {
            runtime,
            parks: parks.into(),
            left: REQUESTS,
        }
    }
}

thread_local! {
    static PARKS: RefCell<Parks> = RefCell::new(Parks::open());
}

fn plan(request: Request) -> Plan {
    let piece = |part| match part {
        Part::Route => Piece::Route,
        Part::Token(second) => Piece::Token(second),
        Part::Encoded(second, which) => Piece::Encoded(second, which),
        Part::Trick(n) => Piece::Trick(n),
        Part::Bytes(bytes) => Piece::Bytes(bytes),
    };
    let route = request.below.then_some(Piece::Route);
    let mut body = request.body;
    body.resize(body.len() + usize::from(request.more), 7);
    Plan {
        method: match request.method[..] {
            [n] => ["POST", "PUT", "GET", "HEAD", "OPTIONS"][usize::from(n) % 5].into(),
            _ => request.method,
        },
        path: route
            .into_iter()
            .chain(request.path.into_iter().map(piece))
            .collect(),
        headers: request.headers,
        body,
    }
}

fuzz_target!(|request: Request| {
    PARKS.with_borrow_mut(|parks| {
        if parks.left == 0 {
            *parks = Parks::open();
        }
        parks.left -= 1;
        let park = &parks.parks[usize::from(request.kind) % parks.parks.len()];
        parks.runtime.block_on(park.check(&plan(request)));
    });
});
