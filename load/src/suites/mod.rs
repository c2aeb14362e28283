//! The suites: each measures one thing and adds its rows.

mod endpoint;
mod hot;
mod idle;
mod keys;
mod peers;
mod record;
mod signing;
mod steps;
mod timing;
mod transport;

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::keywright::{Choice, Keywright, Record};
use crate::report::Row;
use crate::rounds::Rounds;
pub(crate) use endpoint::Endpoint;

/// The suites in their order.
pub(crate) const ALL: [&str; 13] = [
    "steps",
    "hot",
    "record",
    "transport",
    "peers",
    "endpoint",
    "creation",
    "signing",
    "secp256k1",
    "generating",
    "timing",
    "idle",
    "million",
];

/// What the suites share.
pub(crate) struct Bench {
    pub(crate) binary: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) rounds: Rounds,
    /// Keys of the large store.
    pub(crate) keys: usize,
    pub(crate) endpoint: Endpoint,
    pub(crate) rows: Vec<Row>,
    pub(crate) versions: Vec<String>,
    pub(crate) left_out: Vec<String>,
}

impl Bench {
    /// Nothing is measured yet.
    pub(crate) fn new(
        binary: PathBuf,
        folder: PathBuf,
        rounds: Rounds,
        keys: usize,
        endpoint: Endpoint,
    ) -> Result<Self> {
        let version = std::process::Command::new(&binary).arg("--version").output()?;
        let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
        Ok(Self {
            binary,
            folder,
            rounds,
            keys,
            endpoint,
            rows: Vec::new(),
            versions: vec![version],
            left_out: Vec::new(),
        })
    }

    /// A Keywright on a new folder of this name.
    fn keywright(&self, name: &str, record: Record, tls: bool) -> Result<Keywright> {
        let folder = self.folder.join(name);
        Keywright::start(&Choice { binary: &self.binary, folder: &folder, record, tls, settings: &[] })
    }
}

/// Runs the suite of this name.
pub(crate) async fn run(name: &str, bench: &mut Bench) -> Result<()> {
    match name {
        "steps" => steps::run(bench),
        "hot" => hot::run(bench).await,
        "record" => record::run(bench).await,
        "transport" => transport::run(bench).await,
        "endpoint" => endpoint::run(bench).await,
        "peers" => peers::run(bench).await,
        "creation" => keys::creation(bench).await,
        "signing" => signing::above_the_primitive(bench).await,
        "secp256k1" => signing::secp256k1(bench),
        "generating" => signing::while_generating(bench).await,
        "timing" => timing::run(bench).await,
        "idle" => idle::run(bench).await,
        "million" => keys::million(bench).await,
        _ => bail!("there is no suite `{name}`; there are {}", ALL.join(", ")),
    }
}
