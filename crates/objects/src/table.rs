//! Which operation a request asks for, and the one way through which every call of them goes.

use audit::{EventError, EventName, Recording};
use base::Call;
use store::Transaction;

use crate::Objects;
use crate::error::ObjectsError;
use crate::object_key::ObjectKey;
use crate::request::{Answer, Method, Request, Target};

const EVENT_SOURCE: &str = "s3.amazonaws.com";

/// The id of the version of an object in a bucket without versions.
pub(crate) const NO_VERSION: &str = "null";

/// The operations that are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Ends an upload that is not completed.
    AbortMultipartUpload,
    /// Makes an object of the parts of an upload.
    CompleteMultipartUpload,
    /// Writes an object with the contents of another.
    CopyObject,
    /// Makes a bucket.
    CreateBucket,
    /// Begins an upload in parts.
    CreateMultipartUpload,
    /// Deletes an empty bucket.
    DeleteBucket,
    /// Takes away what is said of a bucket's encryption.
    DeleteBucketEncryption,
    /// Takes the policy of a bucket away.
    DeleteBucketPolicy,
    /// Deletes an object.
    DeleteObject,
    /// Deletes up to a thousand objects.
    DeleteObjects,
    /// Tells the default encryption of a bucket.
    GetBucketEncryption,
    /// Tells the Region of a bucket.
    GetBucketLocation,
    /// Tells the policy of a bucket.
    GetBucketPolicy,
    /// Reads an object.
    GetObject,
    /// Tells whether there is a bucket.
    HeadBucket,
    /// Tells of an object.
    HeadObject,
    /// Lists the caller's buckets.
    ListBuckets,
    /// Lists the uploads of a bucket that are under way.
    ListMultipartUploads,
    /// Lists a bucket, by the first version of the operation.
    ListObjects,
    /// Lists a bucket.
    ListObjectsV2,
    /// Lists the parts of an upload.
    ListParts,
    /// Says how objects of a bucket are encrypted by default.
    PutBucketEncryption,
    /// Gives a bucket a policy.
    PutBucketPolicy,
    /// Writes an object.
    PutObject,
    /// Writes a part of an upload.
    UploadPart,
    /// Writes a part of an upload with what another object has.
    UploadPartCopy,
}

/// Parameters that make another operation of a request, or another thing of what it names.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html>
const SUBRESOURCES: [&str; 41] = [
    "abac",
    "accelerate",
    "acl",
    "analytics",
    "annotation",
    "append",
    "attributes",
    "cors",
    "delete",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "list-type",
    "location",
    "logging",
    "metadataConfiguration",
    "metadataInventoryTable",
    "metadataJournalTable",
    "metadataTable",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "partNumber",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "renameObject",
    "replication",
    "requestPayment",
    "restore",
    "retention",
    "select",
    "session",
    "tagging",
    "torrent",
    "uploads",
    "versioning",
    "website",
];

