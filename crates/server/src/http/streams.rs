//! Bodies that are too long to be held: read as they come, and sent as they are made.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
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

/// The body of a request as it comes. Dropped before its end, it goes to whoever holds its [`Rest`].
pub(crate) struct IncomingBody {
    unread: Unread,
    home: Option<oneshot::Sender<Unread>>,
}

/// What has not been read of a body.
struct Unread {
    body: UnsyncBoxBody<Bytes, StreamFault>,
    patience: Duration,
    begun: Option<Instant>,
    seen: u64,
}

/// Where what nobody wants of a body ends up.
pub(super) struct Rest(oneshot::Receiver<Unread>);

impl Rest {
    /// Reads and throws away what nobody wanted, up to so many bytes, so that a client which sends everything before it
    /// reads finds the answer instead of a reset connection. `waits` tells that it sends nothing before it is told to.
    /// Answers whether all has been read, so that the connection can go on.
    pub(super) async fn discard(mut self, most: u64, waits: bool) -> bool {
        let Ok(mut unread) = self.0.try_recv() else { return true };
        if waits && unread.begun.is_none() {
            return false;
        }
        let most = unread.seen.saturating_add(most);
        while unread.seen <= most {
            match unread.next().await {
                Ok(Some(_)) => {}
                Ok(None) => return true,
                Err(StreamFault::TimedOut | StreamFault::Broken) => return false,
            }
        }
        false
    }
}

