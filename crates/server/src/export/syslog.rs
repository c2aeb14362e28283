//! Events for a syslog server: RFC 5424, over UDP (RFC 5426), TCP with octet counting (RFC 6587) or a local socket.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpStream, UdpSocket, UnixDatagram};

use super::follower::LoggedEvent;
use super::{Receiver, SendError};

/// Facility 13, "log audit", and severity 6, "informational".
const PRIORITY: u8 = 13 * 8 + 6;
/// The most bytes of a datagram over IPv4. What is longer can never be sent so, and must not hold up what comes after it.
const DATAGRAM_MAX: usize = 65_507;
/// A server that does not answer in this time is taken for gone.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Where a syslog server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SyslogAddress {
    Udp(SocketAddr),
    Tcp(SocketAddr),
    Local(PathBuf),
}

/// The text is no address of a syslog server.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error(
    "must be udp://ADDRESS:PORT, tcp://ADDRESS:PORT or unix:PATH, for example udp://127.0.0.1:514 or unix:/dev/log"
)]
pub(crate) struct InvalidSyslogAddress;

impl FromStr for SyslogAddress {
    type Err = InvalidSyslogAddress;

    fn from_str(text: &str) -> Result<Self, InvalidSyslogAddress> {
        let address = |text: &str| text.parse().map_err(|_| InvalidSyslogAddress);
        match text.split_once(':') {
            Some(("udp", rest)) => {
                Ok(Self::Udp(address(rest.strip_prefix("//").ok_or(InvalidSyslogAddress)?)?))
            }
            Some(("tcp", rest)) => {
                Ok(Self::Tcp(address(rest.strip_prefix("//").ok_or(InvalidSyslogAddress)?)?))
            }
            Some(("unix", path)) if path.starts_with('/') => Ok(Self::Local(path.into())),
            Some(_) | None => Err(InvalidSyslogAddress),
        }
    }
}

/// A syslog server, and the way to it once there is one.
pub(super) struct SyslogServer {
    address: SyslogAddress,
    way: Option<Way>,
}

enum Way {
    Udp(UdpSocket),
    Tcp(TcpStream),
    Local(UnixDatagram),
}

impl SyslogServer {
    pub(super) fn new(address: SyslogAddress) -> Self {
        Self { address, way: None }
    }

    async fn connect(&self) -> std::io::Result<Way> {
        Ok(match &self.address {
            SyslogAddress::Udp(address) => {
                let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
                let socket = UdpSocket::bind(any).await?;
                socket.connect(address).await?;
                Way::Udp(socket)
            }
            SyslogAddress::Tcp(address) => Way::Tcp(TcpStream::connect(address).await?),
            SyslogAddress::Local(path) => {
                let socket = UnixDatagram::unbound()?;
                socket.connect(path)?;
                Way::Local(socket)
            }
        })
    }

    async fn send_all(&mut self, events: &[LoggedEvent]) -> std::io::Result<()> {
        let mut way = match self.way.take() {
            Some(way) => way,
            None => self.connect().await?,
        };
        for event in events {
            let message = message(event);
            if message.len() > DATAGRAM_MAX && !matches!(way, Way::Tcp(_)) {
                let (bytes, event) = (message.len(), &event.name);
                tracing::warn!(
                    bytes,
                    event,
                    "an event is too long for a datagram and is not sent on; use tcp://"
                );
                continue;
            }
            match &mut way {
                Way::Udp(socket) => drop(socket.send(message.as_bytes()).await?),
                Way::Local(socket) => drop(socket.send(message.as_bytes()).await?),
                Way::Tcp(stream) => {
                    let framed = format!("{} {message}", message.len());
                    stream.write_all(framed.as_bytes()).await?;
                }
            }
        }
        self.way = Some(way);
        Ok(())
    }
}

#[async_trait]
impl Receiver for SyslogServer {
    fn name(&self) -> &'static str {
        "syslog"
    }

    fn remembers(&self) -> bool {
        true
    }

    async fn send(&mut self, events: &[LoggedEvent]) -> Result<(), SendError> {
        let sent = tokio::time::timeout(WAIT_MAX, self.send_all(events)).await;
        let sent = sent.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()));
        sent.map_err(|error| SendError(error.to_string()))
    }
}

/// `<110>1 TIME - keywright - EVENT - JSON`. Host and process are left to the server, which knows who sends.
fn message(event: &LoggedEvent) -> String {
    let LoggedEvent { json, name, time } = event;
    format!("<{PRIORITY}>1 {time} - keywright - {name} - {json}")
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    fn event() -> LoggedEvent {
        let json = r#"{"eventName":"Encrypt"}"#.to_owned();
        LoggedEvent { json, name: "Encrypt".into(), time: "2018-09-20T17:41:01Z".into() }
    }

    const MESSAGE: &str = r#"<110>1 2018-09-20T17:41:01Z - keywright - Encrypt - {"eventName":"Encrypt"}"#;

    #[test]
    fn addresses_are_read_and_nothing_else_is() {
        for (text, address) in [
            ("udp://127.0.0.1:514", SyslogAddress::Udp("127.0.0.1:514".parse().unwrap())),
            ("tcp://[::1]:601", SyslogAddress::Tcp("[::1]:601".parse().unwrap())),
            ("unix:/dev/log", SyslogAddress::Local("/dev/log".into())),
        ] {
            assert_eq!(text.parse::<SyslogAddress>().unwrap(), address);
        }
        for text in [
            "",
            "udp",
            "udp://",
            "udp:127.0.0.1:514",
            "tcp://host",
            "http://127.0.0.1:1",
            "unix:log",
            "127.0.0.1:514",
        ] {
            assert!(text.parse::<SyslogAddress>().is_err(), "{text}");
        }
    }

    #[tokio::test]
    async fn a_datagram_holds_one_event() {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let mut syslog = SyslogServer::new(SyslogAddress::Udp(server.local_addr().unwrap()));
        syslog.send(&[event(), event()]).await.unwrap();
        let mut buffer = [0; 1_000];
        for _ in 0..2 {
            let length = server.recv(&mut buffer).await.unwrap();
            assert_eq!(std::str::from_utf8(&buffer[..length]).unwrap(), MESSAGE);
        }
    }

    #[tokio::test]
    async fn an_event_that_no_datagram_holds_does_not_hold_up_the_others() {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let mut syslog = SyslogServer::new(SyslogAddress::Udp(server.local_addr().unwrap()));
        let long = LoggedEvent { json: "x".repeat(DATAGRAM_MAX), ..event() };
        syslog.send(&[long, event()]).await.unwrap();
        let mut buffer = [0; 1_000];
        let length = server.recv(&mut buffer).await.unwrap();
        assert_eq!(std::str::from_utf8(&buffer[..length]).unwrap(), MESSAGE);
    }

    #[tokio::test]
    async fn a_stream_counts_octets_and_is_opened_again() {
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut syslog = SyslogServer::new(SyslogAddress::Tcp(server.local_addr().unwrap()));
        syslog.send(&[event()]).await.unwrap();
        let (mut stream, _) = server.accept().await.unwrap();
        let expected = format!("{} {MESSAGE}", MESSAGE.len());
        let mut buffer = vec![0; expected.len()];
        stream.read_exact(&mut buffer).await.unwrap();
        assert_eq!(buffer, expected.as_bytes());
        drop((stream, server));
        let mut failed = false;
        // The first message after the end may still go into the void.
        for _ in 0..50 {
            failed |= syslog.send(&[event()]).await.is_err();
        }
        assert!(failed);
    }
}
