//! The gate before RetireGrant: the grant itself says who may retire it, in whatever account they are.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/grant-delete.html>

use base::Call;
use wire::kms::GrantOperation;

use super::{GrantRecord, LoadedGrant};
use crate::change::Edit;
use crate::error::KmsError;
use crate::keys::LoadedKey;

/// A grant as it was read, with its key. It can do nothing but be authorized.
pub(crate) struct UncheckedGrant {
    pub(super) key: LoadedKey,
    pub(super) grant: LoadedGrant,
}

/// A grant that the caller may retire.
pub(crate) struct RetirableGrant(UncheckedGrant);

impl UncheckedGrant {
    /// Decides whether the caller may retire this grant. Each identity of an account counts as its
    /// administrator.
    pub(crate) fn authorize(self, call: &Call) -> Result<RetirableGrant, KmsError> {
        let record = &self.grant.record;
        let account = call.caller.account;
        let is_issuer = record.issuing_account == account.to_string();
        if account == self.key.arn.account || is_issuer || is_named(record, call) {
            Ok(RetirableGrant(self))
        } else {
            Err(KmsError::foreign_key(&call.caller, "RetireGrant"))
        }
    }
}

impl RetirableGrant {
    /// The change that removes the grant from its key.
    pub(crate) fn removal(&self) -> Result<Edit, KmsError> {
        let mut edit = Edit::of(&self.0.key)?;
        edit.remove_grant(&self.0.grant)?;
        Ok(edit)
    }
}

/// Whether the grant names the caller as one who may retire it.
fn is_named(record: &GrantRecord, call: &Call) -> bool {
    let terms = &record.terms;
    let as_retiring = terms.retiring.as_ref().is_some_and(|retiring| retiring.includes(&call.caller));
    let as_grantee =
        terms.operations.contains(&GrantOperation::RetireGrant) && terms.grantee.includes(&call.caller);
    as_retiring || as_grantee
}
