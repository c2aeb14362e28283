//! The operations, one file each.

mod create_backup;
mod explain_request;
mod list_key_access;
mod list_key_usage;
