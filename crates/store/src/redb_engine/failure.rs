//! What a failure of redb means to the caller.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::StoreError;

/// Runs something of redb's. redb checks a file's pages when it recovers, not each time it reads them; on a page that
/// is damaged later it can panic. That must not take the process down, so it is reported as damage.
pub(super) fn guarded<T>(run: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, redb::Error> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(redb::Error::Corrupted(text_of(&*panic))))
}

/// redb gives up a database after any failed input or output, and after a panic: it must be opened again.
pub(super) fn calls_for_reopening(error: &redb::Error) -> bool {
    use redb::Error::{DatabaseClosed, Io, LockPoisoned, PreviousIo};
    matches!(error, Io(_) | PreviousIo | DatabaseClosed | LockPoisoned(_))
}

/// The error that callers get.
pub(super) fn store_error(error: &redb::Error) -> StoreError {
    if let redb::Error::Io(error) = error {
        return io_error(error);
    }
    if calls_for_reopening(error) {
        return StoreError::Unavailable(error.to_string());
    }
    StoreError::damaged("the store file", error.to_string())
}

/// The same for a failure of the system alone.
pub(super) fn io_error(error: &io::Error) -> StoreError {
    if is_full(error) {
        StoreError::Full
    } else if is_damage(error) {
        StoreError::damaged("the store file", error.to_string())
    } else {
        StoreError::Unavailable(error.to_string())
    }
}

pub(super) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// The file is shorter than it says, or is no file of redb's.
pub(super) fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData)
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("an inconsistency in the file")
        .to_owned()
}
