//! The operations of S3, and which of them a request asks for.

use audit::EventName;

use crate::error::ObjectsError;
use crate::request::{Method, Request, Target};

const EVENT_SOURCE: &str = "s3.amazonaws.com";

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
    /// Takes away which pages of other origins may call.
    DeleteBucketCors,
    /// Takes away what is said of a bucket's encryption.
    DeleteBucketEncryption,
    /// Takes the lifecycle of a bucket away.
    DeleteBucketLifecycle,
    /// Takes the policy of a bucket away.
    DeleteBucketPolicy,
    /// Takes the tags of a bucket away.
    DeleteBucketTagging,
    /// Deletes an object.
    DeleteObject,
    /// Takes the tags of an object away.
    DeleteObjectTagging,
    /// Deletes up to a thousand objects.
    DeleteObjects,
    /// Takes away what keeps a bucket from being public.
    DeletePublicAccessBlock,
    /// Tells which pages of other origins may call.
    GetBucketCors,
    /// Tells the default encryption of a bucket.
    GetBucketEncryption,
    /// Tells the Region of a bucket.
    GetBucketLocation,
    /// Tells when objects of a bucket go by themselves.
    GetBucketLifecycleConfiguration,
    /// Tells the policy of a bucket.
    GetBucketPolicy,
    /// Tells whether the policy of a bucket is public.
    GetBucketPolicyStatus,
    /// Tells the tags of a bucket.
    GetBucketTagging,
    /// Tells whether a bucket keeps versions.
    GetBucketVersioning,
    /// Reads an object.
    GetObject,
    /// Tells the tags of an object.
    GetObjectTagging,
    /// Tells of an object what is asked for.
    GetObjectAttributes,
    /// Tells what keeps a bucket from being public.
    GetPublicAccessBlock,
    /// Tells whether there is a bucket.
    HeadBucket,
    /// Tells of an object.
    HeadObject,
    /// Lists the caller's buckets.
    ListBuckets,
    /// Lists the uploads of a bucket that are under way.
    ListMultipartUploads,
    /// Lists the versions of a bucket.
    ListObjectVersions,
    /// Lists a bucket, by the first version of the operation.
    ListObjects,
    /// Lists a bucket.
    ListObjectsV2,
    /// Lists the parts of an upload.
    ListParts,
    /// Writes an object that comes in a form.
    PostObject,
    /// Says which pages of other origins may call.
    PutBucketCors,
    /// Says how objects of a bucket are encrypted by default.
    PutBucketEncryption,
    /// Says when objects of a bucket go by themselves.
    PutBucketLifecycleConfiguration,
    /// Gives a bucket a policy.
    PutBucketPolicy,
    /// Gives a bucket tags.
    PutBucketTagging,
    /// Says whether a bucket keeps versions.
    PutBucketVersioning,
    /// Writes an object.
    PutObject,
    /// Puts other tags on an object.
    PutObjectTagging,
    /// Seals the key of an object's contents under another key; the contents stay.
    UpdateObjectEncryption,
    /// Says what keeps a bucket from being public.
    PutPublicAccessBlock,
    /// Writes a part of an upload.
    UploadPart,
    /// Writes a part of an upload with what another object has.
    UploadPartCopy,
}

/// Management events are always logged; data events where a trail delivers them.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html>
#[derive(Clone, Copy, PartialEq, Eq)]
enum Events {
    Management,
    Data,
}

/// Whether an operation changes anything.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

/// Parameters that make another operation of a request, or another thing of what it names.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html>
pub(crate) const SUBRESOURCES: [&str; 42] = [
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
    "versions",
    "website",
];

/// The parameter that names a part.
const PART: &str = "partNumber";

