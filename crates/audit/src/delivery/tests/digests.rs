//! Digest chains: when they begin, go on and end, and who signs them.

use super::doubles::{Bench, HOUR, START, event};

#[tokio::test]
async fn digests_come_every_hour_also_when_nothing_happens_and_follow_one_another() {
    let bench = Bench::new();
    bench.deliver(START.plus_seconds(-HOUR)).await.unwrap();
    bench.log(&[event(1, "us-east-1", 0)]).await;
    bench.deliver(START.plus_seconds(60)).await.unwrap();
    assert!(bench.bucket.digests().is_empty());
    bench.deliver(START.plus_seconds(HOUR + 5)).await.unwrap();
    let first = bench.bucket.digest("20261127T200000Z");
    assert_eq!(
        (first.digest_start_time.as_str(), first.digest_end_time.as_str()),
        ("2026-11-27T19:01:00Z", "2026-11-27T20:00:00Z")
    );
    assert_eq!((first.aws_account_id.as_str(), first.bucket.as_str()), ("000000000001", "trail"));
    assert_eq!(first.oldest_event_time.as_deref(), Some("2026-11-27T18:59:00Z"));
    assert_eq!((first.previous_object, first.previous_digest_signature), (None, None));
    bench.deliver(START.plus_seconds(2 * HOUR)).await.unwrap();
    // A day without anybody at work is one digest.
    bench.deliver(START.plus_seconds(26 * HOUR)).await.unwrap();
    let second = bench.bucket.digest("20261127T210000Z");
    assert_eq!((second.log_files.len(), second.newest_event_time), (0, None));
    assert_eq!(bench.bucket.digests().len(), 3);
    assert_eq!(bench.check_chains().await.len(), 1);
}

#[tokio::test]
async fn a_clock_that_was_set_back_holds_up_no_digest_and_no_time_of_a_chain_goes_back() {
    let bench = Bench::new();
    bench.log(&[event(1, "us-east-1", 0)]).await;
    let ahead = START.plus_days(3);
    bench.deliver(ahead).await.unwrap();
    bench.deliver(ahead.plus_seconds(HOUR)).await.unwrap();
    assert_eq!(bench.bucket.digests().len(), 1);
    for number in 1..4 {
        bench.log(&[event(1, "us-east-1", number)]).await;
        bench.deliver(START.plus_seconds(300 * i64::from(number))).await.unwrap();
    }
    assert_eq!(bench.bucket.event_numbers(), [0, 1, 2, 3]);
    assert!(bench.bucket.log_files().keys().all(|name| name.contains("_20261130T")));
    assert_eq!(bench.bucket.digests().len(), 3, "the file of the last turn waits for the next one");
    for number in 4..6 {
        bench.deliver(START.plus_seconds(300 * number)).await.unwrap();
        assert_eq!(bench.bucket.digests().len(), 4, "where nothing was delivered there is no digest");
    }
    bench.deliver(ahead.plus_seconds(2 * HOUR)).await.unwrap();
    assert_eq!(bench.bucket.digest("20261130T210000Z").log_files.len(), 0);
    assert_eq!(bench.check_chains().await.len(), 4);
}

#[tokio::test]
async fn a_starting_digest_has_nulls_where_aws_has_them() {
    let bench = Bench::new();
    bench.log(&[event(1, "us-east-1", 0)]).await;
    bench.deliver(START).await.unwrap();
    bench.deliver(START.plus_seconds(HOUR)).await.unwrap();
    let (_, content) = bench.bucket.digests().pop_first().unwrap();
    for field in ["S3Bucket", "S3Object", "HashValue", "HashAlgorithm", "Signature"] {
        assert!(content.contains(&format!("\"previousDigest{field}\":null")), "{field} in {content}");
    }
}

#[tokio::test]
async fn a_trail_that_stops_ends_its_chain_and_begins_another_when_it_goes_on() {
    let bench = Bench::new();
    bench.log(&[event(1, "us-east-1", 0)]).await;
    bench.deliver(START).await.unwrap();
    bench.trails.0.lock().unwrap()[0].is_logging = false;
    // What was delivered still gets its digest.
    for hour in 1..4 {
        bench.deliver(START.plus_seconds(hour * HOUR)).await.unwrap();
    }
    assert_eq!(bench.bucket.digests().len(), 1);
    bench.trails.0.lock().unwrap()[0].is_logging = true;
    bench.log(&[event(1, "us-east-1", 1)]).await;
    bench.deliver(START.plus_seconds(4 * HOUR)).await.unwrap();
    bench.deliver(START.plus_seconds(5 * HOUR)).await.unwrap();
    assert_eq!(bench.bucket.digest("20261128T000000Z").previous_object, None);
    assert_eq!(bench.check_chains().await.len(), 2);
}

#[tokio::test]
async fn keys_are_of_one_region_and_one_year_and_old_ones_cannot_sign_any_more() {
    let bench = Bench::new();
    bench.log(&[event(1, "us-east-1", 0), event(1, "eu-west-1", 1)]).await;
    bench.deliver(START).await.unwrap();
    bench.deliver(START.plus_seconds(HOUR)).await.unwrap();
    let ask = |region, days| {
        bench.public_keys(region, START.plus_days(days), START.plus_days(days).plus_seconds(HOUR))
    };
    let (first, other) = (ask("us-east-1", 0).await, ask("eu-west-1", 0).await);
    assert_eq!((first.len(), other.len()), (1, 1));
    assert_ne!(first[0].fingerprint, other[0].fingerprint);
    assert_eq!(first[0].fingerprint.len(), 32);
    assert!(ask("us-east-1", -1).await.is_empty() && ask("us-west-1", 0).await.is_empty());
    bench.deliver(START.plus_days(400)).await.unwrap();
    let second = ask("us-east-1", 400).await;
    assert_eq!(second.len(), 1);
    assert_ne!(second[0].fingerprint, first[0].fingerprint);
    assert_eq!(ask("us-east-1", 0).await[0].value, first[0].value);
    bench.check_chains().await;
    let stored =
        bench.store.range(store::Range::prefix("trail/delivery/key/us-east-1/")).await.unwrap().entries;
    let has_private: Vec<bool> = stored
        .iter()
        .map(|entry| !String::from_utf8_lossy(&entry.value).contains("\"private\":null"))
        .collect();
    assert_eq!(has_private, [false, true]);
}
