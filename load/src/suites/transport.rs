//! TLS and HTTP/2, to plain HTTP/1.1 of the same server.

use anyhow::Result;
use serde_json::json;

use super::Bench;
use crate::keywright::Record;
use crate::report::Row;
use crate::rounds::{cpu, rate};
use crate::sample::Shape;
use crate::workload;

pub(super) async fn run(bench: &mut Bench) -> Result<()> {
    let plain = bench.keywright("plain", Record::Interval, false)?;
    let tls = bench.keywright("tls", Record::Interval, true)?;
    let mut pools = Vec::new();
    for keywright in [&plain, &tls] {
        let key = keywright.create_key(&json!({})).await?;
        pools.push(workload::encrypt(&keywright.user("app").await?, &[key], workload::POOL)?);
    }
    let [to_plain, to_tls] = pools.as_slice() else { return Ok(()) };
    let duration = bench.rounds.duration;
    let loads = [
        plain.server.under(to_plain, Shape::Http1(32), duration),
        tls.server.under(to_tls, Shape::Http1(32), duration),
        plain.server.under(to_plain, Shape::Http2(4, 8), duration),
    ];
    let outcome = bench.rounds.run("Encrypt, plain, TLS, HTTP/2", &loads).await?;
    bench.rows.extend([
        Row::new(
            "tls_rate_to_plain",
            "ratio",
            "Encrypt over TLS 1.3, 32 kept connections: rate to that without TLS",
            "0.80 (0.90)",
            &outcome.ratio(1, 0, rate),
        ),
        Row::new(
            "http2_cpu_to_http1",
            "ratio",
            "Encrypt over HTTP/2, 4 connections of 8 streams: the server's time to that over HTTP/1.1",
            "1.35 (1.2)",
            &outcome.ratio(2, 0, cpu),
        ),
    ]);
    Ok(())
}
