//! The file below redb, with two abilities that redb does not have.
//!
//! **Undoing.** redb writes a new state to unused pages and then switches to it in the file's header. If the disk fails
//! in between, the header may or may not have switched, and a later recovery could bring to life a commit that was
//! reported as failed. The medium remembers the header as it was when the disk last confirmed everything, and puts it
//! back: the pages that it refers to are never overwritten before the next confirmation.
//!
//! **Holding.** While it holds, writes are kept in memory, in their order, and reads see them. So a file can be opened
//! and examined without a change to it, and a full disk can be read. Releasing replays the writes, waits for the disk
//! included, in their order: a crash in the middle of that is one that redb recovers from.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use redb::StorageBackend;

use super::failure::is_full;

/// redb's header lies in the first page.
const HEADER_BYTES: usize = 4_096;

/// The file, and what is known and held of it.
pub(super) struct Medium {
    inner: Box<dyn StorageBackend>,
    state: RwLock<State>,
    header: Mutex<Header>,
}

/// One database's access to the medium; void once the medium was taken from it.
pub(super) struct Handle {
    medium: Arc<Medium>,
    generation: u64,
}

#[derive(Default)]
struct State {
    /// Which handle is in force.
    generation: u64,
    /// What was written while holding; `None` while writes go through.
    held: Option<Held>,
}

type Held = VecDeque<Operation<'static>>;

enum Operation<'a> {
    Write { offset: u64, data: Cow<'a, [u8]> },
    SetLength(u64),
    Sync,
}

#[derive(Default)]
struct Header {
    /// As it was when the disk last confirmed everything.
    confirmed: Vec<u8>,
    /// As it was written last.
    latest: Vec<u8>,
    /// The file's header may differ from the confirmed one.
    in_doubt: bool,
}

impl Medium {
    /// Writes go through. For a file that is being made.
    pub(super) fn passing(inner: impl StorageBackend) -> Arc<Self> {
        let header = Mutex::new(Header::default());
        Arc::new(Self { inner: Box::new(inner), state: RwLock::default(), header })
    }

    /// Writes are held until [`Self::release`]. For a file that is there.
    pub(super) fn holding(inner: impl StorageBackend) -> io::Result<Arc<Self>> {
        let mut confirmed = vec![0; HEADER_BYTES];
        inner.read(0, &mut confirmed)?;
        let header = Mutex::new(Header { latest: confirmed.clone(), confirmed, in_doubt: false });
        let state = RwLock::new(State { generation: 0, held: Some(VecDeque::new()) });
        Ok(Arc::new(Self { inner: Box::new(inner), state, header }))
    }

    /// The present access.
    pub(super) fn handle(self: &Arc<Self>) -> Handle {
        Handle { medium: Arc::clone(self), generation: self.reading().generation }
    }

    /// Takes the medium from the database that has it: its handle is void, what the disk did not confirm is undone as
    /// far as the disk lets us, and from now on writes are held.
    pub(super) fn take_back(&self) {
        let mut state = self.writing();
        state.generation += 1;
        let mut undo = VecDeque::new();
        let mut header = self.header();
        if header.in_doubt {
            undo.push_back(Operation::Write { offset: 0, data: Cow::Owned(header.confirmed.clone()) });
            undo.push_back(Operation::Sync);
        }
        header.latest = header.confirmed.clone();
        drop(header);
        // If the undoing fails now, it stays the first thing that a release does, and reads see it as done.
        let _ = self.replay(&mut undo);
        state.held = Some(undo);
    }

    /// Whether a commit that was reported as failed could come to life if the process died now.
    pub(super) fn in_doubt(&self) -> bool {
        self.header().in_doubt
    }

    pub(super) fn is_holding(&self) -> bool {
        self.reading().held.is_some()
    }

    /// Writes what is held; from then on writes go through. If that fails, the medium goes on holding, and a later
    /// call goes on where this one stopped.
    pub(super) fn release(&self) -> io::Result<()> {
        let mut state = self.writing();
        if let Some(held) = &mut state.held {
            self.replay(held)?;
        }
        state.held = None;
        Ok(())
    }

    /// Replays up to each wait for the disk, then forgets that part: what the disk has not confirmed is written again.
    fn replay(&self, held: &mut Held) -> io::Result<()> {
        while !held.is_empty() {
            let part = held.iter().position(|operation| matches!(operation, Operation::Sync));
            let part = part.map_or(held.len(), |sync| sync + 1);
            for operation in held.iter().take(part) {
                self.perform(operation)?;
            }
            held.drain(..part);
        }
        Ok(())
    }

    fn perform(&self, operation: &Operation<'_>) -> io::Result<()> {
        match operation {
            Operation::Write { offset, data } => self.write_through(*offset, data),
            Operation::SetLength(length) => self.inner.set_len(*length),
            Operation::Sync => self.sync_through(),
        }
    }

