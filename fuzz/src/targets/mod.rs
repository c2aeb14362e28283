//! The targets, a file each.

mod age_file;
mod attestation;
mod audit_index;
mod audit_log;
mod aws_json;
mod backup;
mod ciphertext;
mod configuration;
mod content;
mod delivered_files;
mod grant_constraint;
mod identifiers;
mod identity_operation;
mod key_encoding;
mod kms_operation;
mod organization_policy;
mod policy_condition;
mod policy_document;
mod policy_lint;
mod policy_words;
mod query_form;
mod root_file;
mod s3_body;
mod s3_operation;
mod seed_file;
mod session_token;
mod signature;
mod signed_chunks;
mod simulation;
mod stored_record;
mod web_identity;

use crate::Target;

/// Every target.
pub static TARGETS: [Target; 30] = [
    age_file::TARGET,
    attestation::TARGET,
    audit_index::TARGET,
    audit_log::TARGET,
    aws_json::TARGET,
    backup::TARGET,
    ciphertext::TARGET,
    configuration::TARGET,
    content::TARGET,
    delivered_files::TARGET,
    grant_constraint::TARGET,
    identifiers::TARGET,
    identity_operation::TARGET,
    key_encoding::TARGET,
    kms_operation::TARGET,
    organization_policy::TARGET,
    policy_condition::TARGET,
    policy_document::TARGET,
    policy_lint::TARGET,
    query_form::TARGET,
    root_file::TARGET,
    s3_body::TARGET,
    s3_operation::TARGET,
    seed_file::TARGET,
    session_token::TARGET,
    signature::TARGET,
    signed_chunks::TARGET,
    simulation::TARGET,
    stored_record::TARGET,
    web_identity::TARGET,
];
