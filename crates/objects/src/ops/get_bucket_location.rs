//! GetBucketLocation, from any Region: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html>

use base::Call;
use wire::s3::Document;

use crate::Objects;
use crate::bucket::Facts;
use crate::error::ObjectsError;
use crate::request::{Answer, location_of};

impl Objects {
    pub(crate) async fn get_bucket_location(&self, call: &Call, name: &str) -> Result<Answer, ObjectsError> {
        let bucket = self.bucket_anywhere(name).await?;
        call.event.add_resource("AWS::S3::Bucket", bucket.owner, bucket.arn(call.region));
        self.authorize_bucket(call, "GetBucketLocation", &bucket, &Facts::default()).await?;
        let mut document = Document::new("LocationConstraint");
        document.content(location_of(&bucket.region));
        Ok(Answer::xml(document.finish()))
    }
}
