//! A service that does nothing yet: how soon it is there, and what it holds.

use std::time::Instant;

use anyhow::Result;

use super::Bench;
use crate::keywright::Record;
use crate::report::Row;

pub(super) async fn run(bench: &mut Bench) -> Result<()> {
    let (mut memory, mut seconds) = (Vec::new(), Vec::new());
    for _ in 0..bench.rounds.count {
        // The first start makes the store and the accounts; it is the second that users wait for.
        let first = bench.keywright("idle", Record::Durable, false)?;
        first.ready().await?;
        first.server.stop()?;
        let started = Instant::now();
        let second = bench.keywright("idle", Record::Durable, false)?;
        second.ready().await?;
        seconds.push(started.elapsed().as_secs_f64());
        memory.push(second.resident_mib()?);
        second.server.stop()?;
    }
    bench.rows.extend([
        Row::new(
            "idle_memory_mib",
            "MiB",
            "resident memory after the start, nothing asked yet",
            "30 (20)",
            &memory,
        ),
        Row::new(
            "empty_start_s",
            "s",
            "from the start of the process until it answers, almost empty store",
            "0.1 (0.05)",
            &seconds,
        ),
    ]);
    Ok(())
}
