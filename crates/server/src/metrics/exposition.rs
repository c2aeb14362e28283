//! The port on which figures are read: `GET /metrics` and nothing else.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::Metrics;

/// Readers at the same time; Prometheus is one.
const READERS_MAX: usize = 16;
/// A connection that takes longer is closed.
const CONNECTION_MAX: Duration = Duration::from_secs(30);
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// The socket, bound.
pub(crate) struct MetricsListener(TcpListener);

impl MetricsListener {
    /// Binds the address.
    ///
    /// # Errors
    /// It is in use, or not this machine's.
    pub(crate) async fn bind(address: SocketAddr) -> std::io::Result<Self> {
        TcpListener::bind(address).await.map(Self)
    }

    /// Answers until it is dropped. `refresh` brings the figures up to date.
    pub(crate) async fn serve(
        self,
        metrics: Arc<Metrics>,
        refresh: impl Fn() + Clone + Send + Sync + 'static,
    ) {
        let readers = Arc::new(Semaphore::new(READERS_MAX));
        loop {
            // It is never closed.
            let Ok(reader) = Arc::clone(&readers).acquire_owned().await else { return };
            let Ok((stream, _)) = self.0.accept().await else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let (metrics, refresh) = (Arc::clone(&metrics), refresh.clone());
            tokio::spawn(async move {
                // Who comes too late or talks nonsense is not answered.
                let _ = tokio::time::timeout(CONNECTION_MAX, answer(stream, metrics, refresh)).await;
                drop(reader);
            });
        }
    }
}

async fn answer(stream: TcpStream, metrics: Arc<Metrics>, refresh: impl Fn()) -> Result<(), hyper::Error> {
    let service = service_fn(|request: Request<Incoming>| {
        let response = response(&request, &metrics, &refresh);
        async move { Ok::<_, Infallible>(response) }
    });
    let mut connection = http1::Builder::new();
    connection.timer(TokioTimer::new()).header_read_timeout(CONNECTION_MAX);
    connection.serve_connection(TokioIo::new(stream), service).await
}

fn response(request: &Request<Incoming>, metrics: &Metrics, refresh: &impl Fn()) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    if request.uri().path() != "/metrics" {
        *response.status_mut() = StatusCode::NOT_FOUND;
    } else if request.method() != Method::GET {
        *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    } else {
        refresh();
        match metrics.text() {
            Ok(text) => {
                response.headers_mut().insert(CONTENT_TYPE, OPEN_METRICS);
                *response.body_mut() = Full::from(text);
            }
            Err(_) => *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
    response
}
