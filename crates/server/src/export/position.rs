//! How far a receiver has come, in a file: after a start it is sent what it has missed.

use std::path::{Path, PathBuf};

/// The file of one receiver.
pub(super) struct Position(PathBuf);

impl Position {
    pub(super) fn new(folder: &Path, receiver: &str) -> Self {
        Self(folder.join(format!("exported-to-{receiver}")))
    }

    /// The number of the line that comes next; `None` if nothing was sent yet.
    pub(super) fn read(&self) -> Option<u64> {
        std::fs::read_to_string(&self.0).ok()?.trim().parse().ok()
    }

    /// If it cannot be written, some events are sent twice after the next start.
    pub(super) fn write(&self, next: u64) {
        let new = self.0.with_extension("new");
        let written = std::fs::write(&new, format!("{next}\n")).and_then(|()| std::fs::rename(&new, &self.0));
        if let Err(error) = written {
            tracing::debug!(%error, file = %self.0.display(), "how far events were sent on cannot be written");
        }
    }
}
