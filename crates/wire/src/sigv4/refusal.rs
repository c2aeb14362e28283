//! Why a signature is refused, in AWS's words.

use base::Timestamp;

use crate::Fault;

/// Why a request's signature or credentials are refused.
///
/// The texts are for the client, so they are AWS's own where those are known
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html> and answers that users
/// quote).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request carries no signature of this kind.
    #[error("Missing Authentication Token")]
    MissingAuthenticationToken,
    /// The signature does not have the form that AWS demands.
    #[error(transparent)]
    IncompleteSignature(#[from] IncompleteSignature),
    /// The signature is whole but wrong: for another request, scope, time or secret.
    #[error(transparent)]
    InvalidSignature(#[from] InvalidSignature),
    /// There is no such active access key.
    #[error("The security token included in the request is invalid.")]
    UnknownAccessKey,
    /// The session token is missing, unexpected, altered or another key's. The text is that of an unknown access key.
    #[error("The security token included in the request is invalid.")]
    InvalidToken,
    /// The session is over.
    #[error("The security token included in the request is expired")]
    ExpiredToken,
}

/// What is wrong with the form of a signature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IncompleteSignature {
    /// Parameters of the `Authorization` header, or a date, are missing. Each sentence ends with a space.
    #[error("{sentences}Authorization={authorization}")]
    HeaderLacks {
        /// One sentence for each missing thing.
        sentences: String,
        /// The header's value.
        authorization: String,
    },
    /// Parameters of the query string are missing. Each sentence ends with a space.
    #[error("{sentences}Re-examine the query-string parameters.")]
    QueryLacks {
        /// One sentence for each missing parameter.
        sentences: String,
    },
    /// A part of the `Authorization` header is not `name=value`.
    #[error(
        "'{part}' not a valid key=value pair (missing equal-sign) in Authorization header: '{authorization}'."
    )]
    NotKeyValue {
        /// The part.
        part: String,
        /// The header's value.
        authorization: String,
    },
    /// The date has another form.
    #[error(
        "Date must be in ISO-8601 'basic format'. Got '{got}'. See http://en.wikipedia.org/wiki/ISO_8601"
    )]
    Date {
        /// What was sent.
        got: String,
    },
    /// The algorithm is not AWS4-HMAC-SHA256.
    #[error("Unsupported AWS 'algorithm': '{got}' (only AWS4-HMAC-SHA256 for now).")]
    Algorithm {
        /// What was sent.
        got: String,
    },
    /// The credential does not have five parts.
    #[error(
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{got}'"
    )]
    Credential {
        /// What was sent.
        got: String,
    },
    /// The list of signed headers is not in lower case, not sorted, or names a header twice. The text is ours.
    #[error(
        "'SignedHeaders' must be header names in lower case, sorted and joined by semicolons. Got '{got}'."
    )]
    SignedHeaders {
        /// What was sent.
        got: String,
    },
    /// Something that may come once came twice. The text is ours.
    #[error("The request must carry '{name}' only once.")]
    Repeated {
        /// The header or parameter.
        name: String,
    },
    /// A header that must be text is not UTF-8. The text is ours.
    #[error("The value of the header '{name}' is not valid UTF-8.")]
    NotText {
        /// The header.
        name: &'static str,
    },
    /// The validity of a presigned request is not a number from 1 to 604800. The text is ours.
    #[error("X-Amz-Expires must be a number of seconds from 1 to 604800 (a week). Got '{got}'.")]
    Expires {
        /// What was sent.
        got: String,
    },
    /// The query string is too long to be a signed call's. The text is ours.
    #[error("The query string must not have more than {most} parameters.")]
    TooManyParameters {
        /// The limit.
        most: usize,
    },
}

/// What is wrong with a signature that has the right form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSignature {
    /// The request is signed in its header and in its query string.
    #[error("Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.")]
    BothForms,
    /// The scope names another Region or service.
    #[error("{sentences}")]
    Scope {
        /// One sentence for each wrong part.
        sentences: String,
    },
    /// The scope ends with another word than `aws4_request`.
    #[error("Credential should be scoped with a valid terminator: 'aws4_request', not '{got}'.")]
    Terminator {
        /// What was sent.
        got: String,
    },
    /// The scope's day is not the day of signing.
    #[error(
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{scope}' != '{date}', from '{from}'."
    )]
    ScopeDate {
        /// The day in the scope.
        scope: String,
        /// The day of signing.
        date: String,
        /// The time of signing.
        from: String,
    },
    /// The host is not among the signed headers.
    #[error("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")]
    HostNotSigned,
    /// An `x-amz-` header was sent but not signed. The first sentence is S3's, the name behind it ours.
    #[error("There were headers present in the request which were not signed: '{name}'.")]
    HeaderNotSigned {
        /// The first such header.
        name: String,
    },
    /// A signed header was not sent. The text is ours.
    #[error("'{name}' is a 'SignedHeader' in the AWS Authorization, but the request has no such header.")]
    SignedHeaderAbsent {
        /// The first such header.
        name: String,
    },
    /// The body's hash is not what `x-amz-content-sha256` says; `UNSIGNED-PAYLOAD` and the streaming forms are S3's
    /// alone. The text is S3's.
    #[error("The provided 'x-amz-content-sha256' header does not match what was computed.")]
    PayloadHash,
    /// S3 wants to be told of the body in the head. The text is S3's.
    #[error("Missing required header for this request: x-amz-content-sha256")]
    PayloadHashMissing,
    /// What the head says of the body is neither a digest nor one of S3's words. The text is S3's.
    #[error(
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value."
    )]
    PayloadHashUnknown,
    /// The signature is not the one that the secret gives for this request.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
    )]
    Mismatch,
    /// The signature is too old.
    #[error(
        "Signature expired: {} is now earlier than {} ({} - {}.)",
        .signed_at.iso_basic(),
        .now.plus_seconds(-i64::from(*.valid_for)).iso_basic(),
        .now.iso_basic(),
        span(*.valid_for)
    )]
    Expired {
        /// When it was made.
        signed_at: Timestamp,
        /// The server's time.
        now: Timestamp,
        /// For how many seconds it was valid.
        valid_for: u32,
        /// Whether the request itself said so.
        presigned: bool,
    },
    /// The signature is from the future.
    #[error(
        "Signature not yet current: {} is still later than {} ({} + {}.)",
        .signed_at.iso_basic(),
        .now.plus_seconds(i64::from(*.window)).iso_basic(),
        .now.iso_basic(),
        span(*.window)
    )]
    NotYetCurrent {
        /// When it says that it was made.
        signed_at: Timestamp,
        /// The server's time.
        now: Timestamp,
        /// How many seconds the client's clock may be ahead.
        window: u32,
    },
}

