//! The targets, a file each.

mod attestation;
mod aws_json;
mod ciphertext;
mod configuration;
mod grant_constraint;
mod identifiers;
mod key_encoding;
mod organization_policy;
mod policy_condition;
mod policy_document;
mod policy_lint;
mod policy_words;
mod query_form;
mod root_file;
mod seed_file;
mod signature;
mod simulation;
mod web_identity;

use crate::Target;

/// Every target.
pub static TARGETS: [Target; 17] = [
    attestation::TARGET,
    aws_json::TARGET,
    ciphertext::TARGET,
    configuration::TARGET,
    grant_constraint::TARGET,
    identifiers::TARGET,
    key_encoding::TARGET,
    organization_policy::TARGET,
    policy_condition::TARGET,
    policy_document::TARGET,
    policy_lint::TARGET,
    query_form::TARGET,
    root_file::TARGET,
    seed_file::TARGET,
    signature::TARGET,
    simulation::TARGET,
    web_identity::TARGET,
];
