//! Signature Version 4: who signed a request, when, for what, and whether the signature is right; and a small client's
//! half, which makes signatures by the same steps.
//!
//! Both forms are read: the `Authorization` header, and the query string of a presigned URL; and the signature of a
//! policy that stands in a form ([`PolicyClaim`]). The steps, in the order in
//! which AWS checks: [`parse`], [`SignedRequest::check_time`], [`SignedRequest::check_scope`], the look-up of the
//! access key (the caller's), [`SignedRequest::verify`], or [`SignedRequest::verify_head`] where S3 takes a body as it
//! comes. Nothing in the request may be believed before one of them has passed.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>. Where that
//! page leaves room, botocore's signer decides; `corpus/signatures/` holds requests that it signed.

mod canonical;
mod header_form;
mod headers;
mod moment;
mod payload;
mod policy_form;
mod query_form;
mod refusal;
mod signer;
mod signing_key;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use base::Timestamp;
use crypto::digest;

use headers::{Header, SortedHeaders};
use moment::Moment;
pub use payload::{ChunkSignatures, Payload};
pub use policy_form::{PolicyClaim, SignedPolicy};
pub use refusal::{IncompleteSignature, InvalidSignature, Protocol, Refusal};
pub use signer::authorization;
pub use signing_key::SigningKey;

/// The one algorithm: the first word of the `Authorization` header, or `X-Amz-Algorithm`.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The last element of every credential scope.
const TERMINATOR: &str = "aws4_request";

/// Most parameters in a query string: far above what any signed call carries, far below what would hurt.
const QUERY_PARAMETERS_MAX: usize = 1_000;

/// The head of a request as it came over the wire. The body comes later, to [`SignedRequest::verify`].
#[derive(Clone, Copy)]
pub struct RequestHead<'a> {
    /// The method, as sent.
    pub method: &'a str,
    /// The path of the request line as sent: still percent-encoded, not normalised.
    pub path: &'a str,
    /// The query string as sent, without the `?`; empty if there is none.
    pub query: &'a str,
    /// Header names in lower case with their raw values, in the order in which they came. HTTP/2's `:authority` stands
    /// here as `host`.
    pub headers: &'a [(&'a str, &'a [u8])],
}

/// What a signature is valid for: one day, one Region, one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope<'a> {
    /// The day in UTC, `yyyymmdd`; equal to the day of the signing time.
    pub date: Cow<'a, str>,
    /// The Region as the client wrote it; not yet known to exist.
    pub region: Cow<'a, str>,
    /// The signing name of the service, for example `kms`; not yet known to exist.
    pub service: Cow<'a, str>,
}

impl Scope<'_> {
    /// Refuses a scope that is not this service's. `region_is_known` says whether the scope's Region is one that the
    /// server serves; `services` are the signing names that fit the call, as the text for the client names them.
    ///
    /// # Errors
    /// [`InvalidSignature::Scope`], with one sentence for each part that is wrong.
    pub fn check(&self, region_is_known: bool, services: &[&str]) -> Result<(), Refusal> {
        let service_fits = services.contains(&self.service.as_ref());
        if region_is_known && service_fits {
            return Ok(());
        }
        let mut sentences = Vec::new();
        if !region_is_known {
            sentences.push("Credential should be scoped to a valid region.".to_owned());
        }
        if !service_fits {
            sentences.push(format!(
                "Credential should be scoped to correct service: '{}'.",
                services.join("', '")
            ));
        }
        Err(InvalidSignature::Scope { sentences: sentences.join(" ") }.into())
    }
}

