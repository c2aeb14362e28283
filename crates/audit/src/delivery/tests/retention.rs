//! What is old goes, and a signed mark says so.

use std::sync::Arc;

use super::doubles::{Bench, START, event};
use crate::delivery::{Destination as _, FolderDestination, InvalidMark, Kept, all_public_keys, read_mark};
use crate::log::{Head, segments};
use crate::verification::verify_log;

async fn log_and_deliver(bench: &Bench) {
    let events: Vec<String> = (0..12).map(|number| event(1, "us-east-1", number)).collect();
    bench.log(&events).await;
    bench.deliver(START).await.unwrap();
}

async fn kept(bench: &Bench) -> Option<Kept> {
    let text = std::fs::read(bench.place.path().join("retention.json")).ok()?;
    Some(read_mark(&text, &all_public_keys(bench.store.as_ref()).await.unwrap()).unwrap())
}

fn firsts(bench: &Bench) -> Vec<u64> {
    segments(&bench.log_folder()).unwrap().iter().map(|segment| segment.first).collect()
}

#[tokio::test]
async fn the_log_is_kept_as_long_as_is_said_and_then_all_but_its_last_segment_goes() {
    let bench = Bench::new();
    log_and_deliver(&bench).await;
    let before = firsts(&bench);
    assert!(before.len() > 2);
    bench.deliver(START.plus_days(90)).await.unwrap();
    assert_eq!((firsts(&bench), kept(&bench).await), (before.clone(), None));
    bench.deliver(START.plus_days(92)).await.unwrap();
    let last = *before.last().unwrap();
    assert_eq!(firsts(&bench), [last]);
    let mark = kept(&bench).await.unwrap();
    assert_eq!(mark.log.next, last);
    let findings =
        |begins| verify_log(&bench.log_folder(), begins, None, &mut |_| ()).unwrap().findings.count();
    assert_eq!(findings(mark.log), 0);
    assert_eq!(findings(Head::BEGINNING), 1);
}

#[tokio::test]
async fn a_clock_that_was_set_back_holds_up_nothing_that_is_old() {
    let bench = Bench::new();
    bench.deliver(START.plus_days(4_000)).await.unwrap();
    log_and_deliver(&bench).await;
    assert!(firsts(&bench).len() > 2);
    bench.deliver(START.plus_days(92)).await.unwrap();
    assert_eq!(firsts(&bench).len(), 1);
}

#[tokio::test]
async fn what_is_old_stays_as_long_as_somebody_wants_that_and_no_turn_is_taken_while_somebody_pauses() {
    let bench = Bench::new();
    log_and_deliver(&bench).await;
    let before = firsts(&bench);
    let deliverer = Arc::clone(&bench.deliverer.lock().unwrap());
    let (one, two) = (deliverer.keep_old(), deliverer.keep_old());
    bench.deliver(START.plus_days(92)).await.unwrap();
    drop(one);
    bench.deliver(START.plus_days(93)).await.unwrap();
    assert_eq!((firsts(&bench), kept(&bench).await), (before.clone(), None));
    drop(two);
    let pause = deliverer.pause().await;
    tokio::select! {
        biased;
        _ = bench.deliver(START.plus_days(93)) => panic!("a turn was taken"),
        () = tokio::task::yield_now() => {}
    }
    drop(pause);
    bench.deliver(START.plus_days(93)).await.unwrap();
    assert_eq!(firsts(&bench), [*before.last().unwrap()]);
}

#[tokio::test]
async fn what_is_not_delivered_stays() {
    let bench = Bench::new();
    bench.bucket.fail(true);
    let events: Vec<String> = (0..12).map(|number| event(1, "us-east-1", number)).collect();
    bench.log(&events).await;
    let before = firsts(&bench);
    assert!(bench.deliver(START.plus_days(500)).await.is_err());
    assert_eq!(firsts(&bench), before);
}

#[tokio::test]
async fn delivered_files_go_with_their_signatures_and_nothing_else_does() {
    let bench = Bench::new();
    log_and_deliver(&bench).await;
    bench.deliver(START.plus_seconds(3_600)).await.unwrap();
    let folder = bench.place.path().join("delivered");
    let objects: Vec<_> = bench.bucket.objects.lock().unwrap().values().cloned().collect();
    for object in objects {
        FolderDestination::new(folder.clone()).put(&object).await.unwrap();
    }
    let note = folder.join("AWSLogs/note.txt");
    std::fs::write(&note, b"mine").unwrap();
    let count = || walk(&folder).len();
    assert_eq!(count(), 4);
    bench.deliver(START.plus_days(30)).await.unwrap();
    assert_eq!(count(), 4);
    bench.deliver(START.plus_days(32)).await.unwrap();
    assert_eq!(walk(&folder), [note]);
    let since = kept(&bench).await.unwrap().delivered_since.unwrap();
    assert_eq!(since.iso_extended(), "2026-11-29T00:00:00Z");
}

#[tokio::test]
async fn a_mark_that_was_changed_or_forged_is_none() {
    let bench = Bench::new();
    log_and_deliver(&bench).await;
    bench.deliver(START.plus_days(92)).await.unwrap();
    let text = std::fs::read_to_string(bench.place.path().join("retention.json")).unwrap();
    let keys = all_public_keys(bench.store.as_ref()).await.unwrap();
    assert!(read_mark(text.as_bytes(), &keys).is_ok());
    assert_eq!(read_mark(text.as_bytes(), &[]), Err(InvalidMark));
    let next = firsts(&bench)[0];
    let changed = text.replace(&format!("\"logBeginsWith\": {next}"), "\"logBeginsWith\": 1");
    assert_ne!(changed, text);
    assert_eq!(read_mark(changed.as_bytes(), &keys), Err(InvalidMark));
    assert_eq!(read_mark(b"{}", &keys), Err(InvalidMark));
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(walk(&path)) } else { found.push(path) }
    }
    found
}
