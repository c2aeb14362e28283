//! A disk in memory that fails on demand, and whose unconfirmed writes a power cut can lose.

use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};

use redb::StorageBackend;
use testkit::SeededRandomness;

use base::Randomness;

/// What a disk writes as a whole or not at all.
const SECTOR: usize = 512;

#[derive(Clone, Debug, Default)]
pub(super) struct Disk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// As the running program sees it.
    seen: Vec<u8>,
    /// What a power cut leaves at least.
    confirmed: Vec<u8>,
    /// What a power cut may leave of.
    unconfirmed: Vec<(usize, Vec<u8>)>,
    faults: Faults,
    syncs: usize,
    shortenings_refused: usize,
}

/// Which operations fail, and how.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Faults {
    pub(super) writes: Option<ErrorKind>,
    pub(super) syncs: Option<ErrorKind>,
    pub(super) reads: Option<ErrorKind>,
    /// New lengths that are below the old one; `after` and `times` do not concern them.
    pub(super) shortenings: Option<ErrorKind>,
    /// So many changes (writes, syncs, new lengths) still succeed before faults begin.
    pub(super) after: usize,
    /// So many failures, then all is well again; 0 means for good.
    pub(super) times: usize,
}

impl Disk {
    /// A disk that holds these bytes.
    pub(super) fn of(bytes: Vec<u8>) -> Self {
        let state = State { seen: bytes.clone(), confirmed: bytes, ..State::default() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// What a crash of the program would leave.
    pub(super) fn crashed(&self) -> Self {
        Self::of(self.state().seen.clone())
    }

    /// What a power cut would leave: of the sectors that were not confirmed, some.
    pub(super) fn without_power(&self, seed: u64) -> Self {
        let state = self.state();
        let random = SeededRandomness::new(seed);
        let mut image = state.confirmed.clone();
        for (offset, data) in &state.unconfirmed {
            for (at, sector) in data.chunks(SECTOR).enumerate() {
                let mut luck = [0];
                random.fill(&mut luck).unwrap();
                if luck[0] & 1 == 1 {
                    put(&mut image, offset + at * SECTOR, sector);
                }
            }
        }
        Self::of(image)
    }

    pub(super) fn fail(&self, faults: Faults) {
        self.state().faults = faults;
    }

    pub(super) fn heal(&self) {
        self.fail(Faults::default());
    }

    /// Changes what is on the disk behind the program's back.
    pub(super) fn scramble(&self, at: usize, with: u8) {
        self.state().seen[at] ^= with;
    }

    pub(super) fn shortenings_refused(&self) -> usize {
        self.state().shortenings_refused
    }

    pub(super) fn syncs(&self) -> usize {
        self.state().syncs
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        self.state().seen.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl State {
    fn fault(&mut self, which: fn(&Faults) -> Option<ErrorKind>) -> io::Result<()> {
        let Some(kind) = which(&self.faults) else { return Ok(()) };
        self.faults.times = match self.faults.times {
            0 => 0,
            1 => {
                self.faults = Faults::default();
                0
            }
            more => more - 1,
        };
        Err(kind.into())
    }

    fn change(&mut self, which: fn(&Faults) -> Option<ErrorKind>) -> io::Result<()> {
        if self.faults.after > 0 {
            self.faults.after -= 1;
            return Ok(());
        }
        self.fault(which)
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(u64::try_from(self.state().seen.len()).unwrap())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut state = self.state();
        state.fault(|faults| faults.reads)?;
        let start = place(offset);
        let part = state.seen.get(start..start + out.len()).ok_or(ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(part);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state();
        state.change(|faults| faults.writes)?;
        if let Some(kind) = state.faults.shortenings.filter(|_| place(len) < state.seen.len()) {
            state.shortenings_refused += 1;
            return Err(kind.into());
        }
        state.seen.resize(place(len), 0);
        // File systems keep lengths in a journal of their own: taken as confirmed.
        state.confirmed.resize(place(len), 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.state();
        state.change(|faults| faults.syncs)?;
        state.syncs += 1;
        for (offset, data) in std::mem::take(&mut state.unconfirmed) {
            put(&mut state.confirmed, offset, &data);
        }
        let length = state.seen.len();
        state.confirmed.resize(length, 0);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        state.change(|faults| faults.writes)?;
        put(&mut state.seen, place(offset), data);
        state.unconfirmed.push((place(offset), data.to_vec()));
        Ok(())
    }
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}

fn put(image: &mut Vec<u8>, offset: usize, data: &[u8]) {
    let end = offset + data.len();
    if image.len() < end {
        image.resize(end, 0);
    }
    image[offset..end].copy_from_slice(data);
}
