//! Something that listens in a server's place, passes everything on, and says who has come.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How long somebody is waited for who does not come at all.
const LONG: Duration = Duration::from_mins(1);

pub(crate) struct Relay {
    address: SocketAddr,
    met: Mutex<Receiver<()>>,
    loses: Arc<AtomicBool>,
}

impl Relay {
    pub(crate) fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (meets, met) = channel();
        let loses = Arc::<AtomicBool>::default();
        let theirs = Arc::clone(&loses);
        thread::spawn(move || serve(&listener, server, &meets, &theirs));
        Self {
            address,
            met: Mutex::new(met),
            loses,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Forgets who has come.
    pub(crate) fn forget(&self) {
        let met = self.met.lock().unwrap();
        while met.try_recv().is_ok() {}
    }

    /// Waits until so many have come.
    pub(crate) fn meet(&self, many: usize) {
        let met = self.met.lock().unwrap();
        for _ in 0..many {
            met.recv_timeout(LONG).unwrap();
        }
    }

    /// Loses the next answer of the server, whatever to, and the connection with it.
    pub(crate) fn lose_an_answer(&self) {
        self.loses.store(true, Ordering::Relaxed);
    }
}

/// Serves until the test ends.
fn serve(listener: &TcpListener, server: SocketAddr, meets: &Sender<()>, loses: &Arc<AtomicBool>) {
    for client in listener.incoming() {
        let (Ok(client), Ok(server)) = (client, TcpStream::connect(server)) else {
            continue;
        };
        let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let loses = Arc::clone(loses);
        thread::spawn(move || pass(from, to, || false));
        thread::spawn(move || pass(server, client, || loses.swap(false, Ordering::Relaxed)));
        // Nobody asks any more once the test is over.
        let _told = meets.send(());
    }
}

/// Passes on what comes, and then the end.
fn pass(mut from: TcpStream, mut to: TcpStream, is_lost: impl Fn() -> bool) {
    let mut buffer = [0; 8192];
    loop {
        match from.read(&mut buffer) {
            Ok(read) if read > 0 && !is_lost() && to.write_all(&buffer[..read]).is_ok() => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            _ => break,
        }
    }
    // Either may have gone already.
    let _gone = (to.shutdown(Shutdown::Both), from.shutdown(Shutdown::Both));
}
