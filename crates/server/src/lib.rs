//! The service and the commands of the binary `keywright`. All that the binary adds is where memory comes from.

mod attestation_roots;
mod backup;
mod bucket_client;
mod causes;
mod client;
mod command_line;
mod commands;
mod config;
mod data_folder;
mod data_keys;
mod delivery;
mod export;
mod foundation;
mod home_of_objects;
mod http;
mod key_sets;
mod key_usage;
mod logging;
mod metrics;
mod organization;
mod passphrase;
mod pipeline;
mod ports;
mod process;
pub mod readers;
mod seed;
mod serve;
mod service;
mod signals;
mod start_error;
mod terminal;
mod tls;
mod trail_bucket;
mod upstream;
mod welcome;

use std::process::ExitCode;

use clap::Parser as _;

use command_line::CommandLine;

/// Does what the command line says, and gives the code with which the process ends.
pub fn run() -> ExitCode {
    process::use_small_pages();
    let command_line = match CommandLine::try_parse() {
        Ok(command_line) => command_line,
        Err(refusal) => return tell(&refusal),
    };
    match commands::run(command_line.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::complain(&error.to_string());
            ExitCode::from(error.exit_code())
        }
    }
}

/// Help and version are answers; anything else is a wrong command line.
fn tell(refusal: &clap::Error) -> ExitCode {
    // Nothing can be done when the terminal is gone.
    let _ = refusal.print();
    ExitCode::from(if refusal.use_stderr() { 2 } else { 0 })
}
