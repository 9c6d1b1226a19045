//! One cluster: made, started, stopped, asked. Knows PostgreSQL's programs; not who shares it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;

use super::binaries::Binaries;
use super::error::ServerError;
use super::folder::{Folder, MEMORY, random_bytes, random_text, write_secret};
use super::server::{Settings, Stop};
use super::user::User;

/// The superuser of the cluster.
pub(super) const SUPERUSER: &str = "rewake";
/// Ports below those that systems give to outgoing connections: one of these stays ours while the
/// server is down.
const PORTS: std::ops::Range<u16> = 15_000..32_000;
const PORTS_TRIED: usize = 20;

/// A cluster in its folder.
#[derive(Debug)]
pub(super) struct Cluster {
    binaries: Binaries,
    user: User,
    folder: Folder,
    port: u16,
    password: String,
}

impl Cluster {
    /// Makes a cluster and starts its server.
    pub(super) fn make(
        binaries: Binaries,
        user: User,
        folder: Folder,
        settings: &Settings,
    ) -> Result<Self, ServerError> {
        let password = random_text()? + &random_text()?;
        let mut cluster = Self {
            binaries,
            user,
            folder,
            port: 0,
            password,
        };
        cluster.init(settings)?;
        cluster.start_on_a_free_port()?;
        cluster.note()?;
        Ok(cluster)
    }

    /// Makes a copy of this cluster that follows it, and starts its server.
    pub(super) fn standby(&self, folder: Folder) -> Result<Self, ServerError> {
        let mut standby = Self {
            binaries: self.binaries.clone(),
            user: self.user,
            folder,
            port: 0,
            password: self.password.clone(),
        };
        let mut copy = standby.program("pg_basebackup");
        copy.args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync"]);
        copy.arg("--pgdata").arg(standby.folder.data());
        copy.args(["--username", SUPERUSER]);
        copy.arg("--host").arg(self.folder.socket());
        copy.arg("--port").arg(self.port.to_string());
        run(copy)?;
        standby.start_on_a_free_port()?;
        standby.note()?;
        Ok(standby)
    }

    /// Notes how it is reached.
    fn note(&self) -> Result<(), ServerError> {
        let reached = format!("{}\n{}\n", self.port, self.password);
        write_secret(&self.folder.reached(), &reached)
    }

    /// Returns the cluster that another process made here, if its server answers.
    pub(super) fn find(binaries: Binaries, user: User, folder: Folder) -> Option<Self> {
        let reached = fs::read_to_string(folder.reached()).ok()?;
        let mut lines = reached.lines();
        let (port, password) = (lines.next()?.parse().ok()?, lines.next()?.to_owned());
        let cluster = Self {
            binaries,
            user,
            folder,
            port,
            password,
        };
        UnixStream::connect(cluster.socket_file()).ok()?;
        Some(cluster)
    }

    pub(super) fn folder(&self) -> &Folder {
        &self.folder
    }

    pub(super) fn is_in_memory(&self) -> bool {
        self.folder.data().starts_with(MEMORY)
    }

    pub(super) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    pub(super) fn password(&self) -> &str {
        &self.password
    }

    fn socket_file(&self) -> std::path::PathBuf {
        self.folder.socket().join(format!(".s.PGSQL.{}", self.port))
    }

    /// Not synced as a whole when it is made: this folder is thrown away if power fails. What the
    /// server itself syncs is a matter of its settings.
    fn init(&self, settings: &Settings) -> Result<(), ServerError> {
        let password_file = self.folder.socket().join("password");
        write_secret(&password_file, &self.password)?;
        self.user.give(&password_file)?;
        let mut initdb = self.program("initdb");
        initdb
            .arg("--pgdata")
            .arg(self.folder.data())
            .arg("--pwfile")
            .arg(&password_file);
        initdb.args([
            "--username",
            SUPERUSER,
            "--auth-local=trust",
            "--auth-host=scram-sha-256",
        ]);
        initdb.args([
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            "--no-instructions",
        ]);
        run(initdb)?;
        fs::remove_file(&password_file).map_err(ServerError::io("remove", &password_file))?;
        let file = self.folder.data().join("postgresql.conf");
        let made = fs::read_to_string(&file).map_err(ServerError::io("read", &file))?;
        let ours = [
            ("listen_addresses", "127.0.0.1"),
            ("max_connections", "300"),
            ("max_wal_size", "256MB"),
        ];
        let lines = ours
            .into_iter()
            .chain(settings.iter())
            .map(|(name, value)| format!("{name} = '{}'\n", value.replace('\'', "''")));
        fs::write(&file, made + &lines.collect::<String>())
            .map_err(ServerError::io("write", &file))?;
        for (name, text) in settings.files() {
            let file = self.folder.data().join(name);
            write_secret(&file, text)?;
            self.user.give(&file)?;
        }
        Ok(())
    }

