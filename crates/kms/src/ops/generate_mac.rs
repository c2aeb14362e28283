//! GenerateMac: the HMAC of a message of up to 4,096 bytes.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateMac.html>

use base::Call;
use wire::kms::{GenerateMac, GenerateMacRequest, GenerateMacResponse, KeyUsageType, MacAlgorithmSpec};

use super::request::stop_if_dry_run;
use crate::Kms;
use crate::authorize::{CryptographicAction, Identifiers, KeyAction, StateRule, Usable};
use crate::cryptographic_operation::{CryptographicOperation, Used};
use crate::error::KmsError;
use crate::facts::Facts;
use crate::kind::KeyKind;

impl KeyAction for GenerateMac {
    const NAME: &'static str = "GenerateMac";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOrAlias;
    const STATES: StateRule = StateRule::Enabled;
    const ACROSS_ACCOUNTS: bool = true;
}

impl CryptographicAction for GenerateMac {
    type Operation = Self;
    const USAGES: &'static [KeyUsageType] = &[KeyUsageType::GenerateVerifyMac];
}

impl CryptographicOperation for GenerateMac {
    async fn carry_out(kms: &Kms, call: &Call, request: GenerateMacRequest) -> Result<Used<Self>, KmsError> {
        let facts = Facts { mac_algorithm: Some(request.mac_algorithm.as_str()), ..Facts::default() };
        let key = kms.usable::<Self>(call, &request.key_id, &facts).await?;
        kms.check_grant_tokens(request.grant_tokens.as_ref(), &[key.arn()]).await?;
        mac_fits(&key, request.mac_algorithm)?;
        stop_if_dry_run(request.dry_run)?;
        let mac = kms.materials.with_mac_key(&key, |mac_key| mac_key.sign(request.message.expose())).await?;
        Ok(key.used(GenerateMacResponse {
            mac: Some(mac),
            mac_algorithm: Some(request.mac_algorithm),
            key_id: Some(key.arn_text()),
        }))
    }
}

/// An HMAC key has one algorithm.
pub(super) fn mac_fits<A: CryptographicAction>(
    key: &Usable<A>,
    algorithm: MacAlgorithmSpec,
) -> Result<(), KmsError> {
    match key.kind()? {
        KeyKind::Mac(own) if own.as_str() == algorithm.as_str() => Ok(()),
        KeyKind::Mac(_) | KeyKind::Symmetric | KeyKind::Pair(_) => Err(key.incompatible(algorithm.as_str())),
    }
}
