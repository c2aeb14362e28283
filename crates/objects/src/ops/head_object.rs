//! HeadObject: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>

use base::Call;

use super::get_object::{ATTEMPTS_MAX, check_overrides, tell};
use crate::Objects;
use crate::bucket::{Bucket, Facts};
use crate::conditions::{Judgement, judge_read};
use crate::encryption::{CustomerKey, Place, check_source};
use crate::error::ObjectsError;
use crate::extent::Extent;
use crate::object_access::ObjectAccess;
use crate::object_key::ObjectKey;
use crate::request::{Answer, Headers, Query, Request};
use crate::stored_object::StoredObject;
use crate::version::VersionId;

impl Objects {
    pub(crate) async fn head_object(
        &self,
        call: &Call,
        request: Request,
        (bucket, key): (&str, &ObjectKey),
    ) -> Result<Answer, ObjectsError> {
        let bucket = self.bucket(call, bucket).await?;
        let Request { headers, query, .. } = request;
        check_overrides(&query)?;
        let version = VersionId::of_query(&query)?;
        let customer = CustomerKey::read_to_open(&headers, self.keys_in_clear(call))?;
        for _ in 0..ATTEMPTS_MAX {
            let access = (ObjectAccess::Read, Facts::default());
            let object = self.object(call, (&bucket, key), version.as_ref(), access).await?;
            match self.tell_of(call, (&headers, &query), (&bucket, key), &object, customer.as_ref()).await {
                Err(ObjectsError::Gone) => {}
                Err(error) => return Err(error),
                Ok(answer) => {
                    let place = (&bucket, key);
                    return self.tell_beside(call, place, version.as_ref(), &object, answer).await;
                }
            }
        }
        Err(ObjectsError::Damaged("a part of an object is missing"))
    }

    async fn tell_of(
        &self,
        call: &Call,
        (headers, query): (&Headers, &Query),
        (bucket, key): (&Bucket, &ObjectKey),
        object: &StoredObject,
        customer: Option<&CustomerKey>,
    ) -> Result<Answer, ObjectsError> {
        let record = &object.record;
        check_source(record.encryption.is_customers(), customer.is_some())?;
        let place = Place { bucket, key, version: &record.version };
        if let Some(customer) = customer {
            // Nothing is told to who has another key.
            self.unlock(call, place, &record.encryption, Some(customer)).await?;
        }
        if judge_read(headers, &object.details.entity_tag, record.modified())? == Judgement::NotModified {
            return Ok(Answer::empty(304));
        }
        let extent = Extent::read(headers, query, record)?;
        let checksum = self.checksum_of(headers, place, object, &extent).await?;
        let answer = extent.answer(record.size).header("content-length", extent.length().to_string());
        let answer = tell(answer, (bucket, object), query, checksum.as_ref());
        Ok(record.encryption.tell(answer, customer))
    }
}
