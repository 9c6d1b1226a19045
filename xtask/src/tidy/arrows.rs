//! Rule: which crate may depend on which. What is not listed here is forbidden.
//!
//! The tables say the same as the map in ARCHITECTURE.md; a change of one is a change of both.

use cargo_metadata::DependencyKind;

use super::problem::Problem;
use super::workspace::{Crate, Dependency};

/// What the crates of one folder may use of our own.
struct Layer {
    /// The folder of the crate, or, ending in `/`, the folder that holds such crates.
    folder: &'static str,
    /// Layers it may use anywhere.
    uses: &'static [&'static str],
    /// Layers its tests may use besides.
    tests_use: &'static [&'static str],
}

const LAYERS: &[Layer] = &[
    layer("crates/core", &[], &[]),
    layer("crates/store", &[CORE], &[]),
    layer("crates/sqlite", &[STORE], &[]),
    layer("crates/postgres", &[STORE], &[]),
    layer("crates/runtime", &[STORE, CORE], &[]),
    layer("crates/http", &[RUNTIME], &[STORE]),
    layer("crates/macros", &[], &[]),
    layer(
        "crates/rewake",
        &[CORE, STORE, RUNTIME, MACROS, SQLITE, POSTGRES, HTTP],
        &[],
    ),
    layer(
        "crates/simulation",
        &[REWAKE, HTTP, RUNTIME, SQLITE, STORE, CORE],
        &[],
    ),
    // A copy wants stores and no engine; its tests want an engine that goes on from the copy.
    layer("crates/cli", &[REWAKE, SQLITE, POSTGRES, STORE], &[]),
    layer("bindings/", &[REWAKE], &[]),
    // It brings its own server, so that one command shows it all.
    layer("examples/cluster", &[REWAKE, POSTGRES], &[]),
    layer("examples/", &[REWAKE], &[]),
    layer("tests/", &[REWAKE], &[POSTGRES]),
    layer(
        "benches",
        &[REWAKE, RUNTIME, SQLITE, POSTGRES, STORE, CORE],
        &[],
    ),
    layer("xtask", &[], &[]),
];

const CORE: &str = "rewake-core";
const STORE: &str = "rewake-store";
const SQLITE: &str = "rewake-sqlite";
const POSTGRES: &str = "rewake-postgres";
const RUNTIME: &str = "rewake-runtime";
const MACROS: &str = "rewake-macros";
const HTTP: &str = "rewake-http";
const REWAKE: &str = "rewake";

const fn layer(
    folder: &'static str,
    uses: &'static [&'static str],
    tests_use: &'static [&'static str],
) -> Layer {
    Layer {
        folder,
        uses,
        tests_use,
    }
}

/// Features of a crate of ours that exist for tests; only these layers may switch them on outside.
const TEST_FEATURES: &[(&str, &str, &[&str])] = &[
    (STORE, "conformance", &["crates/simulation"]),
    (STORE, "memory", &["crates/simulation", "crates/rewake"]),
    (
        POSTGRES,
        "private-server",
        &["benches", "examples/", "xtask"],
    ),
];

/// A crate of others, and where it must not or may only be used.
struct Foreign {
    /// The name, or, ending in `*`, how the names begin.
    name: &'static str,
    rule: Rule,
}

enum Rule {
    /// Not in these folders, whatever for.
    Never(&'static [&'static str]),
    /// Not in these folders, except in their tests.
    OnlyInTests(&'static [&'static str]),
    /// In these folders alone.
    OnlyIn(&'static [&'static str]),
}

