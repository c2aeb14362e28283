//! The ports that services declare, plugged into each other here: services never know one another.

use std::sync::Arc;

use async_trait::async_trait;
use audit::delivery::{DeliveryStatus, PublicDigestKey};
use audit::trails::{DataEvent, EventOrigin};
use base::{AccountId, Call, Caller, Region, Timestamp};
use cloudtrail::{Callers, Delivered, Deliveries, PublicKey, StoredTrails};
use identity::{CallerPolicies, Identity, IdentityError, PossibleCallers};
use kms::{Kms, KmsError, KnownPrincipal, Principals, PrincipalsUnavailable};
use management::{KeyNames, KeyOutline, Keys, Part, People, PortError, PossibleAction, Whom};
use policy::{IdentitySide, PrincipalEntry};
use wire::kms::{DescribeKey, Operation};

use crate::delivery::Delivery;

/// Lets key policies and grants ask who exists, and decisions what callers may do.
pub(crate) struct PrincipalsOfIdentity(pub(crate) Arc<Identity>);

#[async_trait]
impl Principals for PrincipalsOfIdentity {
    async fn find(&self, entry: &PrincipalEntry) -> Result<Option<KnownPrincipal>, PrincipalsUnavailable> {
        let known = self.0.principal(entry).await.map_err(unavailable)?;
        Ok(known.map(|known| KnownPrincipal { unique_id: known.unique_id }))
    }

    async fn arn_of(&self, unique_id: &str) -> Result<Option<String>, PrincipalsUnavailable> {
        self.0.arn_of_unique_id(unique_id).await.map_err(unavailable)
    }

    async fn rights_of(&self, caller: &Caller) -> Result<Arc<dyn kms::CallerRights>, PrincipalsUnavailable> {
        Ok(Arc::new(PoliciesOfCaller(self.0.policies_of(caller).await.map_err(unavailable)?)))
    }
}

/// The policies that apply to a caller.
struct PoliciesOfCaller(Arc<CallerPolicies>);

impl kms::CallerRights for PoliciesOfCaller {
    fn side(&self) -> IdentitySide<'_> {
        self.0.side()
    }
}

impl management::CallerRights for PoliciesOfCaller {
    fn side(&self) -> IdentitySide<'_> {
        self.0.side()
    }
}

impl cloudtrail::CallerRights for PoliciesOfCaller {
    fn side(&self) -> IdentitySide<'_> {
        self.0.side()
    }
}

impl objects::CallerRights for PoliciesOfCaller {
    fn side(&self) -> IdentitySide<'_> {
        self.0.side()
    }
}

#[async_trait]
impl objects::Callers for CallersOfIdentity {
    async fn rights_of(&self, caller: &Caller) -> Result<Arc<dyn objects::CallerRights>, objects::PortError> {
        let policies = self.0.policies_of(caller).await;
        let policies = policies.map_err(|error| objects::PortError(error.into()))?;
        Ok(Arc::new(PoliciesOfCaller(policies)))
    }

    async fn find(&self, entry: &PrincipalEntry) -> Result<Option<Option<String>>, objects::PortError> {
        let known = self.0.principal(entry).await.map_err(|error| objects::PortError(error.into()))?;
        Ok(known.map(|known| known.unique_id))
    }
}

/// Lets CloudTrail and S3 ask what callers may do.
pub(crate) struct CallersOfIdentity(pub(crate) Arc<Identity>);

#[async_trait]
impl Callers for CallersOfIdentity {
    async fn rights_of(
        &self,
        caller: &Caller,
    ) -> Result<Arc<dyn cloudtrail::CallerRights>, cloudtrail::PortError> {
        let policies = self.0.policies_of(caller).await;
        let policies = policies.map_err(|error| cloudtrail::PortError(error.into()))?;
        Ok(Arc::new(PoliciesOfCaller(policies)))
    }
}

/// Tells S3 which events on objects the trails deliver.
pub(crate) struct DataEventsOfTrails(pub(crate) Arc<StoredTrails>);

#[async_trait]
impl objects::DataEvents for DataEventsOfTrails {
    async fn are_any(&self) -> Result<bool, objects::PortError> {
        self.0.want_any_data_event().await.map_err(|error| objects::PortError(error.into()))
    }

