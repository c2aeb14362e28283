//! The shell over real sockets, with a front that tells what reached it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use super::*;
use crate::config::{CertificateChoice, Limits, TlsChoice, TlsVersion};
use crate::data_folder::{DataFolder, Purpose};
use crate::tls;

mod streamed;

/// Nothing here should take so long; only a broken test waits for it.
const PATIENCE: Duration = Duration::from_secs(30);
const BODY_MAX: usize = 10_000;

/// Limits whose times never pass during a test.
pub(super) fn limits() -> Limits {
    Limits {
        body_max: BODY_MAX,
        body_memory_max: 1 << 20,
        header_max: 8_192,
        header_count_max: 40,
        connections_max: 100,
        header_read_timeout: 2 * PATIENCE,
        body_read_timeout: 2 * PATIENCE,
        request_deadline: 2 * PATIENCE,
        idle_timeout: 2 * PATIENCE,
        shutdown_timeout: 2 * PATIENCE,
    }
}

/// Echoes bodies; `/wait` answers when told, `/fault` breaks.
#[derive(Clone, Default)]
struct Echo {
    entered: Arc<Notify>,
    leave: Arc<Notify>,
}

fn answer(status: u16, body: impl Into<Bytes>) -> OutgoingResponse {
    let status = StatusCode::from_u16(status).unwrap();
    OutgoingResponse { status, headers: HeaderMap::new(), body: body.into() }
}

struct EchoedPieces {
    pieces: Vec<Bytes>,
    breaks_off: bool,
}

#[async_trait::async_trait]
impl Pieces for EchoedPieces {
    async fn next(&mut self) -> Result<Option<Bytes>, CutOff> {
        if self.breaks_off && self.pieces.len() == 1 { Err(CutOff) } else { Ok(self.pieces.pop()) }
    }
}

impl Front for Echo {
    async fn answer(&self, request: IncomingRequest) -> StreamedAnswer {
        match request.parts.uri.path() {
            "/wait" => {
                self.entered.notify_one();
                self.leave.notified().await;
            }
            "/fault" => panic!("a fault in a handler"),
            _ => {}
        }
        answer(200, request.body.to_vec()).into()
    }

    fn deadline(&self, parts: &Parts) -> Option<Duration> {
        let told = parts.headers.get("deadline")?.to_str().ok()?.parse().ok()?;
        Some(Duration::from_millis(told))
    }

    fn takes_stream(&self, parts: &Parts) -> bool {
        parts.uri.path() == "/stream"
    }

    /// Echoes as well, piece by piece; the method PATCH breaks off before the end, DELETE reads nothing. Preflights for
    /// DELETE are refused, others allowed to everybody.
    async fn answer_streamed(&self, mut request: StreamedRequest) -> StreamedAnswer {
        if request.parts.method == http::Method::DELETE {
            drop(request.body);
            return answer(403, "unread").into();
        }
        if let Some(method) = request.parts.headers.get("access-control-request-method") {
            let mut told = answer(if method == "DELETE" { 403 } else { 200 }, "by the front");
            if method != "DELETE" {
                told.headers.insert("access-control-allow-origin", HeaderValue::from_static("*"));
            }
            return told.into();
        }
        let (mut pieces, mut length) = (Vec::new(), 0);
        loop {
            match request.body.next().await {
                Ok(Some(piece)) => {
                    length += piece.len();
                    pieces.push(piece);
                }
                Ok(None) => break,
                Err(StreamFault::TimedOut) => return self.timed_out(&request.parts).into(),
                Err(StreamFault::Broken) => return self.malformed(&request.parts).into(),
            }
        }
        pieces.reverse();
        let pieces = EchoedPieces { pieces, breaks_off: request.parts.method == http::Method::PATCH };
        let body = OutgoingBody::streamed(Box::new(pieces), u64::try_from(length).unwrap());
        StreamedAnswer { status: StatusCode::OK, headers: HeaderMap::new(), body }
    }

    fn too_large(&self, parts: &Parts) -> OutgoingResponse {
        answer(413, format!("too large for {}", parts.uri.path()))
    }