const FOREIGN: &[Foreign] = &[
    foreign("tokio*", Rule::Never(&["crates/core"])),
    foreign("futures*", Rule::Never(&["crates/core"])),
    foreign("async-*", Rule::Never(&["crates/core"])),
    foreign("getrandom", Rule::Never(&["crates/core"])),
    foreign(
        "tokio*",
        Rule::OnlyInTests(&["crates/store", "crates/runtime", "crates/sqlite"]),
    ),
    foreign(
        "axum*",
        Rule::OnlyIn(&[
            "crates/http",
            "crates/rewake",
            "crates/simulation",
            "examples/",
            "benches",
        ]),
    ),
    // A benchmark's floor is a program that writes the same rows without an engine.
    foreign("rusqlite", Rule::OnlyIn(&["crates/sqlite", "benches"])),
    foreign(
        "tokio-postgres",
        Rule::OnlyIn(&["crates/postgres", "benches"]),
    ),
];

const fn foreign(name: &'static str, rule: Rule) -> Foreign {
    Foreign { name, rule }
}

/// Returns every dependency of these crates that the tables do not allow.
pub(super) fn check(crates: &[Crate]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for from in crates {
        let Some(layer) = LAYERS.iter().find(|layer| stands_in(from, layer.folder)) else {
            problems.push(Problem::new(
                &from.manifest.path,
                1,
                format!("`{}` has no place among the layers", from.name),
                "give it one in xtask/src/tidy/arrows.rs and in ARCHITECTURE.md",
            ));
            continue;
        };
        for dependency in &from.dependencies {
            let ours = crates.iter().any(|to| to.name == dependency.name);
            let fault = if ours {
                fault_of_ours(from, layer, dependency)
            } else {
                fault_of_theirs(from, dependency)
            };
            problems.extend(fault.map(|(wrong, remedy)| {
                Problem::new(
                    &from.manifest.path,
                    line_of(from, dependency),
                    wrong,
                    remedy,
                )
            }));
        }
    }
    problems
}

fn stands_in(checked: &Crate, folder: &str) -> bool {
    if folder.ends_with('/') {
        checked.folder.starts_with(folder)
    } else {
        checked.folder == folder
    }
}

type Fault = (String, String);

fn fault_of_ours(from: &Crate, layer: &Layer, to: &Dependency) -> Option<Fault> {
    let in_tests = to.kind == DependencyKind::Development;
    let name = to.name.as_str();
    let allowed = layer.uses.contains(&name) || (in_tests && layer.tests_use.contains(&name));
    if !allowed {
        return Some((
            format!("`{}` must not {} on `{name}`", from.name, depend(to.kind)),
            "move what needs it to a crate that may (the map is in ARCHITECTURE.md)".to_owned(),
        ));
    }
    let feature = TEST_FEATURES.iter().find(|(owner, feature, besides)| {
        *owner == name
            && to.features.iter().any(|wanted| wanted == feature)
            && !besides.iter().any(|folder| stands_in(from, folder))
    });
    let (_, feature, _) = feature.filter(|_| !in_tests)?;
    Some((
        format!("`{name}` is used with `{feature}`, which is there for tests"),
        "name the feature under `[dev-dependencies]` only".to_owned(),
    ))
}

fn fault_of_theirs(from: &Crate, to: &Dependency) -> Option<Fault> {
    let in_tests = to.kind == DependencyKind::Development;
    let stands_in_one = |folders: &[&str]| folders.iter().any(|folder| stands_in(from, folder));
    let broken = FOREIGN
        .iter()
        .filter(|foreign| is_named(&to.name, foreign.name))
        .any(|foreign| match foreign.rule {
            Rule::Never(folders) => stands_in_one(folders),
            Rule::OnlyInTests(folders) => !in_tests && stands_in_one(folders),
            Rule::OnlyIn(folders) => !stands_in_one(folders),
        });
    broken.then(|| {
        (
            format!(
                "`{}` must not {} on `{}`",
                from.name,
                depend(to.kind),
                to.name
            ),
            "take what it gives as an argument, or move this to the layer that may use it"
                .to_owned(),
        )
    })
}

fn is_named(name: &str, pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == pattern,
    }
}

fn depend(kind: DependencyKind) -> &'static str {
    match kind {
        DependencyKind::Development => "depend in its tests",
        DependencyKind::Build => "depend in its build",
        _ => "depend",
    }
}

