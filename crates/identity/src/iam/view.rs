//! Records as answers show them.

use base::{AccountId, Timestamp};
use wire::iam::{AttachedPermissionsBoundary, Group, PermissionsBoundaryAttachmentType, Role, User};
use wire::query::percent_encode;

use super::resource::{Kind, arn};
use super::tags;
use crate::record::{GroupRecord, RoleRecord, UserRecord};

/// A user as GetUser shows it.
pub(crate) fn user(account: AccountId, record: &UserRecord) -> User {
    User {
        permissions_boundary: boundary(record.boundary.as_ref()),
        tags: tags::shown(&record.tags),
        ..listed_user(account, record)
    }
}

/// A user as lists show it: without boundary and tags.
pub(crate) fn listed_user(account: AccountId, record: &UserRecord) -> User {
    User {
        path: record.path.clone(),
        user_name: record.name.clone(),
        user_id: record.unique_id.clone(),
        arn: arn(Kind::User, account, &record.path, &record.name),
        create_date: Timestamp::from_millis(record.created_at),
        password_last_used: None,
        permissions_boundary: None,
        tags: None,
    }
}

/// A group.
pub(crate) fn group(account: AccountId, record: &GroupRecord) -> Group {
    Group {
        path: record.path.clone(),
        group_name: record.name.clone(),
        group_id: record.unique_id.clone(),
        arn: arn(Kind::Group, account, &record.path, &record.name),
        create_date: Timestamp::from_millis(record.created_at),
    }
}

/// A role as GetRole shows it.
pub(crate) fn role(account: AccountId, record: &RoleRecord, trust_policy: &str) -> Role {
    Role {
        permissions_boundary: boundary(record.boundary.as_ref()),
        tags: tags::shown(&record.tags),
        ..listed_role(account, record, trust_policy)
    }
}

/// A role as lists show it: without boundary and tags.
pub(crate) fn listed_role(account: AccountId, record: &RoleRecord, trust_policy: &str) -> Role {
    Role {
        path: record.path.clone(),
        role_name: record.name.clone(),
        role_id: record.unique_id.clone(),
        arn: arn(Kind::Role, account, &record.path, &record.name),
        create_date: Timestamp::from_millis(record.created_at),
        assume_role_policy_document: Some(percent_encode(trust_policy)),
        description: record.description.clone(),
        max_session_duration: Some(record.max_session_duration),
        permissions_boundary: None,
        tags: None,
        role_last_used: None,
        source_role_template: None,
    }
}

fn boundary(arn: Option<&String>) -> Option<AttachedPermissionsBoundary> {
    let arn = arn?.clone();
    Some(AttachedPermissionsBoundary {
        permissions_boundary_type: Some(PermissionsBoundaryAttachmentType::PermissionsBoundaryPolicy),
        permissions_boundary_arn: Some(arn),
    })
}
