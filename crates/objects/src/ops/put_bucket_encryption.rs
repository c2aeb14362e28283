//! PutBucketEncryption: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html>

use base::Call;
use store::{CommitError, Transaction, encode_record};
use wire::s3::{EncryptionRule, read_encryption_rule};

use crate::body::Body;
use crate::bucket::{Bucket, Facts};
use crate::error::ObjectsError;
use crate::record::{BucketEncryption, BucketRecord};
use crate::request::{Answer, Request};
use crate::stored_object::contention;
use crate::table::Operation;
use crate::upload::Expected;
use crate::{Objects, paths};

impl Objects {
    pub(crate) async fn put_bucket_encryption(
        &self,
        call: &Call,
        request: Request,
        name: &str,
    ) -> Result<Answer, ObjectsError> {
        let bucket = self.bucket(call, name).await?;
        call.event.add_resource("AWS::S3::Bucket", bucket.owner, bucket.arn(call.region));
        self.authorize_bucket(call, "PutEncryptionConfiguration", &bucket, &Facts::default()).await?;
        let expected = Expected::read(&request.headers)?;
        let body = Body::read_xml(&request.headers, request.payload, request.body).await?;
        expected.check_whole(&body)?;
        let rule = read_encryption_rule(&body).map_err(|_| ObjectsError::malformed_xml())?;
        let encryption = read_rule(rule, &bucket.record.encryption)?;
        self.set_encryption(call, Operation::PutBucketEncryption, &bucket, encryption).await?;
        Ok(Answer::empty(200))
    }

    /// Changes how a bucket encrypts what is written from now on.
    ///
    /// # Errors
    /// Others were faster, or the change cannot be committed.
    pub(super) async fn set_encryption(
        &self,
        call: &Call,
        operation: Operation,
        bucket: &Bucket,
        encryption: BucketEncryption,
    ) -> Result<(), ObjectsError> {
        let path = paths::bucket(&bucket.name)?;
        let record = BucketRecord { encryption, ..bucket.record.clone() };
        let transaction = Transaction::new()
            .expect_revision(path.clone(), bucket.revision)
            .put(path, encode_record(&record)?);
        match self.commit_change(call, operation, transaction).await {
            Err(ObjectsError::Commit(CommitError::Conflict { .. })) => Err(contention()),
            done => done,
        }
    }
}

/// What a rule says; what it does not say of blocked encryptions stays.
fn read_rule(rule: EncryptionRule, before: &BucketEncryption) -> Result<BucketEncryption, ObjectsError> {
    let blocks_customer_keys = match &rule.blocked {
        None => before.blocks_customer_keys,
        Some(blocked) => match blocked.kinds.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["SSE-C"] => true,
            ["NONE"] => false,
            _ => return Err(ObjectsError::malformed_xml()),
        },
    };
    let Some(default) = rule.default else {
        return Ok(BucketEncryption { blocks_customer_keys, ..before.clone() });
    };
    match (default.algorithm.as_str(), default.key) {
        ("AES256", None) => Ok(BucketEncryption { is_kms: false, key: None, blocks_customer_keys }),
        ("AES256", Some(_)) => {
            let text = "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse";
            Err(ObjectsError::bad("InvalidArgument", text)
                .with("ArgumentName", "ApplyServerSideEncryptionByDefault"))
        }
        ("aws:kms" | "aws:kms:dsse", _) if rule.bucket_key => Err(ObjectsError::not_implemented()),
        ("aws:kms", key) => Ok(BucketEncryption { is_kms: true, key, blocks_customer_keys }),
        ("aws:kms:dsse", _) => Err(ObjectsError::not_implemented()),
        _ => Err(ObjectsError::malformed_xml()),
    }
}
