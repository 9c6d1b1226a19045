//! The supervisor: outlives the processes that use a server, and takes the server away after them.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::error::ServerError;

/// Arguments: the server's folder, and for how many seconds it may stay without a user.
///
/// `rmdir` is the point of no return: it succeeds only while no user is there, and from then on
/// nobody can add himself. A server that its owner has taken away leaves no folder, and nothing to do.
const SCRIPT: &str = r#"
folder=$1 linger=$2 idle=0
while [ -d "$folder/users" ]; do
    sleep 1 </dev/null
    busy=
    for user in "$folder"/users/*; do
        pid=${user##*/} pid=${pid%%.*}
        if kill -0 "$pid" 2>/dev/null; then busy=yes; else rm -f "$user"; fi
    done
    if [ "$busy" ]; then idle=0; continue; fi
    idle=$((idle + 1))
    if [ "$idle" -gt "$linger" ] && rmdir "$folder/users" 2>/dev/null; then break; fi
done
[ -d "$folder" ] || exit 0
arguments() {
    if [ -d /proc/self ]; then tr '\0' ' ' <"/proc/$1/cmdline"; else ps -p "$1" -o args=; fi
}
for signal in QUIT QUIT QUIT QUIT QUIT QUIT QUIT QUIT QUIT KILL; do
    pid=
    read -r pid 2>/dev/null <"$folder/data/postmaster.pid"
    case $(arguments "$pid" 2>/dev/null) in *"$folder/data"*) ;; *) break ;; esac
    kill -CONT "$pid"
    kill -"$signal" "$pid"
    sleep 1 </dev/null
done
rm -rf "$folder"
"#;

/// Starts the supervisor of the server in this folder. It holds the lock for as long as it lives.
///
/// It gets a process group of its own: what interrupts the tests at a terminal must not reach it.
pub(super) fn start(folder: &Path, lock: File, linger_seconds: u32) -> Result<(), ServerError> {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", SCRIPT, "supervisor"]);
    shell
        .arg(folder)
        .arg(linger_seconds.to_string())
        .current_dir("/");
    shell
        .stdin(Stdio::from(lock))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    shell.process_group(0);
    let started = shell.spawn().map_err(ServerError::io("start", "/bin/sh"))?;
    // Not waited for: it ends after us.
    drop(started);
    Ok(())
}
