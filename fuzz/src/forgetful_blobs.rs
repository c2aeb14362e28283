//! A place for blobs in memory that can forget what is written.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use objects::{BlobError, BlobName, BlobReader, BlobWriter, Blobs};

/// Bytes of a piece that is read.
const PIECE: usize = 50_000;

#[derive(Default)]
pub(crate) struct ForgetfulBlobs(Arc<Shelf>);

#[derive(Default)]
struct Shelf {
    blobs: Mutex<HashMap<BlobName, Vec<u8>>>,
    forgets: AtomicBool,
}

struct Writer {
    shelf: Arc<Shelf>,
    name: BlobName,
    bytes: Vec<u8>,
}

struct Reader(Vec<u8>);

impl ForgetfulBlobs {
    /// From now on nothing comes of what is written or deleted.
    pub(crate) fn forget(&self) {
        self.0.forgets.store(true, Ordering::SeqCst);
    }
}

#[async_trait]
impl Blobs for ForgetfulBlobs {
    async fn create(&self, name: BlobName) -> Result<Box<dyn BlobWriter>, BlobError> {
        Ok(Box::new(Writer { shelf: Arc::clone(&self.0), name, bytes: Vec::new() }))
    }

    async fn read(&self, name: BlobName, range: Range<u64>) -> Result<Box<dyn BlobReader>, BlobError> {
        let blobs = self.0.blobs.lock().unwrap();
        let blob = blobs.get(&name).ok_or(BlobError::Missing(name))?;
        let place = |offset: u64| usize::try_from(offset).unwrap().min(blob.len());
        Ok(Box::new(Reader(blob[place(range.start)..place(range.end)].to_vec())))
    }

    async fn delete(&self, name: BlobName) -> Result<(), BlobError> {
        if !self.0.forgets.load(Ordering::SeqCst) {
            self.0.blobs.lock().unwrap().remove(&name);
        }
        Ok(())
    }

    async fn names(&self) -> Result<Vec<BlobName>, BlobError> {
        Ok(self.0.blobs.lock().unwrap().keys().copied().collect())
    }
}

#[async_trait]
impl BlobWriter for Writer {
    async fn write(&mut self, bytes: Vec<u8>) -> Result<(), BlobError> {
        self.bytes.extend(bytes);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<(), BlobError> {
        if !self.shelf.forgets.load(Ordering::SeqCst) {
            self.shelf.blobs.lock().unwrap().insert(self.name, self.bytes);
        }
        Ok(())
    }
}

#[async_trait]
impl BlobReader for Reader {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, BlobError> {
        let piece: Vec<u8> = self.0.drain(..PIECE.min(self.0.len())).collect();
        Ok((!piece.is_empty()).then_some(piece))
    }
}
