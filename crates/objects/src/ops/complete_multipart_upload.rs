//! CompleteMultipartUpload: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>

use std::collections::BTreeMap;

use base::Call;
use store::Range;
use wire::s3::{Document, PartToComplete, read_parts_to_complete};

use crate::body::Body;
use crate::bucket::{Bucket, Facts};
use crate::checksum::ChecksumAlgorithm;
use crate::encryption::{Place, check_part};
use crate::error::ObjectsError;
use crate::multipart::{Upload, UploadedPart, entity_tag_of, no_such_upload};
use crate::object_key::ObjectKey;
use crate::record::{
    Details, ObjectRecord, Run, StoredChecksum, StoredContents, StoredEncryption, UploadRecord,
};
use crate::request::{Answer, Headers, Request};
use crate::version::Standing;
use crate::{Objects, paths};

/// The shortest part that is not the last one, in bytes (5 MiB).
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const PART_MIN: u64 = 5 << 20;

impl Objects {
    pub(crate) async fn complete_multipart_upload(
        &self,
        call: &Call,
        request: Request,
        (bucket, key): (&str, &ObjectKey),
    ) -> Result<Answer, ObjectsError> {
        let location = request.url(call);
        let Request { headers, query, payload, body, .. } = request;
        let bucket = self.bucket(call, bucket).await?;
        self.authorize_object(call, "PutObject", (&bucket, key), &Facts::default()).await?;
        check_part(&headers, false, false)?;
        let body = Body::read_xml(&headers, payload, body).await?;
        let listed = read_parts_to_complete(&body).map_err(|_| ObjectsError::malformed_xml())?;
        let id = query.get("uploadId").unwrap_or_default();
        let mut upload = match self.upload_of(&bucket, key, id).await {
            Ok(upload) => upload,
            Err(error) => return self.completed_before(&bucket, key, id, &location).await?.ok_or(error),
        };
        if let StoredEncryption::Kms { .. } = upload.record.encryption {
            // Whoever may not use the key does not complete what is under it.
            let place = Place { bucket: &bucket, key, version: &upload.id };
            self.unlock(call, place, &upload.record.encryption, None).await?;
        }
        self.set_completing(&mut upload, true).await?;
        let completed = self.complete(call, (&bucket, key), &upload, &listed, &headers, &location).await;
        if matches!(completed, Err(ObjectsError::Refused(_))) {
            self.set_completing(&mut upload, false).await?;
        }
        completed
    }

    /// A client that did not get its answer asks again.
    async fn completed_before(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        id: &str,
        location: &str,
    ) -> Result<Option<Answer>, ObjectsError> {
        let object = self.find_object(bucket, key).await?.filter(|object| object.record.version == id);
        Ok(object.map(|object| answer((bucket, key), &object.record, &object.details, location)))
    }

    async fn complete(
        &self,
        call: &Call,
        (bucket, key): (&Bucket, &ObjectKey),
        upload: &Upload,
        listed: &[PartToComplete],
        headers: &Headers,
        location: &str,
    ) -> Result<Answer, ObjectsError> {
        let place = Place { bucket, key, version: &upload.id };
        let mut parts = self.parts_of(place).await?;
        let chosen = choose(&mut parts, listed)?;
        let size = size_of(&chosen)?;
        let checksum = checksum_of(&upload.record, &chosen)?;
        check_whole(headers, size, checksum.as_ref())?;
        let details = self.open_details(place, &upload.record.details).await?;
        let entity_tag = entity_tag_of(chosen.iter().map(|part| part.details.entity_tag.as_str()));
        let details = Details { entity_tag, checksum, ..details };
        let record = ObjectRecord {
            version: upload.id.clone(),
            standing: Standing::default(),
            modified: call.time.millis(),
            size,
            contents: StoredContents::Parts { runs: runs_of(&chosen) },
            encryption: upload.record.encryption.clone(),
            details: self.seal_details(place, &details).await?,
        };
        let ending = (upload.path.clone(), upload.revision);
        let committed = self.commit_object(call, (bucket, key), &record, headers, Some(&ending)).await;
        let record = committed.map_err(|error| {
            // Somebody aborted it, or completed it as well.
            let is_over =
                matches!(&error, ObjectsError::Refused(refused) if refused.fault.code == "OperationAborted");
            if is_over { no_such_upload(&upload.id) } else { error }
        })?;
        self.delete_unlisted(&upload.id, parts.values()).await;
        Ok(answer((bucket, key), &record, &details, location))
    }

    /// Takes parts away that the object does not consist of. What stays goes with the object.
    async fn delete_unlisted(&self, id: &str, parts: impl Iterator<Item = &UploadedPart>) {
        for part in parts {
            if let Err(error) = self.delete_part(id, part).await {
                tracing::warn!(%error, "a part of no object stays as long as the object that it was uploaded for");
            }
        }
    }

