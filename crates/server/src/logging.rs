//! The log: to standard error, quiet, and only what our own rooms say at the chosen level.
//!
//! Libraries are held to warnings whatever the level: at finer ones the HTTP stack would print headers, and with them
//! signatures.

use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{FilterFn, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::config::LogChoice;

const OWN_ROOMS: [&str; 9] =
    ["keywright", "kms", "identity", "keyring", "audit", "store", "wire", "crypto", "base"];

/// Starts logging, once for the whole process. A second call changes nothing.
pub(crate) fn start(choice: LogChoice) {
    let output = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let output = if choice.json {
        output.json().flatten_event(true).boxed()
    } else {
        use std::io::IsTerminal as _;
        output.with_ansi(std::io::stderr().is_terminal()).with_target(false).boxed()
    };
    let subscriber = tracing_subscriber::registry().with(output.with_filter(filter(choice.level)));
    let _ = tracing::subscriber::set_global_default(subscriber);
    // What a fault says may hold what it was working on; only the place is told.
    std::panic::set_hook(Box::new(|fault| {
        let place = fault.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "internal fault; please report this line");
    }));
}

fn filter(level: LevelFilter) -> FilterFn<impl Fn(&Metadata<'_>) -> bool> {
    filter_fn(move |metadata| is_wanted(level, metadata.target(), *metadata.level()))
        .with_max_level_hint(level.max(LevelFilter::WARN))
}

fn is_wanted(level: LevelFilter, target: &str, of: Level) -> bool {
    let is_own = target.split("::").next().is_some_and(|room| OWN_ROOMS.contains(&room));
    of <= if is_own { level } else { level.min(LevelFilter::WARN) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_never_say_more_than_warnings() {
        assert!(is_wanted(LevelFilter::DEBUG, "keywright::http", Level::DEBUG));
        assert!(is_wanted(LevelFilter::DEBUG, "h2", Level::WARN));
        for library in ["h2", "hyper", "hyper_util::server", "rustls", "tokio", "kmsx", ""] {
            assert!(!is_wanted(LevelFilter::DEBUG, library, Level::INFO), "{library}");
        }
        assert!(!is_wanted(LevelFilter::ERROR, "h2", Level::WARN));
        assert!(!is_wanted(LevelFilter::INFO, "keywright", Level::DEBUG));
    }
}
