//! A form by which a browser uploads an object: its fields, who signed its policy, and its file as it comes.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html>; texts as the service answers.

use async_trait::async_trait;
use base::Timestamp;
use base64_simd::STANDARD;
use bytes::Bytes;
use wire::s3::{FileReader, FormFault, FormReader, PostPolicy};
use wire::sigv4::{Payload, PolicyClaim};

use crate::error::{BodyError, ObjectsError};
use crate::request::{BodySource, Headers, Method, Query, Request, Target};

/// What may follow the file, in bytes.
const TAIL_MAX: usize = 64 * 1_024;
/// Stands for the name that the file has where it comes from.
const FILE_NAME: &str = "${filename}";
/// Fields in which nothing is put in.
const AS_SIGNED: [&str; 2] = ["policy", "x-amz-signature"];
/// Fields that never come back as headers, and may hold whatever they like.
const FREE_TEXTS: [&str; 3] = ["key", "policy", "tagging"];
/// Fields that a form has which somebody signed.
const SIGNED: [&str; 7] = [
    "policy",
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-signature",
    "x-amz-security-token",
    "AWSAccessKeyId",
    "signature",
];
const IGNORED: &str = "x-ignore-";
/// Headers of the request that say something of the object's request, too.
const PASSED_ON: [&str; 2] = ["host", "origin"];
/// Fields and the headers of PutObject that say the same.
const RENAMED: [(&str, &str); 2] = [("acl", "x-amz-acl"), ("tagging", "x-amz-tagging")];

/// A form whose file has begun to come.
pub struct PostForm {
    fields: Vec<(String, String)>,
    file: Box<dyn BodySource>,
}

/// What is left of a form once its signature, if it has one, has been verified.
pub struct Posted {
    /// With the bucket among them.
    pub(crate) fields: Vec<(String, String)>,
    /// Of an anonymous caller there is none.
    pub(crate) policy: Option<PostPolicy>,
}

/// The file of a form.
struct File {
    source: Box<dyn BodySource>,
    begun: Vec<u8>,
    reader: FileReader,
    /// Bytes behind it.
    tail: usize,
}

impl PostForm {
    /// Reads a form up to its file.
    ///
    /// # Errors
    /// It is none, has too much before its file, or lacks a field that it cannot do without.
    pub async fn receive(content_type: &str, mut source: Box<dyn BodySource>) -> Result<Self, ObjectsError> {
        let mut reader = FormReader::new(content_type)?;
        let form = loop {
            let Some(piece) = source.next().await? else { return Err(BodyError::MalformedForm.into()) };
            match reader.next(&piece)? {
                Ok(form) => break form,
                Err(more) => reader = more,
            }
        };
        let name = form.file_name.rsplit(['/', '\\']).next().unwrap_or_default();
        let expand = |(field, value): (String, String)| {
            let is_signed = AS_SIGNED.iter().any(|one| field.eq_ignore_ascii_case(one));
            let value = if is_signed { value } else { value.replace(FILE_NAME, name) };
            (field, value)
        };
        let fields: Vec<_> = form.fields.into_iter().map(expand).collect();
        let file = Box::new(File { source, begun: form.begun, reader: form.file, tail: 0 });
        if !fields.iter().all(|(name, value)| may_be_header(name, value)) {
            return Err(BodyError::MalformedForm.into());
        }
        let form = Self { fields, file };
        form.required("key")?;
        Ok(form)
    }

    /// Whether it has a policy, or anything of a signature. Without that nobody has signed it.
    pub fn is_signed(&self) -> bool {
        SIGNED.iter().any(|name| self.field(name).is_some())
    }

    /// What it says of its signature, and the session token of temporary credentials.
    ///
    /// # Errors
    /// A field is missing, or the signature is of another kind.
    pub fn claim(&self) -> Result<(PolicyClaim<'_>, Option<&str>), ObjectsError> {
        if self.field("AWSAccessKeyId").is_some() {
            let text = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.";
            return Err(ObjectsError::bad("InvalidRequest", text));
        }
        let claim = PolicyClaim {
            policy: self.required("Policy")?,
            algorithm: self.required("X-Amz-Algorithm")?,
            credential: self.required("X-Amz-Credential")?,
            date: self.required("X-Amz-Date")?,
            signature: self.required("X-Amz-Signature")?,
        };
        Ok((claim, self.field("x-amz-security-token")))
    }

    /// The request that a form makes in a bucket. Its policy must have been verified.
    ///
    /// # Errors
    /// The policy is none, or over; or there can be no such key.
    pub fn into_request(
        self,
        place: (&str, bool),
        headers: &Headers,
        now: Timestamp,
    ) -> Result<Request, ObjectsError> {
        let invalid = |text: String| ObjectsError::bad("InvalidPolicyDocument", text);
        let policy = STANDARD.decode_to_vec(self.field("policy").unwrap_or_default().as_bytes());
        let policy = policy.map_err(|_| invalid("Invalid Policy: Invalid Base64 Encoding.".to_owned()))?;
        let policy = PostPolicy::read(&policy).map_err(|refused| invalid(refused.to_string()))?;
        if now >= policy.expiration {
            return Err(ObjectsError::access_denied("Invalid according to Policy: Policy expired."));
        }
        self.request(place, headers, Some(policy))
    }

