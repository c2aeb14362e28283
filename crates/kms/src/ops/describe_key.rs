//! DescribeKey: the metadata of a key. Works in every key state. Grant tokens add nothing, and its model has no error
//! for bad ones. Named by its alias, an AWS managed key comes into being.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html>

use base::{Call, KeyId};
use wire::kms::{DescribeKey, DescribeKeyRequest, DescribeKeyResponse, KeySpec, KeyUsageType, OriginType};

use crate::alias::AliasName;
use crate::authorize::{Identifiers, KeyAction, StateRule};
use crate::error::KmsError;
use crate::facts::{Facts, NewKeyFacts};
use crate::managed_key::ManagedService;
use crate::paths::Place;
use crate::reference::KeyReference;
use crate::table::Handle;
use crate::{Kms, metadata};

impl KeyAction for DescribeKey {
    const NAME: &'static str = "DescribeKey";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOrAlias;
    const STATES: StateRule = StateRule::Any;
    const ACROSS_ACCOUNTS: bool = true;
}

impl Handle for DescribeKey {
    const READ_ONLY: bool = true;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: DescribeKeyRequest,
    ) -> Result<DescribeKeyResponse, KmsError> {
        kms.bring_into_being(call, &request.key_id).await?;
        let key = kms.usable::<Self>(call, &request.key_id, &Facts::default()).await?;
        Ok(DescribeKeyResponse { key_metadata: Some(metadata::of(&key.arn(), key.record())) })
    }
}

impl Kms {
    /// Makes the AWS managed key that an identifier names, if it names one that is not there yet and the caller may look
    /// at it.
    async fn bring_into_being(&self, call: &Call, identifier: &str) -> Result<(), KmsError> {
        if let KeyReference::Alias(place, name) =
            KeyReference::parse(identifier, call, DescribeKey::IDENTIFIERS)?
            && let Some(service) = name.strip_prefix("alias/aws/").and_then(|name| name.parse().ok())
            && place.account == call.caller.account
            && self.alias(&place, AliasName::of_service(service)).await?.is_none()
        {
            self.authorize_look_at_new_key(call, place, service).await?;
            self.aws_managed_key(place.account, place.region, service, call.time).await?;
        }
        Ok(())
    }

    /// The policies of AWS managed keys leave it to identity policies who looks at them, unless a service asks.
    async fn authorize_look_at_new_key(
        &self,
        call: &Call,
        place: Place,
        service: ManagedService,
    ) -> Result<(), KmsError> {
        if call.service.is_some() {
            return Ok(());
        }
        let new_key = NewKeyFacts {
            spec: KeySpec::SymmetricDefault,
            usage: KeyUsageType::EncryptDecrypt,
            origin: OriginType::AwsKms,
            multi_region: false,
        };
        let facts =
            Facts { new_key: Some(new_key), request_alias: Some(service.alias()), ..Facts::default() };
        // The key has no id yet.
        let arn = place.key_arn(KeyId::single_region([0; 16])).to_string();
        self.decide_without_key(call, <DescribeKey as KeyAction>::NAME, Some(&arn), &facts).await
    }
}
