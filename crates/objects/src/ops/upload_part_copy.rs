//! UploadPartCopy: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html>

use base::Call;
use wire::s3::Document;

use super::copy_object::read_source;
use crate::Objects;
use crate::body::PUT_MAX;
use crate::bucket::Facts;
use crate::conditions::to_iso;
use crate::error::ObjectsError;
use crate::object_key::ObjectKey;
use crate::request::{Answer, Headers, Request};
use crate::upload::{Expected, Source};

const RANGE: &str = "x-amz-copy-source-range";

impl Objects {
    pub(crate) async fn upload_part_copy(
        &self,
        call: &Call,
        request: Request,
        (bucket, key): (&str, &ObjectKey),
    ) -> Result<Answer, ObjectsError> {
        let Request { headers, query, .. } = request;
        let (from, from_key, version) = read_source(headers.get("x-amz-copy-source").unwrap_or_default())?;
        let bucket = self.bucket(call, bucket).await?;
        self.authorize_object(call, "PutObject", (&bucket, key), &Facts::default()).await?;
        let from = self.bucket(call, &from).await?;
        let part = self.part_of(call, (&bucket, key), &headers, &query).await?;
        let source = (&from, &from_key, version.as_ref());
        let (source, contents) = self.open_source(call, source, &headers, range_of_source).await?;
        let expected = Expected::default().keeping(part.kept);
        let contents = Source::Contents(contents);
        let (record, details) = self.write_part(call, (&bucket, key), &part, expected, contents).await?;
        let mut document = Document::new("CopyPartResult");
        document
            .text("LastModified", &to_iso(record.modified()))
            .text("ETag", &format!("\"{}\"", details.entity_tag));
        if let Some(checksum) = &details.checksum {
            document.text(&format!("Checksum{}", checksum.algorithm()), &checksum.value);
        }
        let answer = Answer::xml(document.finish());
        let answer = from.tell_version(answer, "x-amz-copy-source-version-id", &source.record);
        Ok(part.upload.record.encryption.tell(answer, part.customer.as_ref()))
    }
}

/// All of the source, or the bytes that the request names, all of which must be there.
fn range_of_source(headers: &Headers, size: u64) -> Result<(u64, u64), ObjectsError> {
    let range = match headers.get(RANGE) {
        None => (0, size),
        Some(text) => read_range(text, size)?,
    };
    if range.1.saturating_sub(range.0) > PUT_MAX {
        let text = format!(
            "The specified copy source is larger than the maximum allowable size for a copy source: {PUT_MAX}"
        );
        return Err(ObjectsError::bad("InvalidRequest", text));
    }
    Ok(range)
}

fn read_range(text: &str, size: u64) -> Result<(u64, u64), ObjectsError> {
    let number =
        |text: &str| text.parse::<u64>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    let ends = text.strip_prefix("bytes=").and_then(|ends| ends.split_once('-'));
    let ends = ends.and_then(|(first, last)| Some((number(first)?, number(last)?)));
    let Some((first, last)) = ends.filter(|(first, last)| first <= last) else {
        let fault = "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy";
        return Err(ObjectsError::invalid_argument(fault, RANGE, text));
    };
    if last >= size {
        let fault = format!("Range specified is not valid for source object of size: {size}");
        return Err(ObjectsError::invalid_argument(fault, RANGE, text));
    }
    Ok((first, last.saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_a_source_is_there_in_full() {
        let range = |text: &str| read_range(text, 10).map_err(|error| error.to_fault().code);
        assert_eq!(range("bytes=0-9"), Ok((0, 10)));
        assert_eq!(range("bytes=3-3"), Ok((3, 4)));
        for bad in ["bytes=0-10", "bytes=4-3", "bytes=-3", "bytes=3-", "0-3", "bytes=+1-2"] {
            assert_eq!(range(bad), Err("InvalidArgument"), "{bad}");
        }
    }
}