    async fn are_wanted(
        &self,
        account: AccountId,
        event: &objects::DataEvent<'_>,
    ) -> Result<bool, objects::PortError> {
        let objects::DataEvent { source, region, time, read_only, resources } = *event;
        let data = Some(DataEvent { read_only, resources });
        let wanted = self.0.want_data_event(&EventOrigin { account, region, source, time, data }).await;
        wanted.map_err(|error| objects::PortError(error.into()))
    }
}

/// Tells the CloudTrail service how delivery fares.
pub(crate) struct DeliveriesOf(pub(crate) Arc<Delivery>);

#[async_trait]
impl Deliveries for DeliveriesOf {
    fn delivered(&self) -> Delivered {
        let status = self.0.status();
        let DeliveryStatus { last_delivery, last_digest, failure, .. } = status;
        Delivered { last_delivery, last_digest, failure }
    }

    async fn public_keys(
        &self,
        region: Region,
        start: Timestamp,
        end: Timestamp,
    ) -> Result<Vec<PublicKey>, cloudtrail::PortError> {
        let keys = self.0.keys().public_keys(region, start, end).await;
        let keys = keys.map_err(|error| cloudtrail::PortError(error.into()))?;
        let told = |PublicDigestKey { value, valid_from, valid_until, fingerprint }| PublicKey {
            value,
            valid_from,
            valid_until,
            fingerprint,
        };
        Ok(keys.into_iter().map(told).collect())
    }
}

/// Lets the service of our own ask who there is.
pub(crate) struct PeopleOfIdentity(pub(crate) Arc<Identity>);

#[async_trait]
impl People for PeopleOfIdentity {
    async fn rights_of(&self, caller: &Caller) -> Result<Arc<dyn management::CallerRights>, PortError> {
        Ok(Arc::new(PoliciesOfCaller(self.0.policies_of(caller).await.map_err(failed)?)))
    }

    async fn caller_of(&self, entry: &PrincipalEntry) -> Result<Option<Caller>, PortError> {
        self.0.possible_caller(entry).await.map_err(failed)
    }

    async fn users(
        &self,
        account: AccountId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Part<Caller>, PortError> {
        self.0.possible_users(account, after, limit).await.map(part).map_err(failed)
    }

    async fn roles(
        &self,
        account: AccountId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Part<Caller>, PortError> {
        self.0.possible_roles(account, after, limit).await.map(part).map_err(failed)
    }
}

/// Lets the service of our own ask about keys.
pub(crate) struct KeysOfKms(pub(crate) Arc<Kms>);

#[async_trait]
impl Keys for KeysOfKms {
    async fn outline(&self, call: &Call, key_id: &str) -> Result<KeyOutline, PortError> {
        let kms::KeyOutline { key, named } = self.0.key_outline(call, key_id).await.map_err(refused)?;
        Ok(KeyOutline { key, named })
    }

    async fn names(&self, call: &Call, key_id: &str) -> Result<KeyNames, PortError> {
        let kms::KeyNames { key, aliases } = self.0.key_names(call, key_id).await.map_err(refused)?;
        Ok(KeyNames { key, aliases })
    }

    async fn grantees(
        &self,
        key: &KeyOutline,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Part<PrincipalEntry>, PortError> {
        let kms::Grantees { grantees, last } =
            self.0.grantees(&key.key, after, limit).await.map_err(refused)?;
        Ok(Part { items: grantees, last })
    }

    async fn access(
        &self,
        call: &Call,
        key: &KeyOutline,
        whom: &Whom,
    ) -> Result<Vec<PossibleAction>, PortError> {
        let whom = match whom {
            Whom::Caller(caller) => kms::Whom::Caller(Arc::clone(caller)),
            Whom::Everybody => kms::Whom::Everybody,
        };
        let accesses = self.0.access(call, &key.key, &whom).await.map_err(refused)?;
        let told = accesses.into_iter().map(|one| PossibleAction { action: one.action, access: one.access });
        Ok(told.collect())
    }
}

fn part(possible: PossibleCallers) -> Part<Caller> {
    Part { items: possible.callers, last: possible.last }
}

fn failed(error: IdentityError) -> PortError {
    PortError::Failed(error.into())
}

/// What the key service refuses is refused in its words; what fails there fails here.
fn refused(error: KmsError) -> PortError {
    let fault = error.to_fault(<DescribeKey as Operation>::ERRORS);
    if fault.status >= 500 { PortError::Failed(error.into()) } else { PortError::Refused(fault) }
}

fn unavailable(error: IdentityError) -> PrincipalsUnavailable {
    PrincipalsUnavailable(error.into())
}
