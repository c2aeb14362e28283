//! Who there is: accounts, users, groups, roles, access keys and policies, with the IAM operations that manage them, and
//! the STS operations that give sessions of them.
//!
//! The secrets of access keys are sealed; policies are kept byte for byte, and compiled for those
//! to whom they apply. The hot paths are
//! [`Identity::credentials`] and [`Identity::policies_of`]: once loaded, both answer from memory until a commit changes
//! what they were loaded from.

mod access_key;
mod authorization_message;
mod bootstrap;
mod caller_policies;
mod changes;
mod credential;
mod draw;
mod error;
pub mod iam;
mod name;
mod paths;
mod possible_caller;
mod principal;
mod record;
mod root_access_key;
mod service;
mod session;
pub mod sts;
mod trail;
mod turns;
mod user;
mod web_identity;

pub use access_key::NewAccessKey;
pub use bootstrap::FirstCredentials;
pub use caller_policies::CallerPolicies;
pub use credential::{Credential, Credentials};
pub use error::IdentityError;
pub use name::{AccessKeyId, ManagedPolicyArn, NameError, UserName, UserPath};
pub use possible_caller::PossibleCallers;
pub use principal::KnownPrincipal;
pub use service::Identity;
pub use user::NewUser;
pub use web_identity::{KeySetSource, KeySetUnavailable, NoKeys};
