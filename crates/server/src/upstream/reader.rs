//! A range of a blob, as it comes from upstream.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use objects::{BlobError, BlobReader};

use super::Inner;

/// Bytes that are handed on at once.
const PIECE: usize = 256 * 1_024;

pub(super) struct Reading {
    upstream: Arc<Inner>,
    /// Nobody waits for the lock: it lets several threads know of a stream that only one reads.
    stream: Mutex<BoxStream<'static, object_store::Result<Bytes>>>,
    /// What has come and is not handed on yet.
    rest: Bytes,
}

impl Reading {
    pub(super) fn new(upstream: Arc<Inner>, stream: BoxStream<'static, object_store::Result<Bytes>>) -> Self {
        Self { upstream, stream: Mutex::new(stream), rest: Bytes::new() }
    }

    /// A range of nothing.
    pub(super) fn nothing(upstream: Arc<Inner>) -> Self {
        Self::new(upstream, stream::empty().boxed())
    }
}

#[async_trait]
impl BlobReader for Reading {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, BlobError> {
        while self.rest.is_empty() {
            let stream = self.stream.get_mut().unwrap_or_else(PoisonError::into_inner);
            let Some(came) = stream.next().await else { return Ok(None) };
            self.rest = self.upstream.done(came)?;
        }
        let piece = self.rest.split_to(self.rest.len().min(PIECE));
        Ok(Some(piece.into()))
    }
}