/// The protocol of the answer, which decides how AWS names its codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// awsJson 1.1, as KMS speaks it: names end with `Exception`, the status is 400.
    AwsJson,
    /// The Query protocol, as IAM and STS speak it.
    Query,
    /// S3's own XML, with codes and texts of its own.
    S3,
}

impl Refusal {
    /// The answer to the client.
    pub fn to_fault(&self, protocol: Protocol) -> Fault {
        let (json_code, query_code, query_status) = match self {
            Self::MissingAuthenticationToken => {
                ("MissingAuthenticationTokenException", "MissingAuthenticationToken", 403)
            }
            Self::IncompleteSignature(_) => ("IncompleteSignatureException", "IncompleteSignature", 400),
            Self::InvalidSignature(_) => ("InvalidSignatureException", "SignatureDoesNotMatch", 403),
            Self::UnknownAccessKey | Self::InvalidToken => {
                ("UnrecognizedClientException", "InvalidClientTokenId", 403)
            }
            Self::ExpiredToken => ("ExpiredTokenException", "ExpiredToken", 403),
        };
        match protocol {
            Protocol::S3 => self.to_s3_fault(),
            Protocol::AwsJson => Fault::bad_request(json_code, self.to_string()),
            Protocol::Query => Fault::bad_request(query_code, self.query_text()).with_status(query_status),
        }
    }

    /// S3's codes, and its texts where it has others:
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.
    fn to_s3_fault(&self) -> Fault {
        let (code, status, text) = match self {
            Self::MissingAuthenticationToken => ("AccessDenied", 403, Some("Access Denied")),
            Self::IncompleteSignature(_) => ("AuthorizationHeaderMalformed", 400, None),
            Self::UnknownAccessKey => (
                "InvalidAccessKeyId",
                403,
                Some("The AWS Access Key Id you provided does not exist in our records."),
            ),
            Self::InvalidToken => {
                ("InvalidToken", 400, Some("The provided token is malformed or otherwise invalid."))
            }
            Self::ExpiredToken => ("ExpiredToken", 400, Some("The provided token has expired.")),
            Self::InvalidSignature(invalid) => invalid.in_s3_words(),
        };
        let text = text.map_or_else(|| self.to_string(), str::to_owned);
        Fault::bad_request(code, text).with_status(status)
    }

    /// IAM and STS word one text differently.
    fn query_text(&self) -> String {
        match self {
            Self::MissingAuthenticationToken => "Request is missing Authentication Token".to_owned(),
            Self::IncompleteSignature(_)
            | Self::InvalidSignature(_)
            | Self::UnknownAccessKey
            | Self::InvalidToken
            | Self::ExpiredToken => self.to_string(),
        }
    }
}

impl InvalidSignature {
    /// S3's code, its status and, where S3 has one of its own, its text.
    fn in_s3_words(&self) -> (&'static str, u16, Option<&'static str>) {
        const SKEWED: &str = "The difference between the request time and the current time is too large.";
        match self {
            Self::BothForms => (
                "InvalidArgument",
                400,
                Some(
                    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified",
                ),
            ),
            Self::Scope { .. } | Self::Terminator { .. } | Self::ScopeDate { .. } => {
                ("AuthorizationHeaderMalformed", 400, None)
            }
            Self::HostNotSigned | Self::HeaderNotSigned { .. } | Self::SignedHeaderAbsent { .. } => {
                ("AccessDenied", 403, None)
            }
            Self::PayloadHash => ("XAmzContentSHA256Mismatch", 400, None),
            Self::PayloadHashMissing => ("InvalidRequest", 400, None),
            Self::PayloadHashUnknown => ("InvalidArgument", 400, None),
            Self::Mismatch => (
                "SignatureDoesNotMatch",
                403,
                Some(
                    "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
                ),
            ),
            Self::Expired { presigned: true, .. } => ("AccessDenied", 403, Some("Request has expired")),
            Self::Expired { .. } | Self::NotYetCurrent { .. } => ("RequestTimeTooSkewed", 403, Some(SKEWED)),
        }
    }
}

/// `5 min`, as AWS writes it; seconds only where minutes do not come out even.
fn span(seconds: u32) -> String {
    if seconds.is_multiple_of(60) { format!("{} min", seconds / 60) } else { format!("{seconds} sec") }
}
