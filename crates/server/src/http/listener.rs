//! The listener: accepts connections up to their number, and ends them all in good order.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::connection::Connections;
use super::{Front, Gate};

/// The first and the longest pause after the system could not accept a connection, say for want of file handles.
const PAUSE_MIN: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// How long connections that were cut off may take to be gone.
const CUT_OFF: Duration = Duration::from_secs(1);

/// Where the listener is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Requests are answered.
    Serving,
    /// Requests are answered, and every place is taken: connections that do nothing make room.
    Crowded,
    /// Running requests are finished, no new ones begin.
    Draining,
    /// What is still open is cut off.
    Leaving,
}

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListenError {
    #[error(
        "{0} is already in use by another process; stop that one or choose another address with --listen"
    )]
    InUse(SocketAddr),
    #[error("{0} may not be listened on by this user; choose a port from 1024 on with --listen")]
    Forbidden(SocketAddr),
    #[error("{0} is not an address of this machine; choose another with --listen")]
    NotHere(SocketAddr),
    #[error("{address} cannot be listened on: {source}")]
    Trouble { address: SocketAddr, source: std::io::Error },
}

/// A bound socket. Connections wait in the system's queue until [`Listener::serve`] takes them.
pub(crate) struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Binds the address; port 0 takes any free port.
    pub(crate) async fn bind(address: SocketAddr) -> Result<Self, ListenError> {
        let trouble = |source: std::io::Error| {
            let kind = source.kind();
            if kind == ErrorKind::AddrInUse {
                ListenError::InUse(address)
            } else if kind == ErrorKind::PermissionDenied {
                ListenError::Forbidden(address)
            } else if kind == ErrorKind::AddrNotAvailable {
                ListenError::NotHere(address)
            } else {
                ListenError::Trouble { address, source }
            }
        };
        let socket = TcpListener::bind(address).await.map_err(trouble)?;
        let address = socket.local_addr().map_err(trouble)?;
        Ok(Self { socket, address })
    }

    /// The address with its real port.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` is ready, then lets running requests finish, for no longer than the limit says.
    pub(crate) async fn serve<F: Front>(
        self,
        gate: Arc<Gate<F>>,
        tls: Option<TlsAcceptor>,
        stop: impl Future<Output = ()>,
    ) {
        let connections_max = gate.limits().connections_max;
        let shutdown_timeout = gate.limits().shutdown_timeout;
        let places = Arc::new(Semaphore::new(connections_max));
        let (phase, _) = watch::channel(Phase::Serving);
        let connections = Arc::new(Connections::new(Arc::clone(&gate), tls));
        tokio::select! {
            () = self.accept(connections, Arc::clone(&places), &phase) => {}
            () = stop => {}
        }
        gate.drain();
        phase.send_replace(Phase::Draining);
        if timeout(shutdown_timeout, all_left(&places, connections_max)).await.is_err() {
            tracing::warn!("some requests did not finish in time and are cut off");
        }
        phase.send_replace(Phase::Leaving);
        let _ = timeout(CUT_OFF, all_left(&places, connections_max)).await;
    }

    /// Runs for ever; dropping it closes the socket.
    async fn accept<F: Front>(
        self,
        connections: Arc<Connections<F>>,
        places: Arc<Semaphore>,
        phase: &watch::Sender<Phase>,
    ) {
        let mut pause = PAUSE_MIN;
        loop {
            let Some(place) = place(&places, phase).await else { return };
            match self.socket.accept().await {
                Ok((stream, peer)) => {
                    pause = PAUSE_MIN;
                    // The task goes on by itself; its place tells when it has ended.
                    drop(tokio::spawn(serve_one(
                        Arc::clone(&connections),
                        stream,
                        peer,
                        phase.subscribe(),
                        place,
                    )));
                }
                Err(error) if of_one_connection(error.kind()) => {}
                Err(error) => {
                    tracing::warn!(%error, "no connection can be accepted at the moment");
                    sleep(pause).await;
                    pause = pause.saturating_mul(2).min(PAUSE_MAX);
                }
            }
        }
    }
}

/// A place for one more connection. While all are taken, further connections wait in the system's queue.
async fn place(places: &Arc<Semaphore>, phase: &watch::Sender<Phase>) -> Option<OwnedSemaphorePermit> {
    if let Ok(place) = Arc::clone(places).try_acquire_owned() {
        return Some(place);
    }
    phase.send_replace(Phase::Crowded);
    let place = Arc::clone(places).acquire_owned().await.ok();
    phase.send_replace(Phase::Serving);
    place
}

/// In a task of its own, so that a fault in one connection ends that connection and nothing else.
async fn serve_one<F: Front>(
    connections: Arc<Connections<F>>,
    stream: TcpStream,
    peer: SocketAddr,
    phase: watch::Receiver<Phase>,
    place: OwnedSemaphorePermit,
) {
    connections.serve(stream, peer, phase).await;
    drop(place);
}

fn of_one_connection(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionRefused
            | ErrorKind::Interrupted
    )
}

async fn all_left(places: &Semaphore, connections_max: usize) {
    let all = u32::try_from(connections_max).unwrap_or(u32::MAX);
    let _ = places.acquire_many(all).await;
}
