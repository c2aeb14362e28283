//! The IAM operations, one file each in `ops`, and what they share.
//!
//! A handler reads what it needs, passes the gate (`authorize`), and gives an answer: of a read alone, or together with
//! a plan of what changes. The table commits the plan with its audit record, and asks the handler again if somebody
//! was faster.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/welcome.html>

mod access_key;
mod authorize;
mod aws_managed;
mod boundary;
mod entity;
mod error;
mod facts;
mod inline;
mod managed_policy;
mod ops;
mod paging;
mod plan;
mod policy_document;
mod provider;
mod quota;
mod resource;
mod simulation;
mod table;
mod tags;
mod trust;
mod view;

pub use error::IamError;
pub use table::{Operation, Refused};

pub(crate) use managed_policy::ManagedPolicy;
pub(crate) use resource::{Kind, arn, last_segment};
