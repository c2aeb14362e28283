//! What travels: SigV4 verification, the awsJson 1.1 and Query codecs, and the types generated from the service models.
//!
//! Pure: every fact (bytes, time, secrets) is handed in; nothing here reads a socket, a clock or a store.

mod constraints;
pub mod event;
mod fault;
pub mod iam;
pub mod json;
pub mod keywright;
pub mod kms;
pub mod query;
pub mod sigv4;
pub mod sts;

pub use fault::{Fault, FaultKind};
