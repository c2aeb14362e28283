//! Every target over its seeds, its regressions, and a fixed number of mutations of them. Always the same ones: what
//! `make fuzz` finds beyond them becomes a regression.

#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "tests")]

mod mutation;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use fuzz::{TARGETS, Target, regressions};
use mutation::Mutator;

/// Mutations of each target.
const MUTATIONS: usize = 400;
/// Longer ones are left to `make fuzz`.
const LENGTH_MAX: usize = 4_096;

macro_rules! targets {
    ($($name:ident)*) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];
        $(
            #[test]
            fn $name() {
                replay(stringify!($name));
            }
        )*
    };
}

targets! {
    age_file
    attestation
    audit_index
    audit_log
    aws_json
    backup
    ciphertext
    configuration
    content
    delivered_files
    grant_constraint
    identifiers
    identity_operation
    key_encoding
    kms_operation
    organization_policy
    policy_condition
    policy_document
    policy_lint
    query_form
    root_file
    s3_body
    s3_operation
    seed_file
    session_token
    signature
    signed_chunks
    simulation
    stored_record
    web_identity
}

#[test]
fn every_target_is_here_and_has_seeds() {
    let known: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(known, NAMES);
    for target in &TARGETS {
        assert!((target.seeds)().len() >= 2, "{} has nothing to begin with", target.name);
    }
}

/// Regressions of a target that is no more would never be looked at.
#[test]
fn every_regression_has_a_target() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("regressions");
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_dir() {
            let name = entry.file_name().into_string().unwrap();
            assert!(Target::named(&name).is_some(), "no target is named {name}");
        }
    }
}

fn replay(name: &str) {
    let target = Target::named(name).unwrap();
    let mut known = (target.seeds)();
    known.extend(regressions(name));
    for input in &known {
        look_at(target, input);
    }
    let mut mutator = Mutator::new(&known, target.words);
    for _ in 0..MUTATIONS {
        let input = mutator.next(LENGTH_MAX);
        look_at(target, &input);
    }
}

/// Hands the target one input; if it panics, keeps the input and says where.
fn look_at(target: &Target, input: &[u8]) {
    if catch_unwind(AssertUnwindSafe(|| (target.run)(input))).is_err() {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.crash", target.name));
        std::fs::write(&path, input).unwrap();
        panic!(
            "{} panicked; the input is in {}: mend the defect, and add the input to fuzz/regressions/{}/",
            target.name,
            path.display(),
            target.name
        );
    }
}
