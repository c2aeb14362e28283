//! A client of the service's own API, for the commands that ask a running service.

pub(crate) mod answers;
mod profile;
pub(crate) mod s3;

use std::path::Path;
use std::time::Duration;

use base::{Clock, SystemClock};
use crypto::digest::sha256;
use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wire::sigv4::{self, RequestHead, Scope, SigningKey};

use crate::causes::with_causes;
pub(crate) use profile::{Profile, ProfileError, Variables, Wishes};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// From the beginning of a call to the end of its answer.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);
/// The same for an answer that is long.
const LONG_TIMEOUT: Duration = Duration::from_secs(7 * 86_400);
/// The longest answer.
const ANSWER_MAX: usize = 64 * 1_024 * 1_024;

const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// A call that brought no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    #[error(transparent)]
    Profile(#[from] ProfileError),
    #[error("{0} is no URL of a service: http://HOST:PORT or https://HOST:PORT")]
    Endpoint(String),
    #[error("{path} holds no certificate authority: {reason}")]
    Certificate { path: String, reason: String },
    #[error("{endpoint} cannot be called: {reason}")]
    Unreachable { endpoint: String, reason: String },
    #[error("the request cannot be signed: {0}")]
    Unsignable(String),
    #[error("{code}: {message}")]
    Refused { code: String, message: String },
    #[error("status {0}")]
    Status(u16),
    #[error("{endpoint} answers what no Keywright does: {what}")]
    Unexpected { endpoint: String, what: String },
}

/// A call that is to be signed.
struct Request<'a> {
    method: Method,
    /// The service that it is signed for.
    service: &'static str,
    path: &'a str,
    /// With its parameters in order.
    query: &'a str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

/// An answer as it comes.
pub(crate) struct LongAnswer(reqwest::Response);

impl LongAnswer {
    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// Why there are no more although it is not at its end.
    pub(crate) async fn next(&mut self) -> Result<Option<bytes::Bytes>, String> {
        self.0.chunk().await.map_err(|error| with_causes(&error.without_url()))
    }
}

/// Calls a service.
pub(crate) struct Client {
    http: reqwest::Client,
    profile: Profile,
    /// `HOST:PORT` as clients send it.
    host: String,
}

impl Client {
    /// A client with these credentials.
    ///
    /// # Errors
    /// The endpoint is none, or the certificate authority cannot be read.
    pub(crate) fn new(profile: Profile) -> Result<Self, ClientError> {
        let host = host(&profile.endpoint).ok_or_else(|| ClientError::Endpoint(profile.endpoint.clone()))?;
        let mut builder = reqwest::Client::builder()
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .user_agent(concat!("keywright/", env!("CARGO_PKG_VERSION")));
        if let Some(path) = &profile.certificate_authority {
            builder = builder.tls_certs_only(authorities(path)?);
        }
        let unusable = |error: reqwest::Error| ClientError::Unreachable {
            endpoint: profile.endpoint.clone(),
            reason: with_causes(&error),
        };
        Ok(Self { http: builder.build().map_err(unusable)?, host, profile })
    }

    /// Calls an operation of Keywright's own service.
    ///
    /// # Errors
    /// The service cannot be reached, or refuses.
    pub(crate) async fn call<R: DeserializeOwned>(
        &self,
        operation: &str,
        request: &impl Serialize,
    ) -> Result<R, ClientError> {
        self.call_json(("keywright", "Keywright"), operation, request).await
    }

    /// The ARN of the KMS key that has this id, ARN, alias or alias ARN.
    ///
    /// # Errors
    /// The service cannot be reached, or refuses.
    pub(crate) async fn key_arn(&self, name: &str) -> Result<String, ClientError> {
        let request = serde_json::json!({"KeyId": name});
        let answer: serde_json::Value =
            self.call_json(("kms", "TrentService"), "DescribeKey", &request).await?;
        let arn = answer.pointer("/KeyMetadata/Arn").and_then(serde_json::Value::as_str);
        arn.map(str::to_owned).ok_or_else(|| self.unexpected("a key without an ARN".to_owned()))
    }

