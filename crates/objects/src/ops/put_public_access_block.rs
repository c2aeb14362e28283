//! PutPublicAccessBlock: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html>

use base::Call;
use wire::s3::read_public_access_block;

use crate::Objects;
use crate::error::ObjectsError;
use crate::operation::Operation;
use crate::public_access::PublicAccessBlock;
use crate::record::BucketRecord;
use crate::request::{Answer, Request};

impl Objects {
    /// A policy that the bucket has stays, whatever is blocked.
    pub(crate) async fn put_public_access_block(
        &self,
        call: &Call,
        request: Request,
        name: &str,
    ) -> Result<Answer, ObjectsError> {
        let bucket = self.settings_holder(call, name, "PutBucketPublicAccessBlock").await?;
        let (mut told, body) = self.read_settings(request).await?;
        let given = read_public_access_block(&body).map_err(|_| ObjectsError::malformed_xml())?;
        let block = PublicAccessBlock::from(given);
        told.insert("PublicAccessBlockConfiguration".to_owned(), block.to_event());
        call.event.set_request_parameters(serde_json::to_vec(&told).ok());
        let record = BucketRecord { public_access: Some(block), ..bucket.record.clone() };
        self.set_bucket(call, &bucket, &record, Operation::PutPublicAccessBlock).await?;
        Ok(Answer::empty(200))
    }
}
