//! The operations, one file each.

mod explain_request;
mod list_key_access;
mod list_key_usage;
