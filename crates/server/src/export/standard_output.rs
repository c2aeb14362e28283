//! Events on standard output, for whoever collects what a container says.

use async_trait::async_trait;

use super::follower::LoggedEvent;
use super::{Receiver, SendError};
use crate::terminal;

/// This process's standard output.
pub(super) struct StandardOutput;

#[async_trait]
impl Receiver for StandardOutput {
    fn name(&self) -> &'static str {
        "standard-output"
    }

    fn remembers(&self) -> bool {
        false
    }

    async fn send(&mut self, events: &[LoggedEvent]) -> Result<(), SendError> {
        let lines: String = events.iter().flat_map(|event| [event.json.as_str(), "\n"]).collect();
        terminal::say(&lines);
        Ok(())
    }
}
