//! The S3 service over the bench: two buckets with objects of every encryption, of which calls change nothing.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use base::{AccountId, Call, Caller, SecretArray};
use bytes::Bytes;
use crypto::digest::sha256;
use objects::{
    Answer, AnswerBody, BodyError, BodySource, CallerRights, Callers, DataEvent, DataEvents, DataKey,
    DataKeyError, DataKeyUse, DataKeys, Headers, Method, Objects, ObjectsError, Operation, PortError,
    PostForm, Query, Request, Target,
};
use policy::{AttachedPolicy, Guardrails, IdentitySide, PolicyKind, PrincipalEntry, Unwitnessed};
use testkit::{FrozenClock, SeededRandomness};
use wire::Fault;
use wire::sigv4::Payload;

use crate::bench::{Bench, KEY_ID, root_user};
use crate::forgetful_blobs::ForgetfulBlobs;
use crate::scene;
use crate::sent::{Sent, is_header_name, is_header_value};

/// Of the account, for its users alone.
const BUCKET: &str = "own-bucket";
/// Open to everybody by its policy.
const OPEN_BUCKET: &str = "open-bucket";
/// A request with this header is one that nobody signed.
const ANONYMOUS: &str = "x-fuzz-anonymous";
/// Headers of a key that the customer brings.
pub(crate) const CUSTOMER_KEY: &str = concat!(
    "x-amz-server-side-encryption-customer-algorithm:AES256\n",
    "x-amz-server-side-encryption-customer-key:a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=\n",
    "x-amz-server-side-encryption-customer-key-md5:mT2HRsMGJ5IX5C+0rreZ8Q==\n",
);
/// Bytes of the longest object.
pub(crate) const LENGTH: usize = 70_000;

/// What the shorter ones hold.
const BEGINNING: &str = "\u{0}\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{7}";
const FORM: &str = "multipart/form-data";

pub(crate) struct BucketBench {
    bench: Bench,
    objects: Objects,
    /// The id of an upload of `upload`, of which one part is there.
    pub(crate) upload: String,
}

/// The byte of every object at a place.
pub(crate) fn byte_at(place: usize) -> u8 {
    u8::try_from(place % 251).unwrap()
}

impl BucketBench {
    pub(crate) fn new() -> Self {
        let bench = Bench::that_remembers();
        let blobs = Arc::new(ForgetfulBlobs::default());
        let everybody =
            Arc::new(Everybody(Arc::new(Everything([scene::attached(scene::open(PolicyKind::Identity))]))));
        let objects = Objects::new(objects::Parties {
            store: bench.store.clone(),
            blobs: blobs.clone(),
            domain_keys: Arc::clone(&bench.domain_keys),
            randomness: Arc::new(SeededRandomness::new(2)),
            callers: everybody.clone(),
            data_keys: everybody.clone(),
            data_events: everybody,
            trail: Arc::clone(&bench.trail),
            guardrails: Arc::new(Guardrails::default()),
            witness: Arc::new(Unwitnessed),
            takes_customer_keys_in_clear: true,
            blocks_customer_keys: false,
            clock: Arc::new(FrozenClock::at(scene::now())),
            bucket_key_seconds: 300,
        });
        objects.end_sweep();
        let mut bench = Self { bench, objects, upload: String::new() };
        bench.furnish();
        bench.bench.store.forget();
        blobs.forget();
        bench
    }