impl Operation {
    /// The name, as S3 has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::AbortMultipartUpload => "AbortMultipartUpload",
            Self::CompleteMultipartUpload => "CompleteMultipartUpload",
            Self::CopyObject => "CopyObject",
            Self::CreateBucket => "CreateBucket",
            Self::CreateMultipartUpload => "CreateMultipartUpload",
            Self::DeleteBucket => "DeleteBucket",
            Self::DeleteBucketEncryption => "DeleteBucketEncryption",
            Self::DeleteBucketPolicy => "DeleteBucketPolicy",
            Self::DeleteObject => "DeleteObject",
            Self::DeleteObjects => "DeleteObjects",
            Self::GetBucketEncryption => "GetBucketEncryption",
            Self::GetBucketLocation => "GetBucketLocation",
            Self::GetBucketPolicy => "GetBucketPolicy",
            Self::GetObject => "GetObject",
            Self::HeadBucket => "HeadBucket",
            Self::HeadObject => "HeadObject",
            Self::ListBuckets => "ListBuckets",
            Self::ListMultipartUploads => "ListMultipartUploads",
            Self::ListObjects => "ListObjects",
            Self::ListObjectsV2 => "ListObjectsV2",
            Self::ListParts => "ListParts",
            Self::PutBucketEncryption => "PutBucketEncryption",
            Self::PutBucketPolicy => "PutBucketPolicy",
            Self::PutObject => "PutObject",
            Self::UploadPart => "UploadPart",
            Self::UploadPartCopy => "UploadPartCopy",
        }
    }

    /// Whether its events are management events, which are always logged. Others are data events.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html>
    fn is_management(self) -> bool {
        match self {
            Self::CreateBucket
            | Self::DeleteBucket
            | Self::DeleteBucketEncryption
            | Self::DeleteBucketPolicy
            | Self::GetBucketEncryption
            | Self::GetBucketLocation
            | Self::GetBucketPolicy
            | Self::HeadBucket
            | Self::ListBuckets
            | Self::PutBucketEncryption
            | Self::PutBucketPolicy => true,
            Self::AbortMultipartUpload
            | Self::CompleteMultipartUpload
            | Self::CopyObject
            | Self::CreateMultipartUpload
            | Self::DeleteObject
            | Self::DeleteObjects
            | Self::GetObject
            | Self::HeadObject
            | Self::ListMultipartUploads
            | Self::ListObjects
            | Self::ListObjectsV2
            | Self::ListParts
            | Self::PutObject
            | Self::UploadPart
            | Self::UploadPartCopy => false,
        }
    }

    /// Whether it changes nothing.
    pub(crate) fn is_read_only(self) -> bool {
        match self {
            Self::GetBucketEncryption
            | Self::GetBucketLocation
            | Self::GetBucketPolicy
            | Self::GetObject
            | Self::HeadBucket
            | Self::HeadObject
            | Self::ListBuckets
            | Self::ListMultipartUploads
            | Self::ListObjects
            | Self::ListObjectsV2
            | Self::ListParts => true,
            Self::AbortMultipartUpload
            | Self::CompleteMultipartUpload
            | Self::CopyObject
            | Self::CreateBucket
            | Self::CreateMultipartUpload
            | Self::DeleteBucket
            | Self::DeleteBucketEncryption
            | Self::DeleteBucketPolicy
            | Self::DeleteObject
            | Self::DeleteObjects
            | Self::PutBucketEncryption
            | Self::PutBucketPolicy
            | Self::PutObject
            | Self::UploadPart
            | Self::UploadPartCopy => false,
        }
    }

    pub(crate) fn event_name(self) -> EventName {
        EventName {
            source: EVENT_SOURCE,
            // CloudTrail does not tell the versions of the listing apart.
            operation: if self == Self::ListObjectsV2 { Self::ListObjects.name() } else { self.name() },
            read_only: self.is_read_only(),
            is_global: false,
            is_data: !self.is_management(),
        }
    }

    /// The operation that a request asks for.
    ///
    /// # Errors
    /// `NotImplemented` for what S3 has and this service has not; `MethodNotAllowed`.
    pub fn of(request: &Request) -> Result<Self, ObjectsError> {
        let Request { method, target, query, headers, .. } = request;
        let subresource = query.names().find(|name| SUBRESOURCES.contains(name));
        let of_version = query.get("versionId").is_some_and(|version| version != NO_VERSION);
        if of_version || query.get("versions").is_some() {
            return Err(ObjectsError::not_implemented());
        }
        let is_copy = headers.get("x-amz-copy-source").is_some();
        if let (Target::Object(..), Some(_)) = (target, query.get("uploadId")) {
            return Self::on_upload(*method, subresource, is_copy);
        }
        match (target, method, subresource) {
            (Target::Service, Method::Get, None) => Ok(Self::ListBuckets),
            (Target::Bucket(_), Method::Put, None) => Ok(Self::CreateBucket),
            (Target::Bucket(_), Method::Head, None) => Ok(Self::HeadBucket),
            (Target::Bucket(_), Method::Delete, None) => Ok(Self::DeleteBucket),
            (Target::Bucket(_), Method::Get, Some("location")) => Ok(Self::GetBucketLocation),
            (Target::Bucket(_), Method::Get, Some("list-type")) if query.get("list-type") == Some("2") => {
                Ok(Self::ListObjectsV2)
            }
            (Target::Bucket(_), _, Some("encryption")) => Self::on_encryption(*method),
            (Target::Bucket(_), _, Some("policy")) => Self::on_policy(*method),
            (Target::Bucket(_), Method::Get, None) => Ok(Self::ListObjects),
            (Target::Bucket(_), Method::Get, Some("uploads")) => Ok(Self::ListMultipartUploads),
            (Target::Bucket(_), Method::Post, Some("delete")) => Ok(Self::DeleteObjects),
            (Target::Object(..), Method::Post, Some("uploads")) => Ok(Self::CreateMultipartUpload),
            (Target::Object(..), Method::Put, None) if is_copy => Ok(Self::CopyObject),
            (Target::Object(..), Method::Put, None) => Ok(Self::PutObject),
            (Target::Object(..), Method::Get, None) => Ok(Self::GetObject),
            (Target::Object(..), Method::Head, None) => Ok(Self::HeadObject),
            (Target::Object(..), Method::Delete, None) => Ok(Self::DeleteObject),
            (Target::Service, _, None) | (Target::Object(..), Method::Post, None) => {
                Err(ObjectsError::method_not_allowed())
            }
            _ => Err(ObjectsError::not_implemented()),
        }
    }

    fn on_encryption(method: Method) -> Result<Self, ObjectsError> {
        match method {
            Method::Get => Ok(Self::GetBucketEncryption),
            Method::Put => Ok(Self::PutBucketEncryption),
            Method::Delete => Ok(Self::DeleteBucketEncryption),
            Method::Head | Method::Post => Err(ObjectsError::method_not_allowed()),
        }
    }

    fn on_policy(method: Method) -> Result<Self, ObjectsError> {
        match method {
            Method::Get => Ok(Self::GetBucketPolicy),
            Method::Put => Ok(Self::PutBucketPolicy),
            Method::Delete => Ok(Self::DeleteBucketPolicy),
            Method::Head | Method::Post => Err(ObjectsError::method_not_allowed()),
        }
    }

    /// The operation on an upload that is under way.
    fn on_upload(method: Method, subresource: Option<&str>, is_copy: bool) -> Result<Self, ObjectsError> {
        match (method, subresource) {
            (Method::Put, Some("partNumber")) if is_copy => Ok(Self::UploadPartCopy),
            (Method::Put, Some("partNumber")) => Ok(Self::UploadPart),
            (Method::Post, None) => Ok(Self::CompleteMultipartUpload),
            (Method::Delete, None) => Ok(Self::AbortMultipartUpload),
            (Method::Get, None) => Ok(Self::ListParts),
            _ => Err(ObjectsError::not_implemented()),
        }
    }
}

