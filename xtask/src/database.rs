//! PostgreSQL's server programs, which many tests start: found, else installed where that can be done
//! without asking, else named with the command that installs them.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::setup;

/// Set to anything, nothing that wants PostgreSQL is run, and that is said.
const SKIP: &str = "REWAKE_SKIP_POSTGRES";
/// Names the folder of the programs. The tests' own server reads it as well.
const NAMED: &str = "REWAKE_TEST_POSTGRES";
/// Packages whose tests all start a server. Elsewhere such tests have `postgres` in their names.
const PACKAGES: [&str; 3] = ["cluster", "rewake-cluster", "rewake-postgres"];

const DEBIAN: &str = "/usr/lib/postgresql";
const PACKAGE: &str = "postgresql";
/// Says to Debian's scripts that no server of the machine's own is wanted. It is there while we install.
const NO_CLUSTER: &str = "/etc/postgresql-common/createcluster.d/rewake-tests.conf";

/// Tells whether tests that want PostgreSQL are left out.
pub(crate) fn is_skipped() -> bool {
    env::var_os(SKIP).is_some_and(|value| !value.is_empty() && value != "0")
}

/// Says so, where they are.
pub(crate) fn say_if_skipped() {
    if is_skipped() {
        println!("\n*** NOT RUN, because {SKIP} is set: every test that wants PostgreSQL ***\n");
    }
}

/// Returns what makes cargo's test commands leave those tests out.
pub(crate) fn left_out() -> Vec<&'static str> {
    if !is_skipped() {
        return Vec::new();
    }
    PACKAGES
        .iter()
        .flat_map(|package| ["--exclude", package])
        .collect()
}

/// Makes sure that the tests find a server, unless they are skipped.
pub(crate) fn install() -> Result<()> {
    if is_skipped() {
        say_if_skipped();
        return Ok(());
    }
    if let Some(named) = env::var_os(NAMED) {
        if !has_programs(Path::new(&named)) {
            bail!(
                "{NAMED} names `{}`, and `initdb` and `postgres` are not there",
                Path::new(&named).display()
            );
        }
        return Ok(());
    }
    if is_found() {
        return Ok(());
    }
    if !(setup::is_root() && setup::has_apt()) {
        bail!(
            "PostgreSQL's server programs are not found; install them (Debian: \
             `sudo apt-get install --no-install-recommends {PACKAGE}`), or name their folder in {NAMED}; \
             to leave out the tests that want them, set {SKIP}=1"
        );
    }
    println!(
        "setup: no PostgreSQL; installing Debian's package {PACKAGE}, without a server that runs"
    );
    install_package()?;
    if !is_found() {
        bail!("{PACKAGE} is installed, and its programs are not in {DEBIAN}/*/bin");
    }
    Ok(())
}

fn install_package() -> Result<()> {
    setup::apt_get(&["update"])?;
    let note = Path::new(NO_CLUSTER);
    let folder = note.parent().context("the path has a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    fs::write(note, "create_main_cluster = false\n")
        .with_context(|| format!("cannot write {NO_CLUSTER}"))?;
    let installed = setup::apt_get(&["install", "--yes", "--no-install-recommends", PACKAGE]);
    // What somebody installs later is none of our business.
    fs::remove_file(note).with_context(|| format!("cannot remove {NO_CLUSTER}"))?;
    installed
}

/// Looks where the tests' own server looks.
fn is_found() -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut places = debian()
        .into_iter()
        .chain(configured())
        .chain(env::split_paths(&path));
    places.any(|place| has_programs(&place))
}

fn has_programs(folder: &Path) -> bool {
    ["initdb", "postgres"]
        .iter()
        .all(|name| folder.join(name).is_file())
}

fn debian() -> Vec<PathBuf> {
    let versions = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    versions.map(|version| version.path().join("bin")).collect()
}

fn configured() -> Option<PathBuf> {
    let said = Command::new("pg_config").arg("--bindir").output().ok()?;
    Some(PathBuf::from(
        String::from_utf8(said.stdout).ok()?.trim_end(),
    ))
}

#[cfg(test)]
mod tests {
    use cargo_metadata::MetadataCommand;

    use super::*;

    #[test]
    fn a_folder_without_the_programs_is_not_taken() {
        assert!(!has_programs(Path::new("/")));
    }

    #[test]
    fn packages_whose_tests_are_left_out_are_there() {
        let root = crate::command::root().unwrap();
        let mut metadata = MetadataCommand::new();
        let found = metadata.current_dir(root).no_deps().exec().unwrap();
        for package in PACKAGES {
            let is_there = found
                .packages
                .iter()
                .any(|found| found.name.as_str() == package);
            assert!(is_there, "{package}");
        }
    }
}
