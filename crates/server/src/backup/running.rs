//! Backups of a running service: others read and write while one is made.

use std::any::Any;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use base::{Clock, Randomness};
use crypto::age::Recipient;
use management::{BackupBegun, BackupPieces, Backups, BackupsError};
use objects::Folder;
use store::redb_engine::RedbStore;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::{BackupError, Snapshot};
use crate::delivery::Delivery;

/// Bytes of a piece.
const PIECE: usize = 256 * 1_024;
/// Pieces that wait to be sent. If nobody takes them, no more are made.
const WAITING_MAX: usize = 4;

/// What backups are made of.
pub(crate) struct Parts {
    pub(crate) store: Arc<RedbStore>,
    pub(crate) folder: PathBuf,
    pub(crate) delivery: Arc<Delivery>,
    /// Where contents of objects lie, unless they lie upstream.
    pub(crate) blobs: Option<Folder>,
    pub(crate) recipients: Vec<Recipient>,
    pub(crate) randomness: Arc<dyn Randomness>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Makes backups once it has what they are made of; before, the service answers nobody.
pub(crate) struct RunningBackups {
    parts: OnceLock<Parts>,
    one: Arc<Semaphore>,
}

impl RunningBackups {
    /// Without parts yet.
    pub(crate) fn new() -> Self {
        Self { parts: OnceLock::new(), one: Arc::new(Semaphore::new(1)) }
    }

    /// Gives it what backups are made of; what was given first stays.
    pub(crate) fn prepare(&self, parts: Parts) {
        let _ = self.parts.set(parts);
    }
}

#[async_trait]
impl Backups for RunningBackups {
    async fn begin(&self) -> Result<BackupBegun, BackupsError> {
        let parts = self.parts.get().ok_or_else(|| failed(BackupError::Interrupted))?;
        if parts.recipients.is_empty() {
            return Err(BackupsError::NoRecipients);
        }
        let turn = Arc::clone(&self.one).try_acquire_owned().map_err(|_| BackupsError::InProgress)?;
        let snapshot = parts.snapshot(turn).await.map_err(failed)?;
        let recipients = parts.recipients.iter().map(ToString::to_string).collect();
        Ok(BackupBegun { recipients, pieces: Box::new(parts.send(snapshot)) })
    }
}

fn failed(error: BackupError) -> BackupsError {
    BackupsError::Failed(Box::new(error))
}

impl Parts {
    /// From before the moment until all is written nothing is removed; at the moment nothing is delivered.
    async fn snapshot(&self, turn: OwnedSemaphorePermit) -> Result<Snapshot, BackupError> {
        let mut kept: Vec<Box<dyn Any + Send>> = vec![Box::new(self.delivery.keep_old()), Box::new(turn)];
        if let Some(blobs) = &self.blobs {
            kept.push(Box::new(blobs.keep_deleted()));
        }
        let pause = self.delivery.pause().await;
        let snapshot = Snapshot::take(Arc::clone(&self.store), &self.folder, self.clock.now(), kept).await;
        drop(pause);
        snapshot
    }

    fn send(&self, snapshot: Snapshot) -> Sent {
        let (sender, pieces) = mpsc::channel(WAITING_MAX);
        let (recipients, randomness) = (self.recipients.clone(), Arc::clone(&self.randomness));
        tokio::task::spawn_blocking(move || {
            let out = BufWriter::with_capacity(PIECE, Sender(sender.clone()));
            let written = super::write(snapshot, out, &recipients, &*randomness);
            let end = match written {
                Ok(_) => Piece::End,
                Err(error) => Piece::Failed(error),
            };
            // Who no longer listens need not be told.
            let _ = sender.blocking_send(end);
        });
        Sent(pieces)
    }
}

enum Piece {
    Bytes(Vec<u8>),
    End,
    Failed(BackupError),
}

/// Hands over what is written to it.
struct Sender(mpsc::Sender<Piece>);

impl Write for Sender {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Piece::Bytes(bytes.to_vec()));
        sent.map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "nobody takes the backup any more"))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is being written.
struct Sent(mpsc::Receiver<Piece>);

#[async_trait]
impl BackupPieces for Sent {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Box<dyn std::error::Error + Send + Sync>> {
        match self.0.recv().await {
            Some(Piece::Bytes(bytes)) => Ok(Some(bytes)),
            Some(Piece::End) => Ok(None),
            Some(Piece::Failed(error)) => Err(Box::new(error)),
            None => Err(Box::new(BackupError::Interrupted)),
        }
    }
}
