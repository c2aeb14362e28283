//! A log that was tampered with: delivery says so, and goes on behind the place.

use std::path::PathBuf;

use super::doubles::{Bench, START, event};
use crate::log::segments;

fn events(numbers: std::ops::Range<u32>) -> Vec<String> {
    numbers.map(|number| event(1, "us-east-1", number)).collect()
}

fn files(bench: &Bench) -> Vec<PathBuf> {
    segments(&bench.log_folder()).unwrap().into_iter().map(|segment| segment.path).collect()
}

/// Applies `change` to the lines of the log's first file, and says what is told and which events are delivered.
async fn told(change: impl Fn(&mut Vec<String>)) -> (u64, String, Vec<u32>) {
    let bench = Bench::new();
    bench.log(&events(0..9)).await;
    let path = &files(&bench)[0];
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    change(&mut lines);
    std::fs::write(path, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    bench.deliver(START).await.unwrap();
    let status = bench.status();
    // What was told is not told again.
    bench.deliver(START).await.unwrap();
    assert_eq!(bench.status().breaks, status.breaks);
    (status.breaks, status.last_break.unwrap_or_default(), bench.bucket.event_numbers())
}

#[tokio::test]
async fn a_whole_log_has_no_breaks() {
    let (breaks, _, delivered) = told(|_| ()).await;
    assert_eq!((breaks, delivered), (0, (0..9).collect()));
}

#[tokio::test]
async fn a_line_that_was_taken_out_is_told_with_its_number() {
    let (breaks, what, delivered) = told(|lines| drop(lines.remove(1))).await;
    assert_eq!((breaks, delivered), (1, vec![0, 2, 3, 4, 5, 6, 7, 8]));
    assert!(what.contains("lines 2 to 2 are missing"), "{what}");
}

#[tokio::test]
async fn a_line_that_was_changed_is_told_and_delivered_as_it_is() {
    let (breaks, what, delivered) = told(|lines| lines[1] = lines[1].replace("18:59", "18:58")).await;
    assert_eq!((breaks, delivered), (1, (0..9).collect()));
    assert!(what.contains("00000000000000000001.jsonl") && what.contains("chain"), "{what}");
}

#[tokio::test]
async fn a_line_that_was_put_in_twice_is_told_and_delivered_once() {
    let (breaks, what, delivered) = told(|lines| lines.insert(2, lines[0].clone())).await;
    assert_eq!((breaks, delivered), (1, (0..9).collect()));
    assert!(what.contains("number is 1"), "{what}");
}

#[tokio::test]
async fn garbage_is_told_and_skipped() {
    let (breaks, what, delivered) = told(|lines| lines.insert(0, "{}".to_owned())).await;
    assert_eq!((breaks, delivered), (1, (0..9).collect()));
    assert!(what.contains("byte 0") && what.contains("no line"), "{what}");
}

#[tokio::test]
async fn a_segment_that_is_missing_is_told_with_its_numbers() {
    let bench = Bench::new();
    bench.log(&events(0..12)).await;
    let paths = files(&bench);
    assert!(paths.len() > 2);
    let gone = segments(&bench.log_folder()).unwrap();
    std::fs::remove_file(&paths[1]).unwrap();
    bench.deliver(START).await.unwrap();
    let told = bench.status().last_break.unwrap();
    let (first, last) = (gone[1].first, gone[2].first - 1);
    assert!(told.contains(&format!("lines {first} to {last} are missing")), "{told}");
    assert_eq!(bench.status().breaks, 1);
}

#[tokio::test]
async fn a_segment_that_shrank_or_went_after_it_was_read_is_told() {
    for shrink in [true, false] {
        let bench = Bench::new();
        bench.log(&events(0..2)).await;
        bench.deliver(START).await.unwrap();
        let path = files(&bench).pop().unwrap();
        if shrink {
            std::fs::write(&path, b"").unwrap()
        } else {
            std::fs::remove_file(&path).unwrap()
        }
        bench.deliver(START).await.unwrap();
        let told = bench.status().last_break.unwrap();
        assert!(told.contains(if shrink { "shorter" } else { "is gone" }), "{told}");
    }
}

#[tokio::test]
async fn a_log_that_was_replaced_by_an_older_one_is_told_and_new_events_are_delivered() {
    let bench = Bench::new();
    bench.log(&events(0..2)).await;
    let path = files(&bench).pop().unwrap();
    let old = std::fs::read(&path).unwrap();
    bench.log(&events(2..3)).await;
    bench.deliver(START).await.unwrap();
    for later in files(&bench).iter().filter(|later| **later != path) {
        std::fs::remove_file(later).unwrap();
    }
    std::fs::write(&path, old).unwrap();
    bench.log(&events(0..0)).await;
    bench.deliver(START).await.unwrap();
    assert!(bench.status().last_break.unwrap().contains("older one"));
    bench.log(&events(7..8)).await;
    bench.deliver(START).await.unwrap();
    // Twice rather than never.
    assert_eq!(bench.bucket.event_numbers(), [0, 0, 1, 1, 2, 7]);
    bench.deliver(START.plus_seconds(3_600)).await.unwrap();
    assert_eq!(bench.check_chains().await.len(), bench.bucket.log_files().len());
}
