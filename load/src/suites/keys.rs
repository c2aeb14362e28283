//! Making keys, and a store that holds very many.

use std::rc::Rc;
use std::time::Instant;

use anyhow::{Context as _, Result};
use serde_json::json;

use super::Bench;
use crate::client::Connection;
use crate::fill::fill;
use crate::keywright::{Choice, Keywright, Record};
use crate::report::Row;
use crate::rounds::{latency, rate};
use crate::sample::Shape;
use crate::workload;

/// As many keys as the settings allow in a Region.
const SETTINGS: [(&str, &str); 1] = [("KEYWRIGHT_KMS_KEYS_PER_REGION_MAX", "1000000")];
/// In two accounts, beside those who measure.
const USERS: usize = 9_990;

/// The rate at which keys are made, by one client and by 64.
pub(super) async fn creation(bench: &mut Bench) -> Result<()> {
    let keywright = start(bench, "creation", Record::Durable)?;
    let requests = workload::pool(&keywright.admin, "CreateKey", workload::POOL, |number| {
        json!({ "Description": format!("key {number}") }).to_string()
    })?;
    let duration = bench.rounds.duration;
    let loads = [1, 64].map(|clients| keywright.server.under(&requests, Shape::Http1(clients), duration));
    let outcome = bench.rounds.run("CreateKey, 1 and 64 clients", &loads).await?;
    bench.rows.extend([
        Row::new(
            "create_key_64_to_1",
            "ratio",
            "CreateKey: rate of 64 clients to that of one",
            "8 (15)",
            &outcome.ratio(1, 0, rate),
        ),
        Row::new("create_key_rate_1", "1/s", "CreateKey: rate of one client", "", &outcome.of(0, rate)),
        Row::new(
            "create_key_p99_64",
            "us",
            "CreateKey: p99 of 64 clients",
            "",
            &outcome.of(1, latency(0.99)),
        ),
    ]);
    Ok(())
}

/// Start, memory and access with a million keys.
pub(super) async fn million(bench: &mut Bench) -> Result<()> {
    let keywright = Rc::new(start(bench, "million", Record::Interval)?);
    let arns = fill(&keywright, bench.keys, USERS).await?;
    let user = keywright.user("app").await?;
    let hot = arns.first().context("no key was made")?.clone();
    let keywright = Rc::into_inner(keywright).context("still in use")?;
    keywright.server.stop()?;

    let (mut seconds, mut memory) = (Vec::new(), Vec::new());
    let mut running = None;
    for _ in 0..bench.rounds.count {
        // One process at a time has the folder.
        if let Some(Keywright { server, .. }) = running.take() {
            server.stop()?;
        }
        let begun = Instant::now();
        let keywright = start(bench, "million", Record::Interval)?;
        let user = user.at(&keywright.admin);
        let first = workload::encrypt(&user, std::slice::from_ref(&hot), 1)?;
        let first = first.first().context("no request")?.http1();
        Connection::open(keywright.place()).await?.exchange(&first).await?.expect_success()?;
        seconds.push(begun.elapsed().as_secs_f64());
        running = Some(keywright);
    }
    let keywright = running.context("not started")?;
    let user = user.at(&keywright.admin);
    let spread = spread(&arns);
    let random = workload::encrypt(&user, &spread, workload::POOL)?;
    let one = workload::encrypt(&user, &[hot], workload::POOL)?;
    let (shape, duration) = (Shape::Http1(32), bench.rounds.duration);
    let loads =
        [keywright.server.under(&random, shape, duration), keywright.server.under(&one, shape, duration)];
    let outcome = bench.rounds.run("Encrypt, keys at random and one key", &loads).await?;
    memory.push(keywright.resident_mib()?);
    let count = arns.len();
    let what = |what: &str| format!("{what}, {count} keys and {USERS} users");
    bench.rows.extend([
        Row::new(
            "million_keys_start_s",
            "s",
            what("from the start to the first answered Encrypt"),
            "6 (3)",
            &seconds,
        ),
        Row::new(
            "million_keys_memory_mib",
            "MiB",
            what("resident memory after Encrypts over all keys"),
            "1024 (600)",
            &memory,
        ),
        Row::new(
            "million_keys_random_to_hot",
            "ratio",
            what("Encrypt: rate with keys at random to that with one key"),
            "0.7 (0.85)",
            &outcome.ratio(0, 1, rate),
        ),
    ]);
    keywright.server.stop()
}

fn start(bench: &Bench, name: &str, record: Record) -> Result<Keywright> {
    let folder = bench.folder.join(name);
    Keywright::start(&Choice {
        binary: &bench.binary,
        folder: &folder,
        record,
        tls: false,
        settings: &SETTINGS,
    })
}

/// As many keys as there are requests, from all over the store, in an order that is not that of their making.
fn spread(arns: &[String]) -> Vec<String> {
    const PRIME: usize = 15_485_863;
    (0..workload::POOL).filter_map(|turn| arns.get(turn * PRIME % arns.len().max(1))).cloned().collect()
}
