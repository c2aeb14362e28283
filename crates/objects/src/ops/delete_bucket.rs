//! DeleteBucket: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html>

use base::Call;
use store::{CommitError, Range, Transaction, encode_record};

use crate::bucket::{Bucket, Facts};
use crate::error::ObjectsError;
use crate::object_key::ObjectKey;
use crate::operation::Operation;
use crate::record::BucketRecord;
use crate::request::Answer;
use crate::stored_object::contention;
use crate::{Objects, paths};

impl Objects {
    /// First the bucket is marked, then looked through, then deleted: whoever puts an object in between takes the mark
    /// away, and the deletion fails.
    pub(crate) async fn delete_bucket(&self, call: &Call, name: &str) -> Result<Answer, ObjectsError> {
        let bucket = self.bucket(call, name).await?;
        call.event.add_resource("AWS::S3::Bucket", bucket.owner, bucket.arn(call.region));
        self.authorize_bucket(call, "DeleteBucket", &bucket, &Facts::default()).await?;
        let path = paths::bucket(&bucket.name)?;
        let leaving = BucketRecord { is_leaving: true, ..bucket.record.clone() };
        let marking = Transaction::new()
            .expect_revision(path.clone(), bucket.revision)
            .put(path.clone(), encode_record(&leaving)?);
        let marked = self.store.commit(marking).await.map_err(or_aborted)?;
        self.check_empty(&bucket).await?;
        self.abort_uploads(call, &bucket).await?;
        let deleting = Transaction::new()
            .expect_revision(path.clone(), marked)
            .delete(path)
            .delete(paths::owner(bucket.owner, &bucket.name)?);
        match self.commit_change(call, Operation::DeleteBucket, deleting).await {
            Ok(()) => Ok(Answer::empty(204)),
            Err(ObjectsError::Commit(error)) => Err(or_aborted(error)),
            Err(error) => Err(error),
        }
    }

    async fn check_empty(&self, bucket: &Bucket) -> Result<(), ObjectsError> {
        let (objects, versions) = (paths::objects_of(&bucket.name, ""), paths::versions_of(&bucket.name, ""));
        for (prefix, text) in [
            (objects, "The bucket you tried to delete is not empty"),
            (
                versions,
                "The bucket you tried to delete is not empty. You must delete all versions in the bucket.",
            ),
        ] {
            if !self.store.range(Range::prefix(prefix).limit(1)).await?.entries.is_empty() {
                let name = bucket.name.as_str();
                return Err(ObjectsError::refused("BucketNotEmpty", 409, text).with("BucketName", name));
            }
        }
        Ok(())
    }

    /// Uploads that nobody has completed go with their bucket.
    async fn abort_uploads(&self, call: &Call, bucket: &Bucket) -> Result<(), ObjectsError> {
        loop {
            let page = self.store.range(Range::prefix(paths::uploads_of(&bucket.name, ""))).await?;
            for entry in &page.entries {
                let damaged = || ObjectsError::Damaged("a path of an upload");
                let (key, id) = paths::upload_at(&bucket.name, &entry.key).ok_or_else(damaged)?;
                let key: ObjectKey = key.parse().map_err(|_| damaged())?;
                self.abort_upload(call, bucket, &key, &id).await?;
            }
            if !page.more {
                return Ok(());
            }
        }
    }
}

fn or_aborted(error: CommitError) -> ObjectsError {
    if let CommitError::Conflict { .. } = error { contention() } else { error.into() }
}