impl Objects {
    /// Carries an operation out. What came of one on buckets, or of one on objects that a trail delivers, is in the audit log
    /// before this returns.
    ///
    /// # Errors
    /// The operation refused or failed, or its event cannot be logged: then the answer is withheld.
    pub async fn call(
        &self,
        operation: Operation,
        call: &Call,
        request: Request,
    ) -> Result<Answer, ObjectsError> {
        if !operation.is_management() {
            return self.call_on_objects(operation, call, request).await;
        }
        self.run_recorded(self.trail.begin(call), operation, call, request).await
    }

    /// Carries an operation out and logs what came of it.
    pub(crate) async fn run_recorded(
        &self,
        recording: Recording<'_>,
        operation: Operation,
        call: &Call,
        request: Request,
    ) -> Result<Answer, ObjectsError> {
        call.event.set_request_parameters(serde_json::to_vec(&parameters(&request)).ok());
        let answer = self.run(operation, call, request).await;
        let fault = answer.as_ref().err().map(ObjectsError::to_fault);
        let error = fault.as_ref();
        let error = error.map(|fault| EventError { code: fault.code, message: fault.message.as_deref() });
        recording.finish(call, operation.event_name(), error).await?;
        answer
    }

    pub(crate) async fn run(
        &self,
        operation: Operation,
        call: &Call,
        request: Request,
    ) -> Result<Answer, ObjectsError> {
        self.check_expected_owners(&request.target, &request.headers).await?;
        let target = request.target.clone();
        match (operation, &target) {
            (Operation::ListBuckets, _) => self.list_buckets(call, request).await,
            (Operation::CreateBucket, Target::Bucket(name)) => self.create_bucket(call, request, name).await,
            (Operation::DeleteBucket, Target::Bucket(name)) => self.delete_bucket(call, name).await,
            (Operation::GetBucketLocation, Target::Bucket(name)) => {
                self.get_bucket_location(call, name).await
            }
            (Operation::HeadBucket, Target::Bucket(name)) => self.head_bucket(call, name).await,
            (Operation::ListObjectsV2, Target::Bucket(name)) => {
                self.list_objects_v2(call, request, name).await
            }
            (Operation::ListObjects, Target::Bucket(name)) => self.list_objects(call, request, name).await,
            (Operation::ListMultipartUploads, Target::Bucket(name)) => {
                self.list_multipart_uploads(call, request, name).await
            }
            (Operation::DeleteObjects, Target::Bucket(name)) => {
                self.delete_objects(call, request, name).await
            }
            (_, Target::Bucket(name)) => self.run_on_settings(operation, call, request, name).await,
            (_, Target::Object(bucket, key)) => {
                self.run_on_object(operation, call, request, (bucket, key)).await
            }
            (_, _) => Err(ObjectsError::Bug("an operation is on something else than the request names")),
        }
    }