    fn start_on_a_free_port(&mut self) -> Result<(), ServerError> {
        let mut tried = 0;
        loop {
            tried += 1;
            self.port = free_port()?;
            match self.start() {
                // Somebody else took it in between.
                Err(ServerError::Failed { said, .. })
                    if tried < PORTS_TRIED && said.contains("Address already in use") => {}
                started => return started,
            }
        }
    }

    /// Starts the server and waits until it answers.
    pub(super) fn start(&self) -> Result<(), ServerError> {
        let mut start = self.pg_ctl("start");
        start
            .arg("--log")
            .arg(self.folder.log())
            .args(["--wait", "--timeout", "120"]);
        // Not in its settings: a copy of them is another server's.
        let socket = self.folder.socket();
        let options = format!("-p {} -k \"{}\"", self.port, socket.display());
        start.arg("--options").arg(options);
        run(start).map(drop).map_err(|error| self.with_log(error))
    }

    /// Stops the server and waits for its end.
    pub(super) fn stop(&self, how: Stop) -> Result<(), ServerError> {
        let mut stop = self.pg_ctl("stop");
        let mode = match how {
            Stop::Fast => "fast",
            Stop::Immediate => "immediate",
        };
        stop.args(["--mode", mode, "--wait", "--timeout", "120"]);
        run(stop).map(drop).map_err(|error| self.with_log(error))
    }

    /// Asks SQL of a database, as the superuser, and returns what it answers: a line a row, the
    /// columns joined by `|`.
    pub(super) fn query(&self, database: &str, sql: &str) -> Result<String, ServerError> {
        let mut psql = self.binaries.command("psql");
        psql.args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only"]);
        psql.args([
            "--set",
            "ON_ERROR_STOP=1",
            "--username",
            SUPERUSER,
            "--dbname",
            database,
        ]);
        psql.arg("--host")
            .arg(self.folder.socket())
            .arg("--port")
            .arg(self.port.to_string());
        psql.args(["--command", sql]);
        run(psql)
    }

    fn pg_ctl(&self, verb: &str) -> Command {
        let mut pg_ctl = self.program("pg_ctl");
        pg_ctl
            .arg(verb)
            .arg("--silent")
            .arg("--pgdata")
            .arg(self.folder.data());
        pg_ctl
    }

    fn program(&self, name: &str) -> Command {
        let mut command = self.binaries.command(name);
        self.user.lend(&mut command);
        command
    }

    /// What `pg_ctl` says is seldom why; the server's own last lines are.
    fn with_log(&self, error: ServerError) -> ServerError {
        match error {
            ServerError::Failed { program, said } => ServerError::Failed {
                program,
                said: format!("{said}\n{}", last_lines(&self.folder.log())),
            },
            other => other,
        }
    }
}

fn last_lines(log: &Path) -> String {
    let said = fs::read_to_string(log).unwrap_or_default();
    let mut lines: Vec<_> = said.lines().rev().take(10).collect();
    lines.reverse();
    lines.join("\n")
}

/// Runs a program to its end, and returns what it wrote.
fn run(mut command: Command) -> Result<String, ServerError> {
    let path = command.get_program().to_owned();
    let output = command.output().map_err(ServerError::io("start", &path))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(ServerError::Failed {
        program: Path::new(&path)
            .file_name()
            .unwrap_or(&path)
            .to_string_lossy()
            .into_owned(),
        said: String::from_utf8_lossy(&said).trim().to_owned(),
    })
}

fn free_port() -> Result<u16, ServerError> {
    for _ in 0..PORTS_TRIED {
        let port = PORTS.start + u16::from_le_bytes(random_bytes()?) % (PORTS.end - PORTS.start);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    // Whatever there is, then.
    let place = "127.0.0.1";
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(ServerError::io("bind", place))?;
    Ok(listener
        .local_addr()
        .map_err(ServerError::io("bind", place))?
        .port())
}