    /// The request that a form makes which nobody signed.
    ///
    /// # Errors
    /// There can be no such key.
    pub fn into_anonymous_request(
        self,
        place: (&str, bool),
        headers: &Headers,
    ) -> Result<Request, ObjectsError> {
        self.request(place, headers, None)
    }

    fn request(
        self,
        (bucket, bucket_is_in_host): (&str, bool),
        headers: &Headers,
        policy: Option<PostPolicy>,
    ) -> Result<Request, ObjectsError> {
        let key = self.field("key").unwrap_or_default();
        let target = Target::named(bucket, key)?;
        let headers = self.headers(headers);
        let mut fields = self.fields;
        fields.retain(|(name, _)| !name.eq_ignore_ascii_case("bucket"));
        fields.push(("bucket".to_owned(), bucket.to_owned()));
        Ok(Request {
            method: Method::Post,
            target,
            bucket_is_in_host,
            query: Query::default(),
            headers,
            payload: Payload::Unsigned,
            body: self.file,
            form: Some(Posted { fields, policy }),
        })
    }

    fn field(&self, name: &str) -> Option<&str> {
        find(&self.fields, name)
    }

    fn required(&self, name: &'static str) -> Result<&str, ObjectsError> {
        self.field(name).filter(|value| !value.is_empty()).ok_or_else(|| {
            let text = format!(
                "Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields."
            );
            ObjectsError::invalid_argument(text, name, "")
        })
    }

    /// The fields as the headers of a PutObject would say the same.
    fn headers(&self, of_request: &Headers) -> Headers {
        let passed_on = PASSED_ON.iter().filter_map(|name| Some((*name, of_request.get(name)?)));
        let fields = self.fields.iter().map(|(name, value)| {
            let renamed = RENAMED.iter().find(|(field, _)| name.eq_ignore_ascii_case(field));
            (renamed.map_or(name.as_str(), |(_, header)| header), value.as_str())
        });
        let fields = fields.filter(|(name, _)| !PASSED_ON.iter().any(|own| name.eq_ignore_ascii_case(own)));
        Headers::new(passed_on.chain(fields).map(|(name, value)| (name, value.as_bytes())))
    }
}

/// What comes back as a header must be one (RFC 9110 section 5).
fn may_be_header(name: &str, value: &str) -> bool {
    let name = name.to_ascii_lowercase();
    if FREE_TEXTS.contains(&name.as_str()) || name.starts_with(IGNORED) {
        return true;
    }
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    name.bytes().all(is_token) && !value.chars().any(|one| one.is_control() && one != '\t')
}

/// The value of a field. Case does not count in names.
pub(crate) fn find<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

#[async_trait]
impl BodySource for File {
    async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        let mut piece = Bytes::from(std::mem::take(&mut self.begun));
        loop {
            let was_ended = self.reader.is_ended();
            let data = self.reader.next(&piece);
            if !data.is_empty() {
                return Ok(Some(data.into()));
            }
            if was_ended {
                self.tail = self.tail.saturating_add(piece.len());
            }
            piece = match self.source.next().await? {
                Some(piece) if self.tail <= TAIL_MAX => piece,
                None if self.reader.is_ended() => return Ok(None),
                Some(_) | None => return Err(BodyError::MalformedForm),
            };
        }
    }
}

