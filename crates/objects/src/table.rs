//! The one way through which every call of an operation goes.

use audit::{EventError, Recording};
use base::Call;
use store::Transaction;

use crate::Objects;
use crate::anonymous;
use crate::encryption::check_no_write;
use crate::error::ObjectsError;
use crate::event_data::EventData;
use crate::object_key::ObjectKey;
use crate::operation::{Operation, SUBRESOURCES};
use crate::request::{Answer, Request, Target};

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

    /// Carries an operation out and logs what came of it, unless it was refused to a stranger: whoever reaches the port could
    /// fill the log. Of data events the trails have their say.
    pub(crate) async fn run_recorded(
        &self,
        recording: Recording<'_>,
        operation: Operation,
        call: &Call,
        mut request: Request,
    ) -> Result<Answer, ObjectsError> {
        call.event.set_request_parameters(serde_json::to_vec(&parameters(&request)).ok());
        let data = EventData::begin(operation, &mut request);
        let answer = self.run(operation, call, request).await;
        data.note(call, answer.as_ref().ok());
        if operation.is_management() && anonymous::is_refused(call, &answer) {
            return answer;
        }
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
        if call.caller.is_anonymous() {
            anonymous::check_operation(operation)?;
            anonymous::check_request(operation, &request)?;
        }
        self.check_expected_owners(&request.target, &request.headers).await?;
        if operation.is_read_only() {
            check_no_write(&request.headers)?;
        }
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
            (Operation::ListObjectVersions, Target::Bucket(name)) => {
                self.list_object_versions(call, request, name).await
            }
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
            (Operation::GetBucketCors, name) => self.get_bucket_cors(call, name).await,
            (Operation::PutBucketCors, name) => self.put_bucket_cors(call, request, name).await,
            (Operation::DeleteBucketCors, name) => self.delete_bucket_cors(call, name).await,
            (Operation::GetBucketEncryption, name) => self.get_bucket_encryption(call, name).await,
            (Operation::PutBucketEncryption, name) => self.put_bucket_encryption(call, request, name).await,
            (Operation::DeleteBucketEncryption, name) => self.delete_bucket_encryption(call, name).await,
            (Operation::GetBucketVersioning, name) => self.get_bucket_versioning(call, name).await,
            (Operation::PutBucketVersioning, name) => self.put_bucket_versioning(call, request, name).await,
            (Operation::GetBucketLifecycleConfiguration, name) => self.get_bucket_lifecycle(call, name).await,
            (Operation::PutBucketLifecycleConfiguration, name) => {
                self.put_bucket_lifecycle(call, request, name).await
            }
            (Operation::DeleteBucketLifecycle, name) => self.delete_bucket_lifecycle(call, name).await,
            (Operation::GetBucketPolicy, name) => self.get_bucket_policy(call, name).await,
            (Operation::PutBucketPolicy, name) => self.put_bucket_policy(call, request, name).await,
            (Operation::DeleteBucketPolicy, name) => self.delete_bucket_policy(call, name).await,
            (Operation::GetBucketTagging, name) => self.get_bucket_tagging(call, name).await,
            (Operation::PutBucketTagging, name) => self.put_bucket_tagging(call, request, name).await,
            (Operation::DeleteBucketTagging, name) => self.delete_bucket_tagging(call, name).await,
            (Operation::GetBucketPolicyStatus, name) => self.get_bucket_policy_status(call, name).await,
            (Operation::GetPublicAccessBlock, name) => self.get_public_access_block(call, name).await,
            (Operation::PutPublicAccessBlock, name) => {
                self.put_public_access_block(call, request, name).await
            }
            (Operation::DeletePublicAccessBlock, name) => self.delete_public_access_block(call, name).await,
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
        match (operation, object) {
            (Operation::AbortMultipartUpload, object) => {
                self.abort_multipart_upload(call, request, object).await
            }
            (Operation::CompleteMultipartUpload, object) => {
                Box::pin(self.complete_multipart_upload(call, request, object)).await
            }
            (Operation::CopyObject, object) => Box::pin(self.copy_object(call, request, object)).await,
            (Operation::CreateMultipartUpload, object) => {
                self.create_multipart_upload(call, request, object).await
            }
            (Operation::DeleteObject, object) => self.delete_object(call, request, object).await,
            (Operation::GetObject, object) => self.get_object(call, request, object).await,
            (Operation::GetObjectAttributes, object) => {
                self.get_object_attributes(call, request, object).await
            }
            (Operation::HeadObject, object) => self.head_object(call, request, object).await,
            (Operation::GetObjectTagging, object) => self.get_object_tagging(call, request, object).await,
            (Operation::PutObjectTagging, object) => self.put_object_tagging(call, request, object).await,
            (Operation::DeleteObjectTagging, object) => {
                self.delete_object_tagging(call, request, object).await
            }
            (Operation::ListParts, object) => self.list_parts(call, request, object).await,
            (Operation::PostObject, object) => Box::pin(self.post_object(call, request, object)).await,
            (Operation::PutObject, object) => Box::pin(self.put_object(call, request, object)).await,
            (Operation::UpdateObjectEncryption, object) => {
                Box::pin(self.update_object_encryption(call, request, object)).await
            }
            (Operation::UploadPart, object) => Box::pin(self.upload_part(call, request, object)).await,
            (Operation::UploadPartCopy, object) => {
                Box::pin(self.upload_part_copy(call, request, object)).await
            }
            (_, _) => Err(ObjectsError::Bug("an operation on buckets names an object")),
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
