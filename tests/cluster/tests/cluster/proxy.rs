//! A proxy between processes and the database that does what bad networks do.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Handle, Runtime};
use tokio::sync::watch;

use crate::time::PATIENCE;

/// What the network does at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It works.
    None,
    /// Everything comes late by so much, both ways.
    Delay(Duration),
    /// After so many more bytes of an answer the connection is reset, wherever that is.
    CutAfter(usize),
    /// Everything is taken and nothing arrives. When it is over, such a connection is reset.
    BlackHole,
}

/// The fault must have met so many chunks of data, or connections cut, before it is over.
const FELT: usize = 40;

/// A proxy that runs for as long as its runtime.
pub(crate) struct Proxy {
    address: SocketAddr,
    fault: watch::Sender<Fault>,
    met: Arc<AtomicUsize>,
    runtime: Handle,
    changed: watch::Receiver<usize>,
}

/// What the tasks of the proxy share.
#[derive(Clone)]
struct Weather {
    fault: watch::Receiver<Fault>,
    met: Arc<AtomicUsize>,
    felt: watch::Sender<usize>,
}

impl Proxy {
    /// Starts a proxy for what listens at `to`.
    pub(crate) fn start(runtime: &Runtime, to: SocketAddr) -> Self {
        let listener = runtime
            .block_on(TcpListener::bind(("127.0.0.1", 0)))
            .unwrap();
        let address = listener.local_addr().unwrap();
        let (fault, now) = watch::channel(Fault::None);
        let (felt, changed) = watch::channel(0);
        let met = Arc::new(AtomicUsize::new(0));
        let weather = Weather {
            fault: now,
            met: Arc::clone(&met),
            felt,
        };
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(connect(client, to, weather.clone()));
            }
        });
        Self {
            address,
            fault,
            met,
            runtime: runtime.handle().clone(),
            changed,
        }
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes what the network does.
    pub(crate) fn set(&self, fault: Fault) {
        self.met.store(0, Ordering::Relaxed);
        self.fault.send(fault).unwrap();
    }

    /// Waits until the fault has met enough traffic.
    pub(crate) fn until_felt(&self) {
        let mut changed = self.changed.clone();
        let met = self.runtime.block_on(async {
            let felt = async {
                while self.met.load(Ordering::Relaxed) < FELT {
                    changed.changed().await.unwrap();
                }
            };
            tokio::time::timeout(PATIENCE, felt).await
        });
        let met = met.map_err(|_| self.met.load(Ordering::Relaxed));
        assert_eq!(met, Ok(()), "so little came by that the fault was not felt");
    }
}

impl Weather {
    fn now(&self) -> Fault {
        *self.fault.borrow()
    }

    fn feel(&self) {
        let met = self.met.fetch_add(1, Ordering::Relaxed) + 1;
        self.felt.send_replace(met);
    }
}

/// Joins one connection to one of the database's, until either ends or the network ends both.
async fn connect(client: TcpStream, to: SocketAddr, weather: Weather) {
    // While the database is down, a connection is refused as the database would.
    let Ok(server) = TcpStream::connect(to).await else {
        return;
    };
    // Closed from here on, it is reset: what had not arrived does not.
    let _reset = (client.set_zero_linger(), server.set_zero_linger());
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let mut there = tokio::spawn(pump(from_client, to_server, weather.clone(), false));
    let mut back = tokio::spawn(pump(from_server, to_client, weather, true));
    tokio::select! {
        _ = &mut there => back.abort(),
        _ = &mut back => there.abort(),
    }
}

/// Passes on what comes, as the weather allows.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut weather: Weather,
    answers: bool,
) {
    let mut chunk = vec![0; 8192];
    let mut passed = 0;
    let mut last = Fault::None;
    while let Ok(len @ 1..) = from.read(&mut chunk).await {
        let fault = weather.now();
        if fault != last {
            (passed, last) = (0, fault);
        }
        let mut len = len;
        match fault {
            Fault::None => {}
            Fault::Delay(late) => {
                be_late(late).await;
                weather.feel();
            }
            Fault::CutAfter(bytes) => {
                len = if answers {
                    len.min(bytes - passed)
                } else {
                    len
                };
                weather.feel();
            }
            Fault::BlackHole => {
                weather.feel();
                let _over = weather
                    .fault
                    .wait_for(|fault| *fault != Fault::BlackHole)
                    .await;
                return;
            }
        }
        if to.write_all(&chunk[..len]).await.is_err() {
            return;
        }
        passed += len;
        if answers && fault == Fault::CutAfter(passed) {
            return;
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a slow network is what is tested"
)]
async fn be_late(late: Duration) {
    tokio::time::sleep(late).await;
}
