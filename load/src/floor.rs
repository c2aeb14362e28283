//! The floor: a server that reads every request and answers the same bytes, and does nothing else. What it costs is what
//! HTTP costs here; nothing that does work can be cheaper.

use std::convert::Infallible;
use std::net::SocketAddr;

use anyhow::Result;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpListener;

/// As long as the answer to an Encrypt of 32 bytes.
const ANSWER: &str = concat!(
    r#"{"CiphertextBlob":"AQIDAHj000000000000000000000000000000000000000000000000000000000000000000000000"#,
    r#"000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000","#,
    r#""EncryptionAlgorithm":"SYMMETRIC_DEFAULT","#,
    r#""KeyId":"arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"}"#
);

/// Serves until the process is killed.
pub(crate) fn serve(address: SocketAddr) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(async move {
                let server = Builder::new(TokioExecutor::new());
                // A connection that breaks is the client's end of it.
                let _ = server.serve_connection(TokioIo::new(stream), service_fn(answer)).await;
            });
        }
    })
}

async fn answer(request: http::Request<Incoming>) -> Result<http::Response<Full<Bytes>>, Infallible> {
    let _ = request.into_body().collect().await;
    let mut response = http::Response::new(Full::new(Bytes::from_static(ANSWER.as_bytes())));
    let headers = response.headers_mut();
    headers.insert("content-type", http::HeaderValue::from_static("application/x-amz-json-1.1"));
    headers
        .insert("x-amzn-requestid", http::HeaderValue::from_static("7a1b9c5e-0000-4000-8000-000000000000"));
    Ok(response)
}
