//! What is left of a server whose user was killed: nothing.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rewake_postgres::private_server::{PrivateServer, Settings};

/// Set in the process that is to be killed.
const VICTIM: &str = "REWAKE_SERVER_VICTIM";
const SAYS: &str = "its socket is in ";

/// In the process that is to be killed, this starts a server and waits for the end; elsewhere, it has
/// nothing to do.
#[test]
fn victim() {
    if env::var_os(VICTIM).is_none() {
        return;
    }
    let server = PrivateServer::start(&Settings::default().in_memory()).unwrap();
    let database = server.database().unwrap();
    let socket = database.query("SHOW unix_socket_directories").unwrap();
    println!("\n{SAYS}{socket}");
    let _end = std::io::stdin().read_line(&mut String::new());
}

/// Starts this test program again, as the victim, and returns the folder of its server.
fn start_victim() -> (Child, PathBuf) {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "left::victim", "--nocapture"])
        .env(VICTIM, "yes")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    let socket = said
        .find_map(|line| line.unwrap().strip_prefix(SAYS).map(PathBuf::from))
        .expect("it says where its server is");
    (child, socket.parent().unwrap().to_owned())
}

fn until_gone(folder: &Path) {
    while folder.exists() {
        std::thread::yield_now();
    }
}

#[test]
fn a_killed_user_leaves_no_server() {
    let (mut victim, folder) = start_victim();
    let noted = std::fs::read_to_string(folder.join("data/postmaster.pid")).unwrap();
    victim.kill().unwrap();
    victim.wait().unwrap();
    until_gone(&folder);
    let postmaster = noted.lines().next().unwrap();
    let arguments = std::fs::read_to_string(format!("/proc/{postmaster}/cmdline"));
    assert_eq!(arguments.unwrap_or_default(), "", "no such process runs");
}

#[test]
fn a_server_goes_with_its_last_holder() {
    let server = PrivateServer::start(&Settings::default().in_memory()).unwrap();
    let database = server.database().unwrap();
    let socket = database.query("SHOW unix_socket_directories").unwrap();
    let folder = Path::new(&socket).parent().unwrap();
    drop(server);
    assert_eq!(
        database.query("SELECT 1").unwrap(),
        "1",
        "its database holds it"
    );
    drop(database);
    assert!(!folder.exists());
}
