//! Counts the instructions of each step under valgrind. They do not vary with what else the machine does, so that a step
//! that has become dearer shows where times do not tell it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::{progress, steps};

/// So often is each step done.
const TIMES: u32 = 1_000;
/// The function that is counted, with all that it calls.
const COUNTED: &str = "--toggle-collect=*repeat_step*";

/// What can be chosen.
#[derive(Args)]
pub(crate) struct Arguments {
    /// What earlier counts are compared with.
    #[arg(long, default_value = "load/instructions.json")]
    recorded: PathBuf,
    /// Keep the counts for later ones to be compared with.
    #[arg(long)]
    record: bool,
    /// How many percent more than recorded are a failure.
    #[arg(long, default_value_t = 3.0)]
    tolerance: f64,
}

/// Counts every step, and fails if one has become dearer.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let recorded = recorded(arguments)?;
    let mut counts = BTreeMap::new();
    let mut dearer = Vec::new();
    for step in &steps::ALL {
        let count = count(step.name)?;
        let change = recorded.get(step.name).map(|before| percent(*before, count));
        let told = change.map_or("new".to_owned(), |change| format!("{change:+.1} %"));
        progress::say(&format!("{}: {count} instructions ({told})", step.name));
        if change.is_some_and(|change| change > arguments.tolerance) {
            dearer.push(step.name);
        }
        counts.insert(step.name.to_owned(), count);
    }
    if arguments.record {
        std::fs::write(&arguments.recorded, serde_json::to_string_pretty(&counts)? + "\n")?;
        return Ok(());
    }
    if !dearer.is_empty() {
        bail!(
            "{} take more instructions than recorded; if it has to be, record them with --record",
            dearer.join(", ")
        );
    }
    Ok(())
}

fn recorded(arguments: &Arguments) -> Result<BTreeMap<String, u32>> {
    if arguments.record && !arguments.recorded.exists() {
        return Ok(BTreeMap::new());
    }
    let text = std::fs::read_to_string(&arguments.recorded);
    let text = text.with_context(|| format!("{} cannot be read", arguments.recorded.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is damaged", arguments.recorded.display()))
}

fn percent(before: u32, now: u32) -> f64 {
    (f64::from(now) / f64::from(before) - 1.0) * 100.0
}

/// The instructions of one step.
fn count(name: &str) -> Result<u32> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", COUNTED, "--callgrind-out-file=/dev/null"]);
    command.arg(std::env::current_exe()?).args(["step", name, &TIMES.to_string()]);
    let output =
        command.output().context("valgrind cannot be started; on Debian: apt-get install valgrind")?;
    let told = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("the step `{name}` fails under valgrind:\n{told}");
    }
    let collected =
        told.lines().find_map(|line| line.split_once("Collected :")).map(|(_, count)| count.trim());
    let collected: u64 = collected.and_then(|count| count.parse().ok()).context("valgrind tells no count")?;
    Ok(u32::try_from(collected / u64::from(TIMES))?)
}
