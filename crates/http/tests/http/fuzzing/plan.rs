//! A request that nobody in their right mind sends, and what must hold of its answer. Shared with
//! the fuzz target `router`.

use axum::body::Body;
use http::{HeaderName, HeaderValue, Method, StatusCode, Uri};
use rewake_runtime::core::event::EventKind;
use rewake_runtime::core::id::RunId;
use rewake_runtime::core::payload;
use rewake_runtime::webhook::{Scheme, Secrets, Settings, Verify};
use rewake_runtime::{HookFilter, Start};

use crate::world::{ROUTE, Setup, World, take_all};

/// The most bytes that a request may have, as encoded.
const LIMIT: usize = 4_000;

/// A request in parts.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) method: Vec<u8>,
    /// What stands after the route, or instead of it.
    pub(crate) path: Vec<Piece>,
    pub(crate) headers: Vec<(u8, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

/// A piece of a path.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    /// The public route.
    Route,
    /// The token of one of the two webhooks.
    Token(bool),
    /// The same with these of its characters percent-encoded.
    Encoded(bool, u32),
    /// Something that has confused others before.
    Trick(u8),
    /// Any bytes, percent-encoded where a URL cannot hold them.
    Bytes(Vec<u8>),
}

const TRICKS: [&str; 16] = [
    "/", "..", ".", "%2F", "%2f", "%00", "%ff", "%c0%af", "%", "%zz", "%25", ";a=b", "?", "?a=/",
    "*", "%0d%0a",
];

const NAMES: [&str; 10] = [
    "x-id",
    "content-length",
    "content-type",
    "transfer-encoding",
    "expect",
    "host",
    "x-forwarded-host",
    "authorization",
    "x-slack-signature",
    "x-slack-request-timestamp",
];

/// What differs from one park to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Usual,
    Deduplicating,
    /// Nobody here can sign.
    Signed,
    OnlyGet,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [
        Self::Usual,
        Self::Deduplicating,
        Self::Signed,
        Self::OnlyGet,
    ];

    fn settings(self) -> Settings {
        let usual = Settings::default();
        match self {
            Self::Usual => usual,
            Self::Deduplicating => Settings {
                dedup: Some(HeaderName::from_static("x-id")),
                ..usual
            },
            Self::Signed => Settings {
                verify: Some(Verify {
                    scheme: Scheme::Slack,
                    secret: "s".to_owned(),
                }),
                ..usual
            },
            Self::OnlyGet => Settings {
                methods: Some(vec![Method::GET]),
                ..usual
            },
        }
    }
}

/// Two runs with a webhook each, on one engine.
pub(crate) struct Park {
    kind: Kind,
    world: World,
    runs: [(RunId, String); 2],
}

impl Park {
    pub(crate) async fn open(kind: Kind) -> Self {
        let mut setup = Setup::from(kind.settings());
        setup.limits.payload = LIMIT;
        let mut secrets = Secrets::default();
        secrets.add("s", "nobody knows it");
        setup.secrets = secrets;
        let world = World::open(setup, take_all).await;
        let first = (world.run, world.token.clone());
        let input = payload::encode(&()).unwrap();
        let second = world
            .engine
            .start(Start::new("desk", input))
            .await
            .unwrap()
            .run;
        let filter = HookFilter {
            run: Some(second),
            ..HookFilter::default()
        };
        let token = loop {
            let hooks = world.engine.hooks(filter.clone(), None, 1).await;
            match hooks.unwrap().hooks.pop() {
                Some(hook) => break hook.hook.token.to_string(),
                None => tokio::task::yield_now().await,
            }
        };
        Self {
            kind,
            world,
            runs: [first, (second, token)],
        }
    }

