//! Sealing the body of a request, or the contents of another object, into a blob as they come.

use std::ops::Deref;

use base::SecretBytes;
use base64_simd::STANDARD;
use bytes::Bytes;
use crypto::content::Part;
use crypto::legacy_digest::Md5;

use crate::Objects;
use crate::blob::{BlobName, BlobWriter};
use crate::body::Body;
use crate::checksum::{Announced, Checksum, ChecksumAlgorithm};
use crate::contents::Contents;
use crate::error::ObjectsError;
use crate::layers::ContentKeys;
use crate::record::StoredChecksum;
use crate::request::Headers;

/// Sealed bytes that are handed on at once.
const BUFFERED: usize = 512 * 1_024;

/// What a body turned out to be.
pub(crate) struct Uploaded {
    /// In bytes of plaintext.
    pub(crate) size: u64,
    /// The MD5 digest, if that was asked for.
    pub(crate) digest: Option<[u8; 16]>,
    /// Of the whole.
    pub(crate) checksum: StoredChecksum,
}

/// Where plaintext comes from.
pub(crate) enum Source {
    /// The body of a request.
    Body(Body),
    /// Another object.
    Contents(Contents),
}

/// A piece of plaintext.
enum Piece {
    Bytes(Bytes),
    Secret(SecretBytes),
}

impl Deref for Piece {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Secret(bytes) => bytes.expose(),
        }
    }
}

impl Source {
    async fn next(&mut self) -> Result<Option<Piece>, ObjectsError> {
        match self {
            Self::Body(body) => Ok(body.next().await?.map(Piece::Bytes)),
            Self::Contents(contents) => Ok(contents.next().await?.map(Piece::Secret)),
        }
    }

    fn finish(self) -> Result<Vec<(String, String)>, ObjectsError> {
        match self {
            Self::Body(body) => body.finish(),
            Self::Contents(_) => Ok(Vec::new()),
        }
    }
}

/// A blob without a record as yet, which no sweep takes for one that an earlier process left.
pub(crate) struct FreshBlob {
    pub(crate) name: BlobName,
}

impl FreshBlob {
    pub(crate) fn new(objects: &Objects) -> Result<Self, ObjectsError> {
        let name = BlobName::draw(&*objects.randomness)?;
        if let Some(fresh) = &mut *objects.fresh() {
            fresh.insert(name);
        }
        Ok(Self { name })
    }
}

/// What a request says of its body beside length and signature, and what is kept of it.
#[derive(Default)]
pub(crate) struct Expected {
    md5: Option<[u8; 16]>,
    checksum: Option<Announced>,
    kept: Option<ChecksumAlgorithm>,
    is_digested: bool,
}

impl Expected {
    /// Reads `Content-MD5` and the announced checksum.
    ///
    /// # Errors
    /// One of them cannot be.
    pub(crate) fn read(headers: &Headers) -> Result<Self, ObjectsError> {
        let md5 = headers.get("content-md5").map(read_md5).transpose()?;
        Ok(Self { md5, checksum: Announced::read(headers)?, ..Self::default() })
    }

    /// This checksum is kept, whatever is announced.
    #[must_use]
    pub(crate) fn keeping(self, kept: Option<ChecksumAlgorithm>) -> Self {
        Self { kept, ..self }
    }

    /// Whether the MD5 digest is asked for. It takes longer than all else that is done with a body, encryption too.
    #[must_use]
    pub(crate) fn digested(self, is_digested: bool) -> Self {
        Self { is_digested, ..self }
    }

    /// The checksum that the request announces.
    pub(crate) fn announced(&self) -> Option<ChecksumAlgorithm> {
        self.checksum.as_ref().map(|announced| announced.algorithm)
    }

    /// Whether there is anything to hold the body against.
    pub(crate) fn is_any(&self) -> bool {
        self.md5.is_some() || self.checksum.is_some()
    }

    fn start(&self) -> Digests {
        let announced = self.announced();
        // Without one of the caller's choice S3 takes this one.
        let kept = self.kept.or(announced).unwrap_or(ChecksumAlgorithm::Crc64nvme);
        let announced = announced.filter(|announced| *announced != kept).map(ChecksumAlgorithm::start);
        let md5 = (self.is_digested || self.md5.is_some()).then(Md5::default);
        Digests { md5, kept: kept.start(), announced }
    }

    fn check(
        &self,
        digests: Digests,
        trailer: &[(String, String)],
    ) -> Result<(Option<[u8; 16]>, StoredChecksum), ObjectsError> {
        let (md5, header) = (digests.md5.map(Md5::finish), digests.kept.algorithm().header());
        let kept = digests.kept.finish();
        if self.md5.is_some() && self.md5 != md5 {
            let text = "The Content-MD5 you specified did not match what we received.";
            return Err(ObjectsError::bad("BadDigest", text));
        }
        if let Some(announced) = &self.checksum {
            let actual = digests.announced.map(Checksum::finish);
            announced.check(actual.as_ref().unwrap_or(&kept), trailer)?;
        }
        let digest = md5.filter(|_| self.is_digested);
        Ok((digest, StoredChecksum { header: header.to_owned(), value: kept, is_composite: false }))
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

struct Digests {
    md5: Option<Md5>,
    kept: Checksum,
    /// What was announced, if it is another one.
    announced: Option<Checksum>,
}

impl Digests {
    fn update(&mut self, data: &[u8]) {
        if let Some(md5) = &mut self.md5 {
            md5.update(data);
        }
        self.kept.update(data);
        if let Some(announced) = &mut self.announced {
            announced.update(data);
        }
    }
}

fn read_md5(text: &str) -> Result<[u8; 16], ObjectsError> {
    let decoded = STANDARD.decode_to_vec(text.as_bytes()).ok();
    let md5 = decoded.and_then(|bytes| bytes.try_into().ok());
    md5.ok_or_else(|| ObjectsError::bad("InvalidDigest", "The Content-MD5 you specified was invalid."))
}

impl Objects {
    /// Seals plaintext into a blob. The blob is there only if the plaintext is whole and as expected.
    ///
    /// # Errors
    /// It is not, or the back-end fails; then there is no blob.
    pub(crate) async fn upload(
        &self,
        mut source: Source,
        expected: &Expected,
        (keys, part): (&ContentKeys, &Part),
        blob: &FreshBlob,
    ) -> Result<Uploaded, ObjectsError> {
        let mut writer = self.blobs.create(blob.name).await?;
        let mut sealer = keys.sealer(part).map_err(|_| ObjectsError::Bug("a part cannot be sealed"))?;
        let (mut digests, mut sealed) = (expected.start(), Vec::new());
        while let Some(piece) = source.next().await? {
            digests.update(&piece);
            let done = sealer.seal(&piece, &mut sealed);
            done.map_err(|_| ObjectsError::Bug("a chunk cannot be sealed"))?;
            if sealed.len() >= BUFFERED {
                writer.write(std::mem::take(&mut sealed)).await?;
            }
        }
        let trailer = source.finish()?;
        let (digest, checksum) = expected.check(digests, &trailer)?;
        let size = sealer.finish(&mut sealed).map_err(|_| ObjectsError::Bug("a chunk cannot be sealed"))?;
        finish(writer, sealed).await?;
        Ok(Uploaded { size, digest, checksum })
    }
}

async fn finish(mut writer: Box<dyn BlobWriter>, rest: Vec<u8>) -> Result<(), ObjectsError> {
    writer.write(rest).await?;
    Ok(writer.finish().await?)
}
