//! Delivery as others see it: from a log on disk to files and digests, whatever fails and wherever it is cut off.

mod crashes;
mod damage;
mod digests;
pub(crate) mod doubles;
mod retention;

use std::collections::BTreeMap;

use base::Timestamp;

use super::*;
use doubles::{Bench, HOUR, START, event};

#[tokio::test]
async fn events_are_delivered_byte_for_byte_in_files_of_their_account_and_region() {
    let bench = Bench::new();
    let events = [
        event(1, "us-east-1", 0),
        event(2, "us-east-1", 1),
        event(1, "eu-west-1", 2),
        event(1, "us-east-1", 3),
    ];
    bench.log(&events).await;
    bench.deliver(START).await.unwrap();
    let files = bench.bucket.log_files();
    let content: BTreeMap<String, String> = files
        .iter()
        .map(|(name, content)| (name.rsplit_once('/').unwrap().0.to_owned(), content.clone()))
        .collect();
    let folder = |account: &str, region: &str| format!("AWSLogs/{account}/CloudTrail/{region}/2026/11/27");
    let expected = BTreeMap::from([
        (folder("000000000001", "us-east-1"), format!("{{\"Records\":[{},{}]}}", events[0], events[3])),
        (folder("000000000002", "us-east-1"), format!("{{\"Records\":[{}]}}", events[1])),
        (folder("000000000001", "eu-west-1"), format!("{{\"Records\":[{}]}}", events[2])),
    ]);
    assert_eq!(content, expected);
    for name in files.keys() {
        let file = name.rsplit('/').next().unwrap();
        let [_, kind, _, time, unique] =
            file.strip_suffix(".json.gz").unwrap().split('_').collect::<Vec<_>>()[..]
        else {
            panic!("{name}")
        };
        assert_eq!((kind, time, unique.len()), ("CloudTrail", "20261127T1900Z", 16));
        assert!(unique.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }
}

#[tokio::test]
async fn each_event_is_delivered_once_and_only_when_it_is_on_disk() {
    let bench = Bench::new();
    bench.log(&[event(1, "us-east-1", 0)]).await;
    bench.log_behind_the_disk(&[event(1, "us-east-1", 1)]).await;
    bench.deliver(START).await.unwrap();
    assert_eq!(bench.bucket.event_numbers(), [0]);
    bench.log(&[event(1, "us-east-1", 2)]).await;
    bench.deliver(START.plus_seconds(300)).await.unwrap();
    bench.deliver(START.plus_seconds(600)).await.unwrap();
    assert_eq!(bench.bucket.event_numbers(), [0, 1, 2]);
    assert_eq!(bench.bucket.log_files().len(), 2);
    assert_eq!(bench.status().next, 4);
}

#[tokio::test]
async fn what_is_more_than_one_piece_goes_into_several_files() {
    let bench = Bench::with_pieces_of(3);
    let events: Vec<String> = (0..10).map(|number| event(1, "us-east-1", number)).collect();
    bench.log(&events).await;
    bench.deliver(START).await.unwrap();
    assert_eq!(bench.bucket.event_numbers(), (0..10).collect::<Vec<_>>());
    assert_eq!(bench.bucket.log_files().len(), 4);
    bench.deliver(START.plus_seconds(HOUR)).await.unwrap();
    assert_eq!(bench.bucket.digest("20261127T200000Z").log_files.len(), 4);
}

#[tokio::test]
async fn a_turn_ends_with_what_was_there_when_it_began_though_more_comes_all_the_time() {
    let bench = Bench::new();
    bench.log(&[event(1, "us-east-1", 0)]).await;
    let later: Vec<String> = (1..10).map(|number| event(1, "us-east-1", number)).collect();
    bench.log_behind_the_disk(&later).await;
    bench.bucket.let_grow(&bench.durable);
    for turn in 0..3 {
        bench.deliver(START.plus_seconds(i64::from(turn) * 300)).await.unwrap();
        assert_eq!(bench.bucket.event_numbers(), (0..=turn).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_destination_that_fails_holds_everything_back_and_nothing_is_lost() {
    let bench = Bench::new();
    bench.log(&[event(1, "us-east-1", 0)]).await;
    bench.bucket.fail(true);
    let since = START.plus_seconds(1);
    for seconds in [1, 2, 3] {
        bench.log(&[event(1, "us-east-1", seconds)]).await;
        let now = START.plus_seconds(seconds.into());
        assert!(matches!(bench.deliver(now).await, Err(DeliveryError::Destination(_))));
        assert_eq!(bench.status().failing_since, Some(since));
    }
    assert!(bench.status().failure.unwrap().contains("AWSLogs/000000000001/"));
    bench.bucket.fail(false);
    bench.deliver(START.plus_seconds(4)).await.unwrap();
    assert_eq!(bench.status().failing_since, None);
    assert_eq!(bench.bucket.event_numbers(), [0, 1, 2, 3]);
}

#[tokio::test]
async fn trails_get_what_they_want_below_their_prefix() {
    let mut own = doubles::built_in();
    own.name = "own-trail".parse().unwrap();
    own.account = Some("000000000002".parse().unwrap());
    own.key_prefix = Some("team".to_owned());
    own.validates_log_files = false;
    let bench = Bench::with_trails(vec![doubles::built_in(), own]);
    bench.log(&[event(1, "us-east-1", 0), event(2, "us-east-1", 1)]).await;
    bench.deliver(START).await.unwrap();
    bench.deliver(START.plus_seconds(HOUR)).await.unwrap();
    let below = bench.bucket.log_files().into_iter().filter(|(name, _)| name.starts_with("team/AWSLogs/"));
    assert_eq!(
        below.map(|(_, content)| content).collect::<Vec<_>>(),
        [format!("{{\"Records\":[{}]}}", event(2, "us-east-1", 1))]
    );
    assert_eq!(bench.bucket.event_numbers(), [0, 1, 1]);
    assert!(bench.bucket.digests().keys().all(|name| !name.starts_with("team/")));
    assert_eq!(bench.bucket.digests().len(), 2);
}

#[test]
fn the_start_of_these_tests_is_a_full_hour() {
    assert_eq!(START, Timestamp::from_iso_basic("20261127T190000Z").unwrap());
}