/// A request that carries a well-formed signature, right or wrong.
///
/// It cannot be printed: it may hold a session token.
pub struct SignedRequest<'a> {
    access_key_id: Cow<'a, str>,
    scope: Scope<'a>,
    session_token: Option<Cow<'a, str>>,
    moment: Moment<'a>,
    /// Seconds of validity of the query form, from `X-Amz-Expires`.
    expires: Option<u32>,
    /// The text of `SignedHeaders`: names in lower case, sorted.
    signed_headers: Cow<'a, str>,
    /// The headers it names, in its order; repeated ones stand side by side in the order in which they came.
    headers: Vec<Header<'a>>,
    /// The value of `x-amz-content-sha256`, if sent.
    declared_payload_hash: Option<&'a [u8]>,
    signature: [u8; 32],
    form: Form,
}

/// Where the signature stood.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Header,
    Query,
}

/// What either form says, before it is taken apart.
struct Claim<'a> {
    form: Form,
    credential: Cow<'a, str>,
    signed_headers: Cow<'a, str>,
    signature: Cow<'a, str>,
    session_token: Option<Cow<'a, str>>,
    moment: Moment<'a>,
    expires: Option<u32>,
}

/// Reads the signature of a request and checks its form: everything that can be judged without knowing the secret, the
/// time and what the service is.
///
/// Time and memory grow with the size of the head and nothing else (n log n in the number of headers, for sorting).
///
/// # Errors
/// No signature, or one that does not have the form AWS demands; see [`Refusal`].
pub fn parse<'a>(head: &RequestHead<'a>) -> Result<SignedRequest<'a>, Refusal> {
    let headers = SortedHeaders::new(head.headers)?;
    if head.query.split('&').nth(QUERY_PARAMETERS_MAX).is_some() {
        return Err(IncompleteSignature::TooManyParameters { most: QUERY_PARAMETERS_MAX }.into());
    }
    let claim = match (headers.get("authorization"), query_form::is_used(head.query)) {
        (Some(_), true) => return Err(InvalidSignature::BothForms.into()),
        (Some(authorization), false) => header_form::read(authorization, &headers)?,
        (None, true) => query_form::read(head.query, &headers)?,
        (None, false) => return Err(Refusal::MissingAuthenticationToken),
    };
    SignedRequest::from_claim(claim, &headers)
}

