//! Bodies that are too long to be held: read as they come, and sent as they are made.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, timeout_at};

use super::activity::Sending;

/// Bytes in a second that a body must bring at least, beside the time that any body has.
const SLOWEST: u64 = 4_096;

/// Why a body does not come any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StreamFault {
    /// It came too slowly.
    TimedOut,
    /// Its framing is broken, or the connection.
    Broken,
}

/// The body of a request as it comes.
pub(crate) struct IncomingBody {
    body: UnsyncBoxBody<Bytes, StreamFault>,
    patience: Duration,
    begun: Option<Instant>,
    seen: u64,
    was_read: WasRead,
}

/// Whether a body was read to its end. Whoever answers before that cannot go on with the connection.
#[derive(Clone, Default)]
pub(super) struct WasRead(Arc<AtomicBool>);

impl WasRead {
    pub(super) fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl IncomingBody {
    pub(super) fn new<B>(body: B, patience: Duration) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
    {
        let was_read = WasRead(Arc::new(AtomicBool::new(body.is_end_stream())));
        let body = body.map_err(|_| StreamFault::Broken).boxed_unsync();
        Self { body, patience, begun: None, seen: 0, was_read }
    }

    pub(super) fn was_read(&self) -> WasRead {
        self.was_read.clone()
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// See [`StreamFault`].
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, StreamFault> {
        let begun = *self.begun.get_or_insert_with(Instant::now);
        let deadline = begun + self.patience + Duration::from_secs(self.seen / SLOWEST);
        loop {
            let frame = timeout_at(deadline, self.body.frame()).await.map_err(|_| StreamFault::TimedOut)?;
            let frame = frame.transpose()?;
            self.was_read.0.store(frame.is_none() || self.body.is_end_stream(), Ordering::Relaxed);
            let Some(frame) = frame else { return Ok(None) };
            if let Ok(data) = frame.into_data()
                && !data.is_empty()
            {
                self.seen = self.seen.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
                return Ok(Some(data));
            }
        }
    }
}

/// The answer cannot be sent to its end: the connection is cut off, so that nobody takes it for whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CutOff;

impl fmt::Display for CutOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer was cut off")
    }
}

impl std::error::Error for CutOff {}

/// A body that is made while it is sent.
#[async_trait]
pub(crate) trait Pieces: Send {
    /// The next piece; `None` at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, CutOff>;
}

type Made = (Box<dyn Pieces>, Result<Option<Bytes>, CutOff>);

/// The body of an answer.
pub(crate) enum OutgoingBody {
    /// All of it.
    Whole(Full<Bytes>),
    /// As it is made.
    Streamed(Stream),
}

/// A body that is being made.
pub(crate) struct Stream {
    making: Option<Pin<Box<dyn Future<Output = Made> + Send>>>,
    missing: u64,
    sending: Option<Sending>,
}

impl OutgoingBody {
    /// A body of `length` bytes that is made while it is sent.
    pub(crate) fn streamed(pieces: Box<dyn Pieces>, length: u64) -> Self {
        Self::Streamed(Stream { making: Some(make(pieces)), missing: length, sending: None })
    }

    /// Lets the connection know that it is busy as long as this is being sent.
    pub(super) fn note(&mut self, sending: impl FnOnce() -> Sending) {
        if let Self::Streamed(stream) = self {
            stream.sending = Some(sending());
        }
    }
}

impl From<Bytes> for OutgoingBody {
    fn from(bytes: Bytes) -> Self {
        Self::Whole(Full::new(bytes))
    }
}

fn make(mut pieces: Box<dyn Pieces>) -> Pin<Box<dyn Future<Output = Made> + Send>> {
    Box::pin(async move {
        let made = pieces.next().await;
        (pieces, made)
    })
}

impl Stream {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        let Some(making) = &mut self.making else { return Poll::Ready(None) };
        let Poll::Ready((pieces, made)) = making.as_mut().poll(context) else { return Poll::Pending };
        self.making = None;
        Poll::Ready(match made {
            Ok(Some(piece)) => {
                let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
                self.missing = self.missing.saturating_sub(length);
                self.making = Some(make(pieces));
                Some(Ok(Frame::data(piece)))
            }
            Ok(None) if self.missing == 0 => None,
            Ok(None) | Err(CutOff) => Some(Err(CutOff)),
        })
    }
}

impl Body for OutgoingBody {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        match self.get_mut() {
            Self::Whole(whole) => Pin::new(whole)
                .poll_frame(context)
                .map(|frame| frame.map(|frame| frame.map_err(|never| match never {}))),
            Self::Streamed(stream) => stream.poll(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(whole) => whole.is_end_stream(),
            Self::Streamed(stream) => stream.missing == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(whole) => whole.size_hint(),
            Self::Streamed(stream) => SizeHint::with_exact(stream.missing),
        }
    }
}
