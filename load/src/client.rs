//! The client: one connection, one request after the other, with as little work of its own as can be.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use bytes::{Buf as _, BytesMut};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

const HEADERS_MAX: usize = 64;
const BUFFER: usize = 16 * 1024;

/// Where a server is, and how it is reached.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) address: SocketAddr,
    /// Whom to believe, where the connection is TLS.
    pub(crate) tls: Option<Arc<ClientConfig>>,
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
            Some(config) => {
                let name = ServerName::try_from("localhost")?;
                Ok(Box::new(TlsConnector::from(Arc::clone(config)).connect(name, stream).await?))
            }
        }
    }
}

/// A keep-alive connection of HTTP/1.1.
pub(crate) struct Connection {
    place: Place,
    stream: Box<dyn Stream>,
    received: BytesMut,
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
        Ok(Self { place: place.clone(), stream, received: BytesMut::with_capacity(BUFFER) })
    }

    /// Opens the connection anew, after the server has closed it.
    pub(crate) async fn reopen(&mut self) -> Result<()> {
        self.stream = self.place.connect().await?;
        self.received.clear();
        Ok(())
    }

    /// Sends a request and reads its answer to the end.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<Answer> {
        self.stream.write_all(request).await?;
        self.stream.flush().await?;
        loop {
            if let Some((status, head, length)) = head_of(&self.received)? {
                while self.received.len() < head + length {
                    self.fill().await?;
                }
                self.received.advance(head);
                return Ok(Answer { status, body: self.received.split_to(length) });
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

/// The status, the length of the head and that of the body, once the head is there.
fn head_of(bytes: &[u8]) -> Result<Option<(u16, usize, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(bytes)? else { return Ok(None) };
    let length = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length = length.context("the answer does not tell its length")?;
    let length = std::str::from_utf8(length.value)?.parse()?;
    Ok(Some((response.code.unwrap_or_default(), head, length)))
}
