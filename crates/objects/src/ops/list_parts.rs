//! ListParts: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html>

use base::Call;
use store::Range;
use wire::s3::Document;

use crate::bucket::{Bucket, Facts};
use crate::conditions::to_iso;
use crate::encryption::Place;
use crate::error::ObjectsError;
use crate::listing::{PAGE_MAX, read_most};
use crate::multipart::{Upload, UploadedPart};
use crate::object_key::ObjectKey;
use crate::request::{Answer, Query, Request};
use crate::stored_object::canonical_user;
use crate::{Objects, paths};

/// A page of parts.
struct Page {
    parts: Vec<UploadedPart>,
    marker: u32,
    most: usize,
    more: bool,
}

impl Objects {
    pub(crate) async fn list_parts(
        &self,
        call: &Call,
        request: Request,
        (bucket, key): (&str, &ObjectKey),
    ) -> Result<Answer, ObjectsError> {
        let query = request.query;
        let bucket = self.bucket(call, bucket).await?;
        self.authorize_object(call, "ListMultipartUploadParts", (&bucket, key), &Facts::default()).await?;
        let upload = self.upload_of(&bucket, key, query.get("uploadId").unwrap_or_default()).await?;
        let page = self.page_of_parts(&bucket, key, &upload, &query).await?;
        Ok(Answer::xml(document(&bucket, key, &upload, &page)))
    }

    async fn page_of_parts(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        upload: &Upload,
        query: &Query,
    ) -> Result<Page, ObjectsError> {
        let most = query.get("max-parts").map_or(Ok(PAGE_MAX), |text| read_most("max-parts", text))?;
        let marker = query.get("part-number-marker").unwrap_or("0");
        let marker: u32 = marker.parse().map_err(|_| {
            let text = "Provided part-number-marker not an integer or within integer range";
            ObjectsError::invalid_argument(text, "part-number-marker", marker)
        })?;
        let range =
            Range::prefix(paths::parts_of(&upload.id)).limit(most).after(&paths::part(&upload.id, marker)?);
        let page = self.store.range(range).await?;
        let mut parts = Vec::new();
        for entry in page.entries.iter().take(most) {
            parts.push(self.read_part(Place { bucket, key, version: &upload.id }, entry).await?);
        }
        let more = page.more || page.entries.len() > parts.len();
        Ok(Page { parts, marker, most, more })
    }
}

fn document(bucket: &Bucket, key: &ObjectKey, upload: &Upload, page: &Page) -> Vec<u8> {
    let mut document = Document::new("ListPartsResult");
    let last = page.parts.last().map_or(page.marker, |part| part.number);
    document
        .text("Bucket", bucket.name.as_str())
        .text("Key", key.as_str())
        .text("UploadId", &upload.id)
        .text("PartNumberMarker", &page.marker.to_string())
        .text("NextPartNumberMarker", &last.to_string())
        .text("MaxParts", &page.most.to_string())
        .text("IsTruncated", if page.more { "true" } else { "false" });
    for part in &page.parts {
        document.element("Part", |one| {
            one.text("PartNumber", &part.number.to_string())
                .text("LastModified", &to_iso(part.record.modified()))
                .text("ETag", &format!("\"{}\"", part.details.entity_tag))
                .text("Size", &part.record.size.to_string());
            if let Some(checksum) = &part.details.checksum {
                one.text(&format!("Checksum{}", checksum.algorithm()), &checksum.value);
            }
        });
    }
    document.element("Owner", |owner| {
        owner.text("ID", &canonical_user(bucket.owner));
    });
    document.text("StorageClass", "STANDARD");
    if let Some(header) = &upload.record.checksum {
        let algorithm = header.strip_prefix("x-amz-checksum-").unwrap_or_default().to_ascii_uppercase();
        let kind = if upload.record.is_composite { "COMPOSITE" } else { "FULL_OBJECT" };
        document.text("ChecksumAlgorithm", &algorithm).text("ChecksumType", kind);
    }
    document.finish()
}
