//! What a connection is doing, and when it has been doing nothing for too long.
//!
//! The HTTP library watches single requests; this watches the connection between them: the wait for a first request,
//! a head that comes in drops, silence after an answer, and a peer that no longer reads or has vanished.

#[cfg(test)]
mod interleavings;

use std::pin::Pin;
use std::sync::{Arc, PoisonError};
#[cfg(not(test))]
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll};
use std::time::Duration;

#[cfg(test)]
use testkit::interleavings::{Mutex, MutexGuard};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use crate::config::Limits;

/// How long a connection may do nothing while others wait for its place.
const PATIENCE_IN_A_CROWD: Duration = Duration::from_secs(1);

/// The state of one connection, written by its reader and its requests, read by its watchman.
pub(super) struct Activity(Mutex<State>);

/// What is so at one moment: whoever looks at one thing after the other may see a request in none of them.
struct State {
    /// Requests that are being read or answered.
    running: u32,
    /// Answers that are being sent while they are made.
    sending: u32,
    /// The end of the last request, or the last bytes of an answer that is being sent.
    quiet_since: Instant,
    /// The first byte of a head that is under way.
    head_since: Option<Instant>,
    /// HTTP/2, where bytes between requests are not the beginning of a head.
    multiplexed: bool,
}

/// What the watchman decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The connection's time is up.
    Close,
    /// Look again then.
    LookAgain(Instant),
}

impl Activity {
    /// A connection that has just been opened: its first head is awaited.
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self::since(now, Some(now))
    }

    fn since(quiet_since: Instant, head_since: Option<Instant>) -> Self {
        Self(Mutex::new(State { running: 0, sending: 0, quiet_since, head_since, multiplexed: false }))
    }

    /// A request has begun; it ends when the guard is dropped.
    pub(super) fn begin(self: &Arc<Self>, multiplexed: bool) -> Running {
        let mut state = self.state();
        state.running = state.running.saturating_add(1);
        state.head_since = None;
        state.multiplexed = multiplexed;
        Running(Arc::clone(self))
    }

    /// Decides at `now` what becomes of the connection; in a crowd, doing nothing ends it sooner.
    pub(super) fn verdict(&self, now: Instant, limits: &Limits, is_crowded: bool) -> Verdict {
        let patience = if is_crowded { PATIENCE_IN_A_CROWD } else { Duration::MAX };
        let soon = now + limits.header_read_timeout.min(patience);
        let state = self.state();
        if state.running > 0 {
            return Verdict::LookAgain(soon);
        }
        let end = match state.head_since {
            None => state.quiet_since + limits.idle_timeout.min(patience),
            Some(head_since) => head_since + limits.header_read_timeout.min(patience),
        };
        if end <= now { Verdict::Close } else { Verdict::LookAgain(end.min(soon)) }
    }

    fn received(&self) {
        let mut state = self.state();
        if state.running == 0 && state.head_since.is_none() && !state.multiplexed {
            state.head_since = Some(Instant::now());
        }
    }

    /// Whoever reads an answer is not silent, however long it is; who has stopped reading is.
    fn sent(&self) {
        let mut state = self.state();
        if state.sending > 0 {
            state.quiet_since = Instant::now();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is being read or answered.
pub(super) struct Running(Arc<Activity>);

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.running = state.running.saturating_sub(1);
        state.quiet_since = Instant::now();
    }
}

impl Running {
    /// The answer to the request is being sent while it is made.
    pub(super) fn sending(&self) -> Sending {
        let mut state = self.0.state();
        state.sending = state.sending.saturating_add(1);
        Sending(Arc::clone(&self.0))
    }
}

/// An answer that is being sent while it is made.
pub(super) struct Sending(Arc<Activity>);

impl Drop for Sending {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.sending = state.sending.saturating_sub(1);
        state.quiet_since = Instant::now();
    }
}

