//! A blob on its way upstream: a short one as one object, a longer one in parts, of which it holds three.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use object_store::multipart::PartId;
use object_store::{MultipartId, ObjectStoreExt as _, PutPayload};
use objects::{BlobError, BlobName, BlobWriter};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::Inner;

/// Bytes of a part. All are equally long, as some stores want it, and 10,000 of them are more than the longest blob.
pub(super) const PART: usize = 8 << 20;
/// Parts that are sent at the same time, while the next one fills.
const SENT_AT_ONCE: usize = 2;

pub(super) struct Writing {
    upstream: Arc<Inner>,
    name: BlobName,
    /// What is not sent yet.
    pieces: VecDeque<Bytes>,
    filled: usize,
    upload: Option<Upload>,
    progress: Progress,
}

struct Upload {
    id: MultipartId,
    /// How many parts have been begun.
    begun: usize,
    sent: Vec<PartId>,
    under_way: VecDeque<JoinHandle<object_store::Result<PartId>>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Begun,
    /// It may be there already.
    Finishing,
    Finished,
}

impl Writing {
    pub(super) fn new(upstream: Arc<Inner>, name: BlobName) -> Self {
        let (pieces, progress) = (VecDeque::new(), Progress::Begun);
        Self { upstream, name, pieces, filled: 0, upload: None, progress }
    }

    /// At most the bytes of one part, without a copy.
    fn take_part(&mut self) -> PutPayload {
        let (mut part, mut room) = (Vec::new(), PART);
        while room > 0
            && let Some(mut piece) = self.pieces.pop_front()
        {
            if piece.len() > room {
                self.pieces.push_front(piece.split_off(room));
            }
            room -= piece.len();
            part.push(piece);
        }
        self.filled -= PART - room;
        part.into_iter().collect()
    }

    async fn send_part(&mut self) -> Result<(), BlobError> {
        let part = self.take_part();
        let (upstream, name) = (Arc::clone(&self.upstream), self.name);
        let upload = match &mut self.upload {
            Some(upload) => upload,
            None => self.begin().await?,
        };
        let (number, id, sender) = (upload.begun, upload.id.clone(), Arc::clone(&upstream));
        let sending = async move { sender.client.put_part(&sender.place(name), &id, number, part).await };
        upload.begun += 1;
        upload.under_way.push_back(tokio::spawn(sending));
        upload.settle(&upstream, SENT_AT_ONCE).await
    }

    async fn begin(&mut self) -> Result<&mut Upload, BlobError> {
        let upstream = &self.upstream;
        let id = upstream.done(upstream.client.create_multipart(&upstream.place(self.name)).await)?;
        let (sent, under_way) = (Vec::new(), VecDeque::new());
        let upload = self.upload.insert(Upload { id: id.clone(), begun: 0, sent, under_way });
        upstream.left.note(self.name, id).await.map_err(|error| BlobError::Failed(error.into()))?;
        Ok(upload)
    }

    async fn finish_in_parts(&mut self) -> Result<(), BlobError> {
        self.send_part().await?;
        let (upstream, place) = (&self.upstream, self.upstream.place(self.name));
        let Some(upload) = &mut self.upload else { return Ok(()) };
        upload.settle(upstream, 0).await?;
        let parts = std::mem::take(&mut upload.sent);
        upstream.done(upstream.client.complete_multipart(&place, &upload.id, parts).await)?;
        upstream.left.forget(self.name).await.map_err(|error| BlobError::Failed(error.into()))
    }

    async fn put(&mut self) -> Result<(), BlobError> {
        let whole = self.take_part();
        let upstream = &self.upstream;
        upstream.done(upstream.client.put(&upstream.place(self.name), whole).await).map(|_| ())
    }
}

impl Upload {
    /// Waits until at most so many parts are under way.
    async fn settle(&mut self, upstream: &Inner, most: usize) -> Result<(), BlobError> {
        while self.under_way.len() > most
            && let Some(first) = self.under_way.front_mut()
        {
            let sent = first.await.map_err(|error| BlobError::Failed(error.into()))?;
            self.under_way.pop_front();
            self.sent.push(upstream.done(sent)?);
        }
        Ok(())
    }
}

#[async_trait]
impl BlobWriter for Writing {
    async fn write(&mut self, bytes: Vec<u8>) -> Result<(), BlobError> {
        self.filled += bytes.len();
        self.pieces.push_back(bytes.into());
        // A full part waits for more: only the last one may be shorter, and it is not empty.
        while self.filled > PART {
            self.send_part().await?;
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<(), BlobError> {
        self.progress = Progress::Finishing;
        match &self.upload {
            Some(_) => self.finish_in_parts().await?,
            None => self.put().await?,
        }
        self.progress = Progress::Finished;
        Ok(())
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let upload = self.upload.take();
        if self.progress == Progress::Finished || (upload.is_none() && self.progress == Progress::Begun) {
            return;
        }
        // Without a runtime the process ends; the next start takes it back.
        let Ok(runtime) = Handle::try_current() else { return };
        let (upstream, name) = (Arc::clone(&self.upstream), self.name);
        let may_be_there = self.progress == Progress::Finishing;
        runtime.spawn(async move {
            if let Some(upload) = upload {
                let id = upload.stop().await;
                if let Err(error) = upstream.abort(name, &id).await {
                    tracing::warn!(%error, "an upload upstream is taken back after the next start");
                }
            }
            if may_be_there && let Err(error) = upstream.delete(name).await {
                tracing::warn!(%error, "a blob upstream that no object has stays until the next start");
            }
        });
    }
}

impl Upload {
    /// Ends what is under way: a part that came after the upload was taken back would stay.
    async fn stop(self) -> MultipartId {
        for sending in self.under_way {
            sending.abort();
            let _ = sending.await;
        }
        self.id
    }
}