    /// Sends the request, and checks its answer and what is left of it.
    pub(crate) async fn check(&self, plan: &Plan) {
        let Some(request) = self.request(plan) else {
            return;
        };
        let target = self.target(request.uri().path());
        let shown = format!("{} {:?}", request.method(), request.uri());
        let before = self.received().await;
        let answer = self.world.call(request).await;
        let after = self.received().await;
        let status = answer.status;
        assert!(!status.is_server_error(), "{status} to {shown}");
        if target.is_none() {
            let refused = [StatusCode::NOT_FOUND, StatusCode::PAYLOAD_TOO_LARGE];
            assert!(refused.contains(&status), "{status} to {shown}");
        }
        for run in [0, 1] {
            let grown = after[run] - before[run];
            let taken = target == Some(run) && status == StatusCode::ACCEPTED;
            match self.kind {
                Kind::Deduplicating => assert!(grown <= usize::from(taken), "{shown}"),
                Kind::Signed => assert_eq!(grown, 0, "{shown}"),
                Kind::Usual | Kind::OnlyGet => assert_eq!(grown, usize::from(taken), "{shown}"),
            }
        }
    }

    /// How many requests each of the runs has on record.
    pub(crate) async fn received(&self) -> [usize; 2] {
        let mut received = [0; 2];
        for (n, (run, _)) in received.iter_mut().zip(&self.runs) {
            let events = self.world.engine.events(*run).await.unwrap();
            let taken = |kind: &EventKind| matches!(kind, EventKind::HookReceived { .. });
            *n = events.iter().filter(|event| taken(&event.kind)).count();
        }
        received
    }

    /// The webhook that a path names, worked out in the most pedestrian way.
    fn target(&self, path: &str) -> Option<usize> {
        let rest = path.strip_prefix(ROUTE)?.strip_prefix('/')?;
        let mut rest = rest.as_bytes();
        let mut decoded = Vec::new();
        while let [first, others @ ..] = rest {
            let (byte, left) = match (first, others) {
                (b'%', [high, low, left @ ..])
                    if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
                {
                    let digits = [*high, *low]
                        .map(char::from)
                        .map(|digit| digit.to_digit(16));
                    let [Some(high), Some(low)] = digits else {
                        unreachable!()
                    };
                    (u8::try_from(high * 16 + low).unwrap(), left)
                }
                (byte, left) => (*byte, left),
            };
            decoded.push(byte);
            rest = left;
        }
        self.runs
            .iter()
            .position(|(_, token)| token.as_bytes() == decoded)
    }

    /// None where it cannot even be written down.
    fn request(&self, plan: &Plan) -> Option<http::Request<Body>> {
        let pieces = plan.path.iter().map(|piece| self.piece(piece));
        let path: String = pieces.collect();
        let uri: Uri = format!("/{}", path.trim_start_matches('/')).parse().ok()?;
        let method = Method::from_bytes(&plan.method).ok()?;
        let mut request = http::Request::new(Body::from(plan.body.clone()));
        *request.uri_mut() = uri;
        *request.method_mut() = method;
        for (name, value) in &plan.headers {
            let name = NAMES[usize::from(*name) % NAMES.len()];
            if let Ok(value) = HeaderValue::from_bytes(value) {
                request.headers_mut().append(name, value);
            }
        }
        Some(request)
    }

    fn piece(&self, piece: &Piece) -> String {
        let token = |second: &bool| &self.runs[usize::from(*second)].1;
        match piece {
            Piece::Route => format!("{ROUTE}/"),
            Piece::Token(second) => token(second).clone(),
            Piece::Encoded(second, which) => {
                let encode = |(n, byte): (usize, u8)| match which >> (n % 32) & 1 {
                    0 => char::from(byte).to_string(),
                    _ => format!("%{byte:02X}"),
                };
                token(second).bytes().enumerate().map(encode).collect()
            }
            Piece::Trick(n) => TRICKS[usize::from(*n) % TRICKS.len()].to_owned(),
            Piece::Bytes(bytes) => {
                let encode = |byte: &u8| match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'%' | b'?' => {
                        char::from(*byte).to_string()
                    }
                    byte => format!("%{byte:02x}"),
                };
                bytes.iter().map(encode).collect()
            }
        }
    }
}
