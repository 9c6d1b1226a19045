//! A database, a folder for journals, and the processes on them.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use rewake::{Rewake, seconds};
use rewake_postgres::private_server::{Database, PrivateServer, Settings};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::process::{Process, Script};
use crate::watch::Watch;

/// A server of this test's own, and who works on it.
pub(crate) struct Stage {
    pub(crate) watch: Watch,
    pub(crate) runtime: Runtime,
    database: Database,
    pub(crate) server: PrivateServer,
    journals: TempDir,
    url: String,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let server = PrivateServer::start(&Settings::default()).unwrap();
        let database = server.database().unwrap();
        let url = database.tcp_url();
        // A process that is killed loses nothing that it has written; only power must not fail.
        let memory = Path::new("/dev/shm");
        let journals = if memory.is_dir() {
            tempfile::tempdir_in(memory)
        } else {
            tempfile::tempdir()
        };
        Self {
            watch: Watch::new(),
            runtime: Runtime::new().unwrap(),
            database,
            server,
            journals: journals.unwrap(),
            url,
        }
    }

    /// Lets the processes that are started from now on reach the database through something else.
    pub(crate) fn go_through(&mut self, address: SocketAddr) {
        self.url = self.database.url_through(address);
    }

    fn journal(&self, name: &str) -> PathBuf {
        self.journals.path().join(name)
    }

    /// Starts a process and waits until it is ready.
    pub(crate) fn start(&mut self, role: &str, name: &str, more: &[(&str, &str)]) -> Process {
        let journal = self.journal(name);
        let common = [
            ("--store", self.url.as_str()),
            ("--journal", journal.to_str().unwrap()),
        ];
        let options: Vec<_> = common.into_iter().chain(more.iter().copied()).collect();
        let process = Process::start(
            &Script {
                role,
                name,
                options: &options,
            },
            self.watch.ear(),
        );
        self.watch.until_said(name, "ready");
        process
    }

    /// All lines of all journals, those of one process in order.
    pub(crate) fn noted(&self) -> BTreeMap<String, Vec<String>> {
        let entries = fs::read_dir(self.journals.path()).unwrap();
        let lines = entries.map(|entry| {
            let entry = entry.unwrap();
            let text = fs::read_to_string(entry.path()).unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, text.lines().map(str::to_owned).collect())
        });
        lines.collect()
    }

    /// Opens a handle of the test's own, which runs nothing and goes straight to the database, and
    /// gives what is asked of it.
    pub(crate) fn ask<T>(&self, asked: impl AsyncFnOnce(&Rewake) -> T) -> T {
        self.runtime.block_on(async {
            let url = self.database.tcp_url();
            let rewake = Rewake::builder()
                .store(url)
                .client_only()
                .build()
                .await
                .unwrap();
            let answer = asked(&rewake).await;
            rewake.shutdown(seconds(1)).await.unwrap();
            answer
        })
    }
}