    async fn call_json<R: DeserializeOwned>(
        &self,
        (service, prefix): (&'static str, &str),
        operation: &str,
        request: &impl Serialize,
    ) -> Result<R, ClientError> {
        let body = serde_json::to_vec(request).map_err(|error| ClientError::Unsignable(error.to_string()))?;
        let headers = vec![
            ("content-type", CONTENT_TYPE.to_owned()),
            ("x-amz-target", format!("{prefix}.{operation}")),
        ];
        let request = Request { method: Method::POST, service, path: "/", query: "", headers, body };
        let (status, _, answer) = self.send(request).await?;
        if status != StatusCode::OK {
            let unexpected = || self.unexpected(format!("status {}", status.as_u16()));
            return Err(refusal(&answer).unwrap_or_else(unexpected));
        }
        serde_json::from_slice(&answer).map_err(|error| self.unexpected(error.to_string()))
    }

    fn unexpected(&self, what: String) -> ClientError {
        ClientError::Unexpected { endpoint: self.profile.endpoint.clone(), what }
    }

    /// Calls an operation of Keywright's own service whose answer is long and comes as it is made.
    ///
    /// # Errors
    /// The service cannot be reached, or refuses.
    pub(crate) async fn stream(
        &self,
        operation: &str,
        request: &impl Serialize,
    ) -> Result<LongAnswer, ClientError> {
        let body = serde_json::to_vec(request).map_err(|error| ClientError::Unsignable(error.to_string()))?;
        let headers = vec![
            ("content-type", CONTENT_TYPE.to_owned()),
            ("x-amz-target", format!("Keywright.{operation}")),
        ];
        let request =
            Request { method: Method::POST, service: "keywright", path: "/", query: "", headers, body };
        let mut answer = LongAnswer(self.begin(request, LONG_TIMEOUT).await?);
        if answer.0.status() == StatusCode::OK {
            return Ok(answer);
        }
        let unexpected = self.unexpected(format!("status {}", answer.0.status().as_u16()));
        let mut bytes = Vec::new();
        while let Ok(Some(piece)) = answer.next().await {
            bytes.extend_from_slice(piece.get(..ANSWER_MAX - bytes.len()).unwrap_or(&piece));
            if bytes.len() >= ANSWER_MAX {
                break;
            }
        }
        Err(refusal(&bytes).unwrap_or(unexpected))
    }

    async fn send(&self, request: Request<'_>) -> Result<(StatusCode, HeaderMap, Vec<u8>), ClientError> {
        let unreachable = |reason: String| self.unreachable(reason);
        let told = |error: reqwest::Error| unreachable(with_causes(&error.without_url()));
        let mut answer = self.begin(request, CALL_TIMEOUT).await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut bytes = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(told)? {
            if bytes.len() + piece.len() > ANSWER_MAX {
                return Err(unreachable(format!("its answer has more than {ANSWER_MAX} bytes")));
            }
            bytes.extend_from_slice(&piece);
        }
        Ok((status, headers, bytes))
    }

    fn unreachable(&self, reason: String) -> ClientError {
        ClientError::Unreachable { endpoint: self.profile.endpoint.clone(), reason }
    }

    /// Sends a call, and gives its answer once the head of that is there.
    async fn begin(&self, request: Request<'_>, timeout: Duration) -> Result<reqwest::Response, ClientError> {
        let Request { method, path, query, .. } = &request;
        let mark = if query.is_empty() { "" } else { "?" };
        let url = format!("{}{path}{mark}{query}", self.profile.endpoint);
        let mut sent = self.http.request(method.clone(), url).timeout(timeout);
        for (name, value) in self.signed(&request)? {
            sent = sent.header(name, value);
        }
        let answered = sent.body(request.body).send().await;
        answered.map_err(|error| self.unreachable(with_causes(&error.without_url())))
    }

    /// The headers of a call, with the signature among them.
    fn signed(&self, request: &Request<'_>) -> Result<Vec<(&'static str, String)>, ClientError> {
        let credentials = &self.profile.credentials;
        let moment = SystemClock.now().iso_basic();
        let date = moment.get(..8).unwrap_or_default().to_owned();
        let digest: String = sha256(&request.body).iter().map(|byte| format!("{byte:02x}")).collect();
        let mut headers = request.headers.clone();
        headers.extend([
            ("host", self.host.clone()),
            ("x-amz-content-sha256", digest),
            ("x-amz-date", moment),
        ]);
        if let Some(token) = &credentials.session_token {
            headers.push(("x-amz-security-token", token.expose().to_owned()));
        }
        let (region, service) = (self.profile.region, request.service);
        let key = SigningKey::derive(&credentials.secret, &date, region.as_str(), service);
        let scope = Scope { date: date.into(), region: region.as_str().into(), service: service.into() };
        let raw: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        let Request { method, path, query, body, .. } = request;
        let head = RequestHead { method: method.as_str(), path, query, headers: &raw };
        let authorization = sigv4::authorization(&head, body, &credentials.access_key_id, &scope, &key);
        let authorization =
            authorization.map_err(|refusal| ClientError::Unsignable(format!("{refusal:?}")))?;
        headers.push(("authorization", authorization));
        Ok(headers)
    }
}

/// The host and, unless it is the scheme's own, the port of an endpoint that has nothing else.
fn host(endpoint: &str) -> Option<String> {
    let url = reqwest::Url::parse(endpoint).ok()?;
    let is_plain = matches!(url.scheme(), "http" | "https") && url.path() == "/" && url.query().is_none();
    let host = url.host_str().filter(|_| is_plain && url.username().is_empty())?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

fn authorities(path: &Path) -> Result<Vec<Certificate>, ClientError> {
    let wrong = |reason: String| ClientError::Certificate { path: path.display().to_string(), reason };
    let text = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    Certificate::from_pem_bundle(&text).map_err(|error| wrong(with_causes(&error)))
}

/// What a refusing answer says.
fn refusal(answer: &[u8]) -> Option<ClientError> {
    let answer: serde_json::Value = serde_json::from_slice(answer).ok()?;
    let text = |name: &str| answer.get(name).and_then(serde_json::Value::as_str);
    let message = text("message").or_else(|| text("Message")).unwrap_or_default();
    Some(ClientError::Refused { code: text("__type")?.to_owned(), message: message.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_hosts_with_a_scheme() {
        for (endpoint, expected) in [
            ("http://127.0.0.1:4599", Some("127.0.0.1:4599")),
            ("https://kms.example", Some("kms.example")),
            ("https://kms.example:443", Some("kms.example")),
            ("http://[::1]:4599", Some("[::1]:4599")),
            ("kms.example:4599", None),
            ("ftp://kms.example", None),
            ("http://kms.example/path", None),
            ("http://user@kms.example", None),
            ("", None),
        ] {
            assert_eq!(host(endpoint).as_deref(), expected, "{endpoint}");
        }
    }

    #[test]
    fn refusals_are_told_in_the_services_words() {
        let told = |answer: &str| refusal(answer.as_bytes()).map(|error| error.to_string());
        let denied = r#"{"__type":"AccessDeniedException","message":"no"}"#;
        assert_eq!(told(denied).as_deref(), Some("AccessDeniedException: no"));
        assert_eq!(told(r#"{"__type":"X"}"#).as_deref(), Some("X: "));
        for answer in ["", "{}", "<x/>", "[]"] {
            assert_eq!(told(answer), None, "{answer}");
        }
    }
}
