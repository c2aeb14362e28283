//! Listings of grants: filters, pages, and the grants that somebody may retire.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{ADMIN, CLERK, OTHER_ADMIN, OTHER_ROOT, ROOT, SERVICE, create, ids_by_page, list, retirable};
use crate::bench::{ACCOUNT, Bench, DAY, OTHER_ACCOUNT, code};

#[tokio::test]
async fn lists_are_filtered() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    let (clerks, _) = create(&bench, &key, json!({"GranteePrincipal": CLERK})).await;
    let (admins, _) = create(&bench, &key, json!({"GranteePrincipal": ADMIN})).await;
    let ids = |grants: Vec<Value>| -> BTreeSet<String> {
        grants.iter().map(|grant| grant["GrantId"].as_str().unwrap().to_owned()).collect()
    };
    let both = BTreeSet::from([clerks.clone(), admins.clone()]);
    assert_eq!(ids(list(&bench, &key, json!({})).await), both);
    let clerks = BTreeSet::from([clerks]);
    assert_eq!(ids(list(&bench, &key, json!({"GranteePrincipal": CLERK})).await), clerks);
    assert_eq!(ids(list(&bench, &key, json!({"GrantId": clerks.first()})).await), clerks);
    let together = json!({"GrantId": admins, "GranteePrincipal": CLERK});
    assert!(list(&bench, &key, together).await.is_empty());
    assert!(list(&bench, &key, json!({"GrantId": "0".repeat(64)})).await.is_empty());
    let answer = bench.call(0, "ListGrants", json!({"KeyId": key, "GrantId": "x"})).await;
    assert_eq!(code(answer), "InvalidGrantIdException");
    let filters = json!({"KeyId": key, "GranteePrincipal": CLERK, "GranteeServicePrincipal": SERVICE});
    assert_eq!(code(bench.call(0, "ListGrants", filters).await), "ValidationException");
}

#[tokio::test]
async fn retirable_grants_are_those_of_one_principal_of_the_callers_account() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    for retiring in [ADMIN, CLERK, ROOT, OTHER_ROOT] {
        create(&bench, &key, json!({"RetiringPrincipal": retiring})).await;
    }
    create(&bench, &key, json!({"GranteePrincipal": ADMIN, "Operations": ["RetireGrant", "Decrypt"]})).await;
    for retiring in [ADMIN, CLERK, ROOT] {
        let grants = retirable(&bench, ACCOUNT, retiring).await;
        assert_eq!(grants.len(), 1, "{retiring}");
        assert_eq!(grants[0]["RetiringPrincipal"], retiring);
    }
    assert_eq!(retirable(&bench, OTHER_ACCOUNT, OTHER_ROOT).await.len(), 1);
    assert!(retirable(&bench, OTHER_ACCOUNT, OTHER_ADMIN).await.is_empty());
    assert!(retirable(&bench, ACCOUNT, "arn:aws:iam::123456789012:role/nobody").await.is_empty());
    for (body, refusal) in [
        (json!({}), "ValidationException"),
        (json!({"RetiringPrincipal": ADMIN, "RetiringServicePrincipal": SERVICE}), "ValidationException"),
        (json!({"RetiringPrincipal": OTHER_ROOT}), "AccessDeniedException"),
        (json!({"RetiringServicePrincipal": SERVICE}), "AccessDeniedException"),
        (json!({"RetiringPrincipal": "arn:aws:iam::123456789012:group/x"}), "InvalidArnException"),
        (json!({"RetiringPrincipal": "x"}), "InvalidArnException"),
        (json!({"RetiringPrincipal": ADMIN, "Marker": "forged"}), "InvalidMarkerException"),
    ] {
        assert_eq!(code(bench.call(0, "ListRetirableGrants", body.clone()).await), refusal, "{body}");
    }
}

#[tokio::test]
async fn three_thousand_grants_page_completely_and_go_with_their_key() {
    const NUMBER: usize = 3_000;
    let bench = Bench::in_memory();
    let (key, other) = (bench.create_key().await, bench.create_key().await);
    let kept = create(&bench, &other, json!({"Name": "kept", "RetiringPrincipal": ADMIN})).await.0;
    let mut made = BTreeSet::new();
    for number in 0..NUMBER {
        // One in a thousand is the clerk's.
        let grantee = if number % 1_000 == 999 { CLERK } else { ADMIN };
        let more = json!({
            "Name": format!("grant-{number}"), "GranteePrincipal": grantee, "RetiringPrincipal": ADMIN,
        });
        made.insert(create(&bench, &key, more).await.0);
    }
    let of_key = json!({"KeyId": key});
    for (body, length) in [(of_key.clone(), 50), (json!({"KeyId": key, "Limit": 100}), 100)] {
        let pages = ids_by_page(&bench, "ListGrants", body).await;
        assert_eq!(pages.len(), NUMBER / length);
        assert!(pages.iter().all(|page| page.len() == length));
        assert_eq!(pages.into_iter().flatten().collect::<BTreeSet<_>>(), made);
    }
    // A filter that lets little through reads a bounded part of the grants at a time.
    let clerks = ids_by_page(&bench, "ListGrants", json!({"KeyId": key, "GranteePrincipal": CLERK})).await;
    assert!(clerks.len() >= 3, "{clerks:?}");
    assert_eq!(clerks.concat().len(), 3);
    let admins = json!({"KeyId": key, "GranteePrincipal": ADMIN, "Limit": 7});
    let pages = ids_by_page(&bench, "ListGrants", admins).await;
    assert!(pages.iter().all(|page| page.len() <= 7));
    assert_eq!(pages.into_iter().flatten().collect::<BTreeSet<_>>().len(), NUMBER - 3);
    let retirable = json!({"RetiringPrincipal": ADMIN, "Limit": 100});
    let pages = ids_by_page(&bench, "ListRetirableGrants", retirable.clone()).await;
    assert_eq!(pages.concat().len(), NUMBER + 1);
    // A marker is good for its own listing.
    let marker = bench.call(0, "ListGrants", of_key.clone()).await.unwrap()["NextMarker"].clone();
    let elsewhere = json!({"KeyId": other, "Marker": marker});
    assert_eq!(code(bench.call(0, "ListGrants", elsewhere).await), "InvalidMarkerException");
    // With the key go its grants and all their entries, and nobody else's.
    bench.call(0, "ScheduleKeyDeletion", json!({"KeyId": key, "PendingWindowInDays": 7})).await.unwrap();
    bench.run_due(7 * DAY).await;
    assert_eq!(code(bench.call(0, "ListGrants", of_key).await), "NotFoundException");
    let left: Vec<_> = bench.paths("").await.into_iter().filter(|path| path.contains(&key)).collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(ids_by_page(&bench, "ListRetirableGrants", retirable).await, [[kept]]);
}
