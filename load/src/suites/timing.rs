//! Whether refusals that say the same take the same time. Pairs of requests go over one connection in an order by chance, and
//! Welch's t tells whether their times differ by more than chance: beyond 4.5 they do (as in "Test Vector Leakage
//! Assessment", Goodwill and others, 2011).

use std::time::Instant;

use anyhow::{Context as _, Result};
use base64_simd::STANDARD;
use serde_json::{Value, json};

use super::Bench;
use crate::client::{Connection, Place};
use crate::keywright::{ACCOUNT, REGION, Record};
use crate::prepared::Prepared;
use crate::report::Row;
use crate::workload::pool;

/// Requests of either kind.
const CALLS: usize = 20_000;
/// Requests that are sent before any is measured.
const WARMING: usize = 2_000;
/// Of all times, the percentage that counts: the longest come from elsewhere.
const COUNTED_PERCENT: usize = 95;

/// What the times of two kinds of requests were.
struct Times([Vec<f64>; 2]);

pub(super) async fn run(bench: &mut Bench) -> Result<()> {
    let keywright = bench.keywright("timing", Record::Interval, false)?;
    let key = keywright.create_key(&json!({})).await?;
    let user = keywright.user("app").await?;
    let asked = json!({"KeyId": key, "Plaintext": STANDARD.encode_to_string([7; 32]), "EncryptionContext": {"purpose": "benchmark"}});
    let answer = keywright.call(&user, "Encrypt", &asked).await?;
    let blob = answer.get("CiphertextBlob").and_then(Value::as_str).context("no ciphertext")?;
    let mut damaged = STANDARD.decode_to_vec(blob)?;
    damaged.last_mut().into_iter().for_each(|byte| *byte ^= 1);
    let decrypt = |blob: &str, purpose: &str| {
        let body = json!({"CiphertextBlob": blob, "EncryptionContext": {"purpose": purpose}, "KeyId": key})
            .to_string();
        pool(&user, "Decrypt", CALLS, move |_| body.clone())
    };
    let pair = [decrypt(blob, "benchmarx")?, decrypt(&STANDARD.encode_to_string(&damaged), "benchmark")?];
    measure(
        bench,
        keywright.place(),
        "context_or_ciphertext",
        "Decrypt with a wrong context, and of a changed ciphertext",
        &pair,
    )
    .await?;

    let missing = format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-4000-8000-000000000000");
    let describe = |key: &str| {
        let body = json!({"KeyId": key}).to_string();
        pool(&keywright.neighbour, "DescribeKey", CALLS, move |_| body.clone())
    };
    let pair = [describe(&key)?, describe(&missing)?];
    measure(
        bench,
        keywright.place(),
        "foreign_key_or_none",
        "DescribeKey of a foreign key, and of one that is not there",
        &pair,
    )
    .await
}

async fn measure(
    bench: &mut Bench,
    place: &Place,
    name: &str,
    what: &str,
    pair: &[Vec<Prepared>; 2],
) -> Result<()> {
    let (mut differences, mut scores) = (Vec::new(), Vec::new());
    for _ in 0..bench.rounds.count {
        let times = take(place, pair).await?;
        let (difference, score) = times.compare();
        differences.push(difference);
        scores.push(score);
    }
    bench.rows.extend([
        Row::new(
            format!("timing_{name}_us"),
            "us",
            format!("{what}: how much longer the first takes"),
            "",
            &differences,
        ),
        Row::new(
            format!("timing_{name}_t"),
            "t",
            format!("{what}: Welch's t of their times, {CALLS} each"),
            "",
            &scores,
        ),
    ]);
    Ok(())
}

async fn take(place: &Place, pair: &[Vec<Prepared>; 2]) -> Result<Times> {
    let mut connection = Connection::open(place).await?;
    let mut times = Times([Vec::new(), Vec::new()]);
    let mut refused = None;
    let mut chance = 0x9e37_79b9_7f4a_7c15_u64;
    for number in 0..CALLS {
        // xorshift: an order that no period of the machine follows.
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        let order = if chance & 1 == 0 { [0, 1] } else { [1, 0] };
        for kind in order {
            let (Some(requests), Some(taken)) = (pair.get(kind), times.0.get_mut(kind)) else { continue };
            let request = requests.get(number).context("too few requests")?.http1();
            let begun = Instant::now();
            let answer = connection.exchange(&request).await?;
            let took = begun.elapsed();
            let answered = (answer.status, answer.body.len());
            anyhow::ensure!(
                *refused.get_or_insert(answered) == answered,
                "the two are told apart by what is answered"
            );
            if number >= WARMING {
                taken.push(took.as_secs_f64() * 1e6);
            }
        }
    }
    Ok(times)
}

impl Times {
    /// How much longer the first kind takes, in microseconds, and Welch's t.
    fn compare(&self) -> (f64, f64) {
        let mut all: Vec<f64> = self.0.iter().flatten().copied().collect();
        all.sort_by(f64::total_cmp);
        let limit = all.get(all.len() / 100 * COUNTED_PERCENT).copied().unwrap_or(f64::INFINITY);
        let [first, second] =
            self.0.each_ref().map(|times| Sample::of(times.iter().copied().filter(|time| *time <= limit)));
        let difference = first.mean - second.mean;
        (difference, difference / (first.spread + second.spread).sqrt())
    }
}

/// A mean, and the variance of that mean.
struct Sample {
    mean: f64,
    spread: f64,
}

impl Sample {
    fn of(times: impl Iterator<Item = f64>) -> Self {
        let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
        for time in times {
            count += 1.0;
            let before = time - mean;
            mean += before / count;
            squares += before * (time - mean);
        }
        Self { mean, spread: squares / (count - 1.0) / count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alternating(middle: f64) -> Vec<f64> {
        (0..1_000).map(|number| middle + if number % 2 == 0 { 1.0 } else { -1.0 }).collect()
    }

    #[test]
    fn times_that_differ_are_told_and_equal_ones_are_not() {
        let (difference, score) = Times([alternating(10.0), alternating(10.5)]).compare();
        assert!(difference < 0.0 && score < -4.5, "{difference} {score}");
        let (difference, score) = Times([alternating(10.0), alternating(10.0)]).compare();
        assert!(difference.abs() < 1e-9 && score.abs() < 1e-9, "{difference} {score}");
    }
}
