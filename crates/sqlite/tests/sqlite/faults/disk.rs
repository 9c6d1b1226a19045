//! The disk below a process: how it is built, and what it is told to do.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// What the disk does. Without anything set it only counts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Plan {
    /// Decides what reaches the disk of what was not synced.
    pub(crate) seed: u64,
    /// The power is cut in the middle of this operation, counted from one.
    pub(crate) cut: Option<u64>,
    pub(crate) loss: Loss,
    /// This sync fails, counted from one.
    pub(crate) sync: Option<u64>,
    pub(crate) cache: Cache,
    /// This write is not taken whole, counted from one.
    pub(crate) write: Option<u64>,
    pub(crate) trouble: Trouble,
    /// Syncs succeed and do nothing.
    pub(crate) lies: bool,
}

/// What is lost of what was not synced.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Loss {
    /// All of it.
    #[default]
    All,
    /// What the seed picks; writes are torn at the edges of sectors.
    Some,
}

/// What the kernel does with pages whose sync failed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Cache {
    /// They are written again with the next sync.
    #[default]
    Keep,
    /// They are taken for written: still seen, and gone when the power is cut.
    Clean,
    /// They are no longer seen.
    Drop,
}

/// How a write goes wrong.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Trouble {
    /// Half of it is written; the rest is taken with the next write.
    #[default]
    Short,
    /// Half of it is written; then there is no room for a while.
    Full,
    /// Half of it is written, and an I/O error reported.
    Io,
}

/// What the disk says it did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace {
    pub(crate) ops: u64,
    pub(crate) syncs: u64,
    pub(crate) writes: u64,
    /// The power was cut before the process had ended.
    pub(crate) was_cut: bool,
    /// The files whose sync or write did not succeed.
    pub(crate) hurt: Vec<String>,
}

impl Plan {
    /// Puts a process on the disk that these files are on.
    pub(crate) fn below(&self, command: &mut Command, directory: &Path, trace: &Path) {
        let loss = match self.loss {
            Loss::All => "all",
            Loss::Some => "some",
        };
        let cache = match self.cache {
            Cache::Keep => "keep",
            Cache::Clean => "clean",
            Cache::Drop => "drop",
        };
        let trouble = match self.trouble {
            Trouble::Short => "short",
            Trouble::Full => "full",
            Trouble::Io => "io",
        };
        let number = |number: Option<u64>| number.unwrap_or_default().to_string();
        command
            .env("LD_PRELOAD", &*LIBRARY)
            .env("REWAKE_DISK", directory)
            .env("REWAKE_DISK_TRACE", trace)
            .env("REWAKE_DISK_SEED", self.seed.to_string())
            .env("REWAKE_DISK_CUT", number(self.cut))
            .env("REWAKE_DISK_LOSS", loss)
            .env("REWAKE_DISK_SYNC", number(self.sync))
            .env("REWAKE_DISK_CACHE", cache)
            .env("REWAKE_DISK_WRITE", number(self.write))
            .env("REWAKE_DISK_ERROR", trouble)
            .env("REWAKE_DISK_LIES", u8::from(self.lies).to_string());
    }
}

impl Trace {
    pub(crate) fn read(path: &Path) -> Self {
        let mut trace = Self::default();
        for line in std::fs::read_to_string(path).unwrap_or_default().lines() {
            let mut words = line.split(' ');
            let (what, count) = (words.next(), words.next());
            let count = count
                .and_then(|count| count.parse().ok())
                .unwrap_or_default();
            match what {
                Some("ops") => trace.ops = count,
                Some("syncs") => trace.syncs = count,
                Some("writes") => trace.writes = count,
                Some("cut") => trace.was_cut = true,
                Some("end") => {}
                Some("sync" | "write") => trace.hurt.extend(words.next().map(str::to_owned)),
                _ => panic!("the disk says: {line}"),
            }
        }
        trace
    }
}

static LIBRARY: LazyLock<PathBuf> = LazyLock::new(build);

/// Compiles the disk. Under a name of this process first: tests run beside each other.
fn build() -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sqlite/faults/disk.c");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let own = target.join(format!("disk-{}.so", std::process::id()));
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let built = Command::new(compiler)
        .args(["-Wall", "-Wextra", "-Werror", "-O1", "-fPIC", "-shared"])
        .args(["-U_FORTIFY_SOURCE", "-pthread", "-o"])
        .args([&own, &source])
        .status()
        .expect("a C compiler, which SQLite needs too");
    assert!(built.success(), "the disk is built");
    let library = target.join("disk.so");
    std::fs::rename(own, &library).unwrap();
    library
}
