//! The suites: each measures one thing and adds its rows.

mod hot;

use std::path::PathBuf;

use anyhow::Result;

use crate::keywright::{Choice, Keywright, Record};
use crate::report::Row;
use crate::rounds::Rounds;

/// The suites in their order, with what each is about.
pub(crate) const ALL: [(&str, &str); 1] = [("hot", "rate, time and latency of the usual calls")];

/// What the suites share.
pub(crate) struct Bench {
    pub(crate) binary: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) rounds: Rounds,
    /// Keys of the large store.
    pub(crate) keys: usize,
    pub(crate) rows: Vec<Row>,
    pub(crate) versions: Vec<String>,
    pub(crate) left_out: Vec<String>,
}

impl Bench {
    /// Nothing is measured yet.
    pub(crate) fn new(binary: PathBuf, folder: PathBuf, rounds: Rounds, keys: usize) -> Result<Self> {
        let version = std::process::Command::new(&binary).arg("--version").output()?;
        let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
        Ok(Self {
            binary,
            folder,
            rounds,
            keys,
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
        "hot" => hot::run(bench).await,
        _ => Ok(()),
    }
}
