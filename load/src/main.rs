//! Measures Keywright side by side with a floor that does nothing, and with peers.

mod bench;
mod client;
mod contestant;
mod fill;
mod floor;
mod http2;
mod keywright;
mod prepared;
mod process;
mod progress;
mod report;
mod rounds;
mod sample;
mod suites;
mod workload;

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;

/// The floor has what Keywright has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures Keywright side by side with a floor that does nothing, and with peers.
#[derive(Parser)]
enum Command {
    /// Run the benchmarks and write docs/benchmarks.md and docs/benchmarks.json.
    Bench(bench::Arguments),
    /// Serve as the floor, until killed.
    Floor {
        /// Where to listen.
        address: SocketAddr,
    },
}

fn main() -> ExitCode {
    let done = match Command::parse() {
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Floor { address } => floor::serve(address),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            progress::say(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}
