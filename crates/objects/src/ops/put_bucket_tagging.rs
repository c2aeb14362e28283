//! PutBucketTagging: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html>

use base::Call;
use wire::s3::read_tag_set;

use crate::Objects;
use crate::error::ObjectsError;
use crate::operation::Operation;
use crate::record::BucketRecord;
use crate::request::{Answer, Request};
use crate::tags::{Tagged, Tags, to_event};

impl Objects {
    /// Puts tags in the place of all that the bucket has.
    pub(crate) async fn put_bucket_tagging(
        &self,
        call: &Call,
        request: Request,
        name: &str,
    ) -> Result<Answer, ObjectsError> {
        let bucket = self.settings_holder(call, name, "PutBucketTagging").await?;
        let (mut told, body) = self.read_settings(request).await?;
        let given = read_tag_set(&body).map_err(|_| ObjectsError::malformed_xml())?;
        told.insert("Tagging".to_owned(), to_event(&given));
        call.event.set_request_parameters(serde_json::to_vec(&told).ok());
        let tags = Tags::of(given, Tagged::Bucket)?;
        let record = BucketRecord { tags, ..bucket.record.clone() };
        self.set_bucket(call, &bucket, &record, Operation::PutBucketTagging).await?;
        Ok(Answer::empty(204))
    }
}