impl From<FormFault> for ObjectsError {
    fn from(fault: FormFault) -> Self {
        match fault {
            FormFault::Malformed => BodyError::MalformedForm.into(),
            FormFault::NoFile => {
                let text = "POST requires exactly one file upload per request.";
                Self::invalid_argument(text, "file", "0")
            }
            FormFault::FieldsTooLong => Self::bad(
                "MaxPostPreDataLengthExceededError",
                "Your POST request fields preceding the upload file were too large.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    struct Pieces(VecDeque<Bytes>);

    #[async_trait]
    impl BodySource for Pieces {
        async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
            Ok(self.0.pop_front())
        }
    }

    fn body(fields: &[(&str, &str)], file: &str) -> String {
        let field = |(name, value): &(&str, &str)| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let fields: String = fields.iter().map(field).collect();
        format!(
            "{fields}--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"/a/b\\c.txt\"\r\n\r\n{file}\r\n--b--\r\n"
        )
    }

    async fn receive(body: &str, piece: usize) -> Result<PostForm, ObjectsError> {
        let pieces = body.as_bytes().chunks(piece).map(Bytes::copy_from_slice).collect();
        PostForm::receive("multipart/form-data; boundary=b", Box::new(Pieces(pieces))).await
    }

    /// `{"expiration": "2026-11-28T12:00:00Z", "conditions": []}`
    const POLICY: &str = "eyJleHBpcmF0aW9uIjogIjIwMjYtMTEtMjhUMTI6MDA6MDBaIiwgImNvbmRpdGlvbnMiOiBbXX0=";

    #[tokio::test]
    async fn a_form_makes_a_request() {
        let fields = [
            ("key", "u/${filename}"),
            ("Policy", POLICY),
            ("ACL", "private"),
            ("host", "evil"),
            ("bucket", "evil"),
        ];
        for piece in [1, 10, 1_000] {
            let form = receive(&body(&fields, "contents"), piece).await.unwrap();
            let headers = Headers::new([("host", &b"h"[..]), ("content-type", b"multipart/form-data")]);
            let now = Timestamp::from_seconds(0);
            let mut request = form.into_request(("b", false), &headers, now).unwrap();
            assert_eq!(request.target, Target::Object("b".to_owned(), "u/c.txt".parse().unwrap()));
            assert_eq!(request.headers.get("x-amz-acl"), Some("private"));
            assert_eq!(request.headers.get("host"), Some("h"));
            assert_eq!(request.headers.get("content-type"), None);
            assert_eq!(find(&request.form.unwrap().fields, "bucket"), Some("b"));
            let mut file = Vec::new();
            while let Some(piece) = request.body.next().await.unwrap() {
                file.extend_from_slice(&piece);
            }
            assert_eq!(file, b"contents");
        }
    }

    #[tokio::test]
    async fn a_policy_holds_until_its_end() {
        let code = async |policy: &str, now: &str| {
            let form = receive(&body(&[("key", "k"), ("policy", policy)], ""), 50).await.unwrap();
            let now: jiff::Timestamp = now.parse().unwrap();
            let now = Timestamp::from_millis(now.as_millisecond());
            let request = form.into_request(("b", false), &Headers::default(), now);
            request.err().map(|error| error.to_fault().code)
        };
        assert_eq!(code(POLICY, "2026-11-28T11:59:59Z").await, None);
        assert_eq!(code(POLICY, "2026-11-28T12:00:00Z").await, Some("AccessDenied"));
        assert_eq!(code("e30=", "2026-11-28T11:59:59Z").await, Some("InvalidPolicyDocument"));
        assert_eq!(code("%", "2026-11-28T11:59:59Z").await, Some("InvalidPolicyDocument"));
    }

    #[tokio::test]
    async fn a_form_without_anything_of_a_signature_is_nobodys() {
        let form = receive(&body(&[("key", "k"), ("bucket", "evil")], "contents"), 10).await.unwrap();
        assert!(!form.is_signed());
        let request = form.into_anonymous_request(("b", false), &Headers::default()).unwrap();
        let posted = request.form.unwrap();
        assert!(posted.policy.is_none());
        assert_eq!(find(&posted.fields, "bucket"), Some("b"));
        for name in ["Policy", "X-Amz-Signature", "x-amz-credential", "awsaccesskeyid", "Signature"] {
            let form = receive(&body(&[("key", "k"), (name, "x")], ""), 10).await.unwrap();
            assert!(form.is_signed() && form.claim().is_err(), "{name}");
        }
    }

    #[tokio::test]
    async fn what_is_missing_is_told() {
        let code = async |body: &str| receive(body, 100).await.err().map(|error| error.to_fault().code);
        assert_eq!(code(&body(&[("key", "")], "x")).await, Some("InvalidArgument"));
        assert_eq!(code("--b--").await, Some("InvalidArgument"));
        assert_eq!(code("--b").await, Some("MalformedPOSTRequest"));
        for (name, value) in [("x-amz-meta-a", "1\r\nx: y"), ("x-amz-meta a", "1"), ("content-type", "\0")] {
            assert_eq!(code(&body(&[("key", "k"), (name, value)], "x")).await, Some("MalformedPOSTRequest"));
        }
        assert_eq!(code(&body(&[("key", "k\n"), ("x-ignore-a b", "1\n2")], "x")).await, None);
        let long = body(&[("key", "k"), ("x-ignore-a", &"a".repeat(21_000))], "x");
        assert_eq!(code(&long).await, Some("MaxPostPreDataLengthExceededError"));
        let form =
            receive(&body(&[("key", "k"), ("policy", "p"), ("x-amz-algorithm", "a")], "x"), 9).await.unwrap();
        assert_eq!(form.claim().err().unwrap().to_fault().code, "InvalidArgument");
        let old =
            receive(&body(&[("key", "k"), ("policy", "p"), ("AWSAccessKeyId", "a")], "x"), 9).await.unwrap();
        assert_eq!(old.claim().err().unwrap().to_fault().code, "InvalidRequest");
    }

    #[tokio::test]
    async fn a_file_that_does_not_end_is_none() {
        let whole = body(&[("key", "k")], "contents");
        for (end, behind) in [(whole.len() - 9, String::new()), (whole.len(), "x".repeat(TAIL_MAX * 2))] {
            let mut form = receive(&format!("{}{behind}", whole.get(..end).unwrap()), 1_000).await.unwrap();
            let end = loop {
                match form.file.next().await {
                    Ok(Some(_)) => {}
                    other => break other,
                }
            };
            assert_eq!(end, Err(BodyError::MalformedForm));
        }
    }
}
