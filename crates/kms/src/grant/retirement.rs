//! The gate before RetireGrant: the grant itself says who may retire it, in whatever account they are; key policies have
//! no say.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/grant-delete.html>

use std::sync::Arc;

use base::Call;
use policy::{
    Action, CallerFacts, Decision, Origin, Request, Resource, ResourceSide, Retirement, Witness,
    decide_retirement,
};
use store::StoreError;
use wire::kms::GrantOperation;

use super::LoadedGrant;
use crate::Kms;
use crate::change::Edit;
use crate::circumstances::Circumstances;
use crate::error::KmsError;
use crate::facts::Facts;
use crate::keys::LoadedKey;
use crate::principal::CallerRights;

/// A grant as it was read, with its key. It can do nothing but be authorized.
pub(crate) struct UncheckedGrant {
    pub(super) key: LoadedKey,
    pub(super) grant: LoadedGrant,
}

/// A grant that the caller may retire.
pub(crate) struct RetirableGrant(UncheckedGrant);

impl Kms {
    /// Decides whether the caller may retire this grant: whom it names may, unless identity policies deny it, and who has
    /// leave by identity policies in an account that is concerned.
    pub(crate) async fn authorize_retirement(
        &self,
        call: &Call,
        grant: UncheckedGrant,
    ) -> Result<RetirableGrant, KmsError> {
        let rights = self.principals.rights_of(&call.caller).await?;
        // Key policies have no say.
        let mut resource = ResourceSide::without_policy();
        let guardrails = self.guardrails.of(grant.key.arn.account);
        resource.organization = guardrails.map(|guardrails| &guardrails.organization);
        grant.decide(call, &*rights, &resource, &*self.witness)?;
        Ok(RetirableGrant(grant))
    }
}

impl UncheckedGrant {
    fn decide(
        &self,
        call: &Call,
        rights: &dyn CallerRights,
        resource: &ResourceSide<'_>,
        witness: &dyn Witness,
    ) -> Result<(), KmsError> {
        let (record, key) = (&self.grant.record, self.key.arn);
        let damaged = |_| StoreError::damaged(key.to_string(), "a grant of it names no account".to_owned());
        let terms = &record.terms;
        let may_retire = terms.operations.contains(&GrantOperation::RetireGrant);
        let (retiring, grantee) = (record.retiring(), record.grantee().filter(|_| may_retire));
        let id = self.grant.id.to_string();
        let retirement = Retirement {
            grant: &id,
            issuer: record.issuing_account.parse().map_err(damaged)?,
            retiring: retiring.as_ref(),
            grantee: grantee.as_ref(),
        };
        let nothing = Facts::default();
        let (caller, arn) = (CallerFacts::of(Arc::clone(&call.caller)), key.to_string());
        let request = Request {
            action: Action::new("kms", "RetireGrant"),
            resource: Resource::named(&arn, key.account),
            caller: &caller,
            origin: Origin::of(call),
            context: &Circumstances::of(call, "RetireGrant", &nothing, Some(&self.key)),
        };
        let side = rights.side();
        let decision = decide_retirement(&request, &side, resource, &retirement);
        match decision.witnessed((witness, call.request_id), &request, &side, resource) {
            Decision::Allow(_) => Ok(()),
            Decision::Deny(denial) => Err(KmsError::of_denial(&denial)),
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
