//! Where the files lie. A file system in memory is refused: its syncs cost nothing and mean nothing.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

/// What `statfs` calls a file system in memory.
const IN_MEMORY: [rustix::fs::FsWord; 2] = [0x0102_1994, 0x8584_58f6];

/// A folder for the files of one program run, removed at the end.
#[derive(Debug)]
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    /// A folder below `parent`, which must be on a disk.
    pub(crate) fn below(parent: &Path) -> Result<Self> {
        let folder = TempDir::with_prefix_in("rewake-bench-", parent)
            .with_context(|| format!("`{}` takes no folder", parent.display()))?;
        let found = rustix::fs::statfs(folder.path()).context("cannot ask for the file system")?;
        let kind = found.f_type;
        if IN_MEMORY.contains(&kind) {
            bail!(
                "`{}` is in memory, where a sync means nothing; name a folder on a disk with `--dir`",
                parent.display()
            );
        }
        Ok(Self { folder })
    }

    /// A path in it that nothing stands at yet.
    pub(crate) fn file(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.path().join(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        Ok(self.path(name))
    }

    /// The path that was given for a name.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name).join("store.db")
    }
}
