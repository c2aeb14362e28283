//! The other end of a connection, and how the way to it is protected.

use std::net::SocketAddr;
use std::sync::Arc;

use base::TlsDetails;
use http::header::HOST;
use http::request::Parts;
use rustls::{ProtocolVersion, ServerConnection};

/// Who is at the other end.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// Its address.
    pub(crate) address: SocketAddr,
    channel: Option<Arc<Channel>>,
}

/// What both ends agreed on.
#[derive(Debug)]
struct Channel {
    version: &'static str,
    cipher_suite: Box<str>,
    key_exchange: Option<&'static str>,
}

impl Peer {
    /// Without TLS.
    pub(super) fn plain(address: SocketAddr) -> Self {
        Self { address, channel: None }
    }

    /// With TLS, after the handshake.
    pub(super) fn secure(address: SocketAddr, connection: &ServerConnection) -> Self {
        let suite = connection.negotiated_cipher_suite();
        let suite = suite.and_then(|suite| suite.suite().as_str()).unwrap_or_default();
        let group = connection.negotiated_key_exchange_group();
        let channel = Channel {
            version: match connection.protocol_version() {
                Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
                // No other version is offered.
                Some(_) | None => "TLSv1.3",
            },
            // rustls has the suites of TLS 1.3 under names of its own.
            cipher_suite: suite.replacen("TLS13_", "TLS_", 1).into(),
            key_exchange: group.and_then(|group| group.name().as_str()),
        };
        Self { address, channel: Some(Arc::new(channel)) }
    }

    /// How a request was protected; `None` if it was not.
    pub(crate) fn tls(&self, request: &Parts) -> Option<Arc<TlsDetails>> {
        let channel = self.channel.as_deref()?;
        let named = request.headers.get(HOST).and_then(|host| host.to_str().ok());
        let host = named.or(request.uri.host()).unwrap_or_default().to_owned();
        Some(Arc::new(TlsDetails {
            version: channel.version,
            cipher_suite: channel.cipher_suite.clone(),
            key_exchange: channel.key_exchange,
            host,
        }))
    }
}
