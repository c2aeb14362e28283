//! ListObjects, the first version: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html>

use base::Call;
use wire::s3::Document;

use super::list_objects_v2::facts;
use crate::Objects;
use crate::error::ObjectsError;
use crate::listing::{Wanted, tell};
use crate::request::{Answer, Request};

impl Objects {
    pub(crate) async fn list_objects(
        &self,
        call: &Call,
        request: Request,
        bucket: &str,
    ) -> Result<Answer, ObjectsError> {
        let query = request.query;
        let bucket = self.bucket(call, bucket).await?;
        self.authorize_bucket(call, "ListBucket", &bucket, &facts(&query)).await?;
        let marker = query.get("marker").unwrap_or_default();
        let wanted = Wanted { tells_owner: true, ..Wanted::read(&query, marker.to_owned())? };
        let listing = self.page(&bucket, &wanted).await?;
        let mut document = Document::new("ListBucketResult");
        let delimiter = Some(wanted.delimiter).filter(|delimiter| !delimiter.is_empty());
        // Without a delimiter the last key is where to go on.
        let next = listing.next.as_deref().filter(|_| delimiter.is_some());
        document
            .text("Name", bucket.name.as_str())
            .text("Prefix", &wanted.shown(wanted.prefix))
            .text("Marker", &wanted.shown(marker))
            .optional("NextMarker", next.map(|next| wanted.shown(next)).as_deref())
            .optional("Delimiter", delimiter.map(|text| wanted.shown(text)).as_deref())
            .text("MaxKeys", &wanted.most.to_string())
            .optional("EncodingType", query.get("encoding-type"))
            .text("IsTruncated", if listing.next.is_some() { "true" } else { "false" });
        tell(&mut document, &bucket, &wanted, &listing);
        Ok(Answer::xml(document.finish()))
    }
}
