//! Sealing the body of a request into a blob, as it comes.

use base64_simd::STANDARD;
use crypto::content::{ContentKey, Part};
use crypto::legacy_digest::Md5;

use crate::Objects;
use crate::blob::{BlobName, BlobWriter};
use crate::body::Body;
use crate::checksum::{Announced, Checksum, ChecksumAlgorithm};
use crate::error::ObjectsError;
use crate::request::Headers;

/// Sealed bytes that are handed on at once.
const BUFFERED: usize = 512 * 1_024;

/// What a body turned out to be.
pub(crate) struct Uploaded {
    /// In bytes of plaintext.
    pub(crate) size: u64,
    pub(crate) md5: [u8; 16],
    /// The checksum's header, and its value in base64.
    pub(crate) checksum: (String, String),
}

/// A blob without a record as yet. The sweeper leaves it alone while this lives.
pub(crate) struct FreshBlob<'a> {
    objects: &'a Objects,
    pub(crate) name: BlobName,
}

impl<'a> FreshBlob<'a> {
    pub(crate) fn new(objects: &'a Objects) -> Result<Self, ObjectsError> {
        let name = BlobName::draw(&*objects.randomness)?;
        objects.fresh().insert(name);
        Ok(Self { objects, name })
    }
}

impl Drop for FreshBlob<'_> {
    fn drop(&mut self) {
        self.objects.fresh().remove(&self.name);
    }
}

/// What a request says of its body beside length and signature.
pub(crate) struct Expected {
    md5: Option<[u8; 16]>,
    checksum: Option<Announced>,
}

impl Expected {
    /// Reads `Content-MD5` and the announced checksum.
    ///
    /// # Errors
    /// One of them cannot be.
    pub(crate) fn read(headers: &Headers) -> Result<Self, ObjectsError> {
        let md5 = headers.get("content-md5").map(read_md5).transpose()?;
        Ok(Self { md5, checksum: Announced::read(headers)? })
    }

    /// Whether there is anything to hold the body against.
    pub(crate) fn is_any(&self) -> bool {
        self.md5.is_some() || self.checksum.is_some()
    }

    /// Without one of the caller's choice S3 takes this one.
    fn start(&self) -> Digests {
        let algorithm = self.checksum.as_ref().map_or(ChecksumAlgorithm::Crc64nvme, |one| one.algorithm);
        Digests { md5: Md5::default(), checksum: algorithm.start() }
    }

    fn check(&self, digests: Digests, trailer: &[(String, String)]) -> Result<Digested, ObjectsError> {
        let (md5, header) = (digests.md5.finish(), digests.checksum.algorithm().header());
        let checksum = digests.checksum.finish();
        if self.md5.is_some_and(|expected| expected != md5) {
            let text = "The Content-MD5 you specified did not match what we received.";
            return Err(ObjectsError::bad("BadDigest", text));
        }
        if let Some(announced) = &self.checksum {
            announced.check(&checksum, trailer)?;
        }
        Ok((md5, (header.to_owned(), checksum)))
    }

    /// Judges a body that is there in one piece.
    ///
    /// # Errors
    /// It is another one.
    pub(crate) fn check_whole(&self, body: &[u8]) -> Result<(), ObjectsError> {
        let mut digests = self.start();
        digests.update(body);
        self.check(digests, &[]).map(|_| ())
    }
}

type Digested = ([u8; 16], (String, String));

struct Digests {
    md5: Md5,
    checksum: Checksum,
}

impl Digests {
    fn update(&mut self, data: &[u8]) {
        self.md5.update(data);
        self.checksum.update(data);
    }
}

fn read_md5(text: &str) -> Result<[u8; 16], ObjectsError> {
    let decoded = STANDARD.decode_to_vec(text.as_bytes()).ok();
    let md5 = decoded.and_then(|bytes| bytes.try_into().ok());
    md5.ok_or_else(|| ObjectsError::bad("InvalidDigest", "The Content-MD5 you specified was invalid."))
}

impl Objects {
    /// Seals a body into a blob. The blob is there only if the body is whole and as expected.
    ///
    /// # Errors
    /// The body is not, or the back-end fails; then there is no blob.
    pub(crate) async fn upload(
        &self,
        mut body: Body,
        expected: &Expected,
        (key, part): (&ContentKey, &Part),
        blob: &FreshBlob<'_>,
    ) -> Result<Uploaded, ObjectsError> {
        let mut writer = self.blobs.create(blob.name).await?;
        let mut sealer = key.sealer(part).map_err(|_| ObjectsError::Bug("a part cannot be sealed"))?;
        let (mut digests, mut sealed) = (expected.start(), Vec::new());
        while let Some(piece) = body.next().await? {
            digests.update(&piece);
            let done = sealer.seal(&piece, &mut sealed);
            done.map_err(|_| ObjectsError::Bug("a chunk cannot be sealed"))?;
            if sealed.len() >= BUFFERED {
                writer.write(std::mem::take(&mut sealed)).await?;
            }
        }
        let trailer = body.finish()?;
        let (md5, checksum) = expected.check(digests, &trailer)?;
        let size = sealer.finish(&mut sealed).map_err(|_| ObjectsError::Bug("a chunk cannot be sealed"))?;
        finish(writer, sealed).await?;
        Ok(Uploaded { size, md5, checksum })
    }
}

async fn finish(mut writer: Box<dyn BlobWriter>, rest: Vec<u8>) -> Result<(), ObjectsError> {
    writer.write(rest).await?;
    Ok(writer.finish().await?)
}
