//! What travels: SigV4 verification, the awsJson 1.1 and Query codecs, S3's XML and chunks, and the types generated
//! from the service models.
//!
//! Pure: every fact (bytes, time, secrets) is handed in; nothing here reads a socket, a clock or a store.

pub mod cloudtrail;
mod constraints;
pub mod event;
mod fault;
pub mod iam;
pub mod json;
pub mod keywright;
pub mod kms;
pub mod query;
pub mod s3;
pub mod sigv4;
pub mod sts;

pub use fault::{Fault, FaultKind};