impl IncomingBody {
    pub(super) fn new<B>(body: B, patience: Duration) -> (Self, Rest)
    where
        B: Body<Data = Bytes> + Send + 'static,
    {
        let body = body.map_err(|_| StreamFault::Broken).boxed_unsync();
        let (home, rest) = oneshot::channel();
        let unread = Unread { body, patience, begun: None, seen: 0 };
        (Self { unread, home: Some(home) }, Rest(rest))
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// See [`StreamFault`].
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, StreamFault> {
        self.unread.next().await
    }
}

impl Drop for IncomingBody {
    fn drop(&mut self) {
        let ended = Unread::ended();
        let unread = std::mem::replace(&mut self.unread, ended);
        if let Some(home) = self.home.take()
            && !unread.body.is_end_stream()
        {
            // Nobody waits for it if the whole request has been given up.
            let _ = home.send(unread);
        }
    }
}

impl Unread {
    fn ended() -> Self {
        let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
        Self { body, patience: Duration::ZERO, begun: None, seen: 0 }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, StreamFault> {
        let begun = *self.begun.get_or_insert_with(Instant::now);
        let deadline = begun + self.patience + Duration::from_secs(self.seen / SLOWEST);
        loop {
            let frame = timeout_at(deadline, self.body.frame()).await.map_err(|_| StreamFault::TimedOut)?;
            let Some(frame) = frame.transpose()? else { return Ok(None) };
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

/// A body that is being made. While a piece is sent, the next one is made by another task.
pub(crate) struct Stream {
    making: Option<Making>,
    /// Bytes that are still to come, if that is known.
    missing: Option<u64>,
    sending: Option<Sending>,
}

/// A piece in the making.
enum Making {
    /// The first: most bodies are one piece, and no task is begun for it.
    Here(Pin<Box<dyn Future<Output = Made> + Send>>),
    /// Any other.
    Ahead(Ahead),
}

/// A task that ends with this value.
struct Ahead(JoinHandle<Made>);

impl Drop for Ahead {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Making {
    /// The piece, and what makes the next one; `None` if that is lost.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Made>> {
        match self {
            Self::Here(making) => making.as_mut().poll(context).map(Some),
            Self::Ahead(Ahead(making)) => Pin::new(making).poll(context).map(Result::ok),
        }
    }
}

impl OutgoingBody {
    /// A body of `length` bytes that is made while it is sent.
    pub(crate) fn streamed(pieces: Box<dyn Pieces>, length: u64) -> Self {
        let making = Some(Making::Here(Box::pin(make(pieces))));
        Self::Streamed(Stream { making, missing: Some(length), sending: None })
    }

    /// A body that is made while it is sent, and ends when there is no further piece.
    pub(crate) fn of_unknown_length(pieces: Box<dyn Pieces>) -> Self {
        let making = Some(Making::Here(Box::pin(make(pieces))));
        Self::Streamed(Stream { making, missing: None, sending: None })
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

async fn make(mut pieces: Box<dyn Pieces>) -> Made {
    let made = pieces.next().await;
    (pieces, made)
}

impl Stream {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        let Some(making) = &mut self.making else { return Poll::Ready(None) };
        let Poll::Ready(made) = making.poll(context) else { return Poll::Pending };
        self.making = None;
        Poll::Ready(match made {
            Some((pieces, Ok(Some(piece)))) => {
                let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
                self.missing = self.missing.map(|missing| missing.saturating_sub(length));
                // Behind the last one nobody asks for more.
                let is_more = self.missing != Some(0);
                self.making = is_more.then(|| Making::Ahead(Ahead(tokio::spawn(make(pieces)))));
                Some(Ok(Frame::data(piece)))
            }
            Some((_, Ok(None))) if self.missing.is_none_or(|missing| missing == 0) => None,
            Some((_, Ok(None) | Err(CutOff))) | None => Some(Err(CutOff)),
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
            Self::Streamed(stream) => stream.missing == Some(0),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(whole) => whole.size_hint(),
            Self::Streamed(stream) => stream.missing.map_or_else(SizeHint::default, SizeHint::with_exact),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Notify;

    use super::*;

    /// Pieces of a byte each; the one of this number never comes.
    struct Bytewise {
        begun: Arc<AtomicUsize>,
        never: usize,
        ended: Arc<Notify>,
    }

    #[async_trait]
    impl Pieces for Bytewise {
        async fn next(&mut self) -> Result<Option<Bytes>, CutOff> {
            let number = self.begun.fetch_add(1, Ordering::SeqCst);
            if number == self.never {
                std::future::pending::<()>().await;
            }
            Ok(Some(Bytes::from_static(b"x")))
        }
    }

    impl Drop for Bytewise {
        fn drop(&mut self) {
            self.ended.notify_one();
        }
    }

    fn body(never: usize, length: u64) -> (OutgoingBody, Arc<AtomicUsize>, Arc<Notify>) {
        let (begun, ended) = (Arc::default(), Arc::default());
        let pieces = Bytewise { begun: Arc::clone(&begun), never, ended: Arc::clone(&ended) };
        (OutgoingBody::streamed(Box::new(pieces), length), begun, ended)
    }

    #[tokio::test]
    async fn while_a_piece_is_sent_the_next_one_is_made_and_no_other() {
        let (mut body, begun, _) = body(usize::MAX, 3);
        for number in 1..=3 {
            assert!(body.frame().await.unwrap().is_ok());
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            assert_eq!(begun.load(Ordering::SeqCst), 3.min(number + 1));
        }
        assert!(body.is_end_stream() && body.frame().await.is_none());
    }

    #[tokio::test]
    async fn what_is_being_made_for_nobody_is_given_up() {
        let (mut body, begun, ended) = body(1, 3);
        assert!(body.frame().await.unwrap().is_ok());
        tokio::task::yield_now().await;
        assert_eq!(begun.load(Ordering::SeqCst), 2);
        drop(body);
        ended.notified().await;
    }

    #[tokio::test]
    async fn a_body_of_unknown_length_ends_with_its_pieces_and_a_failure_is_no_end() {
        struct Count(u8, bool);
        #[async_trait]
        impl Pieces for Count {
            async fn next(&mut self) -> Result<Option<Bytes>, CutOff> {
                self.0 += 1;
                match (self.0, self.1) {
                    (..3, _) => Ok(Some(Bytes::from_static(b"x"))),
                    (_, true) => Ok(None),
                    (_, false) => Err(CutOff),
                }
            }
        }
        for ends in [true, false] {
            let mut body = OutgoingBody::of_unknown_length(Box::new(Count(0, ends)));
            assert_eq!((body.is_end_stream(), body.size_hint().exact()), (false, None));
            for _ in 0..2 {
                assert!(body.frame().await.unwrap().is_ok());
            }
            assert_eq!(body.frame().await.map(|frame| frame.is_err()), (!ends).then_some(true));
        }
    }

    #[tokio::test]
    async fn a_body_that_is_made_too_short_is_cut_off() {
        struct Nothing;
        #[async_trait]
        impl Pieces for Nothing {
            async fn next(&mut self) -> Result<Option<Bytes>, CutOff> {
                Ok(None)
            }
        }
        let mut body = OutgoingBody::streamed(Box::new(Nothing), 1);
        assert_eq!(body.frame().await.unwrap().unwrap_err(), CutOff);
        assert!(body.frame().await.is_none());
    }
}
