//! ListObjectsV2: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>

use base::Call;
use base64_simd::URL_SAFE_NO_PAD;
use wire::s3::Document;

use crate::Objects;
use crate::bucket::{Bucket, Facts};
use crate::error::ObjectsError;
use crate::listing::{Listing, Wanted, tell};
use crate::object_key::OBJECT_KEY_MAX;
use crate::request::{Answer, Query, Request};

impl Objects {
    pub(crate) async fn list_objects_v2(
        &self,
        call: &Call,
        request: Request,
        bucket: &str,
    ) -> Result<Answer, ObjectsError> {
        let query = request.query;
        let bucket = self.bucket(call, bucket).await?;
        self.authorize_bucket(call, "ListBucket", &bucket, &facts(&query)).await?;
        let after = match query.get("continuation-token") {
            Some(token) => read_token(token)?,
            None => query.get("start-after").unwrap_or_default().to_owned(),
        };
        let wanted = Wanted::read(&query, after)?;
        let listing = self.page(&bucket, &wanted).await?;
        Ok(Answer::xml(document(&bucket, &query, &wanted, &listing)))
    }
}

/// What policies may ask about a listing.
pub(super) fn facts(query: &Query) -> Facts {
    Facts::default()
        .with("s3:prefix", query.get("prefix"))
        .with("s3:delimiter", query.get("delimiter"))
        .with("s3:max-keys", query.get("max-keys"))
}

fn read_token(token: &str) -> Result<String, ObjectsError> {
    let bytes = URL_SAFE_NO_PAD.decode_to_vec(token.as_bytes()).ok();
    let after = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    after.filter(|after| !after.is_empty() && after.len() <= 2 * OBJECT_KEY_MAX).ok_or_else(|| {
        let text = "The continuation token provided is incorrect";
        ObjectsError::invalid_argument(text, "continuation-token", token)
    })
}

fn document(bucket: &Bucket, query: &Query, wanted: &Wanted<'_>, listing: &Listing) -> Vec<u8> {
    let mut document = Document::new("ListBucketResult");
    let token = listing.next.as_ref().map(|next| URL_SAFE_NO_PAD.encode_to_string(next));
    let optional =
        |name: &str| query.get(name).filter(|text| !text.is_empty()).map(|text| wanted.shown(text));
    document
        .text("Name", bucket.name.as_str())
        .text("Prefix", &wanted.shown(wanted.prefix))
        .optional("Delimiter", optional("delimiter").as_deref())
        .text("MaxKeys", &wanted.most.to_string())
        .optional("EncodingType", query.get("encoding-type"))
        .text("KeyCount", &listing.count().to_string())
        .text("IsTruncated", if token.is_some() { "true" } else { "false" })
        .optional("ContinuationToken", query.get("continuation-token"))
        .optional("NextContinuationToken", token.as_deref())
        .optional("StartAfter", optional("start-after").as_deref());
    tell(&mut document, bucket, wanted, listing);
    document.finish()
}
