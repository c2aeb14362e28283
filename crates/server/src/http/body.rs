//! Reading a request's body: within its length, its time and the memory for all bodies, and wiped afterwards.

use std::ops::Deref;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use base::SecretBytes;
use bytes::{Buf as _, Bytes};
use http_body_util::BodyExt as _;
use hyper::body::Body;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Limits;

/// A body begins with room for this much and doubles from there, so that memory follows the bytes that have arrived
/// and not the length that was announced.
const FIRST_ROOM: usize = 16 * 1024;
/// The unit in which the memory for bodies is counted.
const UNIT: usize = 1_024;
/// Ordinary calls are shorter; however many large bodies stall, there is room for them. In bytes.
const SMALL: usize = 16 * 1_024;
/// How much of a body that is too long is read and thrown away, as a multiple of the limit, so that a client which
/// sends everything before it reads finds the answer instead of a reset connection.
const DISCARD_FACTOR: usize = 8;

/// A request's body: bytes that are wiped when it is dropped. What the HTTP library buffered before is not.
pub(crate) struct WipedBody {
    bytes: SecretBytes,
    length: usize,
    _memory: Memory,
}

impl Deref for WipedBody {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.expose().get(..self.length).unwrap_or_default()
    }
}

#[cfg(test)]
impl From<&[u8]> for WipedBody {
    fn from(bytes: &[u8]) -> Self {
        Self { bytes: SecretBytes::new(bytes.to_vec()), length: bytes.len(), _memory: Memory::default() }
    }
}

/// Why a body could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyFault {
    TooLarge,
    TimedOut,
    Malformed,
    Overloaded,
}

/// Reads bodies; shared by all connections.
pub(super) struct BodyReader {
    body_max: usize,
    timeout: Duration,
    /// For the first bytes of every body, up to [`SMALL`]: a quarter of the memory, out of the reach of large bodies.
    small: Arc<Semaphore>,
    /// For everything else.
    large: Arc<Semaphore>,
}

impl BodyReader {
    pub(super) fn new(limits: &Limits) -> Self {
        Self::with(limits.body_max, limits.body_read_timeout, limits.body_memory_max)
    }

    fn with(body_max: usize, timeout: Duration, memory: usize) -> Self {
        let units = (memory / UNIT).min(Semaphore::MAX_PERMITS);
        let small = units / 4;
        Self {
            body_max,
            timeout,
            small: Arc::new(Semaphore::new(small)),
            large: Arc::new(Semaphore::new(units - small)),
        }
    }

    /// How much of a body that nobody wants is read and thrown away, in bytes.
    pub(super) fn discarded_max(&self) -> u64 {
        u64::try_from(self.body_max.saturating_mul(DISCARD_FACTOR)).unwrap_or(u64::MAX)
    }

    /// Reads the whole body. `discard` tells that a body which is too long may be read to its end first.
    pub(super) async fn read<B>(&self, body: B, discard: bool) -> Result<WipedBody, BodyFault>
    where
        B: Body<Data = Bytes>,
    {
        if body.is_end_stream() {
            return Ok(WipedBody { bytes: SecretBytes::zeroed(0), length: 0, _memory: Memory::default() });
        }
        let reading = self.read_all(body, discard);
        tokio::time::timeout(self.timeout, reading).await.unwrap_or(Err(BodyFault::TimedOut))
    }

    async fn read_all<B>(&self, body: B, discard: bool) -> Result<WipedBody, BodyFault>
    where
        B: Body<Data = Bytes>,
    {
        let mut body = pin!(body);
        let announced = body.size_hint();
        let least = usize::try_from(announced.lower()).unwrap_or(usize::MAX);
        let mut room = Room::new(self, announced.upper().map_or(FIRST_ROOM, |_| least.min(FIRST_ROOM)));
        let mut fault = (least > self.body_max).then_some(BodyFault::TooLarge);
        let mut seen: usize = 0;
        while fault.is_none() || (discard && worth_discarding(seen.max(least), self.body_max)) {
            let Some(frame) = body.frame().await else { break };
            let Ok(data) = frame.map_err(|_| BodyFault::Malformed)?.into_data() else { continue };
            seen = seen.saturating_add(data.remaining());
            if fault.is_none() {
                fault = room.take(&data).err();
            }
        }
        fault.map_or_else(|| Ok(room.into_body()), Err)
    }
}

fn worth_discarding(length: usize, body_max: usize) -> bool {
    length <= body_max.saturating_mul(DISCARD_FACTOR)
}

/// The growing place for one body.
struct Room<'a> {
    reader: &'a BodyReader,
    bytes: SecretBytes,
    length: usize,
    memory: Memory,
    first: usize,
}

/// What a body holds of the memory for bodies.
#[derive(Default)]
struct Memory {
    small: Option<OwnedSemaphorePermit>,
    large: Option<OwnedSemaphorePermit>,
}

impl<'a> Room<'a> {
    fn new(reader: &'a BodyReader, first: usize) -> Self {
        Self { reader, bytes: SecretBytes::zeroed(0), length: 0, memory: Memory::default(), first }
    }