    fn write_through(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let Some(offset_in_header) = header_offset(offset) else { return self.inner.write(offset, data) };
        let mut header = self.header();
        let result = self.inner.write(offset, data);
        // A full disk refuses a write before it does anything; other failures may leave half of it.
        header.in_doubt |= result.as_ref().err().is_none_or(|error| !is_full(error));
        if result.is_ok() {
            patch(&mut header.latest, offset_in_header, data);
        }
        result
    }

    fn sync_through(&self) -> io::Result<()> {
        self.inner.sync_data()?;
        let mut header = self.header();
        header.confirmed = header.latest.clone();
        header.in_doubt = false;
        Ok(())
    }

    fn length_with(&self, held: Option<&Held>) -> io::Result<u64> {
        let length = self.inner.len()?;
        Ok(held.into_iter().flatten().fold(length, |length, operation| match operation {
            Operation::Write { offset, data } => length.max(offset.saturating_add(long(data.len()))),
            Operation::SetLength(new) => *new,
            Operation::Sync => length,
        }))
    }

    fn read_with(&self, held: &Held, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if offset.saturating_add(long(out.len())) > self.length_with(Some(held))? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        out.fill(0);
        let in_file = self.inner.len()?.saturating_sub(offset);
        let in_file = usize::try_from(in_file).unwrap_or(usize::MAX).min(out.len());
        if let Some(part) = out.get_mut(..in_file).filter(|part| !part.is_empty()) {
            self.inner.read(offset, part)?;
        }
        for operation in held {
            match operation {
                Operation::Write { offset: at, data } => overlay(out, offset, *at, data),
                Operation::SetLength(length) => {
                    let kept = usize::try_from(length.saturating_sub(offset)).unwrap_or(usize::MAX);
                    out.iter_mut().skip(kept).for_each(|byte| *byte = 0);
                }
                Operation::Sync => {}
            }
        }
        Ok(())
    }

    fn reading(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn writing(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn header(&self) -> MutexGuard<'_, Header> {
        self.header.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Operation<'_> {
    fn into_owned(self) -> Operation<'static> {
        match self {
            Self::Write { offset, data } => Operation::Write { offset, data: Cow::Owned(data.into_owned()) },
            Self::SetLength(length) => Operation::SetLength(length),
            Self::Sync => Operation::Sync,
        }
    }
}

impl Handle {
    /// Goes through, or is held, or is refused because the handle is void.
    fn change(&self, operation: Operation<'_>) -> io::Result<()> {
        let state = self.medium.reading();
        self.in_force(&state)?;
        if state.held.is_none() {
            // Under the shared guard: readers need not wait for the disk.
            return self.medium.perform(&operation);
        }
        drop(state);
        let mut state = self.medium.writing();
        self.in_force(&state)?;
        match &mut state.held {
            Some(held) => held.push_back(operation.into_owned()),
            None => return self.medium.perform(&operation),
        }
        Ok(())
    }

    fn in_force(&self, state: &State) -> io::Result<()> {
        if state.generation == self.generation {
            Ok(())
        } else {
            Err(io::Error::other("the store was reopened"))
        }
    }
}

impl StorageBackend for Handle {
    fn len(&self) -> io::Result<u64> {
        let state = self.medium.reading();
        self.in_force(&state)?;
        self.medium.length_with(state.held.as_ref())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.medium.reading();
        self.in_force(&state)?;
        match &state.held {
            Some(held) => self.medium.read_with(held, offset, out),
            None => self.medium.inner.read(offset, out),
        }
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.change(Operation::SetLength(length))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.change(Operation::Sync)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.change(Operation::Write { offset, data: Cow::Borrowed(data) })
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("generation", &self.generation).finish_non_exhaustive()
    }
}

fn header_offset(offset: u64) -> Option<usize> {
    usize::try_from(offset).ok().filter(|offset| *offset < HEADER_BYTES)
}

fn patch(header: &mut Vec<u8>, offset: usize, data: &[u8]) {
    header.resize(HEADER_BYTES, 0);
    for (to, from) in header.iter_mut().skip(offset).zip(data) {
        *to = *from;
    }
}

/// Copies the part of `data`, which lies at `data_offset`, that falls into `out`, which lies at `out_offset`.
fn overlay(out: &mut [u8], out_offset: u64, data_offset: u64, data: &[u8]) {
    let skip_out = usize::try_from(data_offset.saturating_sub(out_offset)).unwrap_or(usize::MAX);
    let skip_data = usize::try_from(out_offset.saturating_sub(data_offset)).unwrap_or(usize::MAX);
    for (to, from) in out.iter_mut().skip(skip_out).zip(data.iter().skip(skip_data)) {
        *to = *from;
    }
}

fn long(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