/// Returns the line of the manifest that names the dependency, or 1 where it cannot be told.
fn line_of(from: &Crate, dependency: &Dependency) -> usize {
    let wanted = match dependency.kind {
        DependencyKind::Development => "dev-dependencies",
        DependencyKind::Build => "build-dependencies",
        _ => "dependencies",
    };
    let mut section = "";
    for (at, line) in from.manifest.text.lines().enumerate() {
        if let Some(header) = line.trim().strip_prefix('[') {
            section = header.split(']').next().unwrap_or_default();
            let named = section.strip_suffix(dependency.name.as_str());
            if named.is_some_and(|named| is_section(named.trim_end_matches('.'), wanted)) {
                return at + 1;
            }
        }
        let key = line.split(['=', '.', ' ']).next().unwrap_or_default();
        if key.trim_matches('"') == dependency.name && is_section(section, wanted) {
            return at + 1;
        }
    }
    1
}

/// Tells whether a header is that section, for every target or for one.
fn is_section(header: &str, wanted: &str) -> bool {
    header == wanted || (header.starts_with("target.") && header.ends_with(&format!(".{wanted}")))
}

#[cfg(test)]
mod tests {
    use super::super::source::Source;
    use super::*;

    const NORMAL: DependencyKind = DependencyKind::Normal;
    const TESTS: DependencyKind = DependencyKind::Development;
    const BUILD: DependencyKind = DependencyKind::Build;

    fn member(folder: &str, name: &str) -> Crate {
        Crate {
            name: name.to_owned(),
            folder: folder.to_owned(),
            manifest: Source::new(&format!("{folder}/Cargo.toml"), ""),
            library: None,
            dependencies: Vec::new(),
        }
    }

    /// Every crate the map knows, with one dependency added to the one in `folder`.
    fn problems(folder: &str, to: &str, kind: DependencyKind, features: &[&str]) -> Vec<Problem> {
        let mut crates: Vec<_> = [
            ("crates/core", CORE),
            ("crates/store", STORE),
            ("crates/sqlite", SQLITE),
            ("crates/postgres", POSTGRES),
            ("crates/runtime", RUNTIME),
            ("crates/http", HTTP),
            ("crates/macros", MACROS),
            ("crates/rewake", REWAKE),
            ("crates/simulation", "rewake-simulation"),
            ("crates/cli", "rewake-cli"),
            ("bindings/node", "rewake-node"),
            ("examples/approval", "approval"),
            ("examples/cluster", "cluster"),
            ("tests/cluster", "rewake-cluster"),
            ("benches", "benches"),
            ("xtask", "xtask"),
        ]
        .map(|(folder, name)| member(folder, name))
        .into();
        let from = crates
            .iter_mut()
            .find(|from| from.folder == folder)
            .unwrap();
        from.dependencies.push(Dependency {
            name: to.to_owned(),
            kind,
            features: features.iter().map(|&feature| feature.to_owned()).collect(),
        });
        check(&crates)
    }

    fn allowed(folder: &str, to: &str, kind: DependencyKind) -> bool {
        problems(folder, to, kind, &[]).is_empty()
    }

    #[test]
    fn arrows_of_the_map_are_allowed() {
        for layer in LAYERS {
            let folder = match layer.folder {
                "bindings/" => "bindings/node",
                "examples/" => "examples/approval",
                "tests/" => "tests/cluster",
                folder => folder,
            };
            for to in layer.uses {
                assert!(allowed(folder, to, NORMAL), "{folder} -> {to}");
                assert!(allowed(folder, to, TESTS), "{folder} -> {to}");
            }
        }
    }

    #[test]
    fn arrows_beside_the_map_are_forbidden_in_every_kind() {
        for (folder, to) in [
            ("crates/core", STORE),
            ("crates/store", RUNTIME),
            ("crates/sqlite", CORE),
            ("crates/postgres", SQLITE),
            ("crates/runtime", SQLITE),
            ("crates/http", SQLITE),
            ("crates/macros", REWAKE),
            ("crates/rewake", "rewake-simulation"),
            ("crates/simulation", POSTGRES),
            ("crates/cli", RUNTIME),
            ("bindings/node", RUNTIME),
            ("examples/approval", RUNTIME),
            ("benches", HTTP),
            ("xtask", CORE),
        ] {
            for kind in [NORMAL, TESTS, BUILD] {
                assert!(!allowed(folder, to, kind), "{folder} -> {to}");
            }
        }
    }