    async fn parts_of(&self, place: Place<'_>) -> Result<BTreeMap<u32, UploadedPart>, ObjectsError> {
        let (mut parts, mut range) =
            (BTreeMap::new(), Range::prefix(paths::parts_of(place.version)).limit(1_000));
        loop {
            let page = self.store.range(range.clone()).await?;
            for entry in &page.entries {
                let part = self.read_part(place, entry).await?;
                parts.insert(part.number, part);
            }
            match page.entries.last() {
                Some(last) if page.more => range = range.after(&last.key),
                _ => return Ok(parts),
            }
        }
    }
}

/// Takes the listed parts out of those that there are.
fn choose(
    parts: &mut BTreeMap<u32, UploadedPart>,
    listed: &[PartToComplete],
) -> Result<Vec<UploadedPart>, ObjectsError> {
    let mut chosen: Vec<UploadedPart> = Vec::with_capacity(listed.len());
    for one in listed {
        if chosen.last().is_some_and(|last| last.number >= one.number) {
            let text = "The list of parts was not in ascending order. Parts must be ordered by part number.";
            return Err(ObjectsError::bad("InvalidPartOrder", text));
        }
        let part = parts.remove(&one.number).filter(|part| is_same(part, one));
        chosen.push(part.ok_or_else(|| {
            let text = "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.";
            ObjectsError::bad("InvalidPart", text)
                .with("PartNumber", one.number.to_string())
                .with("ETag", one.entity_tag.trim_matches('"'))
        })?);
    }
    Ok(chosen)
}

fn is_same(part: &UploadedPart, listed: &PartToComplete) -> bool {
    let checksum = part.details.checksum.as_ref().map(|checksum| checksum.value.as_str());
    let checksums_agree = match (listed.checksum(), checksum) {
        (Some(listed), Some(kept)) => listed == kept,
        (Some(_), None) | (None, _) => true,
    };
    part.details.entity_tag == listed.entity_tag.trim_matches('"') && checksums_agree
}

fn size_of(parts: &[UploadedPart]) -> Result<u64, ObjectsError> {
    if let Some((_, others)) = parts.split_last()
        && let Some(small) = others.iter().find(|part| part.record.size < PART_MIN)
    {
        let text = "Your proposed upload is smaller than the minimum allowed size";
        return Err(ObjectsError::bad("EntityTooSmall", text)
            .with("ProposedSize", small.record.size.to_string())
            .with("MinSizeAllowed", PART_MIN.to_string())
            .with("PartNumber", small.number.to_string())
            .with("ETag", &small.details.entity_tag));
    }
    Ok(parts.iter().map(|part| part.record.size).fold(0, u64::saturating_add))
}

fn checksum_of(
    upload: &UploadRecord,
    parts: &[UploadedPart],
) -> Result<Option<StoredChecksum>, ObjectsError> {
    let Some(header) = &upload.checksum else { return Ok(None) };
    let damaged = || ObjectsError::Damaged("the checksum of a part");
    let algorithm = ChecksumAlgorithm::of_header(header).ok_or_else(damaged)?;
    let mut values = Vec::with_capacity(parts.len());
    for part in parts {
        let checksum = part.details.checksum.as_ref().ok_or_else(damaged)?;
        values.push((checksum.value.as_str(), part.record.size));
    }
    let value = if upload.is_composite { algorithm.of_parts(&values) } else { algorithm.of_whole(&values) };
    let value = value.ok_or_else(damaged)?;
    Ok(Some(StoredChecksum { header: header.clone(), value, is_composite: upload.is_composite }))
}

/// Holds the whole against what the request says of it.
fn check_whole(headers: &Headers, size: u64, checksum: Option<&StoredChecksum>) -> Result<(), ObjectsError> {
    if let Some(told) = headers.get("x-amz-mp-object-size")
        && told != size.to_string()
    {
        let text = "The provided 'x-amz-mp-object-size' header value does not match what was computed.";
        return Err(ObjectsError::bad("InvalidRequest", text));
    }
    let Some(checksum) = checksum else { return Ok(()) };
    match headers.get(&checksum.header) {
        Some(told) if told != checksum.value => {
            let text =
                format!("The {} you specified did not match the calculated checksum.", checksum.algorithm());
            Err(ObjectsError::bad("BadDigest", text))
        }
        Some(_) | None => Ok(()),
    }
}

fn runs_of(parts: &[UploadedPart]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for part in parts {
        match runs.last_mut() {
            Some(run) if run.size == part.record.size && run.first + run.count == part.number => {
                run.count += 1
            }
            _ => runs.push(Run { first: part.number, count: 1, size: part.record.size }),
        }
    }
    runs
}

fn answer(
    (bucket, key): (&Bucket, &ObjectKey),
    record: &ObjectRecord,
    details: &Details,
    location: &str,
) -> Answer {
    let mut document = Document::new("CompleteMultipartUploadResult");
    document
        .text("Location", location)
        .text("Bucket", bucket.name.as_str())
        .text("Key", key.as_str())
        .text("ETag", &format!("\"{}\"", details.entity_tag));
    if let Some(checksum) = &details.checksum {
        document
            .text(&format!("Checksum{}", checksum.algorithm()), &checksum.value)
            .text("ChecksumType", checksum.kind());
    }
    let answer = bucket.tell_version(Answer::xml(document.finish()), "x-amz-version-id", record);
    record.encryption.tell(answer, None)
}
