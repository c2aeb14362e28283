//! `keywright trail tail`: shows events as they happen.

use std::collections::VecDeque;
use std::time::Duration;

use audit::index::LoggedEvent;
use audit::log::{Follower, LogLine};

use super::{TrailReadError, log_folder, rendering};
use crate::command_line::Tail;
use crate::start_error::StartError;
use crate::terminal;

/// How often it is looked whether there is more.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Earlier events that can come first.
const LINES_MAX: usize = 100_000;

/// Prints events until nobody reads them any more.
pub(in crate::commands) fn tail(arguments: &Tail) -> Result<(), StartError> {
    let folder = log_folder(&arguments.log)?;
    let unreadable = |source| TrailReadError::Unreadable { folder: folder.clone(), source };
    let mut follower = Follower::new(&folder).map_err(unreadable)?;
    let wanted = |line: LogLine| {
        let event = LoggedEvent::read(line.sequence, line.event.get())?;
        arguments.filter.wants(&event).then(|| rendering::line(&event, arguments.format))
    };
    let lines = arguments.lines.min(LINES_MAX);
    let mut earlier = VecDeque::new();
    follower
        .read(|line| {
            earlier.extend(wanted(line));
            while earlier.len() > lines {
                earlier.pop_front();
            }
        })
        .map_err(unreadable)?;
    let mut shown: String = earlier.into_iter().collect();
    while terminal::tell(&shown).is_ok() {
        shown.clear();
        std::thread::sleep(LOOK_EVERY);
        follower.read(|line| shown.extend(wanted(line))).map_err(unreadable)?;
    }
    Ok(())
}
