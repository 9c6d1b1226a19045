//! The limits. One that is moved is moved in the commit that makes it right, which says why.

/// What operations cost exactly: all of them together, not each.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Exact {
    pub(crate) name: &'static str,
    pub(crate) operations: u64,
    pub(crate) syncs: u64,
    pub(crate) commits: u64,
    pub(crate) rows: u64,
    /// Pages written to the write-ahead log, at most.
    pub(crate) pages: u64,
}

pub(crate) const EXACT: &[Exact] = &[
    Exact {
        name: "start to finished",
        operations: 50,
        syncs: 150,
        commits: 150,
        rows: 300,
        pages: 471,
    },
    Exact {
        name: "run of 100 steps",
        operations: 1,
        syncs: 102,
        commits: 102,
        rows: 204,
        pages: 343,
    },
    Exact {
        name: "start to waiting",
        operations: 50,
        syncs: 100,
        commits: 100,
        rows: 250,
        pages: 328,
    },
    Exact {
        name: "resume to finished",
        operations: 50,
        syncs: 100,
        commits: 100,
        rows: 300,
        pages: 421,
    },
];

/// Instructions of one operation at most: what was counted when the limit was set, and a tenth, for
/// other compilers, C libraries and processors.
pub(crate) const INSTRUCTIONS: &[(&str, u64)] = &[
    ("start to finished", 375_000),
    ("run of 100 steps", 16_107_000),
    ("start to waiting", 259_000),
    ("resume to finished", 273_000),
    ("early steps", 150_600),
    ("late steps", 150_700),
    ("early payloads", 121_000),
    ("late payloads", 125_000),
];

/// What must not cost more late in a long run than early, beyond a twentieth.
pub(crate) const LATE_OVER_EARLY: &[(&str, &str)] = &[
    ("early steps", "late steps"),
    ("early payloads", "late payloads"),
];