    fn furnish(&mut self) {
        let place = |bucket: &str| {
            format!(
                "PUT /{bucket}\n\n<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>"
            )
        };
        let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": "*", "Action": "s3:*",
            "Resource": ["arn:aws:s3:::open-bucket", "arn:aws:s3:::open-bucket/*"],
        }]});
        let versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
        let cors = "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>";
        let long = (0..LENGTH).map(byte_at).collect::<Vec<_>>();
        for text in [
            place(BUCKET),
            place(OPEN_BUCKET),
            format!("PUT /{BUCKET}?versioning\n\n{versioning}"),
            format!("PUT /{OPEN_BUCKET}?cors\n\n{cors}"),
            format!("DELETE /{OPEN_BUCKET}?publicAccessBlock\n\n"),
            format!("PUT /{OPEN_BUCKET}?policy\n\n{policy}"),
            format!(
                "PUT /{BUCKET}/managed\nx-amz-server-side-encryption:aws:kms\nx-amz-server-side-encryption-aws-kms-key-id:{KEY_ID}\n\n{BEGINNING}"
            ),
            format!("PUT /{BUCKET}/twice\nx-amz-server-side-encryption:aws:kms:dsse\n\n{BEGINNING}"),
            format!("PUT /{BUCKET}/customer\n{CUSTOMER_KEY}\n{BEGINNING}"),
            format!(
                "PUT /{BUCKET}/tagged\nx-amz-tagging:a=b&c=d\nx-amz-meta-a:b\ncontent-type:text/plain\n\n{BEGINNING}"
            ),
            format!("PUT /{BUCKET}/a/b%01c\n\n"),
            format!("PUT /{OPEN_BUCKET}/plain\n\n{BEGINNING}"),
        ] {
            self.must(text.as_bytes());
        }
        self.must(
            &[format!("PUT /{BUCKET}/long\nx-amz-checksum-algorithm:CRC32\n\n").as_bytes(), &long].concat(),
        );
        let begun = self.must(format!("POST /{BUCKET}/upload?uploads\n\n").as_bytes());
        let AnswerBody::Xml(xml) = begun.body else { panic!("no upload") };
        let xml = String::from_utf8(xml).unwrap();
        let id = xml.split_once("<UploadId>").unwrap().1.split_once("</UploadId>").unwrap().0;
        self.upload = id.to_owned();
        self.must(format!("PUT /{BUCKET}/upload?partNumber=1&uploadId={id}\n\n{BEGINNING}").as_bytes());
    }

    fn must(&self, request: &[u8]) -> Answer {
        let text = String::from_utf8_lossy(&request[..request.len().min(300)]);
        let answer = self.call(&Sent::read(request).unwrap());
        answer
            .unwrap_or_else(|| panic!("{text} is no request"))
            .unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    /// Carries a request out; `None` if HTTP has no such request, or S3 no such method.
    pub(crate) fn call(&self, sent: &Sent<'_>) -> Option<Result<Answer, ObjectsError>> {
        let is_sent = |(name, value): &(String, &[u8])| is_header_name(name) && is_header_value(value);
        let is_of_target = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
        let is_target =
            sent.path.starts_with('/') && sent.path.bytes().chain(sent.query.bytes()).all(is_of_target);
        if !is_target || !sent.headers.iter().all(is_sent) {
            return None;
        }
        self.bench.wait(async {
            let method = match sent.method {
                "DELETE" => Method::Delete,
                "GET" => Method::Get,
                "HEAD" => Method::Head,
                "POST" => Method::Post,
                "PUT" => Method::Put,
                "OPTIONS" => {
                    let target = Target::read(sent.path);
                    return Some(match target {
                        Ok(target) => self.objects.preflight(&target, &self.headers(sent)).await,
                        Err(refused) => Err(refused),
                    });
                }
                _ => return None,
            };
            Some(self.serve(method, sent).await)
        })
    }

    async fn serve(&self, method: Method, sent: &Sent<'_>) -> Result<Answer, ObjectsError> {
        let request = self.request(method, sent).await?;
        let operation = Operation::of(&request)?;
        let unsigned = self.bench.unsigned();
        let is_anonymous = request.headers.get(ANONYMOUS).is_some();
        let call = if is_anonymous {
            self.objects.anonymous_call(operation, &request.target, unsigned).await?
        } else {
            unsigned.signed_by(root_user(), "eu-central-1".parse().unwrap())
        };
        self.objects.call(operation, &call, request).await
    }

    async fn request(&self, method: Method, sent: &Sent<'_>) -> Result<Request, ObjectsError> {
        let headers = self.headers(sent);
        let (target, body) = (Target::read(sent.path)?, Pieces::of(sent.body));
        let content_type = headers.get("content-type").unwrap_or_default();
        if let (Method::Post, Target::Bucket(bucket)) = (method, &target)
            && content_type.starts_with(FORM)
        {
            let form = PostForm::receive(content_type, body).await?;
            if headers.get(ANONYMOUS).is_some() {
                return form.into_anonymous_request((bucket, false), &headers);
            }
            let _ = form.claim()?;
            return form.into_request((bucket, false), &headers, scene::now());
        }
        let declared = headers.get("x-amz-content-sha256").map(str::as_bytes);
        let payload = Payload::unsigned(declared).unwrap_or_else(|_| Payload::Digest(sha256(sent.body)));
        let query = Query::read(sent.query)?;
        Ok(Request { method, target, bucket_is_in_host: false, query, headers, payload, body, form: None })
    }

    /// As they were sent, with the length of the body if nobody says it.
    fn headers(&self, sent: &Sent<'_>) -> Headers {
        let length = sent.body.len().to_string();
        let has_length = sent.headers.iter().any(|(name, _)| name == "content-length");
        let announced = (!has_length).then_some(("content-length", length.as_bytes()));
        Headers::new(sent.headers.iter().map(|(name, value)| (name.as_str(), *value)).chain(announced))
    }

    /// Reads contents to their end.
    pub(crate) fn read(&self, mut contents: Box<objects::Contents>) -> Result<Vec<u8>, ObjectsError> {
        self.bench.wait(async {
            let mut read = Vec::new();
            while let Some(piece) = contents.next().await? {
                read.extend_from_slice(piece.expose());
            }
            Ok(read)
        })
    }
}

