//! What the process asks of the system before it starts.

use std::io;

use rustix::fs::Mode;
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, nice, set_dumpable_behavior, setrlimit, umask,
};
use rustix::thread::{CapabilitySet, capabilities};

/// File handles that are needed beside connections: the store, the log, signals, the runtime.
const OTHER_FILES: u64 = 64;

/// New files are for this user alone, and a crash leaves no copy of the memory behind.
pub(crate) fn protect() {
    umask(Mode::from_raw_mode(0o077));
    // Refused only where it is already so.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}

/// Takes memory in small pages, as it is used, from now on. With huge ones of 2 MiB, which the allocator asks for, an idle
/// service takes 12 MiB more, and requests are no faster.
pub(crate) fn use_small_pages() {
    // Refused by old kernels alone; nothing is lost but memory.
    let _ = nix::sys::prctl::set_thp_disable(true);
}

/// Lets nobody but the system's administrator look into this process or have its memory written out. A limit of 0 for core
/// files holds for files alone: where a program collects dumps, Linux hands them to it whatever the limit is.
pub(crate) fn forbid_dumps() {
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Keeps all memory, now and later, out of swap: pages are locked as they come into use (mlockall(2)). There must be no
/// limit for that, or one that does not bind this process: behind it allocations would fail.
///
/// # Errors
/// The system does not permit it.
pub(crate) fn lock_memory() -> io::Result<()> {
    let is_limited = getrlimit(Resource::Memlock).current.is_some();
    if is_limited && !capabilities(None)?.effective.contains(CapabilitySet::IPC_LOCK) {
        setrlimit(Resource::Memlock, Rlimit { current: None, maximum: None })?;
    }
    mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT)?;
    Ok(())
}

/// How much further than the process a thread stands back: a tenth of a processor is left to it where others want all.
const NICER: i32 = 10;

/// Lets all other threads go first. Linux keeps priorities by thread; where that is refused, nothing is lost but time.
pub(crate) fn give_way() {
    let _ = nice(NICER);
}

/// Raises the limit for open files as far as `wanted` connections need and the system allows; returns how many
/// connections fit.
pub(crate) fn connections_that_fit(wanted: usize) -> usize {
    let needed = u64::try_from(wanted).unwrap_or(u64::MAX).saturating_add(OTHER_FILES);
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return wanted;
    }
    let raised = limit.maximum.map_or(needed, |maximum| maximum.min(needed));
    let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum: limit.maximum });
    let files = getrlimit(Resource::Nofile).current.unwrap_or(needed);
    let fit = usize::try_from(files.saturating_sub(OTHER_FILES)).unwrap_or(wanted);
    fit.clamp(1, wanted.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_dump_is_made_once_it_is_forbidden() {
        let dumpable = || rustix::process::dumpable_behavior().unwrap();
        assert_eq!(dumpable(), DumpableBehavior::Dumpable);
        forbid_dumps();
        assert_eq!(dumpable(), DumpableBehavior::NotDumpable);
        set_dumpable_behavior(DumpableBehavior::Dumpable).unwrap();
    }

    #[test]
    fn no_huge_pages_are_taken_once_small_ones_are_used() {
        use_small_pages();
        assert!(nix::sys::prctl::get_thp_disable().unwrap());
    }

    #[test]
    fn what_fits_is_never_more_than_wanted_and_never_nothing() {
        assert_eq!(connections_that_fit(1), 1);
        let fit = connections_that_fit(usize::MAX);
        assert!(fit >= 1);
    }
}
