//! Requests that are made and signed before anything is measured.

use anyhow::{Context as _, Result};
use base::SecretString;
use bytes::Bytes;
use wire::sigv4::{self, RequestHead, Scope, SigningKey};

/// One request, as the headers and the body of any version of HTTP.
pub(crate) struct Prepared {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Prepared {
    /// The request as it goes over an HTTP/1.1 connection.
    pub(crate) fn http1(&self) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.path).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", self.body.len()).as_bytes());
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// Signs calls as a user, with the headers that boto3 sends.
pub(crate) struct Signer {
    pub(crate) host: String,
    pub(crate) region: String,
    pub(crate) access_key_id: String,
    pub(crate) secret: SecretString,
}

impl Signer {
    /// The signer of somebody else at the same place.
    pub(crate) fn of(&self, access_key_id: String, secret: SecretString) -> Self {
        Self { host: self.host.clone(), region: self.region.clone(), access_key_id, secret }
    }

    /// The same somebody at the place of another signer.
    pub(crate) fn at(&self, other: &Self) -> Self {
        other.of(self.access_key_id.clone(), SecretString::new(self.secret.expose().to_owned()))
    }

    /// A call of KMS; `number` makes it another one than all others.
    pub(crate) fn kms(&self, operation: &str, body: &str, number: usize) -> Result<Prepared> {
        let target = ("x-amz-target", format!("TrentService.{operation}"));
        self.sign("kms", "application/x-amz-json-1.1", Some(target), body, number)
    }

    /// A call of IAM.
    pub(crate) fn iam(&self, form: &str) -> Result<Prepared> {
        self.sign("iam", "application/x-www-form-urlencoded", None, form, 0)
    }

    fn sign(
        &self,
        service: &str,
        content_type: &str,
        target: Option<(&str, String)>,
        body: &str,
        number: usize,
    ) -> Result<Prepared> {
        let now = jiff::Timestamp::now();
        let (time, date) = (now.strftime("%Y%m%dT%H%M%SZ").to_string(), now.strftime("%Y%m%d").to_string());
        let region = if service == "iam" { "us-east-1" } else { &self.region };
        let mut headers = vec![
            ("host".to_owned(), self.host.clone()),
            ("accept-encoding".to_owned(), "identity".to_owned()),
            ("content-type".to_owned(), content_type.to_owned()),
            (
                "user-agent".to_owned(),
                "Boto3/1.43.0 md/Botocore#1.43.0 ua/2.1 os/linux lang/python#3.11".to_owned(),
            ),
            ("x-amz-date".to_owned(), time),
            ("amz-sdk-invocation-id".to_owned(), format!("00000000-0000-4000-8000-{number:012x}")),
            ("amz-sdk-request".to_owned(), "attempt=1".to_owned()),
        ];
        headers.extend(target.map(|(name, value)| (name.to_owned(), value)));
        let views: Vec<(&str, &[u8])> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let head = RequestHead { method: "POST", path: "/", query: "", headers: &views };
        let scope = Scope { date: date.as_str().into(), region: region.into(), service: service.into() };
        let key = SigningKey::derive(&self.secret, &date, region, service);
        let signed = sigv4::authorization(&head, body.as_bytes(), &self.access_key_id, &scope, &key);
        let authorization = signed.ok().context("a request cannot be signed")?;
        headers.push(("authorization".to_owned(), authorization));
        Ok(Prepared { method: "POST", path: "/".to_owned(), headers, body: Bytes::from(body.to_owned()) })
    }
}
