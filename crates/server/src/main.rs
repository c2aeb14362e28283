//! The binary `keywright`.

use std::process::ExitCode;

/// Gives memory back to the system after a burst of connections, which the system's own allocator does not. Whatever is
/// given back is wiped, also what libraries held that know of no secrets.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<mimalloc::MiMalloc> =
    zeroizing_alloc::ZeroAlloc(mimalloc::MiMalloc);

fn main() -> ExitCode {
    keywright::run()
}
