//! Ranges and their pages.

use crate::{Engine, key, put};
use std::sync::Arc;
use store::{PAGE_BYTES_MAX, Page, Range, Store, Transaction};

fn names(page: &Page) -> Vec<&str> {
    page.entries.iter().map(|entry| entry.key.as_str()).collect()
}

async fn range(store: &Arc<dyn Store>, range: Range) -> Page {
    store.range(range).await.unwrap()
}

async fn put_all(store: &Arc<dyn Store>, keys: &[&str]) {
    let transaction =
        keys.iter().fold(Transaction::new(), |all, name| all.put(key(name), name.as_bytes().to_vec()));
    store.commit(transaction).await.unwrap();
}

pub(crate) async fn a_prefix_bounds_a_range(engine: &impl Engine) {
    let store = engine.fresh().await;
    put_all(&store, &["a/", "a/1", "a/2/x", "a0", "a", "b/1", "A/1"]).await;
    let page = range(&store, Range::prefix("a/")).await;
    assert_eq!(names(&page), ["a/", "a/1", "a/2/x"]);
    assert!(!page.more);
    for entry in &page.entries {
        assert_eq!(entry.value, entry.key.as_str().as_bytes());
    }
    assert_eq!(names(&range(&store, Range::prefix("")).await).len(), 7);
    assert_eq!(names(&range(&store, Range::prefix("a/2/x")).await), ["a/2/x"]);
}

pub(crate) async fn order_is_bytewise(engine: &impl Engine) {
    let store = engine.fresh().await;
    put_all(&store, &["k/é", "k/z", "k/Z", "k/10", "k/9", "k/1/0", "k/1", "k/😀", "k/ "]).await;
    let page = range(&store, Range::prefix("k/")).await;
    assert_eq!(names(&page), ["k/ ", "k/1", "k/1/0", "k/10", "k/9", "k/Z", "k/z", "k/é", "k/😀"]);
}

pub(crate) async fn pages_follow_one_another(engine: &impl Engine) {
    let store = engine.fresh().await;
    let all: Vec<String> = (0..25).map(|number| format!("k/{number:02}")).collect();
    put_all(&store, &all.iter().map(String::as_str).collect::<Vec<_>>()).await;
    put(&store, "l/00", b"").await;
    for (limit, pages_wanted) in [(10, 3), (5, 5), (25, 1), (24, 2), (1_000, 1)] {
        let (mut found, mut pages) = (Vec::new(), 0);
        let mut next = Range::prefix("k/").limit(limit);
        loop {
            let page = range(&store, next).await;
            pages += 1;
            found.extend(page.entries.iter().map(|entry| entry.key.to_string()));
            if !page.more {
                break;
            }
            assert_eq!(page.entries.len(), limit);
            next = Range::prefix("k/").limit(limit).after(&page.entries.last().unwrap().key);
        }
        assert_eq!((found, pages), (all.clone(), pages_wanted), "{limit}");
    }
    // A page can go on from a key that is gone, or never was.
    let page = range(&store, Range::prefix("k/").after(&key("k/22x"))).await;
    assert_eq!(names(&page), ["k/23", "k/24"]);
}

pub(crate) async fn until_ends_a_range(engine: &impl Engine) {
    let store = engine.fresh().await;
    put_all(&store, &["d/1/a", "d/2/a", "d/2/b", "d/3/a", "e"]).await;
    let until = |end: &str| range(&store, Range::prefix("d/").until(end));
    assert_eq!(names(&until("d/2/b").await), ["d/1/a", "d/2/a"]);
    assert_eq!(names(&until("d/9").await).len(), 4);
    // Beyond the prefix, the prefix rules.
    assert_eq!(names(&until("z").await).len(), 4);
    let bounded = until("d/2").await;
    assert_eq!((names(&bounded), bounded.more), (vec!["d/1/a"], false));
}

pub(crate) async fn a_page_is_bounded_in_bytes(engine: &impl Engine) {
    let store = engine.fresh().await;
    let value = vec![7; 1_000_000];
    for number in 0..9 {
        put(&store, &format!("large/{number}"), &value).await;
    }
    let first = range(&store, Range::prefix("large/")).await;
    assert!(first.more && first.entries.len() < 9, "{}", first.entries.len());
    let bytes: usize = first.entries.iter().map(|entry| entry.value.len()).sum();
    assert!(bytes < PAGE_BYTES_MAX + value.len() + 1_024, "{bytes}");
    let rest = range(&store, Range::prefix("large/").after(&first.entries.last().unwrap().key)).await;
    assert!(!rest.entries.is_empty());
    assert_eq!(rest.entries[0].key.as_str(), format!("large/{}", first.entries.len()));
}

pub(crate) async fn an_empty_range_is_an_empty_page(engine: &impl Engine) {
    let store = engine.fresh().await;
    let nothing = Page { entries: Vec::new(), more: false };
    assert_eq!(range(&store, Range::prefix("")).await, nothing);
    put_all(&store, &["a/1", "a/2"]).await;
    for empty in [
        Range::prefix("b/"),
        Range::prefix("a/").after(&key("a/2")),
        Range::prefix("a/").after(&key("z")),
        Range::prefix("a/").until("a/1"),
        Range::prefix("a/").until(""),
        Range::prefix("a/").after(&key("a/2")).until("a/1"),
        Range::prefix("a/").after(&key("a/1")).until("a/1"),
    ] {
        assert_eq!(range(&store, empty.clone()).await, nothing, "{empty:?}");
    }
}
