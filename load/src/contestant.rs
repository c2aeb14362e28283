//! What is measured: servers that are started here, each with its place and its process.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::client::Place;
use crate::prepared::Prepared;
use crate::sample::{Load, Shape};

const START_MAX: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(2);

/// A server that was started here and ends with this value.
pub(crate) struct Started {
    pub(crate) place: Place,
    pub(crate) process: u32,
    child: Child,
}

impl Started {
    /// Starts the command and waits until its port takes connections.
    pub(crate) fn start(mut command: Command, address: SocketAddr, log: &Path) -> Result<Self> {
        let program = PathBuf::from(command.get_program());
        let log_file = File::create(log)?;
        command.stdin(Stdio::null()).stdout(log_file.try_clone()?).stderr(log_file);
        let child = command.spawn().with_context(|| format!("{} cannot be started", program.display()))?;
        let process = child.id();
        let mut started = Self { place: Place { address, tls: None }, process, child };
        let begun = Instant::now();
        while std::net::TcpStream::connect(address).is_err() {
            if let Some(status) = started.child.try_wait()? {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                bail!("{} ended with {status}:\n{said}", program.display());
            }
            if begun.elapsed() > START_MAX {
                bail!("{} takes no connection on {address}", program.display());
            }
            std::thread::sleep(PAUSE);
        }
        Ok(started)
    }

    /// Waits for a file that the process is about to make.
    pub(crate) fn wait_for(&mut self, file: &Path) -> Result<()> {
        let begun = Instant::now();
        while !file.exists() {
            if self.child.try_wait()?.is_some() || begun.elapsed() > START_MAX {
                bail!("{} is not made", file.display());
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// The floor.
    pub(crate) fn floor(folder: &Path) -> Result<Self> {
        let address = free_address()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("floor").arg(address.to_string());
        Self::start(command, address, &folder.join("floor.log"))
    }

    /// The server under a load.
    pub(crate) fn under<'a>(
        &'a self,
        requests: &'a [Prepared],
        shape: Shape,
        duration: Duration,
    ) -> Load<'a> {
        Load { place: &self.place, requests, shape, duration, process: Some(self.process) }
    }

    /// Asks the process to end, and waits for that.
    pub(crate) fn stop(mut self) -> Result<()> {
        // Through the shell's own command, for the standard library can only kill.
        Command::new("kill").arg(self.process.to_string()).status()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address of this machine that was free a moment ago.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
