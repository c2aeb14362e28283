//! HeadObject: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>

use base::Call;

use super::get_object::{reading, tell};
use crate::Objects;
use crate::conditions::{Judgement, judge_read, range_of};
use crate::encryption::{CustomerKey, Place, check_read};
use crate::error::ObjectsError;
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
        if let Some(customer) = &customer {
            // Nothing is told to who has another key.
            let place = Place { bucket: &bucket, key, version: &record.version };
            self.unlock(call, place, &record.encryption, Some(customer)).await?;
        }
        if judge_read(&request.headers, &object.details.entity_tag, record.modified())?
            == Judgement::NotModified
        {
            return Ok(Answer::empty(304));
        }
        let range = range_of(&request.headers, record.size)?;
        let (status, length) = range.map_or((200, record.size), |(from, to)| (206, to.saturating_sub(from)));
        let answer = Answer::empty(status).header("content-length", length.to_string());
        let told = range.map(|(from, to)| format!("bytes {from}-{}/{}", to.saturating_sub(1), record.size));
        let answer = answer.optional("content-range", told);
        let answer = tell(answer, (&bucket, &object), &request.headers, &request.query, range.is_none());
        Ok(record.encryption.tell(answer, customer.as_ref()))
    }
}
