//! One connection from its acceptance to its end, watched so that it always ends.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;

use super::activity::{Activity, Verdict, Watched};
use super::peer::Peer;
use super::{Front, Gate, Phase};

/// The header count up to which the HTTP/1 parser needs no memory of its own.
const HEADERS_ON_STACK: usize = 100;
const STREAMS_MAX: u32 = 32;
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// How long a connection whose time is up may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// What is needed to serve a connection; shared by all of them.
pub(super) struct Connections<F> {
    gate: Arc<Gate<F>>,
    protocols: Builder<TokioExecutor>,
    tls: Option<TlsAcceptor>,
}

impl<F: Front> Connections<F> {
    pub(super) fn new(gate: Arc<Gate<F>>, tls: Option<TlsAcceptor>) -> Self {
        let limits = gate.limits();
        let mut protocols = Builder::new(TokioExecutor::new());
        // The time for a head is kept by `Activity`, which also knows the silence between requests.
        let mut http1 = protocols.http1();
        http1.header_read_timeout(None).max_buf_size(limits.header_max).half_close(true);
        if limits.header_count_max != HEADERS_ON_STACK {
            http1.max_headers(limits.header_count_max);
        }
        protocols
            .http2()
            .max_concurrent_streams(STREAMS_MAX)
            .max_header_list_size(u32::try_from(limits.header_max).unwrap_or(u32::MAX))
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW);
        Self { gate, protocols, tls }
    }

    /// Serves the connection to its end.
    pub(super) async fn serve(&self, stream: TcpStream, peer: SocketAddr, mut phase: watch::Receiver<Phase>) {
        // Only latency depends on it.
        let _ = stream.set_nodelay(true);
        let Some(acceptor) = &self.tls else {
            return self.watch(stream, Peer::plain(peer), phase).await;
        };
        let handshake = timeout(self.gate.limits().header_read_timeout, acceptor.accept(stream));
        let outcome = tokio::select! {
            outcome = handshake => outcome,
            _ = phase.wait_for(|phase| matches!(phase, Phase::Draining | Phase::Leaving)) => return,
        };
        match outcome {
            Ok(Ok(stream)) => {
                let peer = Peer::secure(peer, stream.get_ref().1);
                self.watch(stream, peer, phase).await;
            }
            Ok(Err(error)) => tracing::debug!(%peer, %error, "TLS handshake failed"),
            Err(_) => tracing::debug!(%peer, "TLS handshake took too long"),
        }
    }

    async fn watch<S>(&self, stream: S, peer: Peer, mut phase: watch::Receiver<Phase>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let address = peer.address;
        let activity = Arc::new(Activity::new());
        let (gate, requests) = (Arc::clone(&self.gate), Arc::clone(&activity));
        let service = service_fn(move |request: Request<Incoming>| {
            let (gate, peer) = (Arc::clone(&gate), peer.clone());
            let running = requests.begin(request.version() >= Version::HTTP_2);
            async move {
                let mut response = gate.handle(request, peer).await;
                response.body_mut().note(|| running.sending());
                drop(running);
                Ok::<_, Infallible>(response)
            }
        });
        let stream = TokioIo::new(Watched::new(stream, Arc::clone(&activity)));
        let mut connection = pin!(self.protocols.serve_connection(stream, service));
        let mut look = pin!(sleep_until(Instant::now()));
        let (mut leaving, mut is_crowded) = (false, false);
        phase.mark_changed();
        loop {
            tokio::select! {
                outcome = connection.as_mut() => {
                    if let Err(error) = outcome {
                        tracing::debug!(peer = %address, %error, "connection ended");
                    }
                    return;
                }
                () = look.as_mut() => match activity.verdict(Instant::now(), self.gate.limits(), is_crowded) {
                    Verdict::LookAgain(then) => look.as_mut().reset(then),
                    Verdict::Close if leaving => return,
                    Verdict::Close => {
                        leaving = true;
                        connection.as_mut().graceful_shutdown();
                        look.as_mut().reset(Instant::now() + GOODBYE);
                    }
                },
                next = phase.changed() => {
                    let phase = next.map_or(Phase::Leaving, |()| *phase.borrow_and_update());
                    match phase {
                        Phase::Serving => is_crowded = false,
                        Phase::Crowded if !leaving => {
                            is_crowded = true;
                            look.as_mut().reset(Instant::now());
                        }
                        Phase::Crowded => {}
                        Phase::Draining => connection.as_mut().graceful_shutdown(),
                        Phase::Leaving => return,
                    }
                }
            }
        }
    }
}
