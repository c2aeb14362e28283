//! Sends each event on as it is logged: one line of JSON each, to standard output, a syslog server or an OpenTelemetry
//! collector. Nobody who is sent to can make a call wait or an event disappear: it is in the log, and what could not be sent
//! is tried again.

mod follower;
mod otlp;
mod position;
mod standard_output;
mod syslog;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use audit::Trail;
use reqwest::Url;

use follower::{Follower, LoggedEvent};
use otlp::Collector;
use position::Position;
use standard_output::StandardOutput;
use syslog::SyslogServer;

pub(crate) use syslog::{InvalidSyslogAddress, SyslogAddress};

/// Events that are sent together.
const BATCH: usize = 256;
/// The first and the longest pause after something could not be sent.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// Where events are sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct ExportChoice {
    pub(crate) standard_output: bool,
    pub(crate) syslog: Option<SyslogAddress>,
    /// The collector's address; events go to `/v1/logs` below it.
    pub(crate) otlp: Option<Url>,
}

/// Something could not be sent.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct SendError(String);

/// Somebody who is sent events.
#[async_trait]
trait Receiver: Send {
    /// Its name, for the log and for the file that remembers how far it came.
    fn name(&self) -> &'static str;

    /// Whether it is sent, after a start, what it has missed.
    fn remembers(&self) -> bool;

    /// Sends events; all of them are sent again if this fails.
    async fn send(&mut self, events: &[LoggedEvent]) -> Result<(), SendError>;
}

/// Starts to send, for as long as the runtime lives. What came before the first time is not sent.
///
/// # Errors
/// A receiver cannot be prepared.
pub(crate) fn start(choice: &ExportChoice, trail: &Arc<Trail>, folder: &Path) -> Result<(), SendError> {
    let mut receivers: Vec<Box<dyn Receiver>> = Vec::new();
    if choice.standard_output {
        receivers.push(Box::new(StandardOutput));
    }
    if let Some(address) = &choice.syslog {
        receivers.push(Box::new(SyslogServer::new(address.clone())));
    }
    if let Some(url) = &choice.otlp {
        receivers.push(Box::new(Collector::new(url)?));
    }
    for receiver in receivers {
        let position = Position::new(folder, receiver.name());
        tokio::spawn(send_all(receiver, Arc::clone(trail), position));
    }
    Ok(())
}

async fn send_all(mut receiver: Box<dyn Receiver>, trail: Arc<Trail>, position: Position) {
    let mut durable = trail.log().durable();
    let known = if receiver.remembers() { position.read() } else { None };
    let mut follower = Follower::new(trail.log().folder(), known.unwrap_or_else(|| *durable.borrow()));
    let mut pause = PAUSE_MIN;
    loop {
        let end = *durable.borrow_and_update();
        let sent = match follower.next(end, BATCH) {
            Ok(events) if events.is_empty() => {
                // The log is closed: there will be no more.
                if durable.changed().await.is_err() {
                    return;
                }
                continue;
            }
            Ok(events) => receiver.send(&events).await,
            Err(error) => Err(SendError(format!("the audit log cannot be read: {error}"))),
        };
        match sent {
            Ok(()) => {
                follower.advance();
                if receiver.remembers() {
                    position.write(follower.sequence());
                }
                if pause > PAUSE_MIN {
                    tracing::info!(receiver = receiver.name(), "events are sent on again");
                }
                pause = PAUSE_MIN;
            }
            Err(error) => {
                if pause == PAUSE_MIN {
                    tracing::warn!(receiver = receiver.name(), %error, "events are not sent on; they stay in the log and are \
                        sent when it is possible");
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
    }
}
