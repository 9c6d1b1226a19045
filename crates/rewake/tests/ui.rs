//! What the attributes accept, and what they say where they do not; and what clippy says of a workflow
//! with the lists that `docs/guide/clippy.toml` gives users.
//!
//! The messages are those of the compiler that `rust-toolchain.toml` names. To take over new ones:
//! `TRYBUILD=overwrite cargo test -p rewake --test ui`, and read them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

#[test]
fn the_attributes_accept_what_can_be_replayed_and_say_what_to_write_otherwise() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/fail/*.rs");
}

const LISTS: &str = include_str!("../../../docs/guide/clippy.toml");

/// A use of each method of the standard library that the lists name, each on a line of its own.
const USES: [(&str, &str); 27] = [
    ("std::time::SystemTime::now", "std::time::SystemTime::now()"),
    (
        "std::time::SystemTime::elapsed",
        "std::time::UNIX_EPOCH.elapsed()",
    ),
    ("std::time::Instant::now", "std::time::Instant::now()"),
    (
        "std::time::Instant::elapsed",
        "|at: std::time::Instant| at.elapsed()",
    ),
    (
        "std::hash::RandomState::new",
        "std::hash::RandomState::new()",
    ),
    ("std::collections::HashMap::iter", "map().iter().count()"),
    (
        "std::collections::HashMap::iter_mut",
        "map().iter_mut().count()",
    ),
    ("std::collections::HashMap::keys", "map().keys().count()"),
    (
        "std::collections::HashMap::into_keys",
        "map().into_keys().count()",
    ),
    (
        "std::collections::HashMap::values",
        "map().values().count()",
    ),
    (
        "std::collections::HashMap::values_mut",
        "map().values_mut().count()",
    ),
    (
        "std::collections::HashMap::into_values",
        "map().into_values().count()",
    ),
    ("std::collections::HashMap::drain", "map().drain().count()"),
    (
        "std::collections::HashMap::retain",
        "map().retain(|_, _| true)",
    ),
    ("std::collections::HashSet::iter", "set().iter().count()"),
    ("std::collections::HashSet::drain", "set().drain().count()"),
    (
        "std::collections::HashSet::retain",
        "set().retain(|_| true)",
    ),
    (
        "std::thread::sleep",
        "std::thread::sleep(std::time::Duration::ZERO)",
    ),
    ("std::thread::spawn", "std::thread::spawn(|| ())"),
    ("std::env::var", "std::env::var(\"HOME\")"),
    ("std::env::vars", "std::env::vars().count()"),
    ("std::fs::read", "std::fs::read(\"file\")"),
    (
        "std::fs::read_to_string",
        "std::fs::read_to_string(\"file\")",
    ),
    ("std::fs::write", "std::fs::write(\"file\", \"\")"),
    ("std::process::id", "std::process::id()"),
    ("std::thread::current", "std::thread::current()"),
    // In a `for` there is no call to be seen: this is for the lint that the page names.
    ("for", "for _ in map() {}"),
];

#[test]
fn clippy_refuses_in_a_workflow_what_the_guide_lists() {
    let mut code = "#![warn(clippy::iter_over_hash_type)]\n\
                    fn map() -> std::collections::HashMap<u8, u8> { Default::default() }\n\
                    fn set() -> std::collections::HashSet<u8> { Default::default() }\n"
        .to_owned();
    for (n, (_, used)) in USES.iter().enumerate() {
        writeln!(code, "pub fn use_{n}() {{ let _ = {{ {used} }}; }}").unwrap();
    }
    let said = said_by_clippy(&code);
    for (path, used) in USES {
        let expected = match path {
            "for" => "iteration over unordered hash-based type".to_owned(),
            path => format!("use of a disallowed method `{path}`"),
        };
        assert!(said.contains(&expected), "{used}: {expected}\n{said}");
    }
    let listed = listed().filter(|path| path.starts_with("std::"));
    let tried: Vec<&str> = USES.map(|(path, _)| path).to_vec();
    for path in listed {
        assert!(tried.contains(&path), "`{path}` is listed and not tried");
    }
    assert!(!said.contains("does not refer to"), "{said}");
}

/// The paths that the lists name.
fn listed() -> impl Iterator<Item = &'static str> {
    let entry = |line: &'static str| line.trim().strip_prefix("{ path = \"")?.split('"').next();
    LISTS.lines().filter_map(entry)
}

/// What clippy says of a crate with this code, beside which the lists lie.
fn said_by_clippy(code: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let manifest = "[package]\nname = \"shop\"\nedition = \"2024\"\n[workspace]\n";
    write("Cargo.toml", manifest);
    write("clippy.toml", LISTS);
    write("src/lib.rs", code);
    let cargo = Path::new(env!("CARGO"));
    let clippy = Command::new(cargo)
        .args(["clippy", "--offline", "--quiet", "--message-format=short"])
        .current_dir(dir.path())
        .env("CARGO_TARGET_DIR", dir.path().join("target"))
        .env_remove("RUSTFLAGS")
        .env_remove("CLIPPY_CONF_DIR")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&clippy.stderr).into_owned();
    assert!(clippy.status.success(), "{said}");
    said
}
