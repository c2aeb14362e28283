//! When denials are answered: at whole steps from their beginning, so that their time does not tell what they know.
//!
//! Whether a key, a role or an object of another account is not there or not for the caller is answered in the same words,
//! and takes different work. The step is far longer than that differs.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Longer than a denial takes on a machine that is not busy.
const STEP: Duration = Duration::from_millis(2);

/// Waits until the next whole step since `begun`.
pub(super) async fn wait(begun: Instant) {
    let passed = begun.elapsed();
    let steps = u32::try_from(passed.as_nanos() / STEP.as_nanos()).unwrap_or(u32::MAX);
    sleep_until(begun + STEP.saturating_mul(steps.saturating_add(1))).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_took_different_times_is_answered_at_the_same_one() {
        for (took, answered) in [(0, 2_000), (10, 2_000), (1_999, 2_000), (2_000, 4_000), (4_100, 6_000)] {
            let begun = Instant::now();
            tokio::time::advance(Duration::from_micros(took)).await;
            wait(begun).await;
            assert_eq!(begun.elapsed(), Duration::from_micros(answered), "{took}");
        }
    }
}