/// A body in a few pieces.
struct Pieces(VecDeque<Bytes>);

impl Pieces {
    fn of(body: &[u8]) -> Box<dyn BodySource> {
        Box::new(Self(body.chunks(1_000).map(Bytes::copy_from_slice).collect()))
    }
}

#[async_trait]
impl BodySource for Pieces {
    async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        Ok(self.0.pop_front())
    }
}

/// Whoever is named exists, and may do everything; there is one KMS key, and a trail that wants all events.
struct Everybody(Arc<Everything>);

struct Everything([AttachedPolicy; 1]);

impl CallerRights for Everything {
    fn side(&self) -> IdentitySide<'_> {
        IdentitySide { policies: &self.0, ..IdentitySide::default() }
    }
}

#[async_trait]
impl Callers for Everybody {
    async fn rights_of(&self, _: &Caller) -> Result<Arc<dyn CallerRights>, PortError> {
        Ok(self.0.clone())
    }

    async fn find(&self, _: &PrincipalEntry) -> Result<Option<Option<String>>, PortError> {
        Ok(Some(None))
    }
}

#[async_trait]
impl DataEvents for Everybody {
    async fn are_any(&self) -> Result<bool, PortError> {
        Ok(true)
    }

    async fn are_wanted(&self, _: AccountId, _: &DataEvent<'_>) -> Result<bool, PortError> {
        Ok(true)
    }
}

#[async_trait]
impl DataKeys for Everybody {
    async fn generate(&self, call: &Call, key: &str, _: DataKeyUse<'_>) -> Result<DataKey, DataKeyError> {
        let known = self.arn_of(call, key).await.ok().flatten().filter(|arn| arn == scene::KEY);
        let refused = || DataKeyError::Refused(Fault::bad_request("NotFoundException", "no such key"));
        let key_arn = known.ok_or_else(refused)?;
        let plaintext = SecretArray::copy_from(&[7; 32]).unwrap();
        Ok(DataKey { plaintext, ciphertext: b"sealed".to_vec(), key_arn })
    }

    async fn arn_of(&self, _: &Call, key: &str) -> Result<Option<String>, PortError> {
        let is_known = key == KEY_ID || key.starts_with("alias/");
        Ok(if is_known {
            Some(scene::KEY.to_owned())
        } else {
            key.starts_with("arn:").then(|| key.to_owned())
        })
    }

    async fn decrypt(
        &self,
        _: &Call,
        _: &str,
        _: &[u8],
        _: DataKeyUse<'_>,
    ) -> Result<SecretArray<32>, DataKeyError> {
        Ok(SecretArray::copy_from(&[7; 32]).unwrap())
    }
}
