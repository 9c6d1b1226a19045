//! Something that listens in a server's place, passes everything on, and says who has come.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

pub(crate) struct Relay {
    address: SocketAddr,
    met: Mutex<Receiver<()>>,
}

impl Relay {
    pub(crate) fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (meets, met) = channel();
        thread::spawn(move || serve(&listener, server, &meets));
        Self {
            address,
            met: Mutex::new(met),
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
            met.recv().unwrap();
        }
    }
}

/// Serves until the test ends.
fn serve(listener: &TcpListener, server: SocketAddr, meets: &Sender<()>) {
    for client in listener.incoming() {
        let (Ok(client), Ok(server)) = (client, TcpStream::connect(server)) else {
            continue;
        };
        let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        thread::spawn(move || pass(from, to));
        thread::spawn(move || pass(server, client));
        // Nobody asks any more once the test is over.
        let _told = meets.send(());
    }
}

/// Passes on what comes, and then the end.
fn pass(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = [0; 8192];
    loop {
        match from.read(&mut buffer) {
            Ok(read) if read > 0 && to.write_all(&buffer[..read]).is_ok() => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            _ => break,
        }
    }
    // Either may have gone already.
    let _gone = (to.shutdown(Shutdown::Both), from.shutdown(Shutdown::Both));
}
