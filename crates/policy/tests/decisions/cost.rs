//! What a decision costs: nothing is allocated, however many statements there are.

use policy::decide;
use serde_json::Value;

use crate::case::{Case, Outcome};
use crate::corpus::{Theme, themes};
use crate::typical::{large, typical};

/// Allocations of one decision, and what was decided.
fn allocations(theme: &Theme, case: &Case) -> (u64, String) {
    let built = case.build(theme).unwrap();
    built.request(|request, identity, resource| {
        let mut is_allowed = false;
        let counted =
            allocation_counter::measure(|| is_allowed = decide(request, identity, resource).is_allowed());
        let outcome = Outcome::of(&decide(request, identity, resource));
        assert_eq!(outcome.text.starts_with("allow"), is_allowed);
        (counted.count_total, outcome.text)
    })
}

#[test]
fn a_typical_decision_allocates_nothing() {
    for case in [typical(), large()] {
        let mut case = case;
        let read = |case: &Value| serde_json::from_value::<Case>(case.clone()).unwrap();
        assert_eq!(allocations(&Theme::default(), &read(&case)), (0, "allow".to_owned()));
        case["context"]["encryption_context"]["tenant"] = "bob".into();
        assert_eq!(allocations(&Theme::default(), &read(&case)), (0, "implicit identity".to_owned()));
    }
}

/// Only two operators need memory: bytes are decoded, and a text made with a variable is compared without its case.
#[test]
fn no_decision_of_the_corpus_allocates() {
    for theme in themes() {
        for case in theme.decisions() {
            assert_eq!(allocations(&theme, &case).0, 0, "{}: {}", theme.file, case.name);
        }
    }
}
