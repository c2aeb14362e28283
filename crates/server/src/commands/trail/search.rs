//! `keywright trail search`: finds events, newest first.

use audit::index::{Index, Query};
use base::{Clock as _, SystemClock};

use super::{TrailReadError, filter, log_folder, rendering};
use crate::command_line::Search;
use crate::start_error::StartError;
use crate::terminal;

/// Prints what is found. It ends well also if nothing is.
pub(in crate::commands) fn search(arguments: &Search) -> Result<(), StartError> {
    let now = SystemClock.now();
    let moment = |text: &Option<String>, is_end| {
        text.as_deref().map(|text| filter::moment(text, now, is_end)).transpose()
    };
    let (from, to) = (moment(&arguments.from, false)?, moment(&arguments.to, true)?);
    let folder = log_folder(&arguments.log)?;
    let unreadable = |source| TrailReadError::Unreadable { folder: folder.clone(), source };
    let query = Query { from, to, ..arguments.filter.query() };
    let mut found = Index::of_folder(&folder).search(query).map_err(unreadable)?;
    let mut left = if arguments.limit == 0 { usize::MAX } else { arguments.limit };
    while left > 0 {
        let Some(event) = found.advance().map_err(unreadable)? else { break };
        if arguments.filter.wants(&event) {
            left -= 1;
            if terminal::tell(&rendering::line(&event, arguments.format)).is_err() {
                break;
            }
        }
    }
    Ok(())
}
