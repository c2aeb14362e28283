//! What the system knows of a process and of the machine: the time they took, the memory they hold.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// What a process has used so far, by the scheduler's account of each of its threads. Threads that have ended are not in
/// it: measure between moments with the same threads.
pub(crate) fn cpu_of(process: u32) -> Result<Duration> {
    let mut total = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let Ok(text) = fs::read_to_string(thread?.path().join("schedstat")) else { continue };
        let nanoseconds = text.split_whitespace().next().context("no figure in schedstat")?.parse()?;
        total += Duration::from_nanos(nanoseconds);
    }
    Ok(total)
}

/// Resident memory of a process, in KiB.
pub(crate) fn resident_kib(process: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS line")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}

/// The time that all processors of the machine were busy since it started.
pub(crate) fn busy() -> Result<Duration> {
    let text = fs::read_to_string("/proc/stat")?;
    let line = text.lines().next().context("no line in /proc/stat")?;
    let ticks: Vec<u64> = line.split_whitespace().skip(1).filter_map(|word| word.parse().ok()).collect();
    // user, nice, system, then idle and waiting for input and output, then interrupts and what the host stole.
    let working = |index: usize| ticks.get(index).copied().unwrap_or_default();
    let busy: u64 = [0, 1, 2, 5, 6, 7].into_iter().map(working).sum();
    Ok(Duration::from_millis(busy * 10))
}

/// What machine this is: processors, memory, kernel.
pub(crate) fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        cpus.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split(':').nth(1));
    let count = cpus.lines().filter(|line| line.starts_with("processor")).count();
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib: u64 = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse().ok())
        .unwrap_or_default();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "{count} x {}, {} GiB, Linux {}",
        model.unwrap_or("unknown processor").trim(),
        kib / (1_024 * 1_024),
        kernel.trim()
    )
}
