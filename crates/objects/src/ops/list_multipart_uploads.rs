//! ListMultipartUploads: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html>

use base::Call;
use store::{Range, decode_record};
use wire::s3::Document;

use crate::bucket::{Bucket, Facts};
use crate::conditions::to_iso;
use crate::error::ObjectsError;
use crate::listing::{PAGE_MAX, Wanted, read_most};
use crate::record::UploadRecord;
use crate::request::{Answer, Query, Request};
use crate::stored_object::canonical_user;
use crate::{Objects, paths};

/// Sorts behind every upload id.
const BEHIND_IDS: &str = "g";

/// A page of uploads: key, id, record.
struct Page {
    uploads: Vec<(String, String, UploadRecord)>,
    most: usize,
    more: bool,
}

impl Objects {
    pub(crate) async fn list_multipart_uploads(
        &self,
        call: &Call,
        request: Request,
        bucket: &str,
    ) -> Result<Answer, ObjectsError> {
        let query = request.query;
        let bucket = self.bucket(call, bucket).await?;
        self.authorize_bucket(call, "ListBucketMultipartUploads", &bucket, &Facts::default()).await?;
        if query.get("delimiter").is_some_and(|delimiter| !delimiter.is_empty()) {
            return Err(ObjectsError::not_implemented());
        }
        let page = self.page_of_uploads(&bucket, &query).await?;
        let wanted = Wanted::read(&query, String::new())?;
        Ok(Answer::xml(document(&bucket, &query, &wanted, &page)))
    }

    async fn page_of_uploads(&self, bucket: &Bucket, query: &Query) -> Result<Page, ObjectsError> {
        let most = query.get("max-uploads").map_or(Ok(PAGE_MAX), |text| read_most("max-uploads", text))?;
        let prefix = query.get("prefix").unwrap_or_default();
        let mut range = Range::prefix(paths::uploads_of(&bucket.name, prefix)).limit(most);
        if let Some(marker) = query.get("key-marker").filter(|marker| !marker.is_empty()) {
            let id = query
                .get("upload-id-marker")
                .filter(|id| !id.is_empty() && !id.chars().any(char::is_control));
            range = range.after(&paths::upload(&bucket.name, marker, id.unwrap_or(BEHIND_IDS))?);
        }
        let page = self.store.range(range).await?;
        let mut uploads = Vec::new();
        for entry in page.entries.iter().take(most) {
            let (key, id) = paths::upload_at(&bucket.name, &entry.key)
                .ok_or(ObjectsError::Damaged("a path of an upload"))?;
            uploads.push((key, id, decode_record(entry)?));
        }
        let more = page.more || page.entries.len() > uploads.len();
        Ok(Page { uploads, most, more })
    }
}

fn document(bucket: &Bucket, query: &Query, wanted: &Wanted<'_>, page: &Page) -> Vec<u8> {
    let mut document = Document::new("ListMultipartUploadsResult");
    let shown = |name: &str| wanted.shown(query.get(name).unwrap_or_default());
    document
        .text("Bucket", bucket.name.as_str())
        .text("KeyMarker", &shown("key-marker"))
        .text("UploadIdMarker", &shown("upload-id-marker"))
        .text("Prefix", &shown("prefix"))
        .optional("EncodingType", query.get("encoding-type"))
        .text("MaxUploads", &page.most.to_string())
        .text("IsTruncated", if page.more { "true" } else { "false" });
    if let Some((key, id, _)) = page.uploads.last().filter(|_| page.more) {
        document.text("NextKeyMarker", &wanted.shown(key)).text("NextUploadIdMarker", id);
    }
    for (key, id, record) in &page.uploads {
        document.element("Upload", |upload| {
            upload.text("Key", &wanted.shown(key)).text("UploadId", id);
            upload.element("Owner", |owner| {
                owner.text("ID", &canonical_user(bucket.owner));
            });
            upload.text("StorageClass", "STANDARD").text("Initiated", &to_iso(record.initiated()));
        });
    }
    document.finish()
}