    /// What is said of a bucket.
    async fn run_on_settings(
        &self,
        operation: Operation,
        call: &Call,
        request: Request,
        name: &str,
    ) -> Result<Answer, ObjectsError> {
        match (operation, name) {
            (Operation::GetBucketEncryption, name) => self.get_bucket_encryption(call, name).await,
            (Operation::PutBucketEncryption, name) => self.put_bucket_encryption(call, request, name).await,
            (Operation::DeleteBucketEncryption, name) => self.delete_bucket_encryption(call, name).await,
            (Operation::GetBucketPolicy, name) => self.get_bucket_policy(call, name).await,
            (Operation::PutBucketPolicy, name) => self.put_bucket_policy(call, request, name).await,
            (Operation::DeleteBucketPolicy, name) => self.delete_bucket_policy(call, name).await,
            (_, _) => Err(ObjectsError::Bug("an operation on objects names a bucket")),
        }
    }

    async fn run_on_object(
        &self,
        operation: Operation,
        call: &Call,
        request: Request,
        object: (&str, &ObjectKey),
    ) -> Result<Answer, ObjectsError> {
        match operation {
            Operation::AbortMultipartUpload => self.abort_multipart_upload(call, request, object).await,
            Operation::CompleteMultipartUpload => {
                Box::pin(self.complete_multipart_upload(call, request, object)).await
            }
            Operation::CopyObject => Box::pin(self.copy_object(call, request, object)).await,
            Operation::CreateMultipartUpload => self.create_multipart_upload(call, request, object).await,
            Operation::DeleteObject => self.delete_object(call, object).await,
            Operation::GetObject => self.get_object(call, request, object).await,
            Operation::HeadObject => self.head_object(call, request, object).await,
            Operation::ListParts => self.list_parts(call, request, object).await,
            Operation::PutObject => Box::pin(self.put_object(call, request, object)).await,
            Operation::UploadPart => Box::pin(self.upload_part(call, request, object)).await,
            Operation::UploadPartCopy => Box::pin(self.upload_part_copy(call, request, object)).await,
            Operation::CreateBucket
            | Operation::DeleteBucket
            | Operation::DeleteBucketEncryption
            | Operation::DeleteBucketPolicy
            | Operation::DeleteObjects
            | Operation::GetBucketEncryption
            | Operation::GetBucketLocation
            | Operation::GetBucketPolicy
            | Operation::HeadBucket
            | Operation::ListBuckets
            | Operation::ListMultipartUploads
            | Operation::ListObjects
            | Operation::ListObjectsV2
            | Operation::PutBucketEncryption
            | Operation::PutBucketPolicy => Err(ObjectsError::Bug("an operation on buckets names an object")),
        }
    }

    /// Commits a change to a bucket together with its event.
    pub(crate) async fn commit_change(
        &self,
        call: &Call,
        operation: Operation,
        change: Transaction,
    ) -> Result<(), ObjectsError> {
        self.trail.ready().await?;
        let event = self.trail.beside_change(call, operation.event_name())?;
        self.store.commit(change.outbox(event)).await?;
        Ok(())
    }
}

