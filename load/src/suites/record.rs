//! What it costs to have the record of each call on disk before its answer leaves, as it is by default.

use anyhow::Result;
use serde_json::json;

use super::Bench;
use crate::contestant::Started;
use crate::keywright::Record;
use crate::report::Row;
use crate::rounds::{cpu, latency, rate};
use crate::sample::Shape;
use crate::workload;

pub(super) async fn run(bench: &mut Bench) -> Result<()> {
    let floor = Started::floor(&bench.folder)?;
    let keywright = bench.keywright("record", Record::Durable, false)?;
    let key = keywright.create_key(&json!({})).await?;
    let user = keywright.user("app").await?;
    let requests = workload::encrypt(&user, &[key], workload::POOL)?;
    let goals = [(32, "0.22 (0.35)"), (128, "0.40 (0.50)")];
    for (connections, goal) in goals {
        let (shape, duration) = (Shape::Http1(connections), bench.rounds.duration);
        let loads =
            [keywright.server.under(&requests, shape, duration), floor.under(&requests, shape, duration)];
        let outcome =
            bench.rounds.run(&format!("Encrypt, durable, {connections} connections"), &loads).await?;
        let meaning = |what: &str| {
            format!("Encrypt, recorded on disk before the answer, {connections} connections: {what}")
        };
        let row = |name: &str, unit, what: &str, goal, values: &[f64]| {
            Row::new(format!("durable_{name}_{connections}"), unit, meaning(what), goal, values)
        };
        let rows = [
            row("rate_to_floor", "ratio", "rate to the floor's", goal, &outcome.ratio(0, 1, rate)),
            row("rate", "1/s", "rate", "", &outcome.of(0, rate)),
            row("cpu", "us", "the server's time for a request", "", &outcome.of(0, cpu)),
            row("p99", "us", "p99", "", &outcome.of(0, latency(0.99))),
        ];
        bench.rows.extend(rows);
    }
    Ok(())
}
