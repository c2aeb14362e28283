//! Who there is: accounts, users and access keys, and the STS operations that tell callers who they are.
//!
//! Users and access keys are stored, their secrets sealed; policies are kept by their ARN and not evaluated yet. The
//! hot path is [`Identity::credential`]: once loaded, an access key is answered from memory until a commit changes it
//! or its user.

mod access_key;
mod bootstrap;
mod credential;
mod draw;
mod error;
mod name;
mod paths;
mod record;
mod service;
pub mod sts;
mod trail;
mod user;

pub use access_key::NewAccessKey;
pub use bootstrap::FirstCredentials;
pub use credential::Credential;
pub use error::IdentityError;
pub use name::{AccessKeyId, ManagedPolicyArn, NameError, UserName, UserPath};
pub use service::Identity;
pub use user::NewUser;
