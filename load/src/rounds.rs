//! Contestants take turns, round by round, so that whatever else the machine does falls on all of them alike. Figures are
//! compared within a round only.

use std::time::Duration;

use anyhow::Result;

use crate::progress;
use crate::sample::{Load, Sample, take};

/// How long and how often is measured.
#[derive(Clone, Copy)]
pub(crate) struct Rounds {
    pub(crate) count: usize,
    pub(crate) duration: Duration,
}

/// What the contestants did, each in every round.
pub(crate) struct Outcome {
    /// By contestant, then by round.
    samples: Vec<Vec<Sample>>,
}

impl Rounds {
    /// Measures all loads once.
    pub(crate) async fn once(&self, name: &str, loads: &[Load<'_>]) -> Result<Outcome> {
        Self { count: 1, ..*self }.run(name, loads).await
    }

    /// Measures all loads in every round. Each round begins with another one.
    pub(crate) async fn run(&self, name: &str, loads: &[Load<'_>]) -> Result<Outcome> {
        let mut samples: Vec<Vec<Sample>> = loads.iter().map(|_| Vec::new()).collect();
        for round in 0..self.count {
            let mut others: f64 = 0.0;
            for turn in 0..loads.len() {
                let index = (round + turn) % loads.len();
                if let (Some(load), Some(taken)) = (loads.get(index), samples.get_mut(index)) {
                    let sample = take(load).await?;
                    others = others.max(sample.others);
                    taken.push(sample);
                }
            }
            let rates: Vec<String> = samples
                .iter()
                .filter_map(|taken| taken.last())
                .map(|sample| {
                    let cpu = sample.cpu.map_or(String::new(), |cpu| format!(", {:.1} us", micros(cpu)));
                    let p99 = micros(sample.quantile(0.99));
                    let failed = if sample.failed == 0 {
                        String::new()
                    } else {
                        format!(", {} failed", sample.failed)
                    };
                    format!("{:.0}/s (p99 {p99:.0} us{cpu}{failed})", sample.rate)
                })
                .collect();
            progress::say(&format!(
                "{name}: round {} of {}: {}; other load {others:.1}",
                round + 1,
                self.count,
                rates.join(", ")
            ));
        }
        Ok(Outcome { samples })
    }
}

impl Outcome {
    /// A figure of one contestant, by round.
    pub(crate) fn of(&self, contestant: usize, figure: impl Fn(&Sample) -> f64) -> Vec<f64> {
        self.samples.get(contestant).into_iter().flatten().map(figure).collect()
    }

    /// The ratio of one contestant's figure to another's, by round.
    pub(crate) fn ratio(&self, of: usize, to: usize, figure: impl Fn(&Sample) -> f64) -> Vec<f64> {
        self.of(of, &figure).iter().zip(self.of(to, &figure)).map(|(of, to)| of / to).collect()
    }
}

/// A time in microseconds.
pub(crate) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000_000.0
}

/// Requests in a second.
pub(crate) fn rate(sample: &Sample) -> f64 {
    sample.rate
}

/// The server's time for a request, in microseconds.
pub(crate) fn cpu(sample: &Sample) -> f64 {
    sample.cpu.map_or(f64::NAN, micros)
}

/// The server's resident memory at the end, in MiB.
pub(crate) fn memory(sample: &Sample) -> f64 {
    let kib = sample.resident.and_then(|kib| u32::try_from(kib).ok());
    kib.map_or(f64::NAN, |kib| f64::from(kib) / 1_024.0)
}

/// A quantile of latency, in microseconds.
pub(crate) fn latency(quantile: f64) -> impl Fn(&Sample) -> f64 {
    move |sample| micros(sample.quantile(quantile))
}
