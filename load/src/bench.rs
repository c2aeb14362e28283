//! The benchmarks as a whole: what is run, in which order, and where the figures go.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Args;

use crate::report::{self, Preface, Row};
use crate::rounds::Rounds;
use crate::suites::{self, Bench, Endpoint};
use crate::{process, progress};

/// What can be chosen.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The binary of Keywright that is measured.
    #[arg(long, default_value = "target/release/keywright")]
    keywright: PathBuf,
    /// Rounds of each comparison.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Seconds that each contestant is measured in a round.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Only these suites; none: all.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Keys of the large store.
    #[arg(long, default_value_t = 1_000_000)]
    keys: usize,
    #[command(flatten)]
    endpoint: Endpoint,
    /// Where `benchmarks.md` and `benchmarks.json` go. Nothing is written if only some suites are run, unless it is said.
    #[arg(long)]
    output: Option<PathBuf>,
}

/// Runs the suites and writes the report.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run_suites(arguments))
}

async fn run_suites(arguments: &Arguments) -> Result<()> {
    let binary = arguments.keywright.canonicalize().with_context(|| {
        format!("{} is not there; build it with `cargo build --release`", arguments.keywright.display())
    })?;
    let folder = tempfile::Builder::new().prefix("keywright-bench-").tempdir_in("target")?;
    let rounds =
        Rounds { count: arguments.rounds.max(1), duration: Duration::from_secs_f64(arguments.seconds) };
    let mut bench = Bench::new(
        binary,
        folder.path().canonicalize()?,
        rounds,
        arguments.keys,
        arguments.endpoint.clone(),
    )?;
    let all: Vec<String> = suites::ALL.map(str::to_owned).into();
    for name in if arguments.only.is_empty() { &all } else { &arguments.only } {
        progress::say(&format!("suite {name}"));
        if let Err(error) = suites::run(name, &mut bench).await {
            progress::say(&format!("suite {name}: {error:#}"));
            bench.left_out.push(format!("{name}: {error:#}"));
        }
    }
    for row in &bench.rows {
        let Row { name, median, min, max, unit, .. } = row;
        progress::say(&format!("{name}: {median:.3} ({min:.3} to {max:.3}) {unit}"));
    }
    let default = arguments.only.is_empty().then(|| PathBuf::from("docs"));
    let Some(output) = arguments.output.clone().or(default) else { return Ok(()) };
    report::write(&output, &bench.rows, &preface(arguments, &bench))
}

fn preface(arguments: &Arguments, bench: &Bench) -> Preface {
    Preface {
        machine: process::machine(),
        versions: bench.versions.clone(),
        command: format!(
            "cargo run --release -p load -- {}",
            std::env::args().skip(1).collect::<Vec<_>>().join(" ")
        ),
        method: format!(
            "client and server share the machine; contestants take turns in {} rounds of {} s each, and ratios are taken \
             within a round; requests are signed beforehand and all distinct; the caller is a user with a policy of its own, \
             the key has the default policy; the median of the rounds stands beside their range",
            arguments.rounds, arguments.seconds
        ),
        left_out: bench.left_out.clone(),
    }
}