/// `requestParameters` of an event.
pub(crate) fn parameters(request: &Request) -> serde_json::Map<String, serde_json::Value> {
    let mut parameters = serde_json::Map::new();
    if let Target::Bucket(bucket) | Target::Object(bucket, _) = &request.target {
        parameters.insert("bucketName".to_owned(), bucket.as_str().into());
    }
    if let Target::Object(_, key) = &request.target {
        parameters.insert("key".to_owned(), key.as_str().into());
    }
    if let Some(host) = request.headers.get("host") {
        parameters.insert("Host".to_owned(), host.into());
    }
    for name in request.query.names().filter(|name| SUBRESOURCES.contains(name)) {
        let value = request.query.get(name).unwrap_or_default();
        parameters.insert(name.to_owned(), value.into());
    }
    parameters
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use wire::sigv4::Payload;

    use super::*;
    use crate::error::BodyError;
    use crate::request::{BodySource, Headers, Query};

    struct NoBody;

    #[async_trait]
    impl BodySource for NoBody {
        async fn next(&mut self) -> Result<Option<bytes::Bytes>, BodyError> {
            Ok(None)
        }
    }

    fn asked(
        method: Method,
        path: &str,
        query: &str,
        headers: &[(&str, &str)],
    ) -> Result<Operation, &'static str> {
        let headers = Headers::new(headers.iter().map(|(name, value)| (*name, value.as_bytes())));
        let (target, query) = (Target::read(path).unwrap(), Query::read(query).unwrap());
        let request =
            Request { method, target, query, headers, payload: Payload::Unsigned, body: Box::new(NoBody) };
        Operation::of(&request).map_err(|error| error.to_fault().code)
    }

    #[test]
    fn method_path_and_query_name_the_operation() {
        for (method, path, query, operation) in [
            (Method::Get, "/", "", Operation::ListBuckets),
            (Method::Put, "/b", "", Operation::CreateBucket),
            (Method::Get, "/b", "location", Operation::GetBucketLocation),
            (Method::Get, "/b", "encryption", Operation::GetBucketEncryption),
            (Method::Put, "/b", "encryption", Operation::PutBucketEncryption),
            (Method::Put, "/b", "policy", Operation::PutBucketPolicy),
            (Method::Delete, "/b", "policy=", Operation::DeleteBucketPolicy),
            (Method::Delete, "/b", "encryption=", Operation::DeleteBucketEncryption),
            (Method::Get, "/b", "list-type=2&prefix=acl", Operation::ListObjectsV2),
            (Method::Post, "/b", "delete=", Operation::DeleteObjects),
            (Method::Put, "/b/k", "x-id=PutObject", Operation::PutObject),
            (Method::Get, "/b/k", "versionId=null", Operation::GetObject),
            (Method::Head, "/b/acl", "", Operation::HeadObject),
            (Method::Delete, "/b/k", "", Operation::DeleteObject),
            (Method::Get, "/b", "prefix=a", Operation::ListObjects),
            (Method::Get, "/b", "uploads", Operation::ListMultipartUploads),
            (Method::Post, "/b/k", "uploads", Operation::CreateMultipartUpload),
            (Method::Put, "/b/k", "partNumber=1&uploadId=u", Operation::UploadPart),
            (Method::Post, "/b/k", "uploadId=u", Operation::CompleteMultipartUpload),
            (Method::Delete, "/b/k", "uploadId=u", Operation::AbortMultipartUpload),
            (Method::Get, "/b/k", "uploadId=u&max-parts=2", Operation::ListParts),
        ] {
            assert_eq!(asked(method, path, query, &[]), Ok(operation), "{path} {query}");
        }
    }

    #[test]
    fn what_is_not_offered_is_never_taken_for_something_else() {
        for (method, path, query) in [
            (Method::Put, "/b", "acl"),
            (Method::Get, "/b", "policyStatus"),
            (Method::Put, "/b/k", "encryption"),
            (Method::Get, "/b", "versions"),
            (Method::Get, "/b", "list-type=3"),
            (Method::Put, "/b/k", "uploadId=u"),
            (Method::Get, "/b/k", "partNumber=1"),
            (Method::Delete, "/b/k", "versionId=3"),
            (Method::Get, "/b/k", "tagging"),
            (Method::Post, "/b", ""),
        ] {
            assert_eq!(asked(method, path, query, &[]), Err("NotImplemented"), "{path} {query}");
        }
        let copied = [("x-amz-copy-source", "/b/a")];
        assert_eq!(asked(Method::Put, "/b/k", "", &copied), Ok(Operation::CopyObject));
        let part = asked(Method::Put, "/b/k", "partNumber=1&uploadId=u", &copied);
        assert_eq!(part, Ok(Operation::UploadPartCopy));
        assert_eq!(asked(Method::Post, "/b/k", "", &[]), Err("MethodNotAllowed"));
    }
}
