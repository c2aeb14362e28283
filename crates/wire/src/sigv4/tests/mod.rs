//! The corpus: requests signed by botocore or published by AWS, and the same requests spoiled.

mod forms;
mod properties;
mod texts;

use base::{SecretString, Timestamp};
use serde::Deserialize;

use super::{Protocol, Refusal, RequestHead, SigningKey, parse};

const WINDOW_SECONDS: u32 = 300;

/// A line of `corpus/signatures/*.json`; see `make.py` there.
#[derive(Clone, Deserialize)]
struct Case {
    name: String,
    method: String,
    path: String,
    query: String,
    /// Values have one character per byte.
    headers: Vec<(String, String)>,
    /// One character per byte.
    body: String,
    secret: String,
    access_key_id: String,
    session_token: Option<String>,
    region: String,
    service: String,
    signed_at: String,
    now: String,
    code: Option<String>,
}

/// A request on its way to the server.
#[derive(Clone)]
struct Request {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

/// What the server knows.
struct Server {
    secret: SecretString,
    access_key_id: String,
    session_token: Option<String>,
    region: String,
    service: String,
    now: Timestamp,
}

impl Case {
    fn request(&self) -> Request {
        Request {
            method: self.method.clone(),
            path: self.path.clone(),
            query: self.query.clone(),
            headers: self.headers.iter().map(|(name, value)| (name.clone(), latin1(value))).collect(),
            body: latin1(&self.body),
        }
    }

    fn server(&self) -> Server {
        Server {
            secret: SecretString::new(self.secret.clone()),
            access_key_id: self.access_key_id.clone(),
            session_token: self.session_token.clone(),
            region: self.region.clone(),
            service: self.service.clone(),
            now: Timestamp::from_iso_basic(&self.now).unwrap(),
        }
    }
}

impl Server {
    /// All that a server does with a signature, in its order.
    fn judge(&self, request: &Request) -> Result<Timestamp, Refusal> {
        let headers: Vec<_> =
            request.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        let head = RequestHead {
            method: &request.method,
            path: &request.path,
            query: &request.query,
            headers: &headers,
        };
        let signed = parse(&head)?;
        signed.check_time(self.now, WINDOW_SECONDS)?;
        signed.check_scope(signed.scope().region == self.region, &[&self.service])?;
        if signed.access_key_id() != self.access_key_id {
            return Err(Refusal::UnknownAccessKey);
        }
        let scope = signed.scope();
        let key = SigningKey::derive(&self.secret, &scope.date, &scope.region, &scope.service);
        signed.verify(&head, &request.body, &key)?;
        if signed.session_token() != self.session_token.as_deref() {
            return Err(Refusal::InvalidToken);
        }
        Ok(signed.signed_at())
    }
}

fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|character| u8::try_from(u32::from(character)).unwrap()).collect()
}

fn latin1_text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn corpus() -> Vec<Case> {
    let mut cases: Vec<Case> = testkit::read_corpus("signatures/header.json").unwrap();
    cases.extend(testkit::read_corpus::<Vec<Case>>("signatures/query.json").unwrap());
    cases
}

#[test]
fn every_request_of_the_corpus_is_judged_as_it_must_be() {
    let cases = corpus();
    let (accepted, refused): (Vec<_>, Vec<_>) = cases.iter().partition(|case| case.code.is_none());
    assert!(accepted.len() >= 300 && refused.len() >= 300, "{} and {}", accepted.len(), refused.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let outcome = case.server().judge(&case.request());
        let code = outcome.as_ref().err().map(|refusal| refusal.to_fault(Protocol::AwsJson).code);
        if code != case.code.as_deref() {
            wrong.push(format!("{}: wanted {:?}, got {outcome:?}", case.name, case.code));
        }
        if let Ok(signed_at) = outcome {
            assert_eq!(signed_at.iso_basic(), case.signed_at, "{}", case.name);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn another_secret_region_or_service_accepts_nothing() {
    for case in corpus().iter().filter(|case| case.code.is_none()) {
        let spoil: [fn(&mut Server); 5] = [
            |server| server.secret = SecretString::new("another".to_owned()),
            |server| server.region = "eu-west-9".to_owned(),
            |server| server.service = "sqs".to_owned(),
            |server| server.access_key_id = "AKIAOTHER".to_owned(),
            |server| server.session_token = Some("another".to_owned()),
        ];
        for change in spoil {
            let mut server = case.server();
            change(&mut server);
            assert!(server.judge(&case.request()).is_err(), "{}", case.name);
        }
    }
}
