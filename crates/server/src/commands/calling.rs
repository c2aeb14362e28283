//! What commands share that call a running service.

use serde::Serialize;

use crate::client::{Profile, ProfileError, Variables, Wishes};
use crate::command_line::Connection;

/// Who calls, and where.
pub(super) fn profile(connection: &Connection) -> Result<Profile, ProfileError> {
    let wishes = Wishes {
        endpoint: connection.endpoint_url.as_deref(),
        region: connection.region,
        profile: connection.profile.as_deref(),
    };
    Profile::find(wishes, &Variables::of_process())
}

/// An answer for programs.
pub(super) fn as_json(answer: &impl Serialize) -> String {
    serde_json::to_string_pretty(answer).map(|text| text + "\n").unwrap_or_default()
}
