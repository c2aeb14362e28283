//! The client: one connection, one request after the other, with as little work of its own as can be.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Result, bail};
use bytes::{Buf as _, BytesMut};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

const HEADERS_MAX: usize = 64;
/// RFC 9110 section 15.3.5: there is no body, and no length of one.
const NO_CONTENT: u16 = 204;
const BUFFER: usize = 16 * 1024;

/// Where a server is, and how it is reached.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) address: SocketAddr,
    /// Whom to believe, where the connection is TLS.
    pub(crate) tls: Option<Tls>,
}

/// Whom to believe, and who the server says it is.
#[derive(Clone)]
pub(crate) struct Tls {
    pub(crate) config: Arc<ClientConfig>,
    pub(crate) name: ServerName<'static>,
}

/// What carries bytes both ways.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

impl Place {
    /// Connects.
    pub(crate) async fn connect(&self) -> Result<Box<dyn Stream>> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        match &self.tls {
            None => Ok(Box::new(stream)),
            Some(Tls { config, name }) => {
                let connector = TlsConnector::from(Arc::clone(config));
                Ok(Box::new(connector.connect(name.clone(), stream).await?))
            }
        }
    }
}

/// A keep-alive connection of HTTP/1.1.
pub(crate) struct Connection {
    place: Place,
    stream: Box<dyn Stream>,
    received: BytesMut,
    /// Whether the server has said that it closes.
    is_over: bool,
}

/// What a server answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: BytesMut,
}

impl Answer {
    /// The body of a call that must have gone well.
    pub(crate) fn expect_success(self) -> Result<String> {
        let text = String::from_utf8_lossy(&self.body).into_owned();
        if self.status != 200 {
            bail!("status {}: {text}", self.status);
        }
        Ok(text)
    }
}

impl Connection {
    /// Opens a connection.
    pub(crate) async fn open(place: &Place) -> Result<Self> {
        let stream = place.connect().await?;
        Ok(Self { place: place.clone(), stream, received: BytesMut::with_capacity(BUFFER), is_over: false })
    }

    /// Opens the connection anew, after the server has closed it.
    pub(crate) async fn reopen(&mut self) -> Result<()> {
        self.stream = self.place.connect().await?;
        self.received.clear();
        self.is_over = false;
        Ok(())
    }

    /// Sends a request and reads its answer to the end.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<Answer> {
        if self.is_over {
            self.reopen().await?;
        }
        self.stream.write_all(request).await?;
        self.stream.flush().await?;
        loop {
            if let Some(head) = head_of(&self.received)? {
                while self.received.len() < head.length + head.body {
                    self.fill().await?;
                }
                self.is_over = head.closes;
                self.received.advance(head.length);
                return Ok(Answer { status: head.status, body: self.received.split_to(head.body) });
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> Result<()> {
        self.received.reserve(BUFFER / 4);
        if self.stream.read_buf(&mut self.received).await? == 0 {
            bail!("the server closed the connection");
        }
        Ok(())
    }
}

/// What the head of an answer says.
struct Head {
    status: u16,
    /// Its own length, in bytes.
    length: usize,
    /// That of the body.
    body: usize,
    /// Whether the server closes the connection behind it.
    closes: bool,
}

/// The head of an answer, once it is there.
fn head_of(bytes: &[u8]) -> Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = response.parse(bytes)? else { return Ok(None) };
    let find = |name| response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
    let status = response.code.unwrap_or_default();
    let body = match find("content-length") {
        Some(length) => std::str::from_utf8(length.value)?.parse()?,
        None if status == NO_CONTENT => 0,
        None => bail!("the answer with status {status} does not tell its length"),
    };
    let closes = find("connection").is_some_and(|header| header.value.eq_ignore_ascii_case(b"close"));
    Ok(Some(Head { status, length, body, closes }))
}
