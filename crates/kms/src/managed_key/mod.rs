//! AWS managed keys: `alias/aws/<service>`, one for each service, account and Region. A key comes into being when the
//! service needs it first, or when DescribeKey names its alias. Everybody in the account can look at it; it can be used
//! through its service only and changed by nobody.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-cmk>

mod policy;
mod service;

use base::{AccountId, Call, KeyId, Region, Timestamp};
use wire::kms::{KeySpec, KeyUsageType, OriginType};

use crate::Kms;
use crate::alias::AliasName;
use crate::change::{Attempts, Committed, Edit};
use crate::error::KmsError;
use crate::key_policy::KeyPolicy;
use crate::kind::KeyKind;
use crate::ops::NewKey;
use crate::paths::Place;
use crate::record::RotationSchedule;
pub use service::ManagedService;

/// AWS managed keys rotate every year: <https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html>
const ROTATION_PERIOD_DAYS: u32 = 365;

impl Kms {
    /// The id of the AWS managed key of a service, which is made if there is none yet.
    ///
    /// # Errors
    /// Store, keyring or randomness fail.
    pub async fn aws_managed_key(
        &self,
        account: AccountId,
        region: Region,
        service: ManagedService,
        now: Timestamp,
    ) -> Result<KeyId, KmsError> {
        let place = Place { account, region };
        let alias = AliasName::of_service(service);
        let mut attempts = Attempts::new();
        loop {
            if let Some(found) = self.alias(&place, alias).await? {
                return Ok(found.target);
            }
            let (edit, id) = self.new_managed_key(place, service, now).await?;
            let record = self.service_record("CreateKey", &edit.arn, now)?;
            match self.commit(edit.into_transaction(record)?).await? {
                Committed::Yes => return Ok(id),
                Committed::Conflict => attempts.again().await?,
            }
        }
    }

    /// Makes the AWS managed key that a service names by its alias when it needs it first. Nobody else's call does.
    pub(crate) async fn bring_own_key_into_being(
        &self,
        call: &Call,
        identifier: &str,
    ) -> Result<(), KmsError> {
        let Some(by) = &call.service else { return Ok(()) };
        let name = identifier.strip_prefix("alias/aws/").and_then(|name| name.parse().ok());
        let Some(service) = name.filter(|service: &ManagedService| service.calls_as(&by.principal)) else {
            return Ok(());
        };
        self.aws_managed_key(call.caller.account, call.region, service, call.time).await.map(|_| ())
    }

    async fn new_managed_key(
        &self,
        place: Place,
        service: ManagedService,
        now: Timestamp,
    ) -> Result<(Edit, KeyId), KmsError> {
        let mut random = [0; 16];
        self.randomness.fill(&mut random)?;
        let arn = place.key_arn(KeyId::single_region(random));
        let new = NewKey {
            spec: KeySpec::SymmetricDefault,
            usage: KeyUsageType::EncryptDecrypt,
            origin: OriginType::AwsKms,
            created_at: now.millis(),
            description: service.description(),
            policy: KeyPolicy::naming_no_identity(policy::of(service, place)?),
            tags: std::collections::BTreeMap::new(),
        };
        let mut edit = Edit::create(arn, new.record(&arn))?;
        edit.record.managed_by = Some(service);
        edit.begin_with(&self.materials.generate(&arn, KeyKind::Symmetric).await?)?;
        edit.schedule_rotation(RotationSchedule::starting(now, ROTATION_PERIOD_DAYS));
        edit.add_alias(AliasName::of_service(service), now, 1)?;
        Ok((edit, arn.id))
    }
}
