//! The steps of a call alone: what each takes, without network, threads and other calls.

use anyhow::Result;

use super::Bench;
use crate::report::Row;
use crate::steps;

/// So often is each step done in a round.
const TIMES: u32 = 50_000;

pub(super) fn run(bench: &mut Bench) -> Result<()> {
    for step in &steps::ALL {
        let mut micros = Vec::new();
        for _ in 0..bench.rounds.count {
            micros.push((step.run)(TIMES)?.as_secs_f64() * 1e6 / f64::from(TIMES));
        }
        bench.rows.push(Row::new(format!("step_{}_us", step.name), "us", step.meaning, step.goal, &micros));
    }
    Ok(())
}
