//! One measurement: connections that ask without a pause, for a while, and what came of it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use hdrhistogram::Histogram;
use tokio::task::{JoinSet, LocalSet};

use crate::client::{Connection, Place};
use crate::prepared::Prepared;
use crate::process;

/// For connections to be made, caches to fill and processors to wake.
const WARMING: Duration = Duration::from_millis(300);
/// For the last answers to come.
const GOODBYE: Duration = Duration::from_secs(2);
/// The longest time that is told apart, in nanoseconds: a minute.
const LATENCY_MAX: u64 = 60_000_000_000;

/// What is to be done to a server.
pub(crate) struct Load<'a> {
    pub(crate) place: &'a Place,
    pub(crate) requests: &'a [Prepared],
    pub(crate) shape: Shape,
    pub(crate) duration: Duration,
    /// The server's process, whose time is counted.
    pub(crate) process: Option<u32>,
}

/// How requests come to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// So many connections of HTTP/1.1.
    Http1(usize),
    /// So many connections of HTTP/2 with so many streams each.
    Http2(usize, usize),
}

/// What was measured.
pub(crate) struct Sample {
    /// Requests in a second.
    pub(crate) rate: f64,
    /// Of the server's process, for each request.
    pub(crate) cpu: Option<Duration>,
    pub(crate) latency: Histogram<u64>,
    /// Processors that others kept busy: neither the server nor this program.
    pub(crate) others: f64,
    /// Answers with another status than 200, and connections that broke.
    pub(crate) failed: u64,
    /// In KiB, at the end.
    pub(crate) resident: Option<u64>,
}

impl Sample {
    /// A quantile of the time that an answer took.
    pub(crate) fn quantile(&self, quantile: f64) -> Duration {
        Duration::from_nanos(self.latency.value_at_quantile(quantile))
    }
}

/// What the connections share.
struct Shared {
    next: Cell<usize>,
    measuring: Cell<bool>,
    ended: Cell<bool>,
    failed: Cell<u64>,
    latency: RefCell<Histogram<u64>>,
}

impl Shared {
    fn new() -> Result<Rc<Self>> {
        Ok(Rc::new(Self {
            next: Cell::new(0),
            measuring: Cell::new(false),
            ended: Cell::new(false),
            failed: Cell::new(0),
            latency: RefCell::new(Histogram::new_with_bounds(1_000, LATENCY_MAX, 3)?),
        }))
    }

    fn number(&self) -> usize {
        let number = self.next.get();
        self.next.set(number.wrapping_add(1));
        number
    }

    fn record(&self, started: Instant, went_well: bool) {
        if !self.measuring.get() {
            return;
        }
        if !went_well {
            self.failed.set(self.failed.get() + 1);
        }
        let taken = u64::try_from(started.elapsed().as_nanos()).unwrap_or(LATENCY_MAX);
        self.latency.borrow_mut().saturating_record(taken);
    }
}

/// Puts the load on the server and measures.
pub(crate) async fn take(load: &Load<'_>) -> Result<Sample> {
    let shared = Shared::new()?;
    let local = LocalSet::new();
    let taken = local.run_until(async {
        let mut tasks = match load.shape {
            Shape::Http1(connections) => http1(load, connections, &shared),
            Shape::Http2(connections, streams) => http2(load, connections, streams, &shared),
        };
        let sample = tokio::select! {
            sample = measure(load, &shared) => sample,
            Some(ended) = tasks.join_next() => match ended? {
                Err(error) => Err(error),
                Ok(()) => bail!("a connection ended before its time"),
            },
        };
        shared.ended.set(true);
        // Some servers forget to answer; who still waits then is dropped with the rest.
        let all_ended = async { while tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(GOODBYE, all_ended).await;
        sample
    });
    taken.await
}

async fn measure(load: &Load<'_>, shared: &Shared) -> Result<Sample> {
    tokio::time::sleep(WARMING).await;
    let marks = || -> Result<(Duration, Duration, Option<Duration>)> {
        Ok((
            process::busy()?,
            process::cpu_of(std::process::id())?,
            load.process.map(process::cpu_of).transpose()?,
        ))
    };
    let (busy, own, server) = marks()?;
    let started = Instant::now();
    shared.measuring.set(true);
    tokio::time::sleep(load.duration).await;
    shared.measuring.set(false);
    let elapsed = started.elapsed().as_secs_f64();
    let (busy_then, own_then, server_then) = marks()?;
    let latency = shared.latency.borrow().clone();
    let count = u32::try_from(latency.len()).unwrap_or(u32::MAX);
    if count == 0 {
        bail!("no request was answered");
    }
    let spent = server_then.unwrap_or_default().saturating_sub(server.unwrap_or_default());
    let accounted = spent + own_then.saturating_sub(own);
    Ok(Sample {
        rate: f64::from(count) / elapsed,
        cpu: load.process.map(|_| spent / count),
        latency,
        others: busy_then.saturating_sub(busy).saturating_sub(accounted).as_secs_f64() / elapsed,
        failed: shared.failed.get(),
        resident: load.process.map(process::resident_kib).transpose()?,
    })
}

fn http1(load: &Load<'_>, connections: usize, shared: &Rc<Shared>) -> JoinSet<Result<()>> {
    let requests: Rc<Vec<Vec<u8>>> = Rc::new(load.requests.iter().map(Prepared::http1).collect());
    let mut tasks = JoinSet::new();
    for _ in 0..connections {
        let (place, requests, shared) = (load.place.clone(), Rc::clone(&requests), Rc::clone(shared));
        tasks.spawn_local(async move {
            let mut connection = Connection::open(&place).await?;
            while !shared.ended.get() {
                let Some(request) = requests.get(shared.number() % requests.len()) else {
                    bail!("no requests")
                };
                let started = Instant::now();
                let answer = connection.exchange(request).await;
                shared.record(started, answer.as_ref().is_ok_and(|answer| answer.status == 200));
                if answer.is_err() {
                    connection.reopen().await?;
                }
            }
            Ok(())
        });
    }
    tasks
}

fn http2(load: &Load<'_>, connections: usize, streams: usize, shared: &Rc<Shared>) -> JoinSet<Result<()>> {
    let requests: Rc<Vec<http::Request<crate::http2::Body>>> =
        Rc::new(load.requests.iter().map(crate::http2::request).collect());
    let mut tasks = JoinSet::new();
    for _ in 0..connections {
        let (place, requests, shared) = (load.place.clone(), Rc::clone(&requests), Rc::clone(shared));
        tasks.spawn_local(async move {
            let sender = crate::http2::open(&place).await?;
            let mut running = JoinSet::new();
            for _ in 0..streams {
                let (mut sender, requests, shared) =
                    (sender.clone(), Rc::clone(&requests), Rc::clone(&shared));
                running.spawn_local(async move {
                    while !shared.ended.get() {
                        let Some(request) = requests.get(shared.number() % requests.len()) else {
                            bail!("no requests")
                        };
                        let started = Instant::now();
                        let status = crate::http2::exchange(&mut sender, request.clone()).await?;
                        shared.record(started, status == 200);
                    }
                    Ok(())
                });
            }
            while let Some(ended) = running.join_next().await {
                ended??;
            }
            Ok(())
        });
    }
    tasks
}