    fn take(&mut self, data: &[u8]) -> Result<(), BodyFault> {
        let end = self.length.saturating_add(data.len());
        if end > self.reader.body_max {
            return Err(BodyFault::TooLarge);
        }
        if end > self.bytes.len() {
            self.grow(end)?;
        }
        let place = self.bytes.expose_mut().get_mut(self.length..end).ok_or(BodyFault::TooLarge)?;
        place.copy_from_slice(data);
        self.length = end;
        Ok(())
    }

    /// Moves into a larger place; the old one is wiped when it is replaced.
    fn grow(&mut self, end: usize) -> Result<(), BodyFault> {
        let doubled = self.bytes.len().saturating_mul(2).max(self.first).min(self.reader.body_max);
        let size = doubled.max(end);
        self.reserve(self.bytes.len(), size)?;
        let mut larger = SecretBytes::zeroed(size);
        let filled = self.bytes.expose().get(..self.length).unwrap_or_default();
        if let Some(place) = larger.expose_mut().get_mut(..self.length) {
            place.copy_from_slice(filled);
        }
        self.bytes = larger;
        Ok(())
    }

    fn reserve(&mut self, from: usize, to: usize) -> Result<(), BodyFault> {
        let small = to.min(SMALL).saturating_sub(from.min(SMALL));
        let large = to.max(SMALL).saturating_sub(from.max(SMALL));
        hold(&self.reader.small, &mut self.memory.small, small)?;
        hold(&self.reader.large, &mut self.memory.large, large)
    }

    fn into_body(self) -> WipedBody {
        WipedBody { bytes: self.bytes, length: self.length, _memory: self.memory }
    }
}

fn hold(
    from: &Arc<Semaphore>,
    held: &mut Option<OwnedSemaphorePermit>,
    bytes: usize,
) -> Result<(), BodyFault> {
    let units = u32::try_from(bytes.div_ceil(UNIT)).map_err(|_| BodyFault::Overloaded)?;
    let permit = Arc::clone(from).try_acquire_many_owned(units).map_err(|_| BodyFault::Overloaded)?;
    match held {
        Some(held) => held.merge(permit),
        None => *held = Some(permit),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::convert::Infallible;

    use http_body_util::Full;
    use hyper::body::Frame;
    use proptest::prelude::*;

    use super::*;

    fn reader(body_max: usize, memory: usize) -> BodyReader {
        BodyReader::with(body_max, Duration::from_secs(5), memory)
    }

    /// A body of unknown length.
    struct Chunks(VecDeque<Vec<u8>>);

    impl Body for Chunks {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            std::task::Poll::Ready(self.0.pop_front().map(|chunk| Ok(Frame::data(Bytes::from(chunk)))))
        }
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_time().start_paused(true).build().unwrap().block_on(future)
    }

    proptest! {
        #[test]
        fn any_chunks_read_back_up_to_the_limit_and_not_beyond(
            chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..30_000), 0..6),
            discard in any::<bool>(),
        ) {
            let whole: Vec<u8> = chunks.concat();
            let reader = reader(65_536, 1 << 20);
            let outcome = run(reader.read(Chunks(chunks.into()), discard));
            if whole.len() > 65_536 {
                prop_assert_eq!(outcome.err(), Some(BodyFault::TooLarge));
            } else {
                prop_assert_eq!(&*outcome.ok().unwrap(), &whole[..]);
            }
            prop_assert_eq!(reader.small.available_permits() + reader.large.available_permits(), 1_024);
        }
    }

    #[test]
    fn the_limit_itself_passes_and_one_byte_more_does_not() {
        let reader = reader(1_000, 1 << 20);
        let read = |length| run(reader.read(Full::new(Bytes::from(vec![7; length])), false));
        assert_eq!(read(1_000).ok().unwrap().len(), 1_000);
        assert_eq!(read(1_001).err(), Some(BodyFault::TooLarge));
        assert_eq!(read(0).ok().unwrap().len(), 0);
    }

    #[test]
    fn bodies_share_one_memory_and_give_it_back() {
        let reader = reader(8 * 1_024, 40 * 1_024);
        let read = || run(reader.read(Full::new(Bytes::from(vec![7; 8 * 1_024])), false));
        let first = read();
        assert!(first.is_ok());
        assert_eq!(read().err(), Some(BodyFault::Overloaded));
        drop(first);
        assert!(read().is_ok());
    }

    #[test]
    fn large_bodies_leave_room_for_small_ones() {
        let reader = reader(256 * 1_024, 1 << 20);
        let read = |length| run(reader.read(Full::new(Bytes::from(vec![7; length])), false));
        let held: Vec<_> = (0..3).map(|_| read(256 * 1_024).ok().unwrap()).collect();
        assert_eq!(read(256 * 1_024).err(), Some(BodyFault::Overloaded));
        assert!(read(SMALL).is_ok());
        drop(held);
        assert!(read(256 * 1_024).is_ok());
    }

    /// A body whose next chunk never comes.
    struct Silence;

    impl Body for Silence {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            std::task::Poll::Pending
        }
    }

    #[test]
    fn a_body_that_never_ends_is_given_up() {
        let reader = reader(8 * 1_024, 10 * 1_024);
        assert_eq!(run(reader.read(Silence, false)).err(), Some(BodyFault::TimedOut));
    }
}
