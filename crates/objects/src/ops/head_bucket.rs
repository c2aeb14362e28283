//! HeadBucket: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html>

use base::Call;

use crate::Objects;
use crate::bucket::Facts;
use crate::error::ObjectsError;
use crate::request::Answer;

impl Objects {
    pub(crate) async fn head_bucket(&self, call: &Call, name: &str) -> Result<Answer, ObjectsError> {
        let bucket = self.bucket(call, name).await?;
        call.event.add_resource("AWS::S3::Bucket", bucket.owner, bucket.arn(call.region));
        self.authorize_bucket(call, "ListBucket", &bucket, &Facts::default()).await?;
        Ok(Answer::empty(200)
            .header("x-amz-bucket-region", bucket.region.as_str())
            .header("x-amz-bucket-arn", bucket.arn(call.region))
            .header("x-amz-access-point-alias", "false"))
    }
}
