//! The client's half of HTTP/2.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};

use crate::client::Place;
use crate::prepared::Prepared;

/// What a request carries.
pub(crate) type Body = Full<Bytes>;

/// Opens a connection, whose work is done in a task of its own.
pub(crate) async fn open(place: &Place) -> Result<SendRequest<Body>> {
    let stream = TokioIo::new(place.connect().await?);
    let (sender, connection) = handshake(TokioExecutor::new(), stream).await?;
    tokio::spawn(connection);
    Ok(sender)
}

/// The request in the form of HTTP/2, where the host stands in the target.
pub(crate) fn request(prepared: &Prepared) -> Request<Body> {
    let host = prepared.headers.iter().find(|(name, _)| name == "host").map_or("localhost", |(_, host)| host);
    let mut request = Request::new(Full::new(prepared.body.clone()));
    *request.method_mut() = http::Method::POST;
    if let Ok(uri) = format!("http://{host}{}", prepared.path).parse() {
        *request.uri_mut() = uri;
    }
    for (name, value) in prepared.headers.iter().filter(|(name, _)| name != "host") {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            request.headers_mut().insert(name, value);
        }
    }
    request
}

/// Sends a request, reads its answer to the end and tells the status.
pub(crate) async fn exchange(sender: &mut SendRequest<Body>, request: Request<Body>) -> Result<u16> {
    sender.ready().await.context("the connection ended")?;
    let answer = sender.send_request(request).await?;
    let status = answer.status().as_u16();
    answer.into_body().collect().await?;
    Ok(status)
}
