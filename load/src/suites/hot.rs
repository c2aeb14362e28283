//! Encrypt, Decrypt and GenerateDataKey against the floor, with many connections and with one.

use anyhow::Result;
use serde_json::json;

use super::Bench;
use crate::contestant::Started;
use crate::keywright::Record;
use crate::prepared::Prepared;
use crate::report::Row;
use crate::rounds::{Outcome, cpu, latency, memory, rate};
use crate::sample::Shape;
use crate::workload;

/// Connections at the same time: enough to keep two processors busy.
const CONNECTIONS: usize = 32;

pub(super) async fn run(bench: &mut Bench) -> Result<()> {
    let floor = Started::floor(&bench.folder)?;
    let keywright = bench.keywright("hot", Record::Interval, false)?;
    let key = keywright.create_key(&json!({})).await?;
    let user = keywright.user("app").await?;
    let duration = bench.rounds.duration;
    let mut rows = Vec::new();
    for operation in ["Encrypt", "Decrypt", "GenerateDataKey"] {
        let requests: Vec<Prepared> = match operation {
            "Encrypt" => workload::encrypt(&user, std::slice::from_ref(&key), workload::POOL)?,
            "Decrypt" => workload::decrypt(&keywright, &user, &key, workload::POOL).await?,
            _ => workload::generate_data_key(&user, &key, workload::POOL)?,
        };
        let shape = Shape::Http1(CONNECTIONS);
        let loads =
            [keywright.server.under(&requests, shape, duration), floor.under(&requests, shape, duration)];
        let outcome = bench.rounds.run(operation, &loads).await?;
        rows.extend(usual_rows(operation, &outcome));
        if operation == "Encrypt" {
            let one = Shape::Http1(1);
            let loads =
                [keywright.server.under(&requests, one, duration), floor.under(&requests, one, duration)];
            let outcome = bench.rounds.run("Encrypt, one connection", &loads).await?;
            rows.push(Row::new(
                "one_connection_p50_to_floor",
                "ratio",
                "Encrypt on one connection: p50 to the floor's",
                "2 (1.5)",
                &outcome.ratio(0, 1, latency(0.5)),
            ));
        }
    }
    bench.rows.extend(rows);
    Ok(())
}

fn usual_rows(operation: &str, outcome: &Outcome) -> Vec<Row> {
    let name = match operation {
        "Encrypt" => "encrypt",
        "Decrypt" => "decrypt",
        _ => "generate_data_key",
    };
    let row = |what: &str, unit, meaning: &str, goal, values: &[f64]| {
        Row::new(format!("{name}_{what}"), unit, format!("{operation}: {meaning}"), goal, values)
    };
    vec![
        row(
            "rate_to_floor",
            "ratio",
            "rate to the floor's, 32 connections",
            "0.55 (0.65)",
            &outcome.ratio(0, 1, rate),
        ),
        row(
            "cpu_to_floor",
            "ratio",
            "the server's time to the floor's",
            "2.2 (1.8)",
            &outcome.ratio(0, 1, cpu),
        ),
        row("p99_to_floor", "ratio", "p99 to the floor's", "1.6 (1.25)", &outcome.ratio(0, 1, latency(0.99))),
        row("rate", "1/s", "rate", "", &outcome.of(0, rate)),
        row("cpu", "us", "the server's time for a request", "", &outcome.of(0, cpu)),
        row("memory", "MiB", "resident memory of the server", "", &outcome.of(0, memory)),
        row("p50", "us", "p50", "", &outcome.of(0, latency(0.5))),
        row("p99", "us", "p99", "", &outcome.of(0, latency(0.99))),
        row("p999", "us", "p99.9", "", &outcome.of(0, latency(0.999))),
    ]
}
