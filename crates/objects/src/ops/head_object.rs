//! HeadObject: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>

use base::Call;

use super::get_object::{reading, tell};
use crate::Objects;
use crate::conditions::{Judgement, judge_read};
use crate::encryption::{CustomerKey, Place, check_read};
use crate::error::ObjectsError;
use crate::extent::Extent;
use crate::object_key::ObjectKey;
use crate::request::{Answer, Request};
use crate::version::VersionId;

impl Objects {
    pub(crate) async fn head_object(
        &self,
        call: &Call,
        request: Request,
        (bucket, key): (&str, &ObjectKey),
    ) -> Result<Answer, ObjectsError> {
        let bucket = self.bucket(call, bucket).await?;
        let version = VersionId::of_query(&request.query)?;
        let (action, facts) = reading(version.as_ref());
        self.authorize_object(call, action, (&bucket, key), &facts).await?;
        let customer = CustomerKey::read(&request.headers, self.keys_in_clear(call))?;
        let object = self.object(call, (&bucket, key), version.as_ref()).await?;
        let record = &object.record;
        check_read(&request.headers, record.encryption.is_customers(), customer.is_some())?;
        let place = Place { bucket: &bucket, key, version: &record.version };
        if let Some(customer) = &customer {
            // Nothing is told to who has another key.
            self.unlock(call, place, &record.encryption, Some(customer)).await?;
        }
        if judge_read(&request.headers, &object.details.entity_tag, record.modified())?
            == Judgement::NotModified
        {
            return Ok(Answer::empty(304));
        }
        let extent = Extent::read(&request.headers, &request.query, record)?;
        let checksum = self.checksum_of(&request.headers, place, &object, &extent).await?;
        let answer = extent.answer(record.size).header("content-length", extent.length().to_string());
        let answer = tell(answer, (&bucket, &object), &request.query, checksum.as_ref());
        Ok(record.encryption.tell(answer, customer.as_ref()))
    }
}
