//! Writing a snapshot: files one after the other, encrypted on the way.

use std::fs::File;
use std::io::{self, Read, Seek as _, Write};

use base::Randomness;
use crypto::age::{Encryptor, Recipient};
use tar::{Builder, EntryType, Header};

use super::BackupError;
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
    let Snapshot { seconds, items, .. } = &snapshot;
    for item in items {
        append(&mut archive, item, *seconds)?;
    }
    let encryptor = archive.into_inner().map_err(BackupError::Write)?;
    encryptor.finish().map_err(BackupError::Write)
}

fn append(archive: &mut Builder<impl Write>, item: &Item, seconds: u64) -> Result<(), BackupError> {
    let (bytes, length): (Box<dyn Read + '_>, u64) = match &item.source {
        Source::Bytes(bytes) => (Box::new(bytes.as_slice()), u64::try_from(bytes.len()).unwrap_or(u64::MAX)),
        Source::Open(file) => rewound(file).map_err(BackupError::file(&item.name, "read"))?,
        Source::Path { path, length } => {
            let file = File::open(path).map_err(BackupError::file(path, "read"))?;
            (Box::new(file), *length)
        }
        Source::Blob(path, blob) => {
            let file = File::open(path).map_err(|error| {
                let is_missing = error.kind() == io::ErrorKind::NotFound;
                if is_missing {
                    BackupError::MissingContents(*blob)
                } else {
                    BackupError::file(path, "read")(error)
                }
            })?;
            let length = file.metadata().map_err(BackupError::file(path, "read"))?.len();
            (Box::new(file), length)
        }
    };
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(MODE);
    header.set_mtime(seconds);
    header.set_size(length);
    let exactly = Exactly { bytes: bytes.take(length), missing: length };
    archive.append_data(&mut header, &item.name, exactly).map_err(BackupError::Write)
}

fn rewound(mut file: &File) -> io::Result<(Box<dyn Read + '_>, u64)> {
    file.rewind()?;
    Ok((Box::new(file), file.metadata()?.len()))
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