impl<'a> SignedRequest<'a> {
    /// The access key id, not yet known to exist.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// What the signature says it is for. Its date is the day of [`Self::signed_at`].
    pub fn scope(&self) -> &Scope<'a> {
        &self.scope
    }

    /// The session token of temporary credentials, if sent. It is among the signed parts.
    pub fn session_token(&self) -> Option<&str> {
        self.session_token.as_deref()
    }

    /// When the client says that it signed.
    pub fn signed_at(&self) -> Timestamp {
        self.moment.timestamp()
    }

    /// Refuses a scope that is not this service's: [`Scope::check`].
    ///
    /// # Errors
    /// [`InvalidSignature::Scope`].
    pub fn check_scope(&self, region_is_known: bool, services: &[&str]) -> Result<(), Refusal> {
        self.scope.check(region_is_known, services)
    }

    /// Refuses a signature made more than `window_seconds` before or after `now` (AWS: 300). With `X-Amz-Expires` in
    /// the query form, that many seconds take the place of the window for the past.
    ///
    /// Whole seconds count, and the ends belong to the window, as in AWS's texts.
    ///
    /// # Errors
    /// [`InvalidSignature::Expired`] or [`InvalidSignature::NotYetCurrent`].
    pub fn check_time(&self, now: Timestamp, window_seconds: u32) -> Result<(), Refusal> {
        let now = Timestamp::from_seconds(now.seconds());
        let signed_at = self.signed_at();
        let valid_for = self.expires.unwrap_or(window_seconds);
        if signed_at < now.plus_seconds(-i64::from(valid_for)) {
            return Err(InvalidSignature::Expired {
                signed_at,
                now,
                valid_for,
                presigned: self.expires.is_some(),
            }
            .into());
        }
        if signed_at > now.plus_seconds(i64::from(window_seconds)) {
            return Err(InvalidSignature::NotYetCurrent { signed_at, now, window: window_seconds }.into());
        }
        Ok(())
    }

    /// Refuses unless whoever holds `key` signed exactly this request. `head` is the one that was parsed, `body` the
    /// whole body, `key` the one for [`Self::scope`]. The comparison takes the same time wherever the signatures
    /// differ.
    ///
    /// # Errors
    /// [`InvalidSignature::PayloadHash`] or [`InvalidSignature::Mismatch`].
    pub fn verify(&self, head: &RequestHead<'_>, body: &[u8], key: &SigningKey) -> Result<(), Refusal> {
        let payload_hash = canonical::hexadecimal(&digest::sha256(body));
        if self.declared_payload_hash.is_some_and(|declared| declared != payload_hash) {
            return Err(InvalidSignature::PayloadHash.into());
        }
        let expected = self.signature_of(head, &payload_hash, key);
        if digest::constant_time_equal(&expected, &self.signature) {
            Ok(())
        } else {
            Err(InvalidSignature::Mismatch.into())
        }
    }

    /// The right signature.
    fn signature_of(&self, head: &RequestHead<'_>, payload_hash: &[u8], key: &SigningKey) -> [u8; 32] {
        let request = canonical::request(head, self, payload_hash);
        key.sign(&canonical::string_to_sign(self, &digest::sha256(&request)))
    }

    fn from_claim(claim: Claim<'a>, headers: &SortedHeaders<'a>) -> Result<Self, Refusal> {
        let (access_key_id, scope) = read_credential(&claim.credential, &claim.moment)?;
        Ok(Self {
            headers: headers.select(&claim.signed_headers)?,
            signature: read_signature(&claim.signature).ok_or(InvalidSignature::Mismatch)?,
            declared_payload_hash: headers.get_text("x-amz-content-sha256")?.map(str::as_bytes),
            access_key_id,
            scope,
            session_token: claim.session_token,
            moment: claim.moment,
            expires: claim.expires,
            signed_headers: claim.signed_headers,
            form: claim.form,
        })
    }
}

/// Takes `keyid/date/region/service/aws4_request` apart and holds its date against the time of signing.
fn read_credential<'a>(
    credential: &Cow<'a, str>,
    moment: &Moment<'_>,
) -> Result<(Cow<'a, str>, Scope<'a>), Refusal> {
    let wrong_form = || IncompleteSignature::Credential { got: credential.to_string() };
    let [access_key_id, date, region, service, terminator] =
        split_in_five(credential).ok_or_else(wrong_form)?;
    if terminator != TERMINATOR {
        return Err(InvalidSignature::Terminator { got: terminator.into_owned() }.into());
    }
    if date != moment.date() {
        return Err(InvalidSignature::ScopeDate {
            scope: date.into_owned(),
            date: moment.date().to_owned(),
            from: moment.iso_basic().to_owned(),
        }
        .into());
    }
    Ok((access_key_id, Scope { date, region, service }))
}

/// The five parts between the slashes; borrowed from the request where the whole is.
fn split_in_five<'a>(credential: &Cow<'a, str>) -> Option<[Cow<'a, str>; 5]> {
    let mut parts = [const { Cow::Borrowed("") }; 5];
    let mut slots = parts.iter_mut();
    match credential {
        Cow::Borrowed(text) => {
            for part in text.split('/') {
                *slots.next()? = Cow::Borrowed(part);
            }
        }
        Cow::Owned(text) => {
            for part in text.split('/') {
                *slots.next()? = Cow::Owned(part.to_owned());
            }
        }
    }
    slots.next().is_none().then_some(parts)
}

/// 64 hexadecimal digits, of either case.
fn read_signature(text: &str) -> Option<[u8; 32]> {
    let value = |digit: &u8| char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let mut signature = [0; 32];
    if text.len() != 2 * signature.len() {
        return None;
    }
    for (byte, pair) in signature.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = (value(high)? << 4) | value(low)?;
    }
    Some(signature)
}