impl Operation {
    /// The name, as S3 has it.
    pub fn name(self) -> &'static str {
        self.traits().0
    }

    /// Whether its events are management events, which are always logged. Others are data events.
    pub(crate) fn is_management(self) -> bool {
        self.traits().1 == Events::Management
    }

    /// Whether it changes nothing.
    pub(crate) fn is_read_only(self) -> bool {
        self.traits().2 == Access::Read
    }

    fn traits(self) -> (&'static str, Events, Access) {
        use Access::{Read, Write};
        use Events::{Data, Management};
        match self {
            Self::AbortMultipartUpload => ("AbortMultipartUpload", Data, Write),
            Self::CompleteMultipartUpload => ("CompleteMultipartUpload", Data, Write),
            Self::CopyObject => ("CopyObject", Data, Write),
            Self::CreateBucket => ("CreateBucket", Management, Write),
            Self::CreateMultipartUpload => ("CreateMultipartUpload", Data, Write),
            Self::DeleteBucket => ("DeleteBucket", Management, Write),
            Self::DeleteBucketCors => ("DeleteBucketCors", Management, Write),
            Self::DeleteBucketEncryption => ("DeleteBucketEncryption", Management, Write),
            Self::DeleteBucketLifecycle => ("DeleteBucketLifecycle", Management, Write),
            Self::DeleteBucketPolicy => ("DeleteBucketPolicy", Management, Write),
            Self::DeleteBucketTagging => ("DeleteBucketTagging", Management, Write),
            Self::DeleteObject => ("DeleteObject", Data, Write),
            Self::DeleteObjectTagging => ("DeleteObjectTagging", Data, Write),
            Self::DeleteObjects => ("DeleteObjects", Data, Write),
            Self::DeletePublicAccessBlock => ("DeletePublicAccessBlock", Management, Write),
            Self::GetBucketCors => ("GetBucketCors", Management, Read),
            Self::GetBucketEncryption => ("GetBucketEncryption", Management, Read),
            Self::GetBucketLocation => ("GetBucketLocation", Management, Read),
            Self::GetBucketLifecycleConfiguration => ("GetBucketLifecycleConfiguration", Management, Read),
            Self::GetBucketPolicy => ("GetBucketPolicy", Management, Read),
            Self::GetBucketPolicyStatus => ("GetBucketPolicyStatus", Management, Read),
            Self::GetBucketTagging => ("GetBucketTagging", Management, Read),
            Self::GetBucketVersioning => ("GetBucketVersioning", Management, Read),
            Self::GetObject => ("GetObject", Data, Read),
            Self::GetObjectTagging => ("GetObjectTagging", Data, Read),
            Self::GetObjectAttributes => ("GetObjectAttributes", Data, Read),
            Self::GetPublicAccessBlock => ("GetPublicAccessBlock", Management, Read),
            Self::HeadBucket => ("HeadBucket", Management, Read),
            Self::HeadObject => ("HeadObject", Data, Read),
            Self::ListBuckets => ("ListBuckets", Management, Read),
            Self::ListMultipartUploads => ("ListMultipartUploads", Data, Read),
            Self::ListObjectVersions => ("ListObjectVersions", Data, Read),
            Self::ListObjects => ("ListObjects", Data, Read),
            Self::ListObjectsV2 => ("ListObjectsV2", Data, Read),
            Self::ListParts => ("ListParts", Data, Read),
            Self::PostObject => ("PostObject", Data, Write),
            Self::PutBucketCors => ("PutBucketCors", Management, Write),
            Self::PutBucketEncryption => ("PutBucketEncryption", Management, Write),
            Self::PutBucketLifecycleConfiguration => ("PutBucketLifecycleConfiguration", Management, Write),
            Self::PutBucketPolicy => ("PutBucketPolicy", Management, Write),
            Self::PutBucketTagging => ("PutBucketTagging", Management, Write),
            Self::PutBucketVersioning => ("PutBucketVersioning", Management, Write),
            Self::PutObject => ("PutObject", Data, Write),
            Self::PutObjectTagging => ("PutObjectTagging", Data, Write),
            Self::UpdateObjectEncryption => ("UpdateObjectEncryption", Data, Write),
            Self::PutPublicAccessBlock => ("PutPublicAccessBlock", Management, Write),
            Self::UploadPart => ("UploadPart", Data, Write),
            Self::UploadPartCopy => ("UploadPartCopy", Data, Write),
        }
    }

    pub(crate) fn event_name(self) -> EventName {
        EventName {
            source: EVENT_SOURCE,
            operation: self.name_in_events(),
            read_only: self.is_read_only(),
            is_global: false,
            is_data: !self.is_management(),
        }
    }

    /// CloudTrail has names of its own for some operations, and does not tell the versions of the listing apart.
    fn name_in_events(self) -> &'static str {
        const RENAMED: [(Operation, &str); 6] = [
            (Operation::DeletePublicAccessBlock, "DeleteBucketPublicAccessBlock"),
            (Operation::GetBucketLifecycleConfiguration, "GetBucketLifecycle"),
            (Operation::GetPublicAccessBlock, "GetBucketPublicAccessBlock"),
            (Operation::ListObjectsV2, "ListObjects"),
            (Operation::PutBucketLifecycleConfiguration, "PutBucketLifecycle"),
            (Operation::PutPublicAccessBlock, "PutBucketPublicAccessBlock"),
        ];
        let renamed = RENAMED.into_iter().find(|(operation, _)| *operation == self);
        renamed.map_or(self.name(), |(_, name)| name)
    }

    /// The operation that a request asks for.
    ///
    /// # Errors
    /// `NotImplemented` for what S3 has and this service has not; `MethodNotAllowed`.
    pub fn of(request: &Request) -> Result<Self, ObjectsError> {
        if request.form.is_some() {
            return Ok(Self::PostObject);
        }
        let operation = Self::asked_for(request)?;
        match request.query.get("versionId") {
            Some(id) if !operation.is_of_versions() => {
                let text = "This operation does not accept a version-id.";
                Err(ObjectsError::invalid_argument(text, "versionId", id))
            }
            Some(_) | None => Ok(operation),
        }
    }

    /// Whether a request may name the version that it is about.
    fn is_of_versions(self) -> bool {
        const OF_VERSIONS: [Operation; 8] = [
            Operation::DeleteObject,
            Operation::DeleteObjectTagging,
            Operation::GetObject,
            Operation::GetObjectAttributes,
            Operation::GetObjectTagging,
            Operation::HeadObject,
            Operation::PutObjectTagging,
            Operation::UpdateObjectEncryption,
        ];
        OF_VERSIONS.contains(&self)
    }

    fn asked_for(request: &Request) -> Result<Self, ObjectsError> {
        let Request { method, target, query, headers, .. } = request;
        // A part is of whatever else is named.
        let subresource = query.names().find(|name| *name != PART && SUBRESOURCES.contains(name));
        let subresource = subresource.or(query.get(PART).map(|_| PART));
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
            (Target::Bucket(_), Method::Get, Some("versions")) => Ok(Self::ListObjectVersions),
            (Target::Object(..), Method::Get, Some("tagging")) => Ok(Self::GetObjectTagging),
            (Target::Object(..), Method::Put, Some("tagging")) => Ok(Self::PutObjectTagging),
            (Target::Object(..), Method::Delete, Some("tagging")) => Ok(Self::DeleteObjectTagging),
            (Target::Bucket(_), Method::Get, None) => Ok(Self::ListObjects),
            (Target::Bucket(_), Method::Get, Some("uploads")) => Ok(Self::ListMultipartUploads),
            (Target::Bucket(_), Method::Post, Some("delete")) => Ok(Self::DeleteObjects),
            (Target::Bucket(_), method, Some(subresource)) => Self::on_settings(*method, subresource),
            (Target::Object(..), Method::Post, Some("uploads")) => Ok(Self::CreateMultipartUpload),
            (Target::Object(..), Method::Put, None) if is_copy => Ok(Self::CopyObject),
            (Target::Object(..), Method::Put, None) => Ok(Self::PutObject),
            (Target::Object(..), Method::Put, Some("encryption")) => Ok(Self::UpdateObjectEncryption),
            (Target::Object(..), Method::Get, None | Some(PART)) => Ok(Self::GetObject),
            (Target::Object(..), Method::Head, None | Some(PART)) => Ok(Self::HeadObject),
            (Target::Object(..), Method::Get, Some("attributes")) => Ok(Self::GetObjectAttributes),
            (Target::Object(..), Method::Delete, None) => Ok(Self::DeleteObject),
            (Target::Service, _, None) | (Target::Object(..), Method::Post, None) => {
                Err(ObjectsError::method_not_allowed())
            }
            _ => Err(ObjectsError::not_implemented()),
        }
    }

    /// The operation on what is said of a bucket.
    fn on_settings(method: Method, subresource: &str) -> Result<Self, ObjectsError> {
        let (get, put, delete) = match subresource {
            "cors" => (Self::GetBucketCors, Some(Self::PutBucketCors), Some(Self::DeleteBucketCors)),
            "encryption" => (
                Self::GetBucketEncryption,
                Some(Self::PutBucketEncryption),
                Some(Self::DeleteBucketEncryption),
            ),
            "policy" => (Self::GetBucketPolicy, Some(Self::PutBucketPolicy), Some(Self::DeleteBucketPolicy)),
            "policyStatus" => (Self::GetBucketPolicyStatus, None, None),
            "publicAccessBlock" => (
                Self::GetPublicAccessBlock,
                Some(Self::PutPublicAccessBlock),
                Some(Self::DeletePublicAccessBlock),
            ),
            "tagging" => {
                (Self::GetBucketTagging, Some(Self::PutBucketTagging), Some(Self::DeleteBucketTagging))
            }
            "lifecycle" => (
                Self::GetBucketLifecycleConfiguration,
                Some(Self::PutBucketLifecycleConfiguration),
                Some(Self::DeleteBucketLifecycle),
            ),
            "versioning" => (Self::GetBucketVersioning, Some(Self::PutBucketVersioning), None),
            _ => return Err(ObjectsError::not_implemented()),
        };
        let offered = match method {
            Method::Get => Some(get),
            Method::Put => put,
            Method::Delete => delete,
            Method::Head | Method::Post => None,
        };
        offered.ok_or_else(ObjectsError::method_not_allowed)
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
        let request = Request {
            method,
            target,
            bucket_is_in_host: false,
            query,
            headers,
            payload: Payload::Unsigned,
            body: Box::new(NoBody),
            form: None,
        };
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
            (Method::Get, "/b", "tagging", Operation::GetBucketTagging),
            (Method::Put, "/b", "tagging", Operation::PutBucketTagging),
            (Method::Delete, "/b", "tagging", Operation::DeleteBucketTagging),
            (Method::Get, "/b", "policyStatus", Operation::GetBucketPolicyStatus),
            (Method::Get, "/b", "cors", Operation::GetBucketCors),
            (Method::Put, "/b", "cors", Operation::PutBucketCors),
            (Method::Delete, "/b", "cors", Operation::DeleteBucketCors),
            (Method::Put, "/b", "publicAccessBlock", Operation::PutPublicAccessBlock),
            (Method::Get, "/b", "list-type=2&prefix=acl", Operation::ListObjectsV2),
            (Method::Post, "/b", "delete=", Operation::DeleteObjects),
            (Method::Put, "/b/k", "x-id=PutObject", Operation::PutObject),
            (Method::Put, "/b/k", "encryption", Operation::UpdateObjectEncryption),
            (Method::Get, "/b/k", "versionId=null", Operation::GetObject),
            (Method::Head, "/b/acl", "", Operation::HeadObject),
            (Method::Get, "/b/k", "partNumber=1", Operation::GetObject),
            (Method::Head, "/b/k", "partNumber=1", Operation::HeadObject),
            (Method::Get, "/b/k", "attributes", Operation::GetObjectAttributes),
            (Method::Delete, "/b/k", "", Operation::DeleteObject),
            (Method::Get, "/b", "prefix=a", Operation::ListObjects),
            (Method::Get, "/b", "versions&prefix=a", Operation::ListObjectVersions),
            (Method::Put, "/b", "versioning", Operation::PutBucketVersioning),
            (Method::Delete, "/b/k", "versionId=3", Operation::DeleteObject),
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
            (Method::Get, "/b/k", "encryption"),
            (Method::Get, "/b", "logging"),
            (Method::Get, "/b/k", "cors"),
            (Method::Get, "/b", "list-type=3"),
            (Method::Put, "/b/k", "uploadId=u"),
            (Method::Get, "/b/k", "partNumber=1&acl"),
            (Method::Put, "/b/k", "partNumber=1"),
            (Method::Head, "/b/k", "attributes"),
            (Method::Head, "/b/k", "tagging"),
            (Method::Post, "/b", ""),
        ] {
            assert_eq!(asked(method, path, query, &[]), Err("NotImplemented"), "{path} {query}");
        }
        for (method, path, query) in
            [(Method::Put, "/b/k", "versionId=null"), (Method::Get, "/b", "versionId=null")]
        {
            assert_eq!(asked(method, path, query, &[]), Err("InvalidArgument"), "{path} {query}");
        }
        let copied = [("x-amz-copy-source", "/b/a")];
        assert_eq!(asked(Method::Put, "/b/k", "", &copied), Ok(Operation::CopyObject));
        let part = asked(Method::Put, "/b/k", "partNumber=1&uploadId=u", &copied);
        assert_eq!(part, Ok(Operation::UploadPartCopy));
        assert_eq!(asked(Method::Post, "/b/k", "", &[]), Err("MethodNotAllowed"));
    }
}
