//! Which events are wanted, on the command line.

use audit::index::{Attribute, LoggedEvent, Query};
use base::Timestamp;

use super::TrailReadError;
use crate::command_line::EventFilter;
use crate::commands::clock;

const DAY_SECONDS: i64 = 86_400;

impl EventFilter {
    /// Whether an event is wanted.
    pub(super) fn wants(&self, event: &LoggedEvent) -> bool {
        let is_by =
            |user: &String| event.user_name.as_ref() == Some(user) || event.user_arn.as_ref() == Some(user);
        let is_about = |key: &String| event.resources.iter().any(|resource| resource.name == *key);
        self.account.is_none_or(|account| account == event.account())
            && self.region.is_none_or(|region| region == event.region())
            && self.event.as_ref().is_none_or(|name| *name == event.name)
            && self.user.as_ref().is_none_or(is_by)
            && self.key.as_ref().is_none_or(is_about)
            && (!self.errors || event.error_code.is_some())
    }

    /// What of it an index can answer: of several attributes the one that fewest events have.
    pub(super) fn query(&self) -> Query {
        let key = self.key.clone().map(|key| (Attribute::ResourceName, key));
        let user = self.user.clone().filter(|user| !user.starts_with("arn:"));
        let user = user.map(|user| (Attribute::Username, user));
        let name = self.event.clone().map(|name| (Attribute::EventName, name));
        Query {
            account: self.account,
            region: self.region,
            attribute: key.or(user).or(name),
            ..Query::default()
        }
    }
}

/// A moment: a time, a day, or how long ago it was. Of a day it is the beginning, or if `is_end` the last moment.
pub(super) fn moment(text: &str, now: Timestamp, is_end: bool) -> Result<Timestamp, TrailReadError> {
    let wrong = || TrailReadError::Moment(text.to_owned());
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    if let Ok(day) = format!("{text}T00:00:00Z").parse::<Timestamp>() {
        return Ok(if is_end { day.plus_seconds(DAY_SECONDS - 1) } else { day });
    }
    let ago = clock::seconds(text).ok().and_then(|seconds| i64::try_from(seconds).ok()).ok_or_else(wrong)?;
    Ok(now.plus_seconds(-ago))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_times_days_or_ago() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        for (text, is_end, expected) in [
            ("2026-01-31T10:00:00Z", false, "2026-01-31T10:00:00Z"),
            ("2026-01-31T10:00:00+02:00", true, "2026-01-31T08:00:00Z"),
            ("2026-01-31", false, "2026-01-31T00:00:00Z"),
            ("2026-01-31", true, "2026-01-31T23:59:59Z"),
            ("90s", false, "2026-03-01T11:58:30Z"),
            ("2d", true, "2026-02-27T12:00:00Z"),
        ] {
            assert_eq!(moment(text, now, is_end).unwrap().to_string(), expected, "{text}");
        }
        for wrong in ["", "yesterday", "2026-13-01", "12", "h", "-1h"] {
            assert!(moment(wrong, now, false).is_err(), "{wrong}");
        }
    }
}