/// A byte stream that reports what it receives and what is taken from it.
pub(super) struct Watched<S> {
    stream: S,
    activity: Arc<Activity>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, activity: Arc<Activity>) -> Self {
        Self { stream, activity }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.activity.received();
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        if matches!(outcome, Poll::Ready(Ok(1..))) {
            self.activity.sent();
        }
        outcome
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        if matches!(outcome, Poll::Ready(Ok(1..))) {
            self.activity.sent();
        }
        outcome
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::limits;
    use super::*;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn closes_after(activity: &Activity, limits: &Limits) -> Duration {
        let start = Instant::now();
        let mut now = start;
        while let Verdict::LookAgain(then) = activity.verdict(now, limits, false) {
            assert!(then > now && then - now <= limits.header_read_timeout);
            assert!(then - start < seconds(1_000), "the connection never closes");
            now = then;
        }
        now - start
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_head_the_next_head_and_silence_each_have_their_time() {
        let limits = Limits { header_read_timeout: seconds(10), idle_timeout: seconds(75), ..limits() };
        let activity = Arc::new(Activity::new());
        assert_eq!(closes_after(&activity, &limits), seconds(10));
        tokio::time::advance(seconds(5)).await;
        activity.received();
        assert_eq!(closes_after(&activity, &limits), seconds(5));
        let request = activity.begin(false);
        tokio::time::advance(seconds(500)).await;
        assert_eq!(
            activity.verdict(Instant::now(), &limits, false),
            Verdict::LookAgain(Instant::now() + seconds(10))
        );
        drop(request);
        assert_eq!(closes_after(&activity, &limits), seconds(75));
        tokio::time::advance(seconds(70)).await;
        activity.received();
        assert_eq!(closes_after(&activity, &limits), seconds(10));
    }

    #[tokio::test(start_paused = true)]
    async fn in_a_crowd_silence_is_short_and_running_requests_are_left_alone() {
        let limits = Limits { header_read_timeout: seconds(10), idle_timeout: seconds(75), ..limits() };
        let activity = Arc::new(Activity::new());
        let request = activity.begin(false);
        tokio::time::advance(seconds(500)).await;
        let verdict = || activity.verdict(Instant::now(), &limits, true);
        assert_eq!(verdict(), Verdict::LookAgain(Instant::now() + PATIENCE_IN_A_CROWD));
        drop(request);
        assert_eq!(verdict(), Verdict::LookAgain(Instant::now() + PATIENCE_IN_A_CROWD));
        tokio::time::advance(PATIENCE_IN_A_CROWD).await;
        assert_eq!(verdict(), Verdict::Close);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_may_take_long_as_long_as_somebody_reads_it() {
        let limits = Limits { header_read_timeout: seconds(10), idle_timeout: seconds(75), ..limits() };
        let activity = Arc::new(Activity::new());
        let request = activity.begin(false);
        let sending = request.sending();
        drop(request);
        for _ in 0..5 {
            tokio::time::advance(seconds(74)).await;
            activity.sent();
        }
        assert_eq!(closes_after(&activity, &limits), seconds(75));
        tokio::time::advance(seconds(75)).await;
        assert_eq!(activity.verdict(Instant::now(), &limits, false), Verdict::Close);
        drop(sending);
        assert_eq!(closes_after(&activity, &limits), seconds(75));
        // What is not an answer that is being sent keeps nothing open.
        tokio::time::advance(seconds(70)).await;
        activity.sent();
        assert_eq!(closes_after(&activity, &limits), seconds(5));
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_of_a_body_or_of_http_2_begin_no_head() {
        let limits = Limits { header_read_timeout: seconds(10), idle_timeout: seconds(75), ..limits() };
        let activity = Arc::new(Activity::new());
        let request = activity.begin(false);
        activity.received();
        drop(request);
        assert_eq!(closes_after(&activity, &limits), seconds(75));
        drop(activity.begin(true));
        activity.received();
        assert_eq!(closes_after(&activity, &limits), seconds(75));
    }
}