    fn timed_out(&self, _: &Parts) -> OutgoingResponse {
        answer(408, "timed out")
    }

    fn malformed(&self, _: &Parts) -> OutgoingResponse {
        answer(400, "malformed")
    }

    fn overloaded(&self, _: &Parts) -> OutgoingResponse {
        answer(503, "overloaded")
    }

    fn overdue(&self, content_type: Option<&HeaderValue>) -> OutgoingResponse {
        answer(500, format!("overdue {content_type:?}"))
    }
}

struct Server {
    address: SocketAddr,
    front: Echo,
    healthy: Arc<AtomicBool>,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

impl Server {
    async fn start(limits: Limits) -> Self {
        Self::start_with(limits, Cors::default(), None).await
    }

    async fn start_with(limits: Limits, cors: Cors, tls: Option<tokio_rustls::TlsAcceptor>) -> Self {
        let front = Echo::default();
        let healthy = Arc::new(AtomicBool::new(true));
        let asked = Arc::clone(&healthy);
        let gate = Gate::new(front.clone(), limits, cors, None, move || asked.load(Ordering::SeqCst));
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.address();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(listener.serve(Arc::new(gate), tls, async {
            let _ = stopped.await;
        }));
        Self { address, front, healthy, stop: Some(stop), running }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends these bytes and reads to the connection's end.
    async fn exchange(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        read_to_end(&mut stream).await
    }

    fn stop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
    }
}

async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A connection may also end by a reset; what came before it counts.
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the end");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads until these words have come.
async fn read_until(stream: &mut TcpStream, words: &str) -> String {
    let mut bytes = Vec::new();
    while !String::from_utf8_lossy(&bytes).contains(words) {
        let read = tokio::time::timeout(PATIENCE, stream.read_buf(&mut bytes)).await.expect("more").unwrap();
        assert_ne!(read, 0, "{words} did not come: {}", String::from_utf8_lossy(&bytes));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn post(path: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n")
}

#[tokio::test]
async fn complete_requests_reach_the_front_one_after_the_other() {
    let server = Server::start(limits()).await;
    let mut stream = server.connect().await;
    for body in ["first", "second"] {
        let request = format!("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = read_until(&mut stream, body).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("\r\ndate: ") && !answer.contains("\r\nserver:"), "{answer}");
    }
    let chunked = "POST / HTTP/1.1\r\nhost: h\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    assert!(server.exchange(chunked.as_bytes()).await.ends_with("\r\n\r\nabcde"));
}

#[tokio::test]
async fn health_needs_no_front() {
    let server = Server::start(limits()).await;
    assert!(server.exchange(get("/livez").as_bytes()).await.ends_with("\r\n\r\nok"));
    assert!(server.exchange(get("/readyz?x=y").as_bytes()).await.starts_with("HTTP/1.1 200"));
    assert!(server.exchange(get("/healthz").as_bytes()).await.ends_with("\r\n\r\n{\"status\":\"ok\"}"));
    server.healthy.store(false, Ordering::SeqCst);
    assert!(server.exchange(get("/healthz").as_bytes()).await.starts_with("HTTP/1.1 503"));
    assert!(server.exchange(get("/livez").as_bytes()).await.starts_with("HTTP/1.1 200"));
    for path in ["/livez", "/readyz", "/healthz"] {
        let answer = server.exchange(post(path, "x").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 405") && answer.contains("allow: GET"), "{answer}");
    }
    assert!(server.exchange(post("/livez/", "x").as_bytes()).await.ends_with("\r\n\r\nx"));
}

#[tokio::test]
async fn a_service_that_drains_is_alive_but_not_ready() {
    let gate = Gate::new(Echo::default(), limits(), Cors::default(), None, || true);
    let peer = Peer::plain("127.0.0.1:1".parse().unwrap());
    let status = async |path: &str| {
        let request = http::Request::get(path).body(Full::<Bytes>::default()).unwrap();
        gate.handle(request, peer.clone()).await.status().as_u16()
    };
    assert_eq!((status("/livez").await, status("/readyz").await), (200, 200));
    gate.drain();
    assert_eq!((status("/livez").await, status("/readyz").await), (200, 503));
}

#[tokio::test]
async fn the_body_limit_holds_with_and_without_an_announced_length() {
    let server = Server::start(limits()).await;
    let (fits, over) = ("x".repeat(BODY_MAX), "x".repeat(BODY_MAX + 1));
    assert!(server.exchange(post("/a", &fits).as_bytes()).await.ends_with(&fits));
    let keep_alive = post("/a", &over).replace("connection: close\r\n", "");
    let answer = server.exchange(keep_alive.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.ends_with("too large for /a"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    let chunk = format!("{:x}\r\n{}\r\n", 5_000, "x".repeat(5_000));
    let head = "POST /b HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n";
    let answer = server.exchange(format!("{head}{chunk}{chunk}{chunk}0\r\n\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.ends_with("too large for /b"), "{answer}");
    // A length far over the limit is refused at once, without waiting for what was announced.
    let far = "POST /c HTTP/1.1\r\nhost: h\r\ncontent-length: 99999999999\r\n\r\nx";
    assert!(server.exchange(far.as_bytes()).await.starts_with("HTTP/1.1 413"));
    // A client that asks first is told before it sends anything.
    let asks = format!(
        "POST /d HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        over.len()
    );
    assert!(server.exchange(asks.as_bytes()).await.starts_with("HTTP/1.1 413"));
}

#[tokio::test]
async fn bodies_that_do_not_come_or_make_no_sense_are_answered() {
    let slow = Limits { body_read_timeout: Duration::from_millis(50), ..limits() };
    let server = Server::start(slow).await;
    let answer = server.exchange(b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\nabc").await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("connection: close"), "{answer}");
    let server = Server::start(limits()).await;
    let broken = "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n";
    let answer = server.exchange(broken.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.ends_with("malformed"), "{answer}");
}

#[tokio::test]
async fn the_memory_for_bodies_is_shared() {
    let server = Server::start(Limits { body_memory_max: 4 * (BODY_MAX + 1_024), ..limits() }).await;
    let body = "x".repeat(BODY_MAX);
    let mut holding = server.connect().await;
    holding.write_all(post("/wait", &body).as_bytes()).await.unwrap();
    server.front.entered.notified().await;
    assert!(server.exchange(post("/", &body).as_bytes()).await.starts_with("HTTP/1.1 503"));
    server.front.leave.notify_one();
    assert!(read_to_end(&mut holding).await.starts_with("HTTP/1.1 200"));
    assert!(server.exchange(post("/", &body).as_bytes()).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn heads_beyond_the_limits_are_refused() {
    let server = Server::start(limits()).await;
    let with = |headers: String| format!("GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n{headers}\r\n");
    let many: String = (0..41).map(|number| format!("x-{number}: y\r\n")).collect();
    assert!(server.exchange(with(many).as_bytes()).await.starts_with("HTTP/1.1 431"));
    let few: String = (0..30).map(|number| format!("x-{number}: y\r\n")).collect();
    assert!(server.exchange(with(few).as_bytes()).await.starts_with("HTTP/1.1 200"));
    let long = format!("x: {}\r\n", "y".repeat(10_000));
    assert!(server.exchange(with(long).as_bytes()).await.starts_with("HTTP/1.1 431"));
}

#[tokio::test]
async fn garbage_is_answered_or_cut_off_and_hurts_nobody() {
    let server = Server::start(limits()).await;
    for bytes in [
        &b"\x00\x01\x02\x03\xff\xfe\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx",
        b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: -1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ] {
        let answer = server.exchange(bytes).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{bytes:?}: {answer}");
    }
    let broken_http2 =
        server.exchange(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff").await;
    assert!(!broken_http2.starts_with("HTTP/1.1 200"));
    assert!(server.exchange(get("/livez").as_bytes()).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn slow_heads_and_silence_end_a_connection() {
    let server = Server::start(Limits { header_read_timeout: Duration::from_millis(50), ..limits() }).await;
    assert_eq!(server.exchange(b"GET / HT").await, "");
    assert_eq!(server.exchange(b"").await, "");
    assert_eq!(server.exchange(b"PRI * HTTP/2.0\r\n").await, "");
    let server = Server::start(Limits { idle_timeout: Duration::from_millis(50), ..limits() }).await;
    let answer = server.exchange(b"GET /livez HTTP/1.1\r\nhost: h\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok"), "{answer}");
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_given_up() {
    let server = Server::start(Limits { request_deadline: Duration::from_millis(50), ..limits() }).await;
    let request = "POST /wait HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-type: a/b\r\n\r\n";
    let answer = server.exchange(request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 500") && answer.ends_with("overdue Some(\"a/b\")"), "{answer}");
}

#[tokio::test]
async fn a_request_with_a_deadline_of_its_own_has_that_and_no_other() {
    let short = Duration::from_millis(50);
    for (of_all, own, status) in [(2 * PATIENCE, short, "500"), (short, 2 * PATIENCE, "200")] {
        let server = Server::start(Limits { request_deadline: of_all, ..limits() }).await;
        let request = format!(
            "POST /wait HTTP/1.1\r\nhost: h\r\nconnection: close\r\ndeadline: {}\r\ncontent-length: 0\r\n\r\n",
            own.as_millis()
        );
        let leave = async {
            server.front.entered.notified().await;
            tokio::time::sleep(2 * short).await;
            server.front.leave.notify_one();
        };
        let (answer, ()) = tokio::join!(server.exchange(request.as_bytes()), leave);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
}

#[tokio::test]
async fn a_fault_in_one_request_ends_its_connection_alone() {
    let server = Server::start(Limits { connections_max: 1, ..limits() }).await;
    assert_eq!(server.exchange(post("/fault", "x").as_bytes()).await, "");
    // The one place was given back.
    assert!(server.exchange(post("/", "x").as_bytes()).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn connections_beyond_the_number_wait_for_a_place() {
    let server = Server::start(Limits { connections_max: 1, ..limits() }).await;
    let mut first = server.connect().await;
    first.write_all(post("/wait", "first").as_bytes()).await.unwrap();
    server.front.entered.notified().await;
    let mut second = server.connect().await;
    second.write_all(post("/", "second").as_bytes()).await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(50), second.readable()).await;
    assert!(early.is_err(), "the second connection was served beside the first");
    server.front.leave.notify_one();
    assert!(read_to_end(&mut first).await.ends_with("first"));
    assert!(read_to_end(&mut second).await.ends_with("second"));
}

#[tokio::test]
async fn connections_that_do_nothing_make_room() {
    let patient = Limits {
        header_read_timeout: Duration::from_secs(600),
        idle_timeout: Duration::from_secs(600),
        ..limits()
    };
    let server = Server::start(Limits { connections_max: 3, ..patient }).await;
    let (silent, mut idle) = (server.connect().await, server.connect().await);
    idle.write_all(post("/", "x").replace("connection: close\r\n", "").as_bytes()).await.unwrap();
    idle.readable().await.unwrap();
    let mut busy = server.connect().await;
    busy.write_all(post("/wait", "busy").as_bytes()).await.unwrap();
    server.front.entered.notified().await;
    assert!(server.exchange(post("/", "next").as_bytes()).await.ends_with("next"));
    server.front.leave.notify_one();
    assert!(read_to_end(&mut busy).await.ends_with("busy"), "what runs is left alone");
    drop(silent);
}

async fn http2_client<S>(stream: S) -> http2::SendRequest<Full<Bytes>>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let (client, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn ask(client: &mut http2::SendRequest<Full<Bytes>>, path: &str, body: Vec<u8>) -> (u16, Bytes) {
    let uri = format!("http://h{path}");
    let request =
        http::Request::builder().method("POST").uri(uri).body(Full::new(Bytes::from(body))).unwrap();
    let answer = tokio::time::timeout(PATIENCE, client.send_request(request)).await.unwrap().unwrap();
    let status = answer.status().as_u16();
    (status, answer.into_body().collect().await.unwrap().to_bytes())
}

#[tokio::test]
async fn http_2_works_in_clear_by_prior_knowledge_with_the_same_limits() {
    let server = Server::start(limits()).await;
    let mut client = http2_client(server.connect().await).await;
    assert_eq!(ask(&mut client, "/", b"abc".to_vec()).await, (200, Bytes::from("abc")));
    assert_eq!(ask(&mut client, "/", vec![b'x'; BODY_MAX]).await.0, 200);
    assert_eq!(ask(&mut client, "/", vec![b'x'; BODY_MAX + 1]).await.0, 413);
    let mut many = http::Request::builder().method("POST").uri("http://h/");
    for number in 0..41 {
        many = many.header(format!("x-{number}"), "y");
    }
    let many = client.send_request(many.body(Full::default()).unwrap()).await.unwrap();
    assert_eq!(many.status().as_u16(), 431);
    // A slow stream does not hold up another one on the same connection.
    let mut second = client.clone();
    let waiting = tokio::spawn(async move { ask(&mut second, "/wait", b"slow".to_vec()).await });
    server.front.entered.notified().await;
    assert_eq!(ask(&mut client, "/", b"fast".to_vec()).await.0, 200);
    server.front.leave.notify_one();
    assert_eq!(waiting.await.unwrap(), (200, Bytes::from("slow")));
}

#[tokio::test]
async fn shutting_down_finishes_what_runs_and_begins_nothing_new() {
    let mut server = Server::start(limits()).await;
    let mut idle = server.connect().await;
    idle.write_all(b"GET /livez HTTP/1.1\r\nhost: h\r\n\r\n").await.unwrap();
    read_until(&mut idle, "ok").await;
    let mut busy = server.connect().await;
    busy.write_all(b"POST /wait HTTP/1.1\r\nhost: h\r\ncontent-length: 4\r\n\r\nlast").await.unwrap();
    let mut client = http2_client(server.connect().await).await;
    server.front.entered.notified().await;
    let stream = tokio::spawn(async move { ask(&mut client, "/wait", b"h2".to_vec()).await });
    server.front.entered.notified().await;
    server.stop();
    assert_eq!(read_to_end(&mut idle).await, "");
    assert!(TcpStream::connect(server.address).await.is_err());
    assert!(!server.running.is_finished());
    server.front.leave.notify_one();
    server.front.leave.notify_one();
    let answer = tokio::time::timeout(PATIENCE, async {
        loop {
            server.front.leave.notify_one();
            tokio::task::yield_now().await;
            if stream.is_finished() {
                return stream.await.unwrap();
            }
        }
    });
    assert_eq!(answer.await.unwrap(), (200, Bytes::from("h2")));
    assert!(read_to_end(&mut busy).await.ends_with("last"));
    tokio::time::timeout(PATIENCE, server.running).await.unwrap().unwrap();
}

#[tokio::test]
async fn what_does_not_finish_in_time_is_cut_off() {
    let mut server = Server::start(Limits { shutdown_timeout: Duration::from_millis(50), ..limits() }).await;
    let mut busy = server.connect().await;
    busy.write_all(post("/wait", "").as_bytes()).await.unwrap();
    server.front.entered.notified().await;
    server.stop();
    assert_eq!(read_to_end(&mut busy).await, "");
    tokio::time::timeout(PATIENCE, server.running).await.unwrap().unwrap();
}

#[tokio::test]
async fn pages_of_listed_origins_may_read_answers() {
    let cors = Cors::new(&["https://console.example.com".to_owned()]);
    let server = Server::start_with(limits(), cors, None).await;
    let from =
        |origin: &str| format!("POST / HTTP/1.1\r\nhost: h\r\nconnection: close\r\norigin: {origin}\r\n\r\n");
    let answer = server.exchange(from("https://console.example.com").as_bytes()).await;
    assert!(answer.contains("access-control-allow-origin: https://console.example.com\r\n"), "{answer}");
    assert!(answer.contains("access-control-expose-headers: x-amzn-requestid\r\n"), "{answer}");
    assert!(!server.exchange(from("https://other.example.com").as_bytes()).await.contains("access-control"));
    let server = Server::start(limits()).await;
    assert!(
        !server.exchange(from("https://console.example.com").as_bytes()).await.contains("access-control")
    );
}

/// A TLS client that trusts one authority.
fn tls_client(authority: &std::path::Path, protocol: &[u8]) -> tokio_rustls::TlsConnector {
    use rustls::pki_types::pem::PemObject as _;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls::pki_types::CertificateDer::from_pem_file(authority).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    tokio_rustls::TlsConnector::from(Arc::new(config))
}

async fn secure_server(limits: Limits) -> (tempfile::TempDir, std::path::PathBuf, Server) {
    let place = tempfile::tempdir().unwrap();
    let folder = DataFolder::open_or_create(place.path(), Purpose::Production).unwrap();
    let choice = TlsChoice { certificate: CertificateChoice::Development, min_version: TlsVersion::Tls13 };
    let tls = tls::prepare(&choice, &folder).ok().unwrap();
    let server = Server::start_with(limits, Cors::default(), Some(tls.acceptor)).await;
    (place, tls.authority.unwrap(), server)
}

#[tokio::test]
async fn the_development_certificate_serves_both_protocols_with_post_quantum_key_exchange() {
    let (_place, authority, server) = secure_server(limits()).await;
    for name in ["localhost", "127.0.0.1", "::1"] {
        let name = rustls::pki_types::ServerName::try_from(name).unwrap();
        let connector = tls_client(&authority, b"http/1.1");
        let mut stream = connector.connect(name, server.connect().await).await.unwrap();
        let group = stream.get_ref().1.negotiated_key_exchange_group().unwrap().name();
        assert_eq!(group, rustls::NamedGroup::X25519MLKEM768);
        stream.write_all(post("/", "x").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert!(answer.ends_with(b"\r\n\r\nx"));
    }
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    let stream = tls_client(&authority, b"h2").connect(name.clone(), server.connect().await).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let mut client = http2_client(stream).await;
    assert_eq!(ask(&mut client, "/", b"x".to_vec()).await, (200, Bytes::from("x")));
    let (_elsewhere, other_authority, _other) = secure_server(limits()).await;
    let refused = tls_client(&other_authority, b"h2").connect(name, server.connect().await).await;
    assert!(refused.is_err());
}

#[tokio::test]
async fn sessions_are_resumed() {
    let (_place, authority, server) = secure_server(limits()).await;
    let connector = tls_client(&authority, b"http/1.1");
    let mut kinds = Vec::new();
    for _ in 0..2 {
        let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
        let mut stream = connector.connect(name, server.connect().await).await.unwrap();
        stream.write_all(get("/livez").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        kinds.push(stream.get_ref().1.handshake_kind());
    }
    assert_eq!(kinds[1], Some(rustls::HandshakeKind::Resumed), "{kinds:?}");
}

#[tokio::test]
async fn a_handshake_that_does_not_go_on_is_given_up_and_plain_http_is_refused() {
    let brief = Limits { header_read_timeout: Duration::from_millis(50), ..limits() };
    let (_place, _authority, server) = secure_server(brief).await;
    assert_eq!(server.exchange(b"\x16\x03\x01").await, "");
    assert!(!server.exchange(get("/livez").as_bytes()).await.contains("200"));
}

#[tokio::test]
async fn addresses_that_cannot_be_listened_on_are_told() {
    let first = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let told = Listener::bind(first.address()).await.err().unwrap().to_string();
    assert!(told.contains("already in use") && told.contains(&first.address().to_string()), "{told}");
    let told = Listener::bind("192.0.2.1:4599".parse().unwrap()).await.err().unwrap().to_string();
    assert!(told.contains("not an address of this machine"), "{told}");
}
