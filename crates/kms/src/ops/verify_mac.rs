//! VerifyMac: checks the HMAC of a message. A wrong one is an error, never MacValid=false.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_VerifyMac.html>

use base::Call;
use wire::kms::{KeyUsageType, VerifyMac, VerifyMacRequest, VerifyMacResponse};

use super::generate_mac::mac_fits;
use super::request::stop_if_dry_run;
use crate::Kms;
use crate::authorize::{CryptographicAction, Identifiers, KeyAction, StateRule};
use crate::cryptographic_operation::{CryptographicOperation, Used};
use crate::error::KmsError;
use crate::facts::Facts;

impl KeyAction for VerifyMac {
    const NAME: &'static str = "VerifyMac";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOrAlias;
    const STATES: StateRule = StateRule::Enabled;
    const ACROSS_ACCOUNTS: bool = true;
}

impl CryptographicAction for VerifyMac {
    type Operation = Self;
    const USAGES: &'static [KeyUsageType] = &[KeyUsageType::GenerateVerifyMac];
}

impl CryptographicOperation for VerifyMac {
    async fn carry_out(kms: &Kms, call: &Call, request: VerifyMacRequest) -> Result<Used<Self>, KmsError> {
        let facts = Facts { mac_algorithm: Some(request.mac_algorithm.as_str()), ..Facts::default() };
        let key = kms.usable::<Self>(call, &request.key_id, &facts).await?;
        kms.check_grant_tokens(request.grant_tokens.as_ref(), &[key.arn()]).await?;
        mac_fits(&key, request.mac_algorithm)?;
        let verify = |mac_key: &crypto::MacKey| mac_key.verify(request.message.expose(), &request.mac);
        kms.materials.with_mac_key(&key, verify).await?.map_err(|_| KmsError::InvalidMac)?;
        stop_if_dry_run(request.dry_run)?;
        Ok(key.used(VerifyMacResponse {
            key_id: Some(key.arn_text()),
            mac_valid: Some(true),
            mac_algorithm: Some(request.mac_algorithm),
        }))
    }
}
