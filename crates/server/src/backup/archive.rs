//! Writing a snapshot: files one after the other, encrypted on the way.

use std::fs::File;
use std::io::{self, Read, Seek as _, Write};
use std::path::Path;

use base::Randomness;
use crypto::age::{Encryptor, Recipient};
use objects::BlobName;
use tar::{Builder, EntryType, Header};

use super::BackupError;
use super::contents;
use super::snapshot::{Item, Snapshot, Source};

/// Only the owner may read what is unpacked.
const MODE: u32 = 0o600;

/// Writes the whole of a snapshot for these recipients, in pieces of 64 KiB.
///
/// # Errors
/// Something cannot be read or written; what was written then has no end, and nobody takes it for whole.
pub(crate) fn write<W: Write>(
    snapshot: Snapshot,
    out: W,
    recipients: &[Recipient],
    randomness: &dyn Randomness,
) -> Result<W, BackupError> {
    let mut archive = Builder::new(Encryptor::new(out, recipients, randomness)?);
    for item in &snapshot.items {
        append_item(&mut archive, item, snapshot.seconds)?;
    }
    for blob in &snapshot.blobs {
        append_blob(&mut archive, &snapshot.folder, *blob, snapshot.seconds)?;
    }
    for item in &snapshot.end {
        append_item(&mut archive, item, snapshot.seconds)?;
    }
    let encryptor = archive.into_inner().map_err(BackupError::Write)?;
    encryptor.finish().map_err(BackupError::Write)
}

fn append_item(archive: &mut Builder<impl Write>, item: &Item, seconds: u64) -> Result<(), BackupError> {
    let name = &item.name;
    match &item.source {
        Source::Bytes(bytes) => {
            let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            append(archive, name, bytes.as_slice(), length, seconds)
        }
        Source::Open(file) => {
            let (file, length) = rewound(file).map_err(BackupError::file(name, "read"))?;
            append(archive, name, file, length, seconds)
        }
        Source::Path { path, length } => {
            let file = File::open(path).map_err(BackupError::file(path, "read"))?;
            append(archive, name, file, *length, seconds)
        }
    }
}

fn append_blob(
    archive: &mut Builder<impl Write>,
    folder: &Path,
    blob: BlobName,
    seconds: u64,
) -> Result<(), BackupError> {
    let name = contents::blob_name(blob);
    let path = folder.join(&name);
    let file = File::open(&path).map_err(|error| {
        let is_missing = error.kind() == io::ErrorKind::NotFound;
        if is_missing { BackupError::MissingContents(blob) } else { BackupError::file(&path, "read")(error) }
    })?;
    let length = file.metadata().map_err(BackupError::file(&path, "read"))?.len();
    append(archive, &name, file, length, seconds)
}

fn append(
    archive: &mut Builder<impl Write>,
    name: &str,
    bytes: impl Read,
    length: u64,
    seconds: u64,
) -> Result<(), BackupError> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(MODE);
    header.set_mtime(seconds);
    header.set_size(length);
    let exactly = Exactly { bytes: bytes.take(length), missing: length };
    archive.append_data(&mut header, name, exactly).map_err(BackupError::Write)
}

fn rewound(mut file: &File) -> io::Result<(&File, u64)> {
    file.rewind()?;
    Ok((file, file.metadata()?.len()))
}

/// As many bytes as were announced, or an error: an archive with a shorter file would be none.
struct Exactly<R> {
    bytes: io::Take<R>,
    missing: u64,
}

impl<R: Read> Read for Exactly<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(out)?;
        self.missing = self.missing.saturating_sub(u64::try_from(read).unwrap_or(u64::MAX));
        if read == 0 && self.missing > 0 && !out.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "a file of the data folder became shorter",
            ));
        }
        Ok(read)
    }
}
