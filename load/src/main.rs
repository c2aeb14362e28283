//! Measures Keywright side by side with a floor that does nothing, and with peers.

mod bench;
mod client;
mod contestant;
mod fill;
mod floor;
mod http2;
mod instructions;
mod keywright;
mod prepared;
mod process;
mod progress;
mod report;
mod rounds;
mod sample;
mod steps;
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
    /// Count the instructions of single steps under valgrind, and compare them with those recorded.
    Instructions(instructions::Arguments),
    /// Do one step so many times; what `instructions` runs.
    #[command(hide = true)]
    Step { name: String, times: u32 },
    /// Serve as the floor, until killed.
    Floor {
        /// Where to listen.
        address: SocketAddr,
    },
}

fn main() -> ExitCode {
    let done = match Command::parse() {
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Instructions(arguments) => instructions::run(&arguments),
        Command::Step { name, times } => steps::named(&name).and_then(|step| (step.run)(times)).map(drop),
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
