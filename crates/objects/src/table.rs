//! Which operation a request asks for, and the one way through which every call of them goes.

use audit::{EventError, EventName};
use base::Call;
use store::Transaction;

use crate::Objects;
use crate::error::ObjectsError;
use crate::request::{Answer, Method, Request, Target};

const EVENT_SOURCE: &str = "s3.amazonaws.com";

/// The id of the version of an object in a bucket without versions.
pub(crate) const NO_VERSION: &str = "null";

/// The operations that are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Makes a bucket.
    CreateBucket,
    /// Deletes an empty bucket.
    DeleteBucket,
    /// Deletes an object.
    DeleteObject,
    /// Deletes up to a thousand objects.
    DeleteObjects,
    /// Tells the Region of a bucket.
    GetBucketLocation,
    /// Reads an object.
    GetObject,
    /// Tells whether there is a bucket.
    HeadBucket,
    /// Tells of an object.
    HeadObject,
    /// Lists the caller's buckets.
    ListBuckets,
    /// Lists a bucket.
    ListObjectsV2,
    /// Writes an object.
    PutObject,
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
            Self::CreateBucket => "CreateBucket",
            Self::DeleteBucket => "DeleteBucket",
            Self::DeleteObject => "DeleteObject",
            Self::DeleteObjects => "DeleteObjects",
            Self::GetBucketLocation => "GetBucketLocation",
            Self::GetObject => "GetObject",
            Self::HeadBucket => "HeadBucket",
            Self::HeadObject => "HeadObject",
            Self::ListBuckets => "ListBuckets",
            Self::ListObjectsV2 => "ListObjectsV2",
            Self::PutObject => "PutObject",
        }
    }

    /// Whether its events are management events, which are always logged. Others are data events.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html>
    fn is_management(self) -> bool {
        match self {
            Self::CreateBucket
            | Self::DeleteBucket
            | Self::GetBucketLocation
            | Self::HeadBucket
            | Self::ListBuckets => true,
            Self::DeleteObject
            | Self::DeleteObjects
            | Self::GetObject
            | Self::HeadObject
            | Self::ListObjectsV2
            | Self::PutObject => false,
        }
    }

    fn event_name(self) -> EventName {
        let read_only = !matches!(self, Self::CreateBucket | Self::DeleteBucket);
        EventName {
            source: EVENT_SOURCE,
            operation: self.name(),
            read_only,
            is_global: false,
            is_data: false,
        }
    }

    /// The operation that a request asks for.
    ///
    /// # Errors
    /// `NotImplemented` for what S3 has and this service has not; `MethodNotAllowed`.
    pub fn of(request: &Request) -> Result<Self, ObjectsError> {
        let Request { method, target, query, headers, .. } = request;
        let subresource = query.names().find(|name| SUBRESOURCES.contains(name));
        let asks_for_version = query.get("versionId").is_some_and(|version| version != NO_VERSION)
            || ["versions", "versionId", "uploadId"].iter().any(|name| {
                query.get(name).is_some() && !(*name == "versionId" && query.get(name) == Some(NO_VERSION))
            });
        let is_copy = headers.get("x-amz-copy-source").is_some();
        if asks_for_version || is_copy {
            return Err(ObjectsError::not_implemented());
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
            (Target::Bucket(_), Method::Post, Some("delete")) => Ok(Self::DeleteObjects),
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
}

impl Objects {
    /// Carries an operation out. What came of one on buckets is in the audit log before this returns.
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
            return self.run(operation, call, request).await;
        }
        let recording = self.trail.begin(call);
        call.event.set_request_parameters(parameters(&request));
        let answer = self.run(operation, call, request).await;
        let fault = answer.as_ref().err().map(ObjectsError::to_fault);
        let error = fault.as_ref();
        let error = error.map(|fault| EventError { code: fault.code, message: fault.message.as_deref() });
        recording.finish(call, operation.event_name(), error).await?;
        answer
    }

    async fn run(&self, operation: Operation, call: &Call, request: Request) -> Result<Answer, ObjectsError> {
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
            (Operation::DeleteObjects, Target::Bucket(name)) => {
                self.delete_objects(call, request, name).await
            }
            (Operation::PutObject, Target::Object(bucket, key)) => {
                Box::pin(self.put_object(call, request, (bucket, key))).await
            }
            (Operation::GetObject, Target::Object(bucket, key)) => {
                self.get_object(call, request, (bucket, key)).await
            }
            (Operation::HeadObject, Target::Object(bucket, key)) => {
                self.head_object(call, request, (bucket, key)).await
            }
            (Operation::DeleteObject, Target::Object(bucket, key)) => {
                self.delete_object(call, (bucket, key)).await
            }
            (_, _) => Err(ObjectsError::Bug("an operation is on something else than the request names")),
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
fn parameters(request: &Request) -> Option<Vec<u8>> {
    let mut parameters = serde_json::Map::new();
    if let Target::Bucket(bucket) | Target::Object(bucket, _) = &request.target {
        parameters.insert("bucketName".to_owned(), bucket.as_str().into());
    }
    if let Some(host) = request.headers.get("host") {
        parameters.insert("Host".to_owned(), host.into());
    }
    serde_json::to_vec(&parameters).ok()
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
            (Method::Get, "/b", "list-type=2&prefix=acl", Operation::ListObjectsV2),
            (Method::Post, "/b", "delete=", Operation::DeleteObjects),
            (Method::Put, "/b/k", "x-id=PutObject", Operation::PutObject),
            (Method::Get, "/b/k", "versionId=null", Operation::GetObject),
            (Method::Head, "/b/acl", "", Operation::HeadObject),
            (Method::Delete, "/b/k", "", Operation::DeleteObject),
        ] {
            assert_eq!(asked(method, path, query, &[]), Ok(operation), "{path} {query}");
        }
    }

    #[test]
    fn what_is_not_offered_is_never_taken_for_something_else() {
        for (method, path, query) in [
            (Method::Put, "/b", "acl"),
            (Method::Delete, "/b", "policy"),
            (Method::Get, "/b", "versions"),
            (Method::Get, "/b", "list-type=3"),
            (Method::Get, "/b", ""),
            (Method::Delete, "/b/k", "versionId=3"),
            (Method::Put, "/b/k", "partNumber=1&uploadId=u"),
            (Method::Delete, "/b/k", "uploadId=u"),
            (Method::Get, "/b/k", "tagging"),
            (Method::Post, "/b/k", "uploads"),
            (Method::Post, "/b", ""),
        ] {
            assert_eq!(asked(method, path, query, &[]), Err("NotImplemented"), "{path} {query}");
        }
        assert_eq!(asked(Method::Put, "/b/k", "", &[("x-amz-copy-source", "/b/a")]), Err("NotImplemented"));
        assert_eq!(asked(Method::Post, "/b/k", "", &[]), Err("MethodNotAllowed"));
    }
}
