//! The npm package whose own code reads our payloads in a test: installed under the target folder,
//! where that test looks for it. Nobody needs Node to work on Rewake, so what is missing is said and
//! is no failure; the test is then skipped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use cargo_metadata::MetadataCommand;

use crate::command;

/// What is installed, and in exactly which versions.
const SOURCE: &str = "crates/core/fixtures/workflow-sdk/node";
const MANIFEST: &str = "package.json";
const LOCKFILE: &str = "package-lock.json";
/// A copy of the lockfile, written last: what it says is there.
const STAMP: &str = "installed.json";

/// Installs the package, unless it is there already.
pub(crate) fn install() -> Result<()> {
    let source = command::root()?.join(SOURCE);
    let place = place()?;
    if is_installed(&source, &place) {
        return Ok(());
    }
    let skip =
        |why: &str| println!("setup: {why}, so the test that asks the Workflow SDK is skipped");
    if !works("node") || !works("npm") {
        skip("there is no `node` with its `npm`");
        return Ok(());
    }
    println!(
        "setup: installing the Workflow SDK into {}",
        place.display()
    );
    fs::create_dir_all(&place).with_context(|| format!("cannot make {}", place.display()))?;
    for file in [MANIFEST, LOCKFILE] {
        fs::copy(source.join(file), place.join(file))
            .with_context(|| format!("cannot copy {SOURCE}/{file}"))?;
    }
    if let Err(error) = command::run(npm_install(&place)) {
        skip(&format!("{error:#}"));
        return Ok(());
    }
    fs::copy(source.join(LOCKFILE), place.join(STAMP)).context("cannot note what is installed")?;
    Ok(())
}

/// The folder that cargo gives to integration tests as `CARGO_TARGET_TMPDIR`, and ours in it.
fn place() -> Result<PathBuf> {
    let metadata = MetadataCommand::new()
        .current_dir(command::root()?)
        .no_deps()
        .exec()?;
    let place = metadata.target_directory.join("tmp").join("workflow-sdk");
    Ok(place.into_std_path_buf())
}

fn is_installed(source: &Path, place: &Path) -> bool {
    let wanted = fs::read(source.join(LOCKFILE));
    let found = fs::read(place.join(STAMP));
    matches!((wanted, found), (Ok(wanted), Ok(found)) if wanted == found)
}

/// Not `npm ci`: it refuses a lockfile without the optional packages of every platform, and none of
/// those is wanted. The versions are the lockfile's all the same, and no script of a package runs.
fn npm_install(place: &Path) -> Command {
    let mut npm = Command::new("npm");
    npm.current_dir(place).args([
        "install",
        "--omit=dev",
        "--omit=optional",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--no-save",
        "--loglevel=error",
        "--fetch-retries=1",
    ]);
    npm
}

fn works(program: &str) -> bool {
    let mut version = Command::new(program);
    version.arg("--version");
    command::succeeds(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_lockfile_is_installed_anew() {
        let folder = std::env::temp_dir().join(format!("rewake-sdk-{}", std::process::id()));
        let (source, place) = (folder.join("source"), folder.join("place"));
        for made in [&source, &place] {
            fs::create_dir_all(made).unwrap();
        }
        assert!(!is_installed(&source, &place), "nothing is there");
        fs::write(source.join(LOCKFILE), "one").unwrap();
        assert!(!is_installed(&source, &place), "nothing is installed");
        fs::write(place.join(STAMP), "one").unwrap();
        assert!(is_installed(&source, &place));
        fs::write(source.join(LOCKFILE), "two").unwrap();
        assert!(!is_installed(&source, &place), "another version is");
        fs::remove_dir_all(folder).unwrap();
    }
}
