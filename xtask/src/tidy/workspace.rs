//! The crates of the workspace as tidy sees them: where each stands, and what it depends on.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, MetadataCommand, Package, Target, TargetKind};

use super::source::Source;

/// One crate of the workspace.
#[derive(Debug)]
pub(super) struct Crate {
    /// Its name in the manifest.
    pub(super) name: String,
    /// Its folder from the root: `crates/core`.
    pub(super) folder: String,
    /// Its manifest.
    pub(super) manifest: Source,
    /// The root file of its library, if it has one.
    pub(super) library: Option<Source>,
    /// What its manifest names.
    pub(super) dependencies: Vec<Dependency>,
}

/// One line of a manifest's dependencies.
#[derive(Debug)]
pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) kind: DependencyKind,
    pub(super) features: Vec<String>,
}

/// Asks cargo for the crates of the workspace.
pub(super) fn read(root: &Path) -> Result<Vec<Crate>> {
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .no_deps()
        .exec()
        .context("cannot ask cargo for the workspace")?;
    let root = metadata.workspace_root.as_std_path();
    let mut crates = metadata
        .packages
        .iter()
        .map(|package| read_crate(root, package))
        .collect::<Result<Vec<_>>>()?;
    crates.sort_by(|a, b| a.folder.cmp(&b.folder));
    Ok(crates)
}

fn read_crate(root: &Path, package: &Package) -> Result<Crate> {
    let manifest = read_source(root, package.manifest_path.as_std_path())?;
    let folder = manifest.path.trim_end_matches("/Cargo.toml").to_owned();
    let library = package.targets.iter().find(|target| is_library(target));
    let dependencies = package.dependencies.iter().map(|dependency| Dependency {
        name: dependency.name.clone(),
        kind: dependency.kind,
        features: dependency.features.clone(),
    });
    Ok(Crate {
        name: package.name.to_string(),
        folder,
        manifest,
        library: library
            .map(|target| read_source(root, target.src_path.as_std_path()))
            .transpose()?,
        dependencies: dependencies.collect(),
    })
}

fn is_library(target: &Target) -> bool {
    target.kind.iter().any(|kind| {
        matches!(
            kind,
            TargetKind::Lib
                | TargetKind::RLib
                | TargetKind::DyLib
                | TargetKind::CDyLib
                | TargetKind::StaticLib
                | TargetKind::ProcMacro
        )
    })
}

fn read_source(root: &Path, file: &Path) -> Result<Source> {
    let path = file.strip_prefix(root).unwrap_or(file);
    let path = path.to_string_lossy().replace('\\', "/");
    let text = fs::read_to_string(file).with_context(|| format!("cannot read `{path}`"))?;
    Ok(Source { path, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_workspace_is_read_with_its_dependencies() {
        let crates = read(&crate::command::root().unwrap()).unwrap();
        let xtask = crates.iter().find(|found| found.folder == "xtask").unwrap();
        assert_eq!(xtask.name, "xtask");
        assert_eq!(xtask.manifest.path, "xtask/Cargo.toml");
        assert!(xtask.library.is_none());
        assert!(
            xtask
                .dependencies
                .iter()
                .any(|dependency| dependency.name == "sha2")
        );
        let core = crates
            .iter()
            .find(|found| found.folder == "crates/core")
            .unwrap();
        assert_eq!(
            core.library.as_ref().unwrap().path,
            "crates/core/src/lib.rs"
        );
    }
}
