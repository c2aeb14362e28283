//! Forms by which browsers upload objects to S3. Not their heads are signed but the policy that comes as a field.

use std::time::Instant;

use base::{Clock, RequestId, SystemClock, UnsignedCall};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method};
use objects::{Answer, ObjectsError, PostForm, Request, Target};
use wire::Fault;

use super::Pipeline;
use super::anonymous::{has_signature, not_signed};
use super::authenticate::Identified;
use super::s3::{Incoming, SERVICE, read_headers, refusal_of};
use crate::http::{IncomingBody, StreamedAnswer};

const FORM: &str = "multipart/form-data";

/// Why a form is refused before its request is made.
enum Refused {
    Unidentified(Fault),
    Form(ObjectsError),
}

impl From<ObjectsError> for Refused {
    fn from(error: ObjectsError) -> Self {
        Self::Form(error)
    }
}

impl Pipeline {
    /// The bucket that a form is posted to; none if the request is something else.
    pub(super) fn form_bucket(&self, parts: &Parts) -> Option<String> {
        if parts.method != Method::POST || parts.headers.contains_key(AUTHORIZATION) || !is_form(parts) {
            return None;
        }
        match self.target(parts) {
            Ok(Target::Bucket(bucket)) => Some(bucket),
            Ok(Target::Service | Target::Object(..)) | Err(_) => None,
        }
    }

    /// Answers a form posted to a bucket.
    pub(super) async fn answer_form(
        &self,
        (parts, bucket): (&Parts, &str),
        body: IncomingBody,
        unsigned: UnsignedCall,
        started: Instant,
    ) -> Result<Answer, StreamedAnswer> {
        let request_id = unsigned.request_id;
        match self.receive_form((parts, bucket), body, request_id).await {
            Ok((None, request)) => self.serve_anonymous(parts, Ok(request), unsigned, started).await,
            Ok((Some(identified), request)) => {
                let call = unsigned.signed_by(identified.caller, identified.region);
                self.serve_s3(parts, Ok(request), &call, started).await
            }
            Err(Refused::Unidentified(fault)) => Err(self.unidentified(parts, &fault, request_id, started)),
            Err(Refused::Form(error)) => Err(refusal_of(parts, &error, error.to_fault(), request_id)),
        }
    }

    /// Reads a form up to its file, and has its signature verified before its policy is looked at. If it has none, nobody is
    /// identified.
    async fn receive_form(
        &self,
        (parts, bucket): (&Parts, &str),
        body: IncomingBody,
        request_id: RequestId,
    ) -> Result<(Option<Identified>, Request), Refused> {
        let content_type = content_type(parts).unwrap_or_default();
        let form = PostForm::receive(content_type, Box::new(Incoming(body))).await?;
        let place = (bucket, self.hosted_bucket(parts).is_some());
        if !form.is_signed() {
            if has_signature(parts) {
                return Err(Refused::Unidentified(not_signed()));
            }
            return Ok((None, form.into_anonymous_request(place, &read_headers(parts))?));
        }
        let (claim, session_token) = form.claim()?;
        let identified = self.authenticator.identify_form(claim, session_token, SERVICE, request_id).await;
        let identified = identified.map_err(Refused::Unidentified)?;
        let request = form.into_request(place, &read_headers(parts), SystemClock.now())?;
        Ok((Some(identified), request))
    }
}

fn content_type(parts: &Parts) -> Option<&str> {
    parts.headers.get(CONTENT_TYPE).map(HeaderValue::to_str)?.ok()
}

fn is_form(parts: &Parts) -> bool {
    let kind = content_type(parts).and_then(|value| value.split(';').next());
    kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case(FORM))
}