    #[test]
    fn a_crate_that_tests_itself_through_itself_is_forbidden() {
        assert!(!allowed("crates/store", STORE, TESTS));
    }

    #[test]
    fn tests_of_http_may_use_a_store_and_http_may_not() {
        assert!(allowed("crates/http", STORE, TESTS));
        assert!(!allowed("crates/http", STORE, NORMAL));
    }

    #[test]
    fn features_for_tests_stay_in_tests() {
        for (folder, feature) in [
            ("crates/sqlite", "conformance"),
            ("crates/runtime", "memory"),
            ("crates/rewake", "conformance"),
        ] {
            assert_eq!(problems(folder, STORE, TESTS, &[feature]), [], "{folder}");
            assert_eq!(
                problems(folder, STORE, NORMAL, &[feature]).len(),
                1,
                "{folder}"
            );
        }
        assert_eq!(problems("crates/rewake", STORE, NORMAL, &["memory"]), []);
        assert_eq!(
            problems("crates/simulation", STORE, NORMAL, &["conformance"]),
            []
        );
    }

    #[test]
    fn crates_of_others_stay_in_their_layer() {
        for (folder, to) in [
            ("crates/core", "tokio"),
            ("crates/core", "tokio-util"),
            ("crates/core", "axum"),
            ("crates/core", "rusqlite"),
            ("crates/core", "futures-util"),
            ("crates/store", "tokio"),
            ("crates/store", "axum"),
            ("crates/runtime", "tokio"),
            ("crates/runtime", "rusqlite"),
            ("crates/sqlite", "tokio"),
            ("crates/sqlite", "axum"),
            ("crates/rewake", "rusqlite"),
            ("crates/cli", "axum"),
            ("crates/http", "tokio-postgres"),
        ] {
            assert!(!allowed(folder, to, NORMAL), "{folder} -> {to}");
        }
        assert!(!allowed("crates/core", "tokio", TESTS));
        assert!(!allowed("crates/simulation", "rusqlite", TESTS));
    }

    #[test]
    fn crates_of_others_are_free_where_their_layer_is() {
        for (folder, to, kind) in [
            ("crates/sqlite", "rusqlite", NORMAL),
            ("crates/sqlite", "tokio", TESTS),
            ("crates/runtime", "tokio", TESTS),
            ("crates/store", "futures-util", NORMAL),
            ("crates/http", "axum", NORMAL),
            ("crates/rewake", "tokio", NORMAL),
            ("examples/approval", "axum", NORMAL),
            ("crates/core", "serde", NORMAL),
        ] {
            assert!(allowed(folder, to, kind), "{folder} -> {to}");
        }
    }

    #[test]
    fn a_crate_without_a_layer_is_a_problem() {
        let problems = check(&[member("crates/util", "rewake-util")]);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].wrong.contains("`rewake-util`"));
    }

    #[test]
    fn the_line_of_the_manifest_is_named() {
        let mut from = member("crates/core", CORE);
        from.manifest.text =
            "[dependencies]\nserde.workspace = true\n\n[dev-dependencies]\ntokio = \"1\"\n\
             \n[build-dependencies.axum]\nversion = \"1\"\n"
                .to_owned();
        for (name, kind, line) in [
            ("serde", NORMAL, 2),
            ("tokio", TESTS, 5),
            ("axum", BUILD, 7),
            ("tokio", NORMAL, 1),
        ] {
            let dependency = Dependency {
                name: name.to_owned(),
                kind,
                features: Vec::new(),
            };
            assert_eq!(line_of(&from, &dependency), line, "{name}");
        }
    }
}
