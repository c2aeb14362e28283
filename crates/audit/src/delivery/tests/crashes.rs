//! Cut off at every step, as by a kill: what is delivered afterwards has neither gaps nor duplicates nor forks.

use super::doubles::{Bench, HOUR, START, event};

/// What happens in three hours: events in two accounts, so that several files, chains and digests come together.
async fn live(bench: &Bench, from: i64) {
    for turn in from..=12 {
        let now = START.plus_seconds(turn * HOUR / 4);
        if bench.deliver(now).await.is_err() {
            // The process has ended; another one goes on later.
            bench.fuse.remove();
            bench.restart();
            bench.deliver(now.plus_seconds(60)).await.unwrap();
        }
    }
}

async fn log(bench: &Bench) {
    let events: Vec<String> =
        (0..12).map(|number| event(u64::from(number % 2), "us-east-1", number)).collect();
    bench.log(&events).await;
}

async fn check(bench: &Bench) {
    assert_eq!(bench.bucket.event_numbers(), (0..12).collect::<Vec<_>>());
    let mut named = bench.check_chains().await;
    named.sort();
    let files: Vec<String> = bench.bucket.log_files().into_keys().collect();
    assert_eq!(named, files, "every file is named by one digest");
    // Two accounts, three hours, no digest twice.
    assert_eq!(bench.bucket.digests().len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_step_leaves_no_gap_no_duplicate_and_no_fork() {
    let undisturbed = Bench::with_pieces_of(5);
    log(&undisturbed).await;
    undisturbed.fuse.set(i64::MAX);
    live(&undisturbed, 0).await;
    check(&undisturbed).await;
    let mut steps = 0;
    loop {
        let bench = Bench::with_pieces_of(5);
        log(&bench).await;
        bench.fuse.set(steps);
        live(&bench, 0).await;
        check(&bench).await;
        // The fuse is taken out by the crash; if it is still in, there are no more steps.
        if !bench.fuse.was_removed() {
            break;
        }
        steps += 1;
    }
    assert!(steps > 20, "{steps} steps");
}
