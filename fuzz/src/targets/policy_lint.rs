//! The look over policies: whatever parses is looked over, and what is found has a place in the text.

use policy::lint::{Circumstances, guess_kind, lint};
use policy::{Policy, PolicyKind};

use crate::scene::KEY;
use crate::{Target, corpus};

pub(crate) const TARGET: Target =
    Target { name: "policy_lint", run, seeds: corpus::policies, words: &super::policy_words::ALL };

fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let _ = guess_kind(text);
    let of_key =
        Circumstances { account: Some("111122223333".parse().unwrap()), key: Some(KEY.parse().unwrap()) };
    for kind in super::policy_document::KINDS {
        for circumstances in [Circumstances::default(), of_key] {
            check(text, kind, &circumstances);
        }
    }
}

fn check(text: &str, kind: PolicyKind, circumstances: &Circumstances) {
    let found = lint(text, kind, circumstances);
    assert_eq!(found.is_ok(), Policy::parse(text, kind).is_ok(), "parsed by one and not by the other");
    let Ok(findings) = found else { return };
    // CR alone ends a line, too.
    let lines = 1 + text.matches(['\n', '\r']).count();
    assert!(findings.is_sorted_by_key(|finding| finding.position), "not in the order of the text");
    for finding in &findings {
        assert!(finding.rule.kinds.contains(&kind), "{finding:?}");
        assert!(usize::try_from(finding.position.line).unwrap() <= lines, "{finding:?}");
        assert!(!finding.what.is_empty());
    }
}
