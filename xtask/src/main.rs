//! The project's own chores, run as `cargo xtask <chore>`.
//!
//! - `gen [--check]`: writes the code generated from `models/`, or tells where it differs
//! - `model <service-2.json> [operation …]`: prints the stripped copy of a botocore service model, of all operations or
//!   of those that are named
//! - `tidy`: checks the rules that neither the compiler nor clippy can check

mod generate;
mod model;
mod tidy;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask gen [--check] | model <service-2.json> [operation …] | tidy\n";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (report, code) = match run(&arguments) {
        Ok(report) => (report, ExitCode::SUCCESS),
        Err(report) => (report, ExitCode::FAILURE),
    };
    let written = if code == ExitCode::SUCCESS {
        io::stdout().write_all(report.as_bytes())
    } else {
        io::stderr().write_all(report.as_bytes())
    };
    written.map_or(ExitCode::FAILURE, |()| code)
}

/// What to print, if the chore was done or failed.
fn run(arguments: &[&str]) -> Result<String, String> {
    let root = workspace_root();
    match arguments {
        ["gen"] => generate::write(&root).map_err(report),
        ["gen", "--check"] => generate::check(&root).map_err(report),
        ["model", path, operations @ ..] => model::strip(Path::new(path), operations).map_err(report),
        ["tidy"] => tidy::check(&root).map_err(report),
        _ => Err(USAGE.to_owned()),
    }
}

fn report(error: impl std::fmt::Display) -> String {
    format!("{error}\n")
}

fn workspace_root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}
